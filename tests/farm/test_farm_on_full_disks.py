"""Disks that are full or away for a while, in virtual time."""

from __future__ import annotations

import errno
import os
import sqlite3
from pathlib import Path
from unittest.mock import Mock

import pytest

from jobs.errors import ExitCode
from jobs.workspace.files import listing
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace
from multitrain.farm.disk_watch import FULL_SECONDS
from multitrain.slots.cpu import CpuPool
from tests.farm.simulation import Outcome, Simulate, make_job


def test_a_workspace_that_is_away_for_a_while_is_waited_for(
    simulate: Simulate, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = [make_job(name, stall_minutes="1", retries="0") for name in "abc"]
    simulation = simulate(jobs, CpuPool(1))
    simulation.slow_films.add("a")
    while simulation.states() != {"a": "rendering", "b": "running", "c": "queued"}:
        simulation.tick()
    with monkeypatch.context() as patch:
        stale = OSError(errno.ESTALE, "Stale file handle")
        for name in ("stat", "listdir", "scandir"):
            patch.setattr(os, name, Mock(side_effect=stale))
        patch.setattr(Path, "stat", Mock(side_effect=stale))
        for _ in range(500):
            simulation.tick()
            assert simulation.farm.waiting_for() == {}
    simulation.slow_films.clear()
    simulation.run()
    assert simulation.states() == {"a": "done", "b": "done", "c": "done"}
    assert simulation.started() == ["a", "b", "c"]
    told = [str(event) for event in simulation.events if not event.job]
    assert "the workspace: it cannot be reached (stale file handle)" in told
    assert "the workspace: it can be reached again" in told


def test_frames_that_no_checkpoint_covers_do_not_take_room_while_the_job_waits(
    simulate: Simulate, workspace: Workspace
) -> None:
    simulation = simulate([make_job("a")], CpuPool(1))
    simulation.outcomes["a"] = [Outcome(code=ExitCode.DISK_FULL, seconds=1, frames=0)]
    simulation.tick()
    paths = workspace.job("a")
    paths.spool.mkdir(parents=True)
    (paths.spool / "000000000-000000240.rgb").write_bytes(b"frames")
    while simulation.states() != {"a": "queued"}:
        simulation.tick()
    assert listing(paths.spool) == []


def test_below_the_floor_nothing_is_started_until_there_is_room(simulate: Simulate) -> None:
    simulation = simulate([make_job("a")], CpuPool(1))
    simulation.free_bytes = 2**29
    for _ in range(10):
        simulation.tick()
    assert simulation.started() == []
    assert "--keep-free-gb" in simulation.farm.waiting_for()["the disk"]
    simulation.free_bytes = 2**31
    simulation.run()
    assert simulation.states() == {"a": "done"}
    told = [str(event) for event in simulation.events[:2]]
    assert told[0].startswith("the disk: less than 1.0 GiB are free")
    assert told[1] == "the disk: there is room again"
    assert len([event for event in simulation.events if not event.job]) == 2


def test_decoded_pictures_make_room_where_the_disk_is_full(simulate: Simulate) -> None:
    simulation = simulate([make_job("a")], CpuPool(1))
    decoded = simulation.workspace.cached_pictures("some")
    decoded.parent.mkdir(parents=True)
    decoded.write_bytes(b"pixels")
    simulation.tick()
    assert decoded.exists()

    simulation.free_bytes = 2**29
    simulation.tick()

    assert not decoded.exists()


def test_a_trainer_that_found_the_disk_full_goes_on_later_and_uses_up_no_try(
    simulate: Simulate,
) -> None:
    simulation = simulate([make_job("a", retries="0"), make_job("b")], CpuPool(1))
    simulation.outcomes["a"] = [Outcome(code=ExitCode.DISK_FULL, frames=4) for _ in range(5)]
    simulation.run(ticks=2000)
    assert simulation.states() == {"a": "done", "b": "done"}
    assert simulation.started() == ["a"] * 6 + ["b"]
    assert simulation.now > 1000 + FULL_SECONDS * (1 + 2 + 4 + 8 + 16)
    row = simulation.store.job("a")
    assert row is not None
    assert row.attempts == 1


def test_a_full_disk_at_the_start_of_a_job_is_waited_for(
    simulate: Simulate, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulation = simulate([make_job("a", retries="0")], CpuPool(1))
    with monkeypatch.context() as patch:
        full = OSError(errno.ENOSPC, "No space left on device")
        patch.setattr(JobFile, "save", Mock(side_effect=full))
        for _ in range(100):
            simulation.tick()
    assert simulation.states() == {"a": "queued"}
    simulation.run()
    assert simulation.states() == {"a": "done"}


def test_states_that_cannot_be_written_do_not_end_the_night(
    simulate: Simulate, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulation = simulate([make_job("a")], CpuPool(1))
    with monkeypatch.context() as patch:
        full = sqlite3.OperationalError("database or disk is full")
        patch.setattr(simulation.store, "save", Mock(side_effect=full))
        simulation.tick(seconds=5)
        simulation.tick()
    assert simulation.states() == {"a": "queued"}
    simulation.run()
    assert simulation.states() == {"a": "done"}
    told = [str(event) for event in simulation.events if not event.job]
    assert told == [
        "states of jobs: they cannot be written (database or disk is full); the jobs go on",
        "states of jobs: they are written again",
    ]
