"""What a render worker can do for a job, task by task."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from jobs.plans.plan import FrameRange
from jobs.workspace.outputs import Extra


class _Told:
    """Its name in logs and messages is what it `says`, with its fields filled in."""

    says: ClassVar[str]

    def __str__(self) -> str:
        return self.says.format(**vars(self))


@dataclass(frozen=True)
class _OfBatch(_Told):
    batch: FrameRange


class EncodeBatch(_OfBatch):
    """Make the segments of a batch."""

    says = "encode {batch}"


class WriteImages(_OfBatch):
    """Write the PNG frames of a batch."""

    says = "write the images of {batch}"


class FindImages(_OfBatch):
    """Look for the PNG frames of a batch, whose raw frames and marker are gone."""

    says = "look for the images of {batch}"


@dataclass(frozen=True)
class PublishTimecut(_Told):
    """Join these segments to timecut `number`, counting from 1."""

    number: int
    segments: tuple[FrameRange, ...]
    says = "publish timecut {number}"


@dataclass(frozen=True)
class CutTimecut(_Told):
    """Cut timecut `number`, whose segments are gone, from the film."""

    number: int
    says = "cut timecut {number} from the film"


@dataclass(frozen=True)
class JoinFilm(_Told):
    """Join the film from segments, and from these `timecuts` where segments are gone.

    Equal whatever it is joined from, so that it is never in hand twice at a time.
    """

    timecuts: tuple[int, ...] = field(default=(), compare=False)
    says = "join the film"


@dataclass(frozen=True)
class MakeExtra(_Told):
    """Make something of the film."""

    extra: Extra
    says = "make the {extra}"


@dataclass(frozen=True)
class FinishJob(_Told):
    """Write the manifest, clear up."""

    says = "finish the job"


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
