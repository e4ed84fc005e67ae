"""`check --measure`: the first steps of jobs are timed, and nothing else is left of them."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from jobs.errors import ExitCode, WorkspaceBusy
from jobs.sheets.sheet import read_sheet
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace
from multitrain.commands.cli import commands
from multitrain.commands.run import measuring
from multitrain.commands.run.assembling import Outcome
from multitrain.commands.run.display import LineDisplay
from multitrain.commands.run.loop import StopSignals
from multitrain.farm.workspace_lock import hold
from multitrain.forecasts.forecasting import Forecaster
from multitrain.forecasts.speeds import read_speeds
from multitrain.slots.cpu import CpuPool

PID = os.getpid()
SHEET = """\
name,dataset,family,grid_width,grid_height,video_length,loops,on_done,upload_to
small,demo,testcard,1,1,2,pingpong(seconds=2),touch told,file:///tmp
wide,demo,testcard,3,2,2,,touch told,
same,demo,testcard,3,2,1,,,
"""


@pytest.fixture
def sheet(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(measuring, "FEWEST_STEPS", 40)
    monkeypatch.setattr(measuring, "TIMED_SECONDS", 0.0)
    path = workspace.root / "sheet.csv"
    path.write_text(SHEET)
    return path


def check(workspace: Workspace, sheet: Path, capsys: pytest.CaptureFixture[str], *more: str) -> str:
    arguments = ["check", str(sheet), "--workspace", str(workspace.root), "--gpus", "cpu", *more]
    commands(arguments, standalone_mode=False)
    told = capsys.readouterr()
    assert "published" not in told.err
    return told.out


def files(workspace: Workspace) -> set[str]:
    """But for pictures, decoded or not."""
    return {
        str(path.relative_to(workspace.root))
        for path in workspace.root.rglob("*")
        if path.is_file() and not {workspace.data, workspace.cache} & {*path.parents}
    }


def test_what_is_measured_is_known_from_then_on(
    workspace: Workspace, sheet: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = check(workspace, sheet, capsys)
    assert told.count("?") == 3
    assert "How long 3 jobs take is not known yet" in told
    told = check(workspace, sheet, capsys, "--measure")
    assert "?" not in told
    assert told.count("±") == 4  # with the sum
    assert len(read_speeds(workspace.speeds)) == 2  # two jobs cost the same
    assert files(workspace) == {"sheet.csv", "runs/speeds.jsonl", "runs/farm.lock"}
    assert check(workspace, sheet, capsys) == told


def test_jobs_are_shortened_and_reach_nobody(workspace: Workspace, sheet: Path) -> None:
    small, wide, _ = read_sheet(sheet, workspace).jobs
    pool = CpuPool(1, [0])
    forecaster = Forecaster([], pool.model)
    short = measuring.shortened(small, forecaster, pool)
    assert short.plan.steps_total == measuring.FEWEST_STEPS
    assert (short.spec.loops, short.spec.on_done, short.spec.upload_to) == (None, None, None)
    assert (short.image_width, short.spec.samples) == (small.image_width, small.spec.samples)
    assert measuring.unknown([small, wide, wide], forecaster) == [small, wide]


def test_a_film_shorter_than_that_is_not_lengthened(tiny_job: Callable[..., JobFile]) -> None:
    pool = CpuPool(1, [0])
    job = tiny_job(video_length=0.001)
    short = measuring.shortened(job, Forecaster([], ""), pool)
    assert short.plan.frames_total == job.plan.frames_total


def test_beside_a_farm_nothing_is_timed_nor_announced(
    workspace: Workspace, sheet: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with held(workspace), pytest.raises(WorkspaceBusy, match=f"held by the farm with pid {PID}"):
        check(workspace, sheet, capsys, "--measure")
    assert capsys.readouterr().err == ""


def test_beside_a_measurement_neither_a_farm_nor_another_one_begins(
    workspace: Workspace,
    sheet: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def beside(scratch: Workspace, *_: object) -> Outcome:
        busy = pytest.raises(WorkspaceBusy, match=f"held by the measurement with pid {PID}")
        with busy, held(workspace):
            pass
        with monkeypatch.context() as patch, busy:
            patch.setattr(measuring, "run_jobs", None)
            check(workspace, sheet, capsys, "--measure")
        assert scratch.runs.is_dir()
        told = CliRunner().invoke(commands, ["status", "--workspace", str(workspace.root)])
        assert "A farm runs" not in told.output
        return Outcome(ExitCode.DONE, [])

    monkeypatch.setattr(measuring, "run_jobs", beside)
    check(workspace, sheet, capsys, "--measure")
    assert not workspace.measuring.exists()


@contextmanager
def held(workspace: Workspace) -> Iterator[None]:
    """As by a farm."""
    display = LineDisplay(Console(file=io.StringIO()))
    with StopSignals() as stop, hold(workspace, display, stop):
        yield
