"""What is due for a job: a pure function of its plan and of what lies on disk.

    batch ──encode──▶ segment ──publish (covered by a checkpoint)──▶ timecut ──join──▶ film
          ──write images (covered, or the job has no checkpoints)──▶ PNG frames
    film ──make extras──▶ poster, exports, loops ──finish──▶ manifest

Frames are *covered* when no trainer will ever make them again: up to the newest checkpoint, or all
of them once all exist.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from jobs.outputs import Extra, extras, is_drawn_by_trainer
from jobs.plan import FramePlan, FrameRange
from jobs.spec import JobSpec


@dataclass(frozen=True)
class Wanted:
    """What a job asks for."""

    video: bool
    images: bool
    checkpoints: bool
    extras: tuple[Extra, ...] = ()

    @classmethod
    def by(cls, spec: JobSpec, plan: FramePlan) -> Wanted:
        kept = spec.render_video, spec.keeps_images, spec.use_checkpoints
        return cls(*kept, tuple(extras(spec, plan)))


@dataclass(frozen=True)
class Inventory:
    """What lies on disk. With boxes, a range or number counts when all its boxes are there."""

    batches: frozenset[FrameRange] = frozenset()
    segments: frozenset[FrameRange] = frozenset()
    images: frozenset[FrameRange] = frozenset()  # batches whose PNG frames are complete
    published: frozenset[int] = frozenset()  # numbers of timecuts
    checkpoint: int = 0  # the frame that the newest one covers
    film: bool = False
    extras: frozenset[Extra] = frozenset()


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
class PublishTimecut:
    """Join these segments to timecut `number`, counting from 1."""

    number: int
    segments: tuple[FrameRange, ...]

    def __str__(self) -> str:
        return f"publish timecut {self.number}"


@dataclass(frozen=True)
class JoinFilm:
    """Join all segments to the film."""

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


Task = EncodeBatch | WriteImages | PublishTimecut | JoinFilm | MakeExtra | FinishJob


@dataclass(frozen=True)
class Due:
    """What can be done now, in any order, oldest first."""

    encode: tuple[EncodeBatch, ...] = ()
    images: tuple[WriteImages, ...] = ()
    drop: tuple[FrameRange, ...] = ()  # batches that nobody needs any more
    timecuts: tuple[PublishTimecut, ...] = ()
    last: tuple[JoinFilm | MakeExtra | FinishJob, ...] = ()  # once all else is there

    def tasks(self) -> Iterator[Task]:
        """All but the dropping, in the order in which a worker takes them.

        Timecuts first, they are waited for and quickly made; of one batch the PNG frames first, so
        that both are done when the batch is in the disk cache.
        """
        yield from self.timecuts
        batches: list[EncodeBatch | WriteImages] = [*self.images, *self.encode]
        yield from sorted(batches, key=lambda task: task.batch.start)
        yield from self.last


def due(plan: FramePlan, wanted: Wanted, found: Inventory) -> Due:
    """What is due for a job of which `found` lies on disk."""
    rendered = _rendered(wanted, found)
    covered = _covered(plan, wanted, found, rendered)
    batches = sorted(found.batches)
    timecuts = tuple(_timecuts(plan, found, covered)) if wanted.video else ()
    all_published = not wanted.video or len(found.published) == len(plan.cuts)
    return Due(
        encode=tuple(
            EncodeBatch(batch) for batch in batches if wanted.video and batch not in found.segments
        ),
        images=tuple(
            WriteImages(batch)
            for batch in batches
            if wanted.images and batch not in found.images and _is_settled(batch, wanted, covered)
        ),
        drop=tuple(
            batch for batch in batches if batch in rendered and _is_settled(batch, wanted, covered)
        ),
        timecuts=timecuts,
        last=_last(wanted, found)
        if all_published and rendered.issuperset(all_batches(plan))
        else (),
    )


def _last(wanted: Wanted, found: Inventory) -> tuple[JoinFilm | MakeExtra | FinishJob, ...]:
    """What is due when nothing else is to do. Walks are drawn by the trainer, and waited for."""
    if wanted.video and not found.film:
        return (JoinFilm(),)
    missing = [extra for extra in wanted.extras if extra not in found.extras]
    if not missing:
        return (FinishJob(),)
    return tuple(MakeExtra(extra) for extra in missing if not is_drawn_by_trainer(extra))


def _is_settled(batch: FrameRange, wanted: Wanted, covered: int) -> bool:
    """Whether what becomes of this batch may stay.

    A job without checkpoints starts over after a crash and makes everything again. Kept back until
    all frames exist, its batches would fill the spool.
    """
    return batch.stop <= covered or not wanted.checkpoints


def _rendered(wanted: Wanted, found: Inventory) -> frozenset[FrameRange]:
    """The batches of which everything that is wanted exists."""
    if wanted.video and wanted.images:
        return found.segments & found.images
    return found.segments if wanted.video else found.images


def _covered(
    plan: FramePlan, wanted: Wanted, found: Inventory, rendered: frozenset[FrameRange]
) -> int:
    """The frame below which nothing is ever made again."""
    if all(batch in found.batches or batch in rendered for batch in all_batches(plan)):
        return plan.frames_total
    return found.checkpoint if wanted.checkpoints else 0


def _timecuts(plan: FramePlan, found: Inventory, covered: int) -> Iterator[PublishTimecut]:
    for number, batches in enumerate(_batches_by_cut(plan), 1):
        if batches[-1].stop > covered:
            return
        if number not in found.published and found.segments.issuperset(batches):
            yield PublishTimecut(number, batches)


@lru_cache(maxsize=64)  # several jobs, each asked several times a second
def all_batches(plan: FramePlan) -> tuple[FrameRange, ...]:
    """`plan.batches()`, remembered."""
    return tuple(plan.batches())


@lru_cache(maxsize=64)
def _batches_by_cut(plan: FramePlan) -> tuple[tuple[FrameRange, ...], ...]:
    batches: Iterable[FrameRange] = iter(all_batches(plan))
    return tuple(tuple(_until(batches, cut.stop)) for cut in plan.cuts)


def _until(batches: Iterable[FrameRange], stop: int) -> Iterator[FrameRange]:
    for batch in batches:
        yield batch
        if batch.stop == stop:
            return
