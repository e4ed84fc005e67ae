"""Where every file lives. No other module joins paths.

data/<dataset>/                  the user's pictures
renders/<job>_timecut0001.mp4    published timecuts; with boxes <job>_timecut0001_box0001.mp4
                                 (or .mov, as the format has it)
renders/<job>.mp4                the film; with boxes <job>_box0001.mp4
renders/<job>.jpg  …             what is made of the film: see `jobs.workspace.outputs`
renders/<job>/                   PNG frames, where the job keeps them
renders/<job>.json               the manifest: how it was made; written last, so it means done
renders/next/<job>/              the same of a new take, while an earlier one keeps its place
renders/earlier/<job>-1/         the same of an earlier take (`render.films.earlier`)
clips/                           loops that were made on the page
runs/farm.sqlite                 job states
runs/<job>/                      everything that a running job needs
runs/.earlier/<job>-1/           what of that is left of an earlier take
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from jobs.settings.videos import MP4, of_box
from jobs.workspace.files import PART, listing
from jobs.workspace.outputs import STREAM, Extra, OutputName, extra_names

if TYPE_CHECKING:
    from jobs.plans.plan import FramePlan, FrameRange
    from jobs.settings.spec import JobSpec

DIGEST = ".sha256"  # the ending of a note with the digest of a published file
CACHED = ".h5"  # the ending of a file of decoded pictures


class CheckpointName(NamedTuple):
    """The name of a checkpoint's file: it holds the state after `step` steps, `frame` frames."""

    step: int
    frame: int

    def __str__(self) -> str:
        return f"{self.step:09d}-{self.frame:09d}"


@dataclass(frozen=True)
class Workspace:
    """The directory that holds `data`, `renders` and `runs`.

    `pictures` is another place for what `data` holds, where a command names one.
    """

    root: Path
    pictures: Path | None = None

    @property
    def data(self) -> Path:
        return self.pictures or self.root / "data"

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
    def farm_state(self) -> Path:
        """What only the farm that runs here knows: how long everything will take."""
        return self.runs / "farm.json"

    @property
    def requests(self) -> Path:
        """What users ask of the farm (`jobs.workspace.requests`); no job can have this name."""
        return self.runs / ".requests"

    @property
    def stars(self) -> Path:
        """Films that somebody likes (`multitrain.serving.stars`)."""
        return self.runs / "stars.json"

    @property
    def stars_lock(self) -> Path:
        """Held while they are changed; no job can have this name."""
        return self.runs / ".stars.lock"

    @property
    def page_key(self) -> Path:
        """The secret of the page (`multitrain.serving.keys`); may be deleted."""
        return self.runs / "page.key"

    @property
    def speeds(self) -> Path:
        """How fast jobs went here; may be deleted."""
        return self.runs / "speeds.jsonl"

    @property
    def clips(self) -> Path:
        """Loops that were made on the page (`multitrain.serving.clips`)."""
        return self.root / "clips"

    @property
    def measuring(self) -> Path:
        """A workspace within, where short jobs are timed; no job can have this name."""
        return self.runs / ".measuring"

    @property
    def applying(self) -> Path:
        """Pieces of videos that `multitrain apply` makes; no job can have this name."""
        return self.runs / ".applying"

    @property
    def render_log(self) -> Path:
        return self.runs / "render.log"

    @property
    def night_log(self) -> Path:
        """What the command said that was run when the night was over."""
        return self.runs / "night.log"

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
    def earlier(self) -> Path:
        """Films that others have taken the place of; no job can have this name."""
        return self.renders / "earlier"

    @property
    def earlier_runs(self) -> Path:
        """What is left of the run folders of those films."""
        return self.runs / ".earlier"

    @property
    def next(self) -> Path:
        """Films in the making whose place is taken; no job can have this name."""
        return self.renders / "next"

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
        """The folder of a data set, by its name or by a path from the root of the disk."""
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
        """Where earlier versions put the run folder of a job that started over, to delete it."""
        return self.workspace.runs / f".{self.name}.removed"

    @property
    def beginning_run(self) -> Path:
        """The run folder of a new take before it has its name; no job can have this one."""
        return self.workspace.runs / f".{self.name}.begins"

    @property
    def moves(self) -> Path:
        """Renames that are to be done, in their order (`moves`); no job can have this name."""
        return self.workspace.runs / f".{self.name}.moves"

    @property
    def replaces(self) -> Path:
        """A file that says: an earlier film keeps its place until this take's is there."""
        return self.run / "replaces.json"

    @property
    def reopened(self) -> Path:
        """A file that says: the job is not done, though its manifest is there."""
        return self.run / "reopened"

    @property
    def outputs(self) -> Path:
        """The folder where its films appear."""
        if self.replaces.exists():
            return self.workspace.next / self.name
        return self.workspace.renders

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to do for this job; False where its folder cannot be reached."""
        is_known = self.manifest.exists() and not self.reopened.exists()
        return is_known and self.job_file.exists()

    @property
    def job_file(self) -> Path:
        return self.run / "job.yaml"

    @property
    def log(self) -> Path:
        return self.run / "log.txt"

    @property
    def stream(self) -> Path:
        """What has been sent so far, of a job that streams; what a checkpoint covers stays."""
        return self.run / f"stream{STREAM}"

    @property
    def recorded(self) -> Path:
        """What came of a stream that was live, as videos: a data set, which no take replaces."""
        return self.workspace.data / f"{self.name}_recorded"

    @property
    def progress(self) -> Path:
        return self.run / "progress.jsonl"

    @property
    def latest(self) -> Path:
        return self.run / "latest.jpg"

    @property
    def preview(self) -> Path:
        """The newest timecut, small, for the page to play; may be deleted."""
        return self.run / "preview.mp4"

    @property
    def moments(self) -> Path:
        """The moments of its film that are most worth seeing (`jobs.workspace.moments`)."""
        return self.run / "moments"

    @property
    def shortlist(self) -> Path:
        return self.moments / "shortlist.json"

    def still(self, frame: int) -> Path:
        """A picture of one of these moments."""
        return self.moments / f"{frame:09d}.jpg"

    @property
    def training_failure(self) -> Path:
        """Why the last attempt of the trainer failed, in its own words."""
        return self.run / "training_failure.json"

    @property
    def render_failure(self) -> Path:
        return self.run / "render_failure.json"

    @property
    def encoder(self) -> Path:
        """Which encoder makes its segments, where that was found out by trying."""
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
        """Steps of the weights that are kept, in their order."""
        return self._kept_steps(r"(\d{9,})\.h5")

    def best_weights(self, step: int) -> Path:
        """Weights of a step at which the networks were better than before, by `keep_best`."""
        return self.kept / f"best-{step:09d}.h5"

    def best_steps(self) -> list[int]:
        """Steps of these weights, in their order: the last ones are the best so far."""
        return self._kept_steps(r"best-(\d{9,})\.h5")

    def _kept_steps(self, pattern: str) -> list[int]:
        names = (re.fullmatch(pattern, entry) for entry in listing(self.kept))
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
        return self.outputs / self.name

    @property
    def manifest(self) -> Path:
        return self.outputs / f"{self.name}.json"

    def checkpoint(self, name: CheckpointName) -> Path:
        return self.checkpoints / f"{name}.h5"

    def checkpoint_names(self) -> list[CheckpointName]:
        """Names of the checkpoints on disk, oldest first."""
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
        """The segments of a batch, one per box."""
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
        """A zip file on its way to this place; it never has a final name."""
        return self.run / f"backup{place}.zip{PART}"

    def notice(self, state: str) -> Path:
        """A file that says: somebody was told that the job got to this state."""
        return self.run / f"told_{state}.txt"

    def film(self, box: int | None = None, suffix: str = MP4) -> Path:
        """The film, or that of one box; boxes count from 1."""
        return self.outputs / str(OutputName(self.name, None, box, suffix))

    def films(self, plan: FramePlan) -> list[Path]:
        """The film: one file per box."""
        return [self.film(box, plan.suffix) for box in plan.box_numbers]

    def files_of(self, extra: Extra, spec: JobSpec) -> list[Path]:
        """The files of something that is made of the film; most often one."""
        folder = self.outputs
        return [folder / name for name in extra_names(self.name, extra, spec)]

    @property
    def made_folder(self) -> Path:
        return self.run / "made"

    def made(self, output: Path) -> Path:
        """A file that says what `output` was made of by this job, until the job is done."""
        return self.made_folder / output.name

    def digest(self, output: Path) -> Path:
        """A file with the digest of `output` when this job published it, until the job is done."""
        return self.made_folder / f"{output.name}{DIGEST}"

    def timecut(self, number: int, box: int | None = None, suffix: str = MP4) -> Path:
        """A published timecut; timecuts and boxes count from 1."""
        return self.outputs / str(OutputName(self.name, number, box, suffix))

    def timecuts(self, number: int, plan: FramePlan) -> list[Path]:
        """The files of timecut `number`, counting from 1: one per box."""
        folder = self.outputs
        return [folder / name for name in self.timecut_names(number, plan)]

    def all_timecuts(self, plan: FramePlan) -> list[Path]:
        """The files of all timecuts in their order, with all boxes."""
        numbers = range(1, len(plan.cuts) + 1)
        return [video for number in numbers for video in self.timecuts(number, plan)]

    def timecut_names(self, number: int, plan: FramePlan) -> list[str]:
        """The names of the files of timecut `number`, counting from 1: one per box."""
        return [str(OutputName(self.name, number, box, plan.suffix)) for box in plan.box_numbers]
