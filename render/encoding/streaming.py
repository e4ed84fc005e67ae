"""Frames that this process makes or reads, handed to ffmpeg one after the other, encoded at once.

ffmpeg reads them from a pipe. What it says goes to a file: a second pipe that nobody drains would
stop both processes. It is killed where it hangs, and where the writer of the frames fails.
"""

from __future__ import annotations

import fcntl
import os
import select
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
import psutil
from numpy.typing import NDArray

from jobs.errors import ProgramFailed
from jobs.settings.colours import RGBA
from jobs.settings.videos import FormatName
from jobs.workspace.disk import means_full
from render.encoding import ffmpeg
from render.encoding.children import running
from render.encoding.commands import FILTER_THREADS, QUIET, Command
from render.encoding.comments import comment_arguments
from render.encoding.completing import complete
from render.encoding.containers import Rate
from render.encoding.formats import (
    ENCODER_THREADS,
    Quality,
    encoder_arguments,
    file_arguments,
    pixels_for,
)
from render.encoding.soundtrack import Soundtrack

FINE = Quality()
SILENCE_SECONDS = 120.0  # ffmpeg hangs if it has computed nothing for so long
LOOK_SECONDS = 1.0
PIPE_BYTES = 1 << 20


@dataclass(frozen=True)
class RawVideo:
    """The frames that are written: `(height, width, channels)`, in RGB or RGBA.

    They are uint8, or uint16 where they are deep.
    """

    width: int
    height: int
    channels: int
    fps: Rate
    is_deep: bool = False

    @property
    def pixels(self) -> str:
        """Their layout, by ffmpeg's name."""
        plain, clear = ("rgb48le", "rgba64le") if self.is_deep else ("rgb24", "rgba")
        return clear if self.channels == RGBA else plain

    @property
    def frame_bytes(self) -> int:
        return self.width * self.height * self.channels * (2 if self.is_deep else 1)


class FrameSink:
    """Takes the frames. ProgramFailed, with ffmpeg's words, where that has ended."""

    def __init__(self, raw: RawVideo, program: _Program) -> None:
        self._raw, self._program = raw, program
        self.frames = 0  # written so far

    def write(self, frames: NDArray[np.integer]) -> None:
        """One frame `(h, w, c)` or several `(n, h, w, c)`; waits while ffmpeg is behind."""
        raw = self._raw
        size = (raw.height, raw.width, raw.channels)
        kind = np.dtype("<u2" if raw.is_deep else "u1")
        if frames.dtype != kind or frames.shape[-3:] != size or frames.ndim not in (3, 4):
            raise ValueError(f"{frames.dtype} {frames.shape} are no {kind} frames of {size}")
        self._program.feed(np.ascontiguousarray(frames).data.cast("B"))
        self.frames += len(frames) if frames.ndim == 4 else 1


@contextmanager
def encoding(
    output: Path,
    raw: RawVideo,
    name: FormatName,
    *,
    quality: Quality = FINE,
    filters: str = "",
    size: tuple[int, int] | None = None,
    note: str = "",
    sound: Soundtrack | None = None,
) -> Iterator[FrameSink]:
    """Frames that are written within the block become the video `output`, a temporary name.

    `filters` are for the frames as they come; `size` is theirs afterwards, where it is another. The
    `note` is kept in the file (`comments`), and the `sound`, which the format must be able to hold.
    Once the block is left without an exception, the file is whole, and the caller verifies it; with
    an exception, ffmpeg is killed and what it wrote remains. MultitrainError where no ffmpeg here
    knows the format; ProgramFailed where ffmpeg fails, or computes nothing for a long time.
    """
    program = ffmpeg.find(name)  # not within a turn: it takes one itself
    command = streaming_command(
        program,
        output,
        raw,
        name,
        quality=quality,
        filters=filters,
        size=size,
        note=note,
        sound=sound,
    )
    with ffmpeg.TURNS.turn, ffmpeg.open_said() as said, _Program(command, said) as running:
        yield FrameSink(raw, running)
        running.finish()
    complete(name, output, note)


def streaming_command(
    program: str,
    output: Path,
    raw: RawVideo,
    name: FormatName,
    *,
    quality: Quality,
    filters: str,
    size: tuple[int, int] | None,
    note: str = "",
    sound: Soundtrack | None = None,
) -> Command:
    """ffmpeg's command that encodes the frames on its standard input."""
    width, height = size or (raw.width, raw.height)
    chain = [filters] if filters else []
    chain.append(pixels_for(name, width, height, raw.channels, is_deep=raw.is_deep))
    return [
        *(program, *QUIET, "-filter_threads", str(FILTER_THREADS)),
        *("-f", "rawvideo", "-pixel_format", raw.pixels),
        *("-video_size", f"{raw.width}x{raw.height}", "-framerate", str(raw.fps)),
        # Once more, or ffmpeg takes 120 for what it thinks is meant by 120000/1001.
        *("-r", str(raw.fps), "-i", "pipe:0", *(sound.input if sound else ())),
        *("-vf", ",".join(chain), *(sound.output(name, 1) if sound else ())),
        *encoder_arguments(name, raw.fps, quality, ENCODER_THREADS),
        *comment_arguments(name, note),
        *file_arguments(name, raw.fps, output),
    ]


class _Program:
    """ffmpeg at work. Whatever happens, it has ended when the block is left."""

    def __init__(self, command: Sequence[str], said: IO[bytes]) -> None:
        self._command, self._said = command, said

    def __enter__(self) -> _Program:
        with ExitStack() as stack:
            try:
                self._process = stack.enter_context(running(self._command, self._said, is_fed=True))
            except OSError as error:
                raise ProgramFailed(self._command, None, str(error)) from error
            self._end = stack.pop_all()
        assert self._process.stdin
        self._pipe = self._process.stdin
        os.set_blocking(self._pipe.fileno(), False)
        with suppress(OSError, AttributeError):  # only faster: Linux, within the user's limit
            fcntl.fcntl(self._pipe, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        self._alive_at, self._computed = time.monotonic(), 0.0
        return self

    def __exit__(self, *exception: object) -> None:
        self._end.close()

    def feed(self, data: memoryview) -> None:
        poll = select.poll()
        poll.register(self._pipe, select.POLLOUT)
        while data:
            if not poll.poll(LOOK_SECONDS * 1000):
                self._require_alive()
                continue
            try:
                data = data[os.write(self._pipe.fileno(), data) :]
            except BlockingIOError:
                continue
            except BrokenPipeError:
                self._fail()
            self._alive_at = time.monotonic()

    def finish(self) -> None:
        """No more frames come; waits until the file is whole."""
        self._pipe.close()
        while True:
            try:
                self._process.wait(LOOK_SECONDS)
                break
            except subprocess.TimeoutExpired:
                self._require_alive()
        failure = self._failure()
        # Some versions say that the disk is full, leave frames out and end with 0 all the same.
        if self._process.returncode or means_full(failure):
            raise failure

    def _fail(self) -> None:
        """Raise, because ffmpeg reads no more: even if it has ended with 0, it was too early."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(SILENCE_SECONDS)
        raise self._failure("" if self._process.returncode else "it ended before all frames came")

    def _failure(self, last_words: str = "") -> ProgramFailed:
        words = f"{ffmpeg.end_of(self._said)}\n{last_words}"
        return ProgramFailed(self._command, self._process.returncode, words)

    def _require_alive(self) -> None:
        computed = _cpu_seconds(self._process.pid)
        if computed != self._computed:
            self._alive_at, self._computed = time.monotonic(), computed
        elif time.monotonic() - self._alive_at > SILENCE_SECONDS:
            self._process.kill()
            self._process.wait()
            raise self._failure(f"it was killed, for it did nothing for {SILENCE_SECONDS:g} s")


def _cpu_seconds(pid: int) -> float:
    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.Error:  # it has just ended
        return -1.0
    return float(times.user + times.system)
