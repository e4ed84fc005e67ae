"""run.sh with a stand-in for the installed program: what it makes of its arguments."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = ("run.sh", "install.sh", "pyproject.toml", "constraints.txt")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with an odd name where multitrain is installed already, or so it seems."""
    home = tmp_path / "user's night 1"
    (home / ".venv" / "bin").mkdir(parents=True)
    for name in SCRIPTS:
        shutil.copy(ROOT / name, home)
    program = home / ".venv" / "bin" / "multitrain"
    program.write_text("#!/bin/sh\nprintf '%s|' \"$@\"\n")
    program.chmod(0o755)
    # As run.sh leaves it: nothing to install, with an NVIDIA driver or without.
    (home / ".venv" / ".home").write_text(str(home))
    for extras in ("", "cuda"):
        stamp = f".venv/.installed{extras and '-'}{extras}"
        bash(
            f'printf %s "extras: {extras}, $(cat pyproject.toml constraints.txt | cksum)" >{stamp}',
            home,
        )
    return home


def bash(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", script], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize(
    ("arguments", "passed"),
    [
        ("", "run|{home}/example_config.csv|"),
        ("my.csv", "run|my.csv|"),
        ("my.csv 0,1", "run|my.csv|--gpus|0,1|"),
        ("my.csv --fresh one", "run|my.csv|--fresh|one|"),
        ("my.csv cpu --slots 2", "run|my.csv|--gpus|cpu|--slots|2|"),
        ("--fresh all", "run|{home}/example_config.csv|--fresh|all|"),
        ("'two words.csv' all", "run|two words.csv|--gpus|all|"),
    ],
)
def test_arguments(home: Path, arguments: str, passed: str) -> None:
    result = bash(f"PATH=/usr/bin:/bin ./run.sh {arguments}", home)
    assert (result.stdout, result.returncode) == (passed.format(home=home), 0), result.stderr


def test_called_from_elsewhere_and_by_a_link(home: Path, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "night").symlink_to(home / "run.sh")
    result = bash("CDPATH=/tmp ./bin/night my.csv", tmp_path)
    assert (result.stdout, result.returncode) == ("run|my.csv|", 0), result.stderr


def test_no_suitable_python_is_told(home: Path, tmp_path: Path) -> None:
    """Without an environment, on a PATH with nothing but the tools of the script."""
    shutil.rmtree(home / ".venv")
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in ("bash", "dirname", "readlink", "cat", "cksum"):
        found = shutil.which(tool)
        assert found
        (tools / tool).symlink_to(found)
    result = bash(f"PATH='{tools}' ./run.sh my.csv", home)
    assert result.returncode == 2
    assert "needs Python 3.11, 3.12 or 3.13" in result.stderr
