"""`multitrain status`: where jobs stand, what is there of them, and whether a farm runs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner

from jobs.errors import UsageError
from jobs.settings.spec import JobSpec
from jobs.workspace.farm_state import FarmState, Left, publish
from jobs.workspace.jobfile import JobFile
from jobs.workspace.outputs import extras
from jobs.workspace.paths import Workspace
from jobs.workspace.states import State
from jobs.workspace.store import Store
from multitrain.commands.cli import commands
from multitrain.commands.run import loop as night
from multitrain.commands.run.display import LineDisplay
from multitrain.commands.status import FROM_THE_TOP
from multitrain.farm.workspace_lock import hold
from render.spool.notes import note_made

SETTINGS = {"dataset": "demo", "grid_width": 1, "grid_height": 1, "video_length": 1 / 60}


def status(workspace: Workspace, *arguments: str) -> str:
    arguments = ("status", "--workspace", str(workspace.root), *arguments)
    told = CliRunner().invoke(commands, arguments, catch_exceptions=False)
    assert told.exit_code == 0
    return told.output


def rows(workspace: Workspace) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in json.loads(status(workspace, "--json"))}


@pytest.fixture
def store(workspace: Workspace) -> Iterator[Store]:
    store = Store(workspace.store)
    yield store
    store.close()


def submit(workspace: Workspace, store: Store, name: str, **settings: object) -> JobFile:
    spec = JobSpec.model_validate({"name": name, **SETTINGS, **settings})
    job = JobFile(spec=spec, image_width=16, image_height=12)
    job.save(workspace.job(name))
    store.add([(name, job.frames_total)])
    return job


def test_nothing_yet(workspace: Workspace) -> None:
    assert f"No jobs yet in {workspace.root}: " in status(workspace)
    assert "or name another --workspace." in status(workspace)
    assert rows(workspace) == {}


def test_a_job_in_the_middle(workspace: Workspace, store: Store) -> None:
    store.add([("first", 100)])
    store.transition("first", State.RUNNING, attempts=1, slot="gpu 0")
    store.record_frames("first", 42)
    assert rows(workspace)["first"] == {
        "name": "first",
        "state": "running",
        "frames_done": 42,
        "frames_total": 100,
        "attempts": 1,
        "slot": "gpu 0",
        "error": "",
        "priority": 0,
        "waits_for": "",
        "loops_done": 0,
        "loops_total": 0,
        "exports_done": 0,
        "exports_total": 0,
        "steps_done": None,
        "steps_total": None,
        "films": [],
        "film_seconds": None,
        "seconds_left": None,
        "seconds_left_spread": None,
        "measured": None,
        "best": None,
        "farm": None,
    }
    told = status(workspace)
    assert "42/100" in told
    assert "No farm is running here: `multitrain run` goes on." in told


def test_extras_are_counted(workspace: Workspace, store: Store) -> None:
    loops, formats = "pingpong, walk(frames=9)", "h264,gif,h265"
    job = submit(workspace, store, "more", loops=loops, format=formats)
    submit(workspace, store, "plain")
    paths = workspace.job("more")
    workspace.renders.mkdir()
    _, gif, _, pingpong, _ = extras(job.spec, job.plan)
    for extra in (gif, pingpong):
        (made,) = paths.files_of(extra, job.spec)
        made.touch()
    assert rows(workspace)["more"]["loops_done"] == 0  # what lies there may be an older one's
    for extra in (gif, pingpong):
        note_made(paths, job, extra)
    told = rows(workspace)
    counts = ("loops_done", "loops_total", "exports_done", "exports_total")
    assert [told["more"][count] for count in counts] == [1, 2, 1, 2]
    assert [told["plain"][count] for count in counts] == [0, 0, 0, 0]
    assert "1/2" in status(workspace)


def test_what_networks_come_to_is_told(workspace: Workspace, store: Store) -> None:
    for name in ("measured", "begun"):
        submit(workspace, store, name, family="superres", validation="unseen")
    assert "psnr" not in status(workspace)
    paths = workspace.job("measured")
    lines = [{"step": step, "measures": {"psnr": psnr}} for step, psnr in ((4, 30.456), (8, 29.5))]
    paths.progress.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    assert "29.50 at 8" in status(workspace)
    paths.kept.mkdir()
    paths.best_weights(4).touch()

    told = rows(workspace)

    assert told["measured"]["measured"] == {"step": 8, "psnr": 29.5}
    assert told["measured"]["best"] == {"step": 4, "psnr": 30.456}
    assert told["begun"]["measured"] is None
    assert "29.50 at 8, best 30.46 at 4" in status(workspace)


def test_steps_are_told_where_not_each_makes_a_frame(workspace: Workspace, store: Store) -> None:
    """A job whose film has not begun yet is seen to train."""
    rare = {"snapshot": "every 10 steps", "first_frame_after": 50}
    jobs = (("rare", rare), ("plain", {}), ("queued", rare))
    made = [submit(workspace, store, name, **columns) for name, columns in jobs]
    total = 50 + made[0].frames_total * 10
    workspace.job("rare").progress.write_text('{"time": 1.0, "step": 42, "frame": 0}\n')
    told = rows(workspace)
    steps = {name: (each["steps_done"], each["steps_total"]) for name, each in told.items()}
    assert steps == {"rare": (42, total), "plain": (None, None), "queued": (0, total)}
    assert f"42/{total}" in status(workspace)


def test_films_are_told_with_their_length(workspace: Workspace, store: Store) -> None:
    submit(workspace, store, "night", video_length=1.5, fps=30, render_res="16x12", grid_width=2)
    for state in (State.RUNNING, State.RENDERING, State.DONE):
        store.transition("night", state, attempts=1)
    films = [workspace.job("night").film(box) for box in (1, 2)]
    others = [workspace.job("night").timecut(1), workspace.renders / "nights.mp4"]
    workspace.renders.mkdir()
    for video in (*films, *others):
        video.touch()
    assert rows(workspace)["night"]["films"] == [str(film) for film in films]
    assert rows(workspace)["night"]["film_seconds"] == 90
    assert "renders/night_box0001.mp4 and 1 more 1:30.0" in status(workspace)


def test_a_farm_tells_how_long_it_takes(workspace: Workspace, store: Store) -> None:
    submit(workspace, store, "waves")
    left = {"waves": Left(seconds=600, spread=0.2)}
    waiting = {"gpu 0": "in use by process 7"}
    state = FarmState(
        time=time.time(), night=Left(seconds=3600, spread=0.1), jobs=left, waiting=waiting
    )
    publish(workspace, state)
    assert rows(workspace)["waves"]["seconds_left"] is None  # of a farm that is gone
    display = LineDisplay(None)  # type: ignore[arg-type]
    with night.StopSignals() as stop, hold(workspace, display, stop):
        told, shown = rows(workspace)["waves"], status(workspace)
    assert (told["seconds_left"], told["seconds_left_spread"]) == (600, 0.2)
    assert told["farm"]["pid"] == os.getpid()
    assert told["farm"]["seconds_left"] == 3600
    assert f"A farm runs here since {told['farm']['since']} (pid {os.getpid()})" in shown
    assert "about 1:00:00 left" in shown
    assert "0:10:00" in shown
    assert "waves waits: gpu 0: in use by process 7." in shown
    assert told["waits_for"] == "gpu 0: in use by process 7"


def test_it_goes_on_telling_on_a_terminal(workspace: Workspace, store: Store) -> None:
    submit(workspace, store, "waves")
    shown, terminal = os.openpty()
    command = [sys.executable, "-m", "multitrain", "status", "--watch"]
    watching = subprocess.Popen(command, cwd=workspace.root, stdout=terminal, stderr=terminal)
    os.close(terminal)
    told = b""
    try:
        while told.count(b"waves") < 2:
            told += os.read(shown, 4096)
        watching.send_signal(signal.SIGINT)
        assert watching.wait(30) == 0
    finally:
        watching.kill()
        watching.wait()
        os.close(shown)
    assert told.count(FROM_THE_TOP.encode()) == 2
    assert b"Traceback" not in told


def test_a_program_is_told_where_to_look(workspace: Workspace, store: Store) -> None:
    submit(workspace, store, "waves")
    told = CliRunner().invoke(commands, ["status", "--watch", "--workspace", str(workspace.root)])
    assert isinstance(told.exception, UsageError)
    assert "multitrain status --json" in str(told.exception)
