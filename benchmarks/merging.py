"""Joining timecuts to a film, as `multitrain merge` does, beside copying the same files."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from benchmarks.figures import Effort, Figure
from benchmarks.frame_path import CELL, GRID, QUICK_CELL, QUICK_GRID
from benchmarks.standard import moving_frames, on_cores, standard_job
from benchmarks.turns import take_turns, timed
from jobs.workspace.files import flush_to_disk, listing
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace
from render.encoding import ffmpeg
from render.encoding.commands import encode_command
from render.files.merge import merge_folder

FRAMES, TIMECUTS = 60, 40  # frames in each
QUICK_FRAMES, QUICK_TIMECUTS = 4, 2
LIMIT = 1.5
COPY_BYTES = 2**30  # in one call of the system

JOINING, COPYING = "joining", "copying"


def measure(effort: Effort) -> list[Figure]:
    """Results, one file each, are flushed to the disk in both cases."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder, on_cores():
        workspace = Workspace(Path(folder))
        size = _make_timecuts(effort, workspace)
        copy = workspace.root / "copy"
        contenders = {
            JOINING: timed(lambda: merge_folder(workspace.renders)),
            COPYING: timed(lambda: copy_all(workspace.renders, copy)),
        }
        rounds = take_turns(contenders, dict.fromkeys(contenders, 1), effort.repetitions)
    beside = {f"{name}, MB/s": size / rounds.median(name) / 1e6 for name in contenders}
    value = rounds.speedup(COPYING, over=JOINING)
    return [Figure("joining timecuts / copying them", value, "x", LIMIT, False, beside)]


def copy_all(source: Path, target: Path) -> None:
    """Copy the timecuts of a folder to one file, as joining makes one, flushed to the disk once."""
    with target.open("wb") as whole:
        for name in sorted(listing(source)):
            if "_timecut" in name:
                with (source / name).open("rb") as timecut:
                    while os.sendfile(whole.fileno(), timecut.fileno(), None, COPY_BYTES):
                        pass
    flush_to_disk(target)
    flush_to_disk(target.parent)


def _make_timecuts(effort: Effort, workspace: Workspace) -> int:
    """One, encoded, and copies of it; how many bytes they are together."""
    frames = QUICK_FRAMES if effort.quick else FRAMES
    cell, grid = (QUICK_CELL, QUICK_GRID) if effort.quick else (CELL, GRID)
    spec = standard_job(effort, grid_width=grid[0], grid_height=grid[1], video_length=1).spec
    job = JobFile(spec=spec, image_width=cell[0], image_height=cell[1])
    paths = workspace.job("film")
    workspace.renders.mkdir()
    raw, first = workspace.root / "raw.rgb", paths.timecut(1)
    with raw.open("wb") as file:
        for frame in moving_frames(frames, *grid, *cell):
            file.write(frame.tobytes())
    ffmpeg.run(
        encode_command(ffmpeg.find(), raw, job.plan, [first], crf=spec.crf, preset=spec.preset)
    )
    raw.unlink()
    count = QUICK_TIMECUTS if effort.quick else TIMECUTS
    for number in range(2, count + 1):
        shutil.copyfile(first, paths.timecut(number))
    os.sync()
    return count * first.stat().st_size
