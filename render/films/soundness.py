"""Whether videos that others are made of are still what they were when they were verified.

Segments are checked before each join. Damaged ones are renamed, so that listings show them missing:
they are made again of what is left of their frames. Timecuts and films belong to the user and stay
as they are; one that is needed and has changed is named in an error.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from jobs.errors import FramesLost, MultitrainError
from jobs.plans.plan import Box, FrameRange
from jobs.settings.words import start_over
from jobs.workspace.files import part_of, publish, remove
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import JobPaths
from render.files.digests import Damaged, append_digest, is_unchanged, sha256_of
from render.files.probe import open_packets
from render.films.segments import verify_box
from render.spool.notes import noted_digest
from render.spool.sources import unchanged

DAMAGED = ".damaged"  # behind the names of segments that were set aside

log = logging.getLogger(__name__)


def ensure_segments(paths: JobPaths, job: JobFile, batches: Sequence[FrameRange]) -> None:
    """Check the segments of these batches in all boxes; set damaged ones aside and raise Damaged.

    Segments without a digest, from an earlier version, are decoded and get one. Raises Rewound
    where the trainer took some back meanwhile.
    """
    damaged = [
        segment.name
        for batch in batches
        for segment, box in zip(paths.segments_of(batch, job.plan), job.plan.boxes, strict=True)
        if not _is_sound(paths, job, batch, segment, box)
    ]
    if damaged:
        more = f" and {len(damaged) - 1} more are" if damaged[1:] else " is"
        raise Damaged(f"{paths.segments / damaged[0]}{more} damaged and made again, if it can be")


def _is_sound(paths: JobPaths, job: JobFile, batch: FrameRange, segment: Path, box: Box) -> bool:
    with unchanged(paths, [segment]) as sources:
        is_sound = is_unchanged(segment)
        if is_sound is None:
            is_sound = _get_digest(paths, job, batch, segment, box)
        if not is_sound:
            with sources.held():
                os.replace(segment, segment.with_name(segment.name + DAMAGED))
    return is_sound


def _get_digest(paths: JobPaths, job: JobFile, batch: FrameRange, segment: Path, box: Box) -> bool:
    """Give the segment a digest, if it can be decoded; whether it can."""
    part = part_of(segment)
    try:
        with unchanged(paths, [segment]) as sources:
            shutil.copyfile(segment, part)
            try:
                verify_box(part, job, job.spec.format[0], len(batch), box)
            except MultitrainError as error:
                log.warning("%s: %s", paths.name, error)
                return False
            append_digest(part)
            with sources.held():
                publish(part, segment)
    finally:
        remove(part)
    return True


def ensure_timecut(paths: JobPaths, job: JobFile, number: int) -> None:
    """Check all boxes of a timecut that a film is to be joined from.

    FramesLost where one is not what was published: its frames are nowhere else.
    """
    frames = len(job.plan.cuts[number - 1])
    for timecut, box in zip(paths.timecuts(number, job.plan), job.plan.boxes, strict=True):
        _ensure_published(paths, job, timecut, frames, box)


def ensure_film(paths: JobPaths, job: JobFile) -> None:
    """As `ensure_timecut`, for a film from which a timecut is to be cut."""
    for film, box in zip(paths.films(job.plan), job.plan.boxes, strict=True):
        _ensure_published(paths, job, film, job.plan.frames_total, box)


def _ensure_published(paths: JobPaths, job: JobFile, video: Path, frames: int, box: Box) -> None:
    with unchanged(paths, [video]):
        digest = noted_digest(paths, video)
        if digest is None:
            wrong = _what_is_wrong(job, video, frames, box)
        else:
            has_changed = digest != sha256_of(video)
            wrong = "it has changed since it was published" if has_changed else None
        if wrong:
            raise FramesLost(
                f"{video} is needed, for its frames are nowhere else, but {wrong}; put it back as "
                f"it was and run {paths.name} again, or start over with {start_over(paths.name)}"
            )


def _what_is_wrong(job: JobFile, video: Path, frames: int, box: Box) -> str | None:
    """What is wrong with a video without a known digest: B-frames, for one, are never ours."""
    try:
        verify_box(video, job, job.spec.format[0], frames, box)
        with open_packets(video) as (_, packets):
            if any(packet.is_discard or packet.pts != packet.dts for packet in packets):
                return "it was encoded again or cut by another program"
    except MultitrainError as error:
        return str(error)
    return None
