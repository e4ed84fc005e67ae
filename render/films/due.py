"""What is due for a job: a pure function of its plan and of what lies on disk.

    batch ──encode──▶ segment ──publish (covered by a checkpoint)──▶ timecut ──join──▶ film
          ──write images (covered, or the job has no checkpoints)──▶ PNG frames
    film ──make extras──▶ poster, exports, loops ──finish──▶ manifest

Frames are *covered* when no trainer will ever make them again: up to the newest checkpoint, or all
of them once all exist.

What was made may be gone again. A segment is encoded again while its raw batch is there. After
that, its timecut holds the same packets, and the film is joined from the timecut; a timecut that is
missing is cut from the film. Covered frames that are in none of these are *lost*: nothing brings
them back, so nothing may wait for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from jobs.plans.plan import FramePlan, FrameRange
from jobs.settings.spec import JobSpec
from jobs.workspace.outputs import Extra, extras, is_drawn_by_trainer
from render.films.tasks import (
    CutTimecut,
    EncodeBatch,
    FindImages,
    FinishJob,
    JoinFilm,
    MakeExtra,
    PublishTimecut,
    Task,
    WriteImages,
)


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
    moved: frozenset[int] = frozenset()  # timecuts among `published` that are not there any more


@dataclass(frozen=True)
class Due:
    """What can be done now, in any order, oldest first."""

    encode: tuple[EncodeBatch, ...] = ()
    images: tuple[WriteImages | FindImages, ...] = ()
    drop: tuple[FrameRange, ...] = ()  # batches that nobody needs any more
    timecuts: tuple[PublishTimecut | CutTimecut, ...] = ()
    last: tuple[JoinFilm | MakeExtra | FinishJob, ...] = ()  # once all else is there
    lost: tuple[FrameRange, ...] = ()  # batches whose video frames are nowhere any more

    def tasks(self) -> Iterator[Task]:
        """All tasks (dropping batches is none), in the order in which a worker takes them.

        Timecuts come first: users wait for them and they are quickly made. Of one batch, PNG frames
        come directly before its encoding, while the batch is in the disk cache.
        """
        yield from self.timecuts
        batches: list[EncodeBatch | WriteImages | FindImages] = [*self.images, *self.encode]
        yield from sorted(batches, key=lambda task: task.batch.start)
        yield from self.last


def due(plan: FramePlan, wanted: Wanted, found: Inventory) -> Due:
    """What is due for a job of which `found` lies on disk."""
    on_film = _on_film(plan, found) if wanted.video else frozenset()
    rendered = _all_that_is_wanted(wanted, on_film, found.images)
    covered = _covered(plan, wanted, found, rendered)
    batches = sorted(found.batches)
    gone = [batch for batch in _until(all_batches(plan), covered) if batch not in found.batches]
    all_published = not wanted.video or len(found.published) == len(plan.cuts)
    return Due(
        encode=tuple(
            EncodeBatch(batch) for batch in batches if wanted.video and batch not in found.segments
        ),
        images=(
            *(
                WriteImages(batch)
                for batch in batches
                if wanted.images
                and batch not in found.images
                and _is_settled(batch, wanted, covered)
            ),
            *(FindImages(batch) for batch in gone if wanted.images and batch not in found.images),
        ),
        drop=_unneeded(batches, wanted, found, covered),
        timecuts=tuple(_timecuts(plan, found, covered)) if wanted.video else (),
        last=_last(plan, wanted, found)
        if all_published and rendered.issuperset(all_batches(plan))
        else (),
        lost=tuple(batch for batch in gone if wanted.video and batch not in on_film),
    )


def neither_raw_nor_rendered(
    plan: FramePlan, wanted: Wanted, found: Inventory
) -> tuple[FrameRange, ...]:
    """The batches that are neither raw nor rendered: still to come, or lost."""
    on_film = _on_film(plan, found) if wanted.video else frozenset()
    there = found.batches | _all_that_is_wanted(wanted, on_film, found.images)
    return tuple(batch for batch in all_batches(plan) if batch not in there)


def cuts_without_segments(plan: FramePlan, found: Inventory) -> tuple[int, ...]:
    """Numbers of the timecuts, from 1, of which not all segments are there."""
    return tuple(
        number
        for number, batches in enumerate(batches_by_cut(plan), 1)
        if not found.segments.issuperset(batches)
    )


def _last(
    plan: FramePlan, wanted: Wanted, found: Inventory
) -> tuple[JoinFilm | MakeExtra | FinishJob, ...]:
    """What is due when all else is done. Walks are drawn by the trainer, so they are waited for."""
    if wanted.video and not found.film:
        return (JoinFilm(cuts_without_segments(plan, found)),)
    missing = [extra for extra in wanted.extras if extra not in found.extras]
    if not missing:
        return (FinishJob(),)
    return tuple(MakeExtra(extra) for extra in missing if not is_drawn_by_trainer(extra))


def _unneeded(
    batches: Iterable[FrameRange], wanted: Wanted, found: Inventory, covered: int
) -> tuple[FrameRange, ...]:
    """Raw batches whose own segments and PNG frames are there; timecuts and films do not count."""
    made = _all_that_is_wanted(wanted, found.segments, found.images)
    return tuple(
        batch for batch in batches if batch in made and _is_settled(batch, wanted, covered)
    )


def _is_settled(batch: FrameRange, wanted: Wanted, covered: int) -> bool:
    """Whether what is made of this batch may be used at once.

    It may where no trainer will make the batch again. A job without checkpoints makes everything
    again after a crash; but to hold its batches back until all frames exist would fill the spool.
    """
    return batch.stop <= covered or not wanted.checkpoints


def _on_film(plan: FramePlan, found: Inventory) -> frozenset[FrameRange]:
    """The batches whose frames are in a segment, in a timecut, or in the film."""
    if found.film:
        return frozenset(all_batches(plan))
    cuts = batches_by_cut(plan)
    there = found.published - found.moved
    return found.segments.union(*(cuts[number - 1] for number in there))


def _all_that_is_wanted(
    wanted: Wanted, video: frozenset[FrameRange], images: frozenset[FrameRange]
) -> frozenset[FrameRange]:
    """The batches of which everything that is wanted exists."""
    if wanted.video and wanted.images:
        return video & images
    return video if wanted.video else images


def _covered(
    plan: FramePlan, wanted: Wanted, found: Inventory, rendered: frozenset[FrameRange]
) -> int:
    """The frame below which nothing is ever made again."""
    if found.film or all(
        batch in found.batches or batch in rendered for batch in all_batches(plan)
    ):
        return plan.frames_total
    return found.checkpoint if wanted.checkpoints else 0


def _timecuts(
    plan: FramePlan, found: Inventory, covered: int
) -> Iterator[PublishTimecut | CutTimecut]:
    for number, batches in enumerate(batches_by_cut(plan), 1):
        if batches[-1].stop > covered:
            return
        if number in found.published:
            continue
        if found.segments.issuperset(batches):
            yield PublishTimecut(number, batches)
        elif found.film and found.batches.isdisjoint(batches):
            yield CutTimecut(number)


@lru_cache(maxsize=64)  # several jobs, each asked several times a second
def all_batches(plan: FramePlan) -> tuple[FrameRange, ...]:
    """`plan.batches()`, remembered."""
    return tuple(plan.batches())


@lru_cache(maxsize=64)
def batches_by_cut(plan: FramePlan) -> tuple[tuple[FrameRange, ...], ...]:
    """The batches of each timecut, the first one's first."""
    batches = iter(all_batches(plan))
    return tuple(tuple(_up_to(batches, cut.stop)) for cut in plan.cuts)


def _up_to(batches: Iterator[FrameRange], stop: int) -> Iterator[FrameRange]:
    for batch in batches:
        yield batch
        if batch.stop == stop:
            return


def _until(batches: Iterable[FrameRange], frame: int) -> Iterator[FrameRange]:
    """The batches that end at `frame` or before."""
    for batch in batches:
        if batch.stop > frame:
            return
        yield batch
