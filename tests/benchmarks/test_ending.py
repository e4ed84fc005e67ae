"""Benchmarks that are stopped leave nothing; one that lacks a package says which."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from benchmarks import ending

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 120.0
POLL_SECONDS = 0.02

Started = subprocess.Popen[str]


def start(folder: Path, *words: str, **environment: str) -> Started:
    own = {"TMPDIR": str(folder), "PYTHONUNBUFFERED": "1", **environment}
    kept = {name: value for name, value in os.environ.items() if name != ending.RUN}
    return subprocess.Popen(
        [sys.executable, "-m", *words],
        cwd=ROOT,
        env=kept | own,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def processes_of(benchmark: Started) -> list[psutil.Process]:
    """Those that it has started, and those that these have, whoever their parent is by now."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(ending.RUN, "").startswith(f"{benchmark.pid}-"):
                found.append(process)
        except psutil.Error:
            continue
    return found


def wait_for_a_farm(benchmark: Started) -> None:
    """Until it has started a farm that has started another process."""
    while benchmark.poll() is None and len(processes_of(benchmark)) < 2:
        time.sleep(POLL_SECONDS)


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("faults", signal.SIGINT),
        ("checkerboards", signal.SIGTERM),
        pytest.param("fresh", signal.SIGINT, marks=pytest.mark.long),
        pytest.param("damage", signal.SIGTERM, marks=pytest.mark.long),
    ],
)
def test_one_that_is_stopped_says_so_and_leaves_nothing(
    name: str, number: signal.Signals, tmp_path: Path
) -> None:
    words = [str(tmp_path / "picture.png")] if name == "checkerboards" else []
    with start(tmp_path, f"benchmarks.{name}", *words) as benchmark:
        wait_for_a_farm(benchmark)
        benchmark.send_signal(number)  # to Python alone, as `kill` does
        said, _ = benchmark.communicate(timeout=PATIENCE_SECONDS)
    assert "Traceback" not in said
    assert said.splitlines()[-1] == "stopped before its end; nothing of it runs any more"
    assert benchmark.returncode == 128 + number
    assert processes_of(benchmark) == []
    assert [*tmp_path.glob(f"{name}-*"), *tmp_path.glob("benchmark-*")] == []


@pytest.mark.parametrize(
    ("package", "benchmark", "told"),
    [
        ("hypothesis", "sheets", ".venv/bin/pip install -c constraints.txt -e '.[test]'"),
        ("psutil", "faults", "./run.sh installs it into .venv"),
    ],
)
def test_a_package_that_is_missing_is_told(
    package: str, benchmark: str, told: str, tmp_path: Path
) -> None:
    missing = f"raise ModuleNotFoundError('no {package}', name='{package}')"
    (tmp_path / f"{package}.py").write_text(missing)
    with start(tmp_path, f"benchmarks.{benchmark}", PYTHONPATH=str(tmp_path)) as started:
        said, _ = started.communicate(timeout=PATIENCE_SECONDS)
    assert said.startswith(f"the package {package} is missing")
    assert told in said
    assert len(said.splitlines()) == 1
    assert started.returncode == 1
