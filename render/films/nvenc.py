"""NVENC: whether it works here, asked by encoding a frame."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

from jobs.errors import MultitrainError
from jobs.plans.plan import FramePlan
from jobs.settings.videos import WITH_NVENC
from jobs.workspace.disk import means_full
from jobs.workspace.jobfile import JobFile
from render.encoding import ffmpeg
from render.encoding.commands import encode_command
from render.encoding.formats import shown_size
from render.files.probe import verify


class Nvenc:
    """What this process knows of NVENC: found once for each kind of video, by encoding a frame."""

    def __init__(self) -> None:
        self._answers: dict[tuple[object, ...], tuple[str, str]] = {}
        self._lock = threading.Lock()

    def missing(self, job: JobFile) -> str:
        """Why NVENC cannot be used for this job; empty where it can."""
        return self._ask(job)[1]

    def program(self, job: JobFile) -> str:
        """The ffmpeg that can encode with it; empty where none can."""
        return self._ask(job)[0]

    def has_failed(self, job: JobFile, reason: str) -> None:
        with self._lock:
            self._answers[_kind(job)] = "", reason

    def forget(self) -> None:
        with self._lock:
            self._answers.clear()

    def _ask(self, job: JobFile) -> tuple[str, str]:
        with self._lock:
            kind = _kind(job)
            if kind not in self._answers:
                self._answers[kind] = _try_all(job)
            return self._answers[kind]


NVENC = Nvenc()


def _kind(job: JobFile) -> tuple[object, ...]:
    """What a video is like, as far as an encoder may refuse it for that."""
    plan, spec = job.plan, job.spec
    return plan.box_width, plan.box_height, plan.fps, spec.format[0], spec.crf, spec.preset


def _try_all(job: JobFile) -> tuple[str, str]:
    """The first program that can encode with NVENC and an empty reason; else none, and why."""
    reasons = []
    for program in ffmpeg.candidates():
        try:
            _try_out(program, job)
        except (MultitrainError, OSError) as failure:
            if means_full(failure):
                raise
            reasons.append(f"{Path(program).name}: {ffmpeg.why(failure)}")
        else:
            return program, ""
    return "", "; ".join(reasons) or "there is no ffmpeg"


def _try_out(program: str, job: JobFile) -> None:
    """Encode and decode one frame of the job's size."""
    plan, spec = _one_frame(job.plan), job.spec
    name = WITH_NVENC[spec.format[0]]
    with ffmpeg.trial_files() as (frame, film):
        frame.write_bytes(bytes(plan.frame_bytes))
        command = encode_command(
            program, frame, plan, [film], crf=spec.crf, preset=spec.preset, name=name
        )
        ffmpeg.run(command, ffmpeg.TRIAL_SECONDS)
        verify(film, 1, plan.fps, *shown_size(name, plan.frame_width, plan.frame_height))


def _one_frame(plan: FramePlan) -> FramePlan:
    """A plan in which one box is the whole frame."""
    return replace(plan, frame_width=plan.box_width, frame_height=plan.box_height)
