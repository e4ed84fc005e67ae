"""ffmpeg: which one, and running it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import IO

from jobs.colours import RGBA
from jobs.disk import means_full
from jobs.errors import MultitrainError, ProgramFailed
from jobs.plan import FramePlan
from jobs.videos import VIDEOS, FormatName
from render.commands import encode_command
from render.formats import FORMATS

NICENESS = 10  # trainers come first
TRIAL_SECONDS = 60.0
ASKED = 3  # times at most
RUN_SECONDS = 3600.0  # of a run, unless it says otherwise; one that hangs is ended
FILM_SECONDS = 86_400.0  # of a run that encodes whole films: hours of them, many side by side
BATCH_SECONDS = 1200.0  # of a run on one batch, of which there is never much (`jobs.plan`)
STOP_SECONDS = 0.2  # after which a wish to stop is heard
SAID_BYTES = 8192  # of a failed program's last words, kept for the report

_SPEAKER = re.compile(r"^(\[[^\]]*\] )+")  # of a line of ffmpeg's: `[h264_nvenc @ 0x55c040c67340] `

# Odd, so that the trial goes through every filter that an encode can need, and as large as NVENC
# asks for.
TRIAL = FramePlan(
    frame_width=161, frame_height=161, box_width=161, box_height=161,
    fps=60, frames_total=1, frames_per_step=1, cut_frames=1,
)  # fmt: skip


class Turns:
    """How many programs may run side by side in this process; others wait."""

    def __init__(self) -> None:
        self.turn: AbstractContextManager[object] = nullcontext()

    def at_most(self, programs: int) -> None:
        """From now on; before, there is no limit."""
        self.turn = threading.BoundedSemaphore(programs)


TURNS = Turns()


@cache
def find(name: FormatName = "h264") -> str:
    """The ffmpeg to use: the one on PATH if it makes this format, else that of imageio-ffmpeg.

    Both are asked by encoding a frame. MultitrainError where neither has; where the disk has no
    room to ask, the error says so (`jobs.disk.means_full`).
    """
    reasons, last = [], None
    for candidate in candidates():
        try:
            _ask(candidate, name)
        except ProgramFailed as failure:
            if means_full(failure):
                raise
            reasons.append(f"{candidate}: {why(failure)}")
            last = failure
        else:
            return candidate
    raise MultitrainError(
        f"No ffmpeg here can encode {FORMATS[name].title}; install one that can, or run "
        "`pip install imageio-ffmpeg` again" + "".join(f" ({reason})" for reason in reasons)
    ) from last


def why(failure: BaseException) -> str:
    """One clause: of what ffmpeg says, the first line tells the cause, the others what follows."""
    said = failure.said if isinstance(failure, ProgramFailed) else ""
    return _SPEAKER.sub("", (said or str(failure)).splitlines()[0])


def _ask(candidate: str, name: FormatName) -> None:
    """As `try_out`; again where it was killed from outside, which says nothing of the program."""
    for _ in range(ASKED - 1):
        try:
            try_out(candidate, name)
        except ProgramFailed as failure:
            if failure.said or (failure.returncode or 0) >= 0:
                raise
        else:
            return
    try_out(candidate, name)


def try_out(ffmpeg: str, name: FormatName = "h264") -> None:
    """Encode one frame; ProgramFailed where this program cannot."""
    trial = replace(TRIAL, channels=RGBA) if VIDEOS[name].has_alpha else TRIAL
    with trial_files() as (frame, film):
        frame.write_bytes(bytes(trial.frame_bytes))
        command = encode_command(
            ffmpeg, frame, trial, [film], crf=17, preset="ultrafast", name=name
        )
        if VIDEOS[name].is_folder:  # one picture is a file
            command[-1:] = ["-update", "1", str(film)]
        run(command, timeout=TRIAL_SECONDS)
        if not film.exists() or not film.stat().st_size:
            raise ProgramFailed(command, 0, "it wrote no film")


@contextmanager
def trial_files() -> Iterator[tuple[Path, Path]]:
    """Two paths to write to."""
    with passing_file("frame") as frame, passing_file("film") as film:
        yield frame, film


@contextmanager
def passing_file(name: str) -> Iterator[Path]:
    """A path to write to. In memory, where the system can: a kill leaves nothing behind."""
    if sys.platform == "linux":
        with _memory_file(name) as file:
            yield Path(f"/proc/{os.getpid()}/fd/{file.fileno()}")  # ffmpeg can open it as well
    else:
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder, name)


def version() -> str:
    """The first line that ffmpeg says of itself."""
    with open_said() as said:
        _run([find(), "-version"], said, TRIAL_SECONDS)
        said.seek(0)
        return said.readline().decode(errors="replace").strip()


class Stopped(Exception):
    """Somebody wished that this should not go on."""


def run(
    command: Sequence[str], timeout: float = RUN_SECONDS, stop: threading.Event | None = None
) -> None:
    """Run a program to its end, within `timeout` seconds; ProgramFailed where it fails.

    It waits for its turn, where this process has as many `TURNS` as it may; `timeout` begins then.
    Raises Stopped soon after `stop` is set, once it has its turn.
    """
    with TURNS.turn, open_said() as said:
        _run(command, said, timeout, stop)


def lower_priority() -> None:
    """Make this thread, and the threads and programs it starts, step back behind trainers."""
    niceness = os.getpriority(os.PRIO_PROCESS, 0)
    os.setpriority(os.PRIO_PROCESS, 0, max(niceness, NICENESS))


def open_said() -> IO[bytes]:
    """A file for what a program says.

    A pipe that nobody drains would block the program once it has much to say. In memory, where the
    system can: on a full disk, the words about the full disk would be lost.
    """
    return _memory_file("said") if sys.platform == "linux" else tempfile.TemporaryFile()


def _memory_file(name: str) -> IO[bytes]:
    return os.fdopen(os.memfd_create(name), "w+b")


def _run(
    command: Sequence[str], said: IO[bytes], timeout: float, stop: threading.Event | None = None
) -> None:
    returncode: int | None = None
    last_words = ""
    try:
        returncode = _returncode(command, said, timeout, stop)
    except OSError as error:
        last_words = str(error)
    except subprocess.TimeoutExpired:
        returncode = -signal.SIGKILL
        last_words = f"it was killed, for it did not end within {timeout:g} seconds"
    failure = ProgramFailed(command, returncode, f"{end_of(said)}\n{last_words}")
    # Some versions say that the disk is full, leave frames out and end with 0 all the same.
    if returncode != 0 or means_full(failure):
        raise failure


def _returncode(
    command: Sequence[str], said: IO[bytes], timeout: float, stop: threading.Event | None
) -> int:
    """Raises OSError, subprocess.TimeoutExpired, Stopped; the program has ended in any case."""
    deadline = time.monotonic() + timeout
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT
    ) as process:
        try:
            while stop and time.monotonic() < deadline:
                with suppress(subprocess.TimeoutExpired):
                    return process.wait(STOP_SECONDS)
                if stop.is_set():
                    raise Stopped
            return process.wait(max(0.0, deadline - time.monotonic()))
        except BaseException:
            process.kill()
            raise


def end_of(said: IO[bytes]) -> str:
    """The last of what a program has said that has ended."""
    said.seek(max(0, said.seek(0, os.SEEK_END) - SAID_BYTES))
    return said.read().decode(errors="replace")


def candidates() -> Iterator[str]:
    """The programs that may serve, the user's own first."""
    if own := shutil.which("ffmpeg"):
        yield own
    import imageio_ffmpeg  # here: needed only where PATH has none that serves

    # Its own search runs each candidate and remembers as long as this process lives where that
    # failed, were it by a kill; `try_out` asks again.
    folder = Path(imageio_ffmpeg.__file__).parent / "binaries"
    chosen = os.environ.get("IMAGEIO_FFMPEG_EXE")
    yield from [chosen] if chosen else map(str, sorted(folder.glob("ffmpeg-*")))
