"""A raw batch into verified segments, one per box, or into PNG frames."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from jobs.colours import RGBA
from jobs.disk import means_full
from jobs.errors import MultitrainError
from jobs.jobfile import JobFile
from jobs.paths import JobPaths, flush_to_disk, listing, part_of
from jobs.plan import FramePlan, FrameRange
from jobs.videos import VIDEOS
from render import encoders, ffmpeg
from render.clearing import remove
from render.commands import encode_command, images_command
from render.containers import image_pattern
from render.formats import shown_size
from render.probe import verify
from render.sources import unchanged
from render.verifying import verify_picture


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
            _check_size(source, plan, batch)
            choice = encoders.choose(paths, job)
            try:
                _encode(choice, source, job, len(batch), parts)
            except MultitrainError as failure:
                if choice.encoder != "nvenc" or means_full(failure):
                    raise
                sources.check()
                # Only what x264 can encode shows that NVENC was at fault.
                _encode(encoders.Choice("x264"), source, job, len(batch), parts)
                choice = encoders.give_up_nvenc(paths, job, failure)
            for part in parts:
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
    command = encode_command(
        encoders.program_for(choice, job),
        source,
        plan,
        parts,
        crf=spec.crf,
        preset=spec.preset,
        name=name,
    )
    ffmpeg.run(command, ffmpeg.BATCH_SECONDS)
    has_alpha = VIDEOS[name].has_alpha and plan.channels == RGBA
    for part, box in zip(parts, plan.boxes, strict=True):
        size = shown_size(name, box.width, box.height)
        verify(part, frames, plan.fps, *size, has_alpha=has_alpha)


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
            _check_size(source, plan, batch)
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
    command = images_command(ffmpeg.find(), paths.batch(batch), plan, batch.start, patterns)
    ffmpeg.run(command, ffmpeg.BATCH_SECONDS)
    images = []
    for number, box in zip(plan.box_numbers, plan.boxes, strict=True):
        for frame in range(batch.start, batch.stop):
            image = folder / paths.image(frame, number).name
            verify_picture(image, (box.width, box.height))
            flush_to_disk(image)
            images.append(image)
    if len(listing(folder)) != len(images):
        raise MultitrainError(f"{folder} holds more than {len(images)} frames")
    return images


def _check_size(source: Path, plan: FramePlan, batch: FrameRange) -> None:
    expected, found = len(batch) * plan.frame_bytes, source.stat().st_size
    if found != expected:  # ffmpeg would leave out a last frame that is not whole and say nothing
        raise MultitrainError(f"{source} has {found} bytes instead of {expected}")
