"""What a render worker can do for a job, task by task."""

from __future__ import annotations

from dataclasses import dataclass, field

from jobs.plans.plan import FrameRange
from jobs.workspace.outputs import Extra


@dataclass(frozen=True)
class EncodeBatch:
    """Make the segments of this batch."""

    batch: FrameRange

    def __str__(self) -> str:
        return f"encode {self.batch}"


@dataclass(frozen=True)
class WriteImages:
    """Write the PNG frames of this batch."""

    batch: FrameRange

    def __str__(self) -> str:
        return f"write the images of {self.batch}"


@dataclass(frozen=True)
class FindImages:
    """Look for the PNG frames of this batch, whose raw frames and marker are gone."""

    batch: FrameRange

    def __str__(self) -> str:
        return f"look for the images of {self.batch}"


@dataclass(frozen=True)
class PublishTimecut:
    """Join these segments to timecut `number`, counting from 1."""

    number: int
    segments: tuple[FrameRange, ...]

    def __str__(self) -> str:
        return f"publish timecut {self.number}"


@dataclass(frozen=True)
class CutTimecut:
    """Cut timecut `number`, whose segments are gone, from the film."""

    number: int

    def __str__(self) -> str:
        return f"cut timecut {self.number} from the film"


@dataclass(frozen=True)
class JoinFilm:
    """Join the film from segments, and from these `timecuts` where segments are gone.

    Equal whatever it is joined from, so that it is never in hand twice at a time.
    """

    timecuts: tuple[int, ...] = field(default=(), compare=False)

    def __str__(self) -> str:
        return "join the film"


@dataclass(frozen=True)
class MakeExtra:
    """Make something of the film."""

    extra: Extra

    def __str__(self) -> str:
        return f"make the {self.extra}"


@dataclass(frozen=True)
class FinishJob:
    """Write the manifest, clear up."""

    def __str__(self) -> str:
        return "finish the job"


Task = (
    EncodeBatch
    | WriteImages
    | FindImages
    | PublishTimecut
    | CutTimecut
    | JoinFilm
    | MakeExtra
    | FinishJob
)
