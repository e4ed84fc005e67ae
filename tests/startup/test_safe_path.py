"""What lies in the current folder or on PYTHONPATH is never run in place of real modules."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from jobs.workspace.paths import Workspace
from multitrain.executors.local import LocalExecutor
from multitrain.farm.ahead.pictures_ahead import PicturesAhead
from multitrain.farm.launching import TrainerSettings
from multitrain.farm.render_keeper import RenderKeeper
from multitrain.startup.environment import for_children
from multitrain.startup.safe_path import ROOT, SEARCHED_LAST, python_command

# Our own packages, modules of Python's library that are always or never loaded at the start, and a
# package that is installed.
SHADOWS = ("random", "render", "jobs", "multitrain", "typing", "sitecustomize", "numpy", "json")

# A process of ours: tells where it found what it imports.
TELLS = """
import json, random, sys, numpy, jobs.workspace.paths, multitrain, render
print(json.dumps([sys.argv, [each.__file__ for each in (random, numpy, jobs, multitrain, render)]]))
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, full of scripts that are named like modules."""
    folder = tmp_path / "shadows"
    folder.mkdir()
    for name in SHADOWS:
        (folder / f"{name}.py").write_text(f"raise SystemExit('{name}.py of the user was run')\n")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Our code in a folder of its own, where nothing is installed; with the module that tells."""
    root = tmp_path / "our code"
    for package in ("jobs", "render", "multitrain"):
        shutil.copytree(
            Path(ROOT, package), root / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    (root / "multitrain" / "tells.py").write_text(TELLS)
    return root


def start(copy: Path, environment: dict[str, str]) -> tuple[list[str], list[Path]]:
    """What a child of the copied code says of itself."""
    command = [*python_command("multitrain.tells"), "an argument"]
    command[command.index(str(Path(ROOT, "multitrain", "startup", "safe_path.py")))] = str(
        copy / "multitrain" / "startup" / "safe_path.py"
    )
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    argv, files = json.loads(ended.stdout)
    return argv, [Path(file) for file in files]


@pytest.mark.parametrize("path", [None, "", "{folder}", ":.", "{folder}:{copy}"])
def test_a_child_runs_its_parents_code_and_pythons_library(
    folder: Path, copy: Path, path: str | None
) -> None:
    """Also where this very code is installed elsewhere, as it is here."""
    environment = {**os.environ, "PYTHONPATH": (path or "").format(folder=folder, copy=copy)}
    if path is None:
        del environment["PYTHONPATH"]
    argv, (random, numpy, *ours) = start(copy, for_children(environment))
    assert argv == [str(copy / "multitrain" / "tells.py"), "an argument"]
    assert ours == [copy / name / "__init__.py" for name in ("jobs", "multitrain", "render")]
    assert random == Path(os.__file__).with_name("random.py")
    assert folder not in numpy.parents


def test_a_package_that_only_pythonpath_has_is_found(tmp_path: Path, copy: Path) -> None:
    (tmp_path / "only_here.py").touch()
    (copy / "multitrain" / "tells.py").write_text(f"import only_here{TELLS}")
    start(copy, for_children({**os.environ, "PYTHONPATH": str(tmp_path)}))


@pytest.mark.parametrize("command", [["-m", "multitrain"], ["-P", "-m", "multitrain"]])
@pytest.mark.parametrize(
    ("path", "inherited"), [("", ""), ("{folder}", ""), ("{folder}", "/elsewhere")]
)
def test_the_command_itself(folder: Path, command: list[str], path: str, inherited: str) -> None:
    """Also where it is started by a process of ours, whose `PYTHONPATH` was another."""
    of_pythonpath = ("sitecustomize", "typing", "json")  # are imported before any code of ours
    for name in ("multitrain", *(of_pythonpath if path else ())):
        (folder / f"{name}.py").unlink()
    ended = subprocess.run(
        [sys.executable, *command, "check", "none.csv"],
        env={**os.environ, "PYTHONPATH": path.format(folder=folder), SEARCHED_LAST: inherited},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (2, ""), ended.stderr
    assert "none.csv" in ended.stderr


def test_no_plug_in_of_pydantic_is_run(tmp_path: Path) -> None:
    package = tmp_path / "meddling-1.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Name: meddling\nVersion: 1\n")
    (package / "entry_points.txt").write_text("[pydantic]\nmeddling = meddling\n")
    (tmp_path / "meddling.py").write_text("raise SystemExit('a plug-in was run')\n")
    command = [*python_command("multitrain"), "check", "none.csv"]
    paths = {"PYTHONPATH": str(tmp_path)}
    ended = subprocess.run(command, env=os.environ | paths, capture_output=True, check=False)
    assert ended.returncode == 2, ended.stderr


def test_every_python_process_of_a_farm_is_started_so(workspace: Workspace) -> None:
    settings = TrainerSettings(1, 0, lifeline=0)
    keeper = RenderKeeper(workspace, LocalExecutor(), 1)
    ahead = PicturesAhead(workspace, LocalExecutor(), settings)
    assert settings.program == python_command("multitrain.trainer.process")
    assert keeper._launch.command[: len(python_command(""))] == python_command(
        "render.worker.worker"
    )
    assert ahead._command[:-1] == python_command("multitrain.datasets.cached.ahead")
    sources = [*Path(ROOT, "multitrain").rglob("*.py"), *Path(ROOT, "render").rglob("*.py")]
    others = [each.name for each in sources if "sys.executable" in each.read_text()]
    assert others == ["safe_path.py"]
