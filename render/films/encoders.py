"""Which encoder makes a job's segments: one for all of them, for they are joined as they are.

A job that asks for NVENC gets it where a frame of its size can be encoded with it, else x264 (x265
for H.265; here, "x264" stands for both). The choice is kept in `runs/<job>/encoder.json`. Once
NVENC has failed for a job, it is not used for that job any more: segments that it made are encoded
again before they are joined with others. Timecuts that are published stay as they are.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from pydantic import TypeAdapter

from jobs.errors import MultitrainError
from jobs.plans.plan import FrameRange
from jobs.reading import read_json
from jobs.settings.videos import MP4, WITH_NVENC, EncoderName, FormatName
from jobs.workspace.files import listing, part_of, publish, remove, write_text
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import JobPaths
from render.encoding import ffmpeg
from render.encoding.commands import encode_again_command
from render.encoding.formats import shown_size
from render.files.digests import append_digest
from render.files.probe import verify
from render.films.nvenc import NVENC
from render.spool.sources import Rewound, unchanged
from render.spool.spool import locked

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Choice:
    """What a job's segments are made with."""

    encoder: EncoderName
    reason: str = ""  # why not NVENC, where that was asked for: one clause for people
    left: tuple[str, ...] = ()  # names of segments that NVENC made before it failed


_CHOICE = TypeAdapter(Choice)


def choose(paths: JobPaths, job: JobFile) -> Choice:
    """The job's encoder; the first call finds out by encoding a frame.

    OSError or ProgramFailed where the disk has no room to find out, or to keep the answer.
    """
    if not may_use_nvenc(job):
        return Choice("x264")
    if choice := kept(paths):
        return choice
    reason = NVENC.missing(job)
    with locked(paths):
        if choice := kept(paths):
            return choice
        choice = Choice("x264", reason) if reason else Choice("nvenc")
        _save(paths, choice)
    if reason:
        message = "%s: encoded with %s, for NVENC does not work here: %s"
        log.warning(message, paths.name, without_nvenc(job), reason)
    return choice


def may_use_nvenc(job: JobFile) -> bool:
    """Whether the job asks for it, and its film is of a kind that it makes."""
    return job.spec.encoder == "nvenc" and job.spec.format[0] in WITH_NVENC


def without_nvenc(job: JobFile) -> str:
    """The name, for people, of what makes the job's film where NVENC does not."""
    return "x265" if job.spec.format[0] == "h265" else "x264"


def format_of(choice: Choice, job: JobFile) -> FormatName:
    """The format of the job's segments, whose name includes NVENC where that makes them."""
    name = job.spec.format[0]
    return WITH_NVENC[name] if choice.encoder == "nvenc" else name


def kept(paths: JobPaths) -> Choice | None:
    """The choice kept on disk; None where there is none yet. MultitrainError if it is damaged."""
    try:
        content = read_json(paths.encoder, dict)
        return _CHOICE.validate_python(content)
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise MultitrainError(
            f"{paths.encoder} is damaged; delete it and run the sheet again"
        ) from error


def program_for(choice: Choice, job: JobFile) -> str:
    """The ffmpeg that has this encoder; the usual one where none has it any more."""
    if choice.encoder == "nvenc":
        return NVENC.program(job) or ffmpeg.find()
    return ffmpeg.find(job.spec.format[0])


def give_up_nvenc(paths: JobPaths, job: JobFile, failure: MultitrainError) -> Choice:
    """Have this job, and new ones of its kind, encoded with x264 from now on; the new choice."""
    NVENC.has_failed(job, ffmpeg.why(failure))
    with locked(paths):
        choice = kept(paths)
        if choice and choice.encoder == "x264":
            return choice  # another thread was faster
        left = tuple(name for name in listing(paths.segments) if name.endswith(MP4))
        choice = Choice("x264", ffmpeg.why(failure), left)
        _save(paths, choice)
    message = "%s: NVENC failed, going on with %s: %s"
    log.warning(message, paths.name, without_nvenc(job), choice.reason)
    return choice


def shortfall(paths: JobPaths) -> str:
    """Why a job that asked for NVENC is encoded with x264, for people; empty where it is not."""
    choice = kept(paths)
    return choice.reason if choice else ""


def require(paths: JobPaths, job: JobFile, used: Choice, segments: Sequence[Path]) -> None:
    """Raise Rewound unless `used` is still the job's encoder; then note the new segments.

    To be called with the spool's lock held, before segments get their names.
    """
    if not may_use_nvenc(job):
        return
    now = kept(paths)
    if now is None or now.encoder != used.encoder:
        raise Rewound(segments[0].name)
    _settle(paths, now, segments)


def make_alike(
    paths: JobPaths, job: JobFile, segments: Sequence[tuple[FrameRange, Sequence[Path]]]
) -> None:
    """Before `segments` are joined, have all of them made by one encoder.

    They come as ranges, each with the files of its boxes. Raises Rewound where the trainer took
    some back meanwhile, MultitrainError where one cannot be encoded again.
    """
    choice = kept(paths) if may_use_nvenc(job) else None
    left = frozenset(choice.left if choice else ())
    old = [(frames, file) for frames, files in segments for file in files if file.name in left]
    if len(old) < sum(len(files) for _, files in segments):
        for frames, file in old:
            _encode_again(paths, job, frames, file)


def _encode_again(paths: JobPaths, job: JobFile, frames: FrameRange, segment: Path) -> None:
    plan, spec, part = job.plan, job.spec, part_of(segment)
    name = spec.format[0]
    try:
        with unchanged(paths, [segment]) as sources:
            program = ffmpeg.find(name)
            command = encode_again_command(
                program, segment, plan, part, crf=spec.crf, preset=spec.preset, name=name
            )
            ffmpeg.run(command, ffmpeg.BATCH_SECONDS)
            size = shown_size(name, plan.box_width, plan.box_height)
            verify(part, len(frames), plan.fps, *size)
            append_digest(part)
            with sources.held():
                publish(part, segment)
                now = kept(paths)
                if now:
                    _settle(paths, now, [segment])
    finally:
        remove(part)


def _settle(paths: JobPaths, choice: Choice, segments: Sequence[Path]) -> None:
    """Note that these segments are now made by the chosen encoder."""
    names = {segment.name for segment in segments}
    if names.intersection(choice.left):
        left = tuple(name for name in choice.left if name not in names)
        _save(paths, replace(choice, left=left))


def _save(paths: JobPaths, choice: Choice) -> None:
    write_text(paths.encoder, json.dumps(asdict(choice), indent=2) + "\n")
