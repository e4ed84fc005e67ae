"""A night steered from outside: real commands, a real farm, films that come out the same."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from jobs.errors import ExitCode
from jobs.workspace.at_work import is_held
from jobs.workspace.paths import Workspace
from jobs.workspace.states import State
from jobs.workspace.store import read_jobs
from tests.e2e.farmhouse import SECONDS, Farmhouse, frames_of, wait_for

HEADER = "name,dataset,grid_width,grid_height,video_length,fps,auto_render_period,family,priority"


@pytest.fixture
def multitrain(workspace: Workspace) -> Callable[..., tuple[int, str]]:
    """`multitrain(*words)`: exit code and all that the command said."""

    def call(*words: str) -> tuple[int, str]:
        command = [sys.executable, "-m", "multitrain", *words]
        done = subprocess.run(
            command,
            cwd=workspace.root,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    return call


def states(workspace: Workspace) -> dict[str, State]:
    return {row.name: row.state for row in read_jobs(workspace.store)}


def frames(workspace: Workspace, name: str) -> int:
    return next(row.frames_done for row in read_jobs(workspace.store) if row.name == name)


def trainers_of(farm: subprocess.Popen[str]) -> list[psutil.Process]:
    children = psutil.Process(farm.pid).children(recursive=True)
    return [each for each in children if "multitrain.trainer.process" in each.cmdline()]


@contextmanager
def held(processes: list[psutil.Process]) -> Iterator[None]:
    """Processes that do nothing meanwhile."""
    assert processes
    for each in processes:
        each.suspend()
    yield
    for each in processes:
        each.resume()


def test_a_paused_training_makes_the_film_of_one_that_never_was(
    farmhouse: Farmhouse,
    workspace: Workspace,
    multitrain: Callable[..., tuple[int, str]],
    make_pictures: Callable[..., list[Path]],
) -> None:
    make_pictures(workspace.dataset("photos"), count=5, size=(16, 12))
    options = ("--stay", "--gpus", "cpu", "--slots", "1", "--deterministic")
    farm = farmhouse.start(*options, has_sheet=False)
    wait_for(lambda: is_held(workspace), farm)
    columns = "video_length,fps,z_dim,gf_dim,df_dim,nbr_of_layers_g,nbr_of_layers_d"
    farmhouse.write_sheet(
        f"name,dataset,grid_width,grid_height,{columns}",
        *(f"{name},photos,2,2,1,30,4,2,2,3,3" for name in ("paused", "whole")),
    )
    code, said = multitrain("submit", farmhouse.sheet.name)
    assert (code, said) == (0, "paused is queued\nwhole is queued\n")

    wait_for(lambda: frames(workspace, "paused") > 0, farm)
    with held(trainers_of(farm)):  # it would be done before a busy machine has started a command
        assert multitrain("pause", "paused") == (0, "paused stops at a checkpoint and is paused\n")
    wait_for(lambda: states(workspace)["whole"] is State.RUNNING, farm)
    stopped_at = frames(workspace, "paused")
    assert 0 < stopped_at < 1800
    assert multitrain("resume", "--all") == (0, "paused is queued again\n")
    wait_for(lambda: set(states(workspace).values()) == {State.DONE}, farm)

    films = [frames_of(workspace.job(name).film()) for name in ("paused", "whole")]
    assert len(films[0]) == 1800
    for (moment, picture), (other_moment, other) in zip(*films, strict=True):
        assert moment == other_moment
        assert (picture == other).all()
    assert multitrain("drain")[0] == 0
    assert farm.wait(SECONDS) == ExitCode.DONE


def test_what_was_submitted_outlives_a_farm_that_is_killed(
    farmhouse: Farmhouse, workspace: Workspace, multitrain: Callable[..., tuple[int, str]]
) -> None:
    farmhouse.write_sheet(HEADER, "first,demo,2,2,30,60,60,testcard,0")
    farm = farmhouse.start("--gpus", "cpu", "--slots", "1")
    wait_for(lambda: states(workspace).get("first") is State.RUNNING, farm)
    later = workspace.root / "later.csv"
    later.write_text(f"{HEADER}\nnew,demo,2,2,0.1,30,,testcard,0\n")
    assert multitrain("submit", "later.csv", "--priority", "3") == (0, "new is queued\n")
    os.kill(farm.pid, signal.SIGKILL)
    farm.wait()

    assert multitrain("cancel", "first")[0] == 0, "without a farm"
    code, said = farmhouse.run("--gpus", "cpu", "--slots", "1")
    assert code == 0, said
    assert states(workspace) == {"first": State.CANCELLED, "new": State.DONE}
    assert "first stays cancelled; `multitrain requeue first` takes it up again" in said
    assert len(frames_of(workspace.job("new").film())) == 180
    assert multitrain("forget", "first", "nobody")[0] == 2
    assert multitrain("forget", "first") == (
        0,
        "first is forgotten; its files stay, and whoever submits its sheet takes it up again\n",
    )
    assert multitrain("pause", "new")[0] == ExitCode.FAILED
