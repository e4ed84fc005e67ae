"""install.sh with a real pip: the user's settings neither redirect nor break the installation."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SECONDS = 120

PYPROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "tiny"
version = "1"
"""

# Builds a package of one file, without anything from a network.
BACKEND = """
import zipfile
from pathlib import Path

def build_editable(folder, config_settings=None, metadata_directory=None):
    name, info = "tiny-1-py3-none-any.whl", "tiny-1.dist-info"
    with zipfile.ZipFile(Path(folder, name), "w") as wheel:
        wheel.writestr("tiny.py", "")
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\\nName: tiny\\nVersion: 1\\n")
        tag = "Root-Is-Purelib: true\\nTag: py3-none-any\\n"
        wheel.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\\n{tag}")
        wheel.writestr(f"{info}/RECORD", "")
    return name

get_requires_for_build_editable = lambda config_settings=None: []
"""


@pytest.fixture
def hostile(tmp_path: Path) -> dict[str, str]:
    """An environment in which pip is told to install elsewhere, in every way."""
    user = tmp_path / "user"
    (user / ".config" / "pip").mkdir(parents=True)
    (user / ".config" / "pip" / "pip.conf").write_text(
        "[global]\nindex-url = https://me:50%25@mirror.example/simple\nrequire-virtualenv = true\n"
        "[install]\nuser = true\ntrusted-host =\n    mirror.example\n    other.example\n"
    )
    told = {"PIP_TARGET": str(user / "target"), "PIP_PREFIX": str(user / "prefix")}
    told |= {"PIP_NO_DEPS": "1", "PIP_DRY_RUN": "1", "PIP_PROXY": "http://proxy.example:3128"}
    told |= {"PYTHONPATH": str(tmp_path / "shadows"), "PYTHONSTARTUP": "/none"}
    home = {"HOME": str(user), "XDG_CONFIG_HOME": str(user / ".config")}
    plain = {key: value for key, value in os.environ.items() if not key.startswith("PIP_")}
    return plain | told | home


@pytest.fixture
def shadows(tmp_path: Path) -> Path:
    """The current folder."""
    folder = tmp_path / "shadows"
    folder.mkdir()
    for name in ("pip", "venv", "ensurepip", "random", "ast", "zipfile"):
        (folder / f"{name}.py").write_text(f"raise SystemExit('{name}.py of the user was run')\n")
    return folder


def bash(
    script: str, folder: Path, environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", f'source "{ROOT / "install.sh"}"\n{script}'],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )


def test_where_packages_come_from_is_kept_and_nothing_else(
    shadows: Path, hostile: dict[str, str]
) -> None:
    script = f'only_sources_count "{sys.executable}"; env -0'
    done = bash(script, shadows, hostile | {"PIP_INDEX_URL": "https://mine.example"})
    assert done.returncode == 0, done.stderr
    seen = dict(line.split("=", 1) for line in done.stdout.split("\0") if line)
    assert seen["PIP_INDEX_URL"] == "https://mine.example", "a variable comes before a file"
    assert seen["PIP_TRUSTED_HOST"].split() == ["mirror.example", "other.example"]
    assert seen["PIP_PROXY"] == "http://proxy.example:3128"
    assert seen["PIP_CONFIG_FILE"] == os.devnull
    lost = ("TARGET", "PREFIX", "USER", "NO_DEPS", "DRY_RUN", "REQUIRE_VIRTUALENV")
    assert not [name for name in lost if f"PIP_{name}" in seen]
    assert not [name for name in seen if name.startswith("PYTHON")]
    assert bash(script, shadows, hostile).stdout.count("https://me:50%25@mirror.example") == 1


def test_it_is_installed_where_it_belongs(
    tmp_path: Path, shadows: Path, hostile: dict[str, str]
) -> None:
    home = tmp_path / "user's project 1"
    home.mkdir()
    (home / "pyproject.toml").write_text(PYPROJECT)
    (home / "backend.py").write_text(BACKEND)
    (home / "constraints.txt").touch()
    install = f'install_multitrain "{home}"'

    done = bash(install, shadows, hostile)

    assert done.returncode == 0, done.stderr
    assert list((home / ".venv" / "lib").glob("python3.*/site-packages/tiny.py"))
    elsewhere = {"target", "prefix", ".local"}
    assert not elsewhere.intersection(path.name for path in (tmp_path / "user").iterdir())
    (home / "backend.py").unlink()
    assert bash(install, shadows, hostile).returncode == 0, "the second time there is nothing to do"
