"""Where every file lives, and how a file comes to exist only whole. Nobody else joins paths.

data/<dataset>/                  the user's pictures
renders/<job>_timecut0001.mp4    published timecuts; with boxes <job>_timecut0001_box0001.mp4
                                 (or .mov, as the format has it)
renders/<job>.mp4                the film; with boxes <job>_box0001.mp4
renders/<job>.jpg  …             what is made of the film: see `jobs.outputs`
renders/<job>/                   PNG frames, where the job keeps them
renders/<job>.json               the manifest: how it was made; written last, so it means done
runs/farm.sqlite                 job states
runs/<job>/                      everything that a running job needs
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from jobs.outputs import Extra, OutputName, extra_names
from jobs.plan import FramePlan, FrameRange
from jobs.spec import JobSpec
from jobs.videos import MP4, of_box

PART = ".part"  # the ending of a file that is not whole yet
CACHED = ".h5"  # the ending of a file of decoded pictures


class CheckpointName(NamedTuple):
    """What a checkpoint's file name tells: the state after `step` steps and `frame` frames."""

    step: int
    frame: int

    def __str__(self) -> str:
        return f"{self.step:09d}-{self.frame:09d}"


@dataclass(frozen=True)
class Workspace:
    """The directory that holds `data`, `renders` and `runs`."""

    root: Path

    @property
    def data(self) -> Path:
        return self.root / "data"

    @cached_property
    def renders(self) -> Path:
        return self.root / "renders"

    @cached_property
    def runs(self) -> Path:
        return self.root / "runs"

    @property
    def store(self) -> Path:
        return self.runs / "farm.sqlite"

    @property
    def lock(self) -> Path:
        """Held by the one farm that runs in this workspace."""
        return self.runs / "farm.lock"

    @property
    def render_log(self) -> Path:
        return self.runs / "render.log"

    @property
    def render_heartbeat(self) -> Path:
        """Touched by a render worker again and again: one that hangs does not."""
        return self.runs / "render.alive"

    @property
    def cache(self) -> Path:
        """Decoded pictures: only saves time, may be deleted; no job can have this name."""
        return self.runs / ".cache"

    def cached_pictures(self, key: str) -> Path:
        return self.cache / f"{key}{CACHED}"

    @property
    def downloads(self) -> Path:
        """Videos and archives from addresses: may be deleted; no job can have this name."""
        return self.runs / ".downloads"

    @property
    def ftp_settings(self) -> Path:
        return self.root / "ftp.ini"

    @property
    def upload_settings(self) -> Path:
        return self.root / "upload.ini"

    @property
    def known_hosts(self) -> Path:
        """Keys of the servers that were met by SFTP; no job can have this name."""
        return self.runs / ".known_hosts"

    def dataset(self, folder: str) -> Path:
        return self.data / folder

    def job(self, name: str) -> JobPaths:
        return JobPaths(self, name)


@dataclass(frozen=True)
class JobPaths:
    """Every file of one job."""

    workspace: Workspace
    name: str

    @cached_property
    def run(self) -> Path:
        return self.workspace.runs / self.name

    @property
    def removed(self) -> Path:
        """Where the run folder goes before it is deleted; no job can have this name."""
        return self.workspace.runs / f".{self.name}.removed"

    @property
    def job_file(self) -> Path:
        return self.run / "job.yaml"

    @property
    def log(self) -> Path:
        return self.run / "log.txt"

    @property
    def progress(self) -> Path:
        return self.run / "progress.jsonl"

    @property
    def latest(self) -> Path:
        return self.run / "latest.jpg"

    @property
    def training_failure(self) -> Path:
        """Why the last attempt of the trainer failed, in its own words."""
        return self.run / "training_failure.json"

    @property
    def render_failure(self) -> Path:
        return self.run / "render_failure.json"

    @property
    def encoder(self) -> Path:
        """What its segments are made with, where that was found out by trying."""
        return self.run / "encoder.json"

    @property
    def checkpoints(self) -> Path:
        return self.run / "checkpoints"

    @property
    def kept(self) -> Path:
        """Weights that stay, where the job asks for that."""
        return self.run / "kept"

    def kept_weights(self, step: int) -> Path:
        return self.kept / f"{step:09d}.h5"

    def kept_steps(self) -> list[int]:
        """Of the weights that are kept, in their order."""
        names = (re.fullmatch(r"(\d{9,})\.h5", entry) for entry in listing(self.kept))
        return sorted(int(match[1]) for match in names if match)

    @property
    def beginning(self) -> Path:
        """The weights that its networks started from, where they came from elsewhere."""
        return self.run / "beginning.h5"

    @property
    def spool(self) -> Path:
        return self.run / "spool"

    @property
    def spool_lock(self) -> Path:
        """Held while batches or segments are renamed or dropped."""
        return self.run / "spool.lock"

    @property
    def segments(self) -> Path:
        return self.run / "segments"

    @property
    def tensorboard(self) -> Path:
        return self.run / "tensorboard"

    @property
    def frames(self) -> Path:
        """PNG frames, where the job keeps them."""
        return self.workspace.renders / self.name

    @property
    def manifest(self) -> Path:
        return self.workspace.renders / f"{self.name}.json"

    def checkpoint(self, name: CheckpointName) -> Path:
        return self.checkpoints / f"{name}.h5"

    def checkpoint_names(self) -> list[CheckpointName]:
        """Those on disk, oldest first."""
        return sorted(
            CheckpointName(int(match[1]), int(match[2]))
            for entry in listing(self.checkpoints)
            if (match := re.fullmatch(r"(\d{9,})-(\d{9,})\.h5", entry))
        )

    def batch(self, frames: FrameRange) -> Path:
        """A complete raw batch."""
        return self.spool / f"{frames}.rgb"

    def segment(self, frames: FrameRange, box: int | None = None, suffix: str = MP4) -> Path:
        """An encoded and verified batch, or that of one box; boxes count from 1."""
        return self.segments / f"{frames}{of_box(box)}{suffix}"

    def segments_of(self, frames: FrameRange, plan: FramePlan) -> list[Path]:
        """Those of a batch, one per box."""
        return [self.segment(frames, box, plan.suffix) for box in plan.box_numbers]

    def image_marker(self, frames: FrameRange) -> Path:
        """An empty file that says: all PNG frames of this batch stand in `frames`."""
        return self.segments / f"{frames}.png"

    def image(self, frame: int, box: int | None = None) -> Path:
        """A PNG frame; frames count from 0, boxes from 1."""
        prefix = "" if box is None else f"box{box:04d}_"
        return self.frames / f"{prefix}frame_{frame:09d}.png"

    def delivered(self, name: str, place: str = "") -> Path:
        """A file that says: `name` was sent to this place; to the server in ftp.ini without one."""
        return self.run / "delivered" / place / name

    def backup(self, place: str) -> Path:
        """A zip file on its way there; it never has a final name."""
        return self.run / f"backup{place}.zip{PART}"

    def notice(self, state: str) -> Path:
        """A file that says: somebody was told that the job got to this state."""
        return self.run / f"told_{state}.txt"

    def film(self, box: int | None = None, suffix: str = MP4) -> Path:
        """The film, or that of one box; boxes count from 1."""
        return self.workspace.renders / str(OutputName(self.name, None, box, suffix))

    def films(self, plan: FramePlan) -> list[Path]:
        """One per box."""
        return [self.film(box, plan.suffix) for box in plan.box_numbers]

    def files_of(self, extra: Extra, spec: JobSpec) -> list[Path]:
        """What is made of the film: one file, most often."""
        return [self.workspace.renders / name for name in extra_names(self.name, extra, spec)]

    @property
    def made_folder(self) -> Path:
        return self.run / "made"

    def made(self, output: Path) -> Path:
        """A file that says what `output` was made of by this job, until the job is done."""
        return self.made_folder / output.name

    def timecut(self, number: int, box: int | None = None, suffix: str = MP4) -> Path:
        """A published timecut; timecuts and boxes count from 1."""
        return self.workspace.renders / str(OutputName(self.name, number, box, suffix))

    def timecuts(self, number: int, plan: FramePlan) -> list[Path]:
        """One per box of timecut `number`, counting from 1."""
        return [self.timecut(number, box, plan.suffix) for box in plan.box_numbers]


def listing(folder: Path) -> list[str]:
    """Names in `folder`, sorted; none where it does not exist."""
    try:
        return sorted(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return []


def modified(folder: Path) -> int:
    """When a name in `folder` last came or went, in nanoseconds; 0 where there is no folder."""
    try:
        return folder.stat().st_mtime_ns
    except (FileNotFoundError, NotADirectoryError):
        return 0


def part_of(path: Path) -> Path:
    """The temporary name under which `path` is written."""
    return path.with_name(path.name + PART)


@contextmanager
def atomic_write(path: Path, *, flush: bool = True) -> Iterator[Path]:
    """Yields a temporary path beside `path`; on success it is flushed and renamed to `path`.

    On an error the temporary file is removed and `path` stays as it was. Without `flush`, a power
    cut may leave an empty file, or none.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = part_of(path)
    try:
        yield part
        if flush:
            publish(part, path)
        else:
            os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def publish(part: Path, path: Path) -> None:
    """Flush the finished file `part` to the disk and give it its final name."""
    flush_to_disk(part)
    os.replace(part, path)
    flush_to_disk(path.parent)


def flush_to_disk(path: Path) -> None:
    """fsync a file or a directory, so that it outlives a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_text(path: Path, text: str, *, flush: bool = True) -> None:
    """Write a small file so that it exists only whole; `flush` as for `atomic_write`."""
    with atomic_write(path, flush=flush) as part:
        part.write_text(text, encoding="utf-8")
