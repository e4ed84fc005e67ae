"""Workspaces whose disk is small, or of tiny batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jobs.plans import plan
from multitrain.trainer import pacing
from render.encoding import ffmpeg
from tests.disk.remembered import RememberedRuns
from tests.disk.small_disks import SmallDisk
from tests.disk.small_job import BATCH_FRAMES


@pytest.fixture
def short_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few frames make several batches, and a trainer's blocks are of one step each."""
    monkeypatch.setattr(plan, "BATCH_FRAMES", BATCH_FRAMES)
    monkeypatch.setattr(pacing, "BLOCK_BYTES", 1)


@pytest.fixture
def remembered_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every run of ffmpeg on the same bytes, under the same names, is done once."""
    monkeypatch.setattr(ffmpeg, "_returncode", RememberedRuns(ffmpeg._returncode))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[int], SmallDisk]]:
    """`small_disk(megabytes)`: a real one, empty; skips where the machine does not allow it."""
    disks: list[SmallDisk] = []

    def make(megabytes: int) -> SmallDisk:
        mount_point = tmp_path / f"disk {len(disks)}"
        mount_point.mkdir()
        try:
            disks.append(SmallDisk(mount_point, megabytes))
        except OSError as error:
            pytest.skip(f"no small disk can be made here: {error}")
        return disks[-1]

    yield make
    for disk in disks:
        disk.close()
