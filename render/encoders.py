"""Which encoder makes a job's segments: one for all of them, for they are joined as they are.

A job that asks for NVENC gets it where a frame of its size can be encoded with it, else x264; where
its film is H.265, x265, which "x264" stands for here as well. What was found is kept in
`runs/<job>/encoder.json`. NVENC that fails later is not used for that job any more: its segments
that are there are encoded again before they are joined with others. Timecuts that are published
stay as they are.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from jobs.errors import MultitrainError
from jobs.jobfile import JobFile
from jobs.paths import JobPaths, listing, part_of, publish, write_text
from jobs.plan import FrameRange
from jobs.videos import MP4, WITH_NVENC, EncoderName, FormatName
from render import ffmpeg
from render.clearing import remove
from render.commands import encode_again_command
from render.formats import shown_size
from render.nvenc import NVENC
from render.probe import verify
from render.sources import Rewound, unchanged
from render.spool import locked

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Choice:
    """What a job's segments are made with."""

    encoder: EncoderName
    reason: str = ""  # why not with NVENC, where that was asked for: one clause for people
    left: tuple[str, ...] = ()  # names of segments that NVENC made before it failed


def choose(paths: JobPaths, job: JobFile) -> Choice:
    """The job's encoder; asked by encoding a frame when it is wanted for the first time.

    OSError and ProgramFailed where the disk has no room to ask, or to keep the answer.
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
        told = "%s: encoded with %s, for NVENC does not work here: %s"
        log.warning(told, paths.name, without_nvenc(job), reason)
    return choice


def may_use_nvenc(job: JobFile) -> bool:
    """Whether the job asks for it, and its film is of a kind that it makes."""
    return job.spec.encoder == "nvenc" and job.spec.format[0] in WITH_NVENC


def without_nvenc(job: JobFile) -> str:
    """What makes the job's film where NVENC does not, for people."""
    return "x265" if job.spec.format[0] == "h265" else "x264"


def format_of(choice: Choice, job: JobFile) -> FormatName:
    """The format of the job's segments, which tells what makes them as well."""
    name = job.spec.format[0]
    return WITH_NVENC[name] if choice.encoder == "nvenc" else name


def kept(paths: JobPaths) -> Choice | None:
    """What was chosen; None where nothing was yet. MultitrainError where that is damaged."""
    try:
        told = json.loads(paths.encoder.read_bytes())
        return Choice(told["encoder"], told["reason"], tuple(told["left"]))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise MultitrainError(
            f"{paths.encoder} is damaged; delete it and run the sheet again"
        ) from error


def program_for(choice: Choice, job: JobFile) -> str:
    """The ffmpeg that has this encoder; the usual one where none has it any more."""
    if choice.encoder == "nvenc":
        return NVENC.program(job) or ffmpeg.find()
    return ffmpeg.find(job.spec.format[0])


def give_up_nvenc(paths: JobPaths, job: JobFile, failure: MultitrainError) -> Choice:
    """From now on, this job and new ones of its kind are encoded with x264: the new choice."""
    NVENC.has_failed(job, ffmpeg.why(failure))
    with locked(paths):
        choice = kept(paths)
        if choice and choice.encoder == "x264":
            return choice  # another thread was faster
        left = tuple(name for name in listing(paths.segments) if name.endswith(MP4))
        choice = Choice("x264", ffmpeg.why(failure), left)
        _save(paths, choice)
    told = "%s: NVENC failed, going on with %s: %s"
    log.warning(told, paths.name, without_nvenc(job), choice.reason)
    return choice


def shortfall(paths: JobPaths) -> str:
    """Why a job that asked for NVENC is encoded with x264, for people; empty where it is not."""
    choice = kept(paths)
    return choice.reason if choice else ""


def require(paths: JobPaths, job: JobFile, used: Choice, segments: Sequence[Path]) -> None:
    """Before segments get their names, with the spool's lock held: Rewound unless `used` counts."""
    if not may_use_nvenc(job):
        return
    now = kept(paths)
    if now is None or now.encoder != used.encoder:
        raise Rewound(segments[0].name)
    _settle(paths, now, segments)


def make_alike(
    paths: JobPaths, job: JobFile, segments: Sequence[tuple[FrameRange, Sequence[Path]]]
) -> None:
    """Before segments (of each range, those of its boxes) are joined: all of one encoder.

    Raises Rewound where the trainer took them back meanwhile, MultitrainError where they cannot be
    encoded again.
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
            with sources.held():
                publish(part, segment)
                now = kept(paths)
                if now:
                    _settle(paths, now, [segment])
    finally:
        remove(part)


def _settle(paths: JobPaths, choice: Choice, segments: Sequence[Path]) -> None:
    """These segments are of the encoder that is chosen now."""
    names = {segment.name for segment in segments}
    if names.intersection(choice.left):
        left = tuple(name for name in choice.left if name not in names)
        _save(paths, replace(choice, left=left))


def _save(paths: JobPaths, choice: Choice) -> None:
    write_text(paths.encoder, json.dumps(asdict(choice), indent=2) + "\n")
