"""Makes verified segments of a raw batch, one per box, or PNG frames."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from jobs.errors import FramesLost, MultitrainError
from jobs.plans.plan import Box, FramePlan, FrameRange
from jobs.settings.colours import RGBA
from jobs.settings.videos import VIDEOS, FormatName
from jobs.settings.words import start_over
from jobs.workspace.disk import means_full
from jobs.workspace.files import flush_to_disk, listing, part_of, remove
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import JobPaths
from render.encoding import ffmpeg
from render.encoding.commands import calls, encode_command, images_command
from render.encoding.containers import image_pattern
from render.encoding.formats import shown_size
from render.files.digests import append_digest, is_as_marked
from render.files.probe import verify
from render.files.verifying import verify_picture
from render.films import encoders
from render.films.images import images_of
from render.spool.sources import unchanged


def encode_batch(paths: JobPaths, job: JobFile, batch: FrameRange) -> None:
    """Make the batch's segments, verified by decoding.

    Raises Rewound where the trainer took the batch back meanwhile, ProgramFailed or another
    MultitrainError where it cannot be encoded; then no segment appears.
    """
    plan, source = job.plan, paths.batch(batch)
    segments = paths.segments_of(batch, plan)
    parts = [part_of(segment) for segment in segments]
    paths.segments.mkdir(parents=True, exist_ok=True)
    try:
        with unchanged(paths, [source]) as sources:
            _check(paths, source, plan, batch)
            choice = encoders.choose(paths, job)
            try:
                _encode(choice, source, job, len(batch), parts)
            except MultitrainError as failure:
                if choice.encoder != "nvenc" or means_full(failure):
                    raise
                sources.check()
                # NVENC was at fault only if x264 can encode the same batch.
                _encode(encoders.Choice("x264"), source, job, len(batch), parts)
                choice = encoders.give_up_nvenc(paths, job, failure)
            for part in parts:
                append_digest(part)
                flush_to_disk(part)
            with sources.held():
                encoders.require(paths, job, choice, segments)
                for part, segment in zip(parts, segments, strict=True):
                    os.replace(part, segment)
            flush_to_disk(paths.segments)
    finally:
        for part in parts:
            remove(part)


def _encode(
    choice: encoders.Choice, source: Path, job: JobFile, frames: int, parts: Sequence[Path]
) -> None:
    """Make verified files of the batch's boxes."""
    plan, spec = job.plan, job.spec
    name = encoders.format_of(choice, job)
    program = encoders.program_for(choice, job)
    for boxes, files in calls(plan, parts):
        command = encode_command(
            program,
            source,
            plan,
            files,
            crf=spec.crf,
            preset=spec.preset,
            name=name,
            boxes=boxes,
        )
        ffmpeg.run(command, ffmpeg.BATCH_SECONDS)
    for part, box in zip(parts, plan.boxes, strict=True):
        verify_box(part, job, name, frames, box)


def verify_box(path: Path, job: JobFile, name: FormatName, frames: int, box: Box) -> None:
    """Decode a video of a box; MultitrainError unless every frame is there and at its time."""
    size = shown_size(name, box.width, box.height)
    has_alpha = VIDEOS[name].has_alpha and job.plan.channels == RGBA
    verify(path, frames, job.plan.fps, *size, has_alpha=has_alpha)


def write_images(paths: JobPaths, job: JobFile, batch: FrameRange) -> None:
    """Write the batch's PNG frames under `renders/<job>/`, then its marker.

    Raises like `encode_batch`; then no marker appears.
    """
    plan, source = job.plan, paths.batch(batch)
    folder = part_of(paths.frames / str(batch))
    paths.segments.mkdir(parents=True, exist_ok=True)
    remove(folder)
    folder.mkdir(parents=True)
    try:
        with unchanged(paths, [source]) as sources:
            _check(paths, source, plan, batch)
            images = _write_images(paths, plan, batch, folder)
            with sources.held():
                for image in images:
                    os.replace(image, paths.frames / image.name)
                flush_to_disk(paths.frames)
                paths.image_marker(batch).touch()
            flush_to_disk(paths.segments)
    finally:
        remove(folder)


def _write_images(paths: JobPaths, plan: FramePlan, batch: FrameRange, folder: Path) -> list[Path]:
    """The PNG frames in `folder`, under the names they will have, each one checked."""
    prefixes = [paths.image(0, box).name.removesuffix("000000000.png") for box in plan.box_numbers]
    patterns = [image_pattern(folder, prefix) for prefix in prefixes]
    program, source = ffmpeg.find(), paths.batch(batch)
    for boxes, files in calls(plan, patterns):
        command = images_command(program, source, plan, batch.start, files, boxes=boxes)
        ffmpeg.run(command, ffmpeg.BATCH_SECONDS)
    images = []
    for place, size in images_of(paths, plan, batch):
        image = folder / place.name
        verify_picture(image, size)
        flush_to_disk(image)
        images.append(image)
    if len(listing(folder)) != len(images):
        raise MultitrainError(f"{folder} holds more than {len(images)} frames")
    return images


def _check(paths: JobPaths, source: Path, plan: FramePlan, batch: FrameRange) -> None:
    """FramesLost where the batch is not what the trainer wrote."""
    expected, found = len(batch) * plan.frame_bytes, source.stat().st_size
    wrong = ""
    if found != expected:  # ffmpeg would leave out a last frame that is not whole and say nothing
        wrong = f"has {found} bytes instead of {expected}"
    elif not is_as_marked(source):
        wrong = "is not what was written"
    if wrong:
        raise FramesLost(
            f"{source} {wrong}: the disk has damaged frames {batch.start} to {batch.stop - 1}; run "
            f"{paths.name} again, or start over with {start_over(paths.name)}"
        )
