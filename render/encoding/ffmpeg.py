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

from jobs.errors import MultitrainError, ProgramFailed, ProgramHangs
from jobs.plans.plan import FramePlan
from jobs.plans.timing import Timing
from jobs.settings.colours import RGBA
from jobs.settings.videos import VIDEOS, FormatName
from jobs.workspace.disk import means_full
from render.encoding.children import running
from render.encoding.commands import encode_command
from render.encoding.formats import FORMATS

NICENESS = 10  # trainers come first
TRIAL_SECONDS = 60.0
FIRST_SECONDS = 10.0  # of a trial while there is another program to try: some hang for ever
ASKED = 3  # times that a program is tried, at most
RUN_SECONDS = 3600.0  # limit of a run whose caller gives none; one that hangs is ended
FILM_SECONDS = 86_400.0  # of a run that encodes whole films: hours of them, many side by side
BATCH_SECONDS = 1200.0  # of a run on one batch, of which there is never much (`jobs.plans.plan`)
STOP_SECONDS = 0.2  # between two looks whether to stop
SAID_BYTES = 8192  # of a failed program's last words, kept for the report

_SPEAKER = re.compile(r"^(\[[^\]]*\] )+")  # of a line of ffmpeg's: `[h264_nvenc @ 0x55c040c67340] `

# Odd, so that the trial goes through every filter that an encode can need, and as large as NVENC
# asks for.
TRIAL = FramePlan(
    frame_width=161, frame_height=161, box_width=161, box_height=161,
    fps=60, frames_total=1, timing=Timing(), cut_frames=1,
)  # fmt: skip


_HANGING: set[str] = set()  # programs that did not end their trial


class Turns:
    """How many programs may run side by side in this process; others wait."""

    def __init__(self) -> None:
        self.turn: AbstractContextManager[object] = nullcontext()

    def at_most(self, programs: int) -> None:
        """Set the limit; until then there is none."""
        self.turn = threading.BoundedSemaphore(programs)


TURNS = Turns()


@cache
def find(name: FormatName = "h264") -> str:
    """The ffmpeg to use: the one on PATH if it makes this format, else that of imageio-ffmpeg.

    Each is tried by encoding a frame. MultitrainError where neither can; where the disk has no room
    to try, the error says so (`jobs.workspace.disk.means_full`).
    """
    reasons, last = [], None
    programs = list(candidates())
    for candidate in programs:
        is_last = candidate == programs[-1]
        try:
            _ask(candidate, name, TRIAL_SECONDS if is_last else FIRST_SECONDS)
        except ProgramFailed as failure:
            if means_full(failure):
                raise
            if isinstance(failure, ProgramHangs) and not is_last:
                _HANGING.add(candidate)  # not waited for again when another format is tried
            reasons.append(f"{candidate}: {why(failure)}")
            last = failure
        else:
            return candidate
    raise MultitrainError(
        f"No ffmpeg here can encode {FORMATS[name].title}; install one that can, or run "
        "`.venv/bin/pip install -c constraints.txt --force-reinstall imageio-ffmpeg`"
        + "".join(f" ({reason})" for reason in reasons)
    ) from last


def why(failure: BaseException) -> str:
    """The cause in one clause: ffmpeg's first line has it, the others only what follows from it."""
    said = failure.said if isinstance(failure, ProgramFailed) else ""
    return _SPEAKER.sub("", (said or str(failure)).splitlines()[0])


def _ask(candidate: str, name: FormatName, seconds: float) -> None:
    """As `try_out`; tries again where somebody killed it, which says nothing about the program."""
    for _ in range(ASKED - 1):
        try:
            try_out(candidate, name, seconds)
        except ProgramFailed as failure:
            if failure.said or (failure.returncode or 0) >= 0:
                raise
        else:
            return
    try_out(candidate, name, seconds)


def try_out(ffmpeg: str, name: FormatName = "h264", seconds: float = TRIAL_SECONDS) -> None:
    """Encode one frame in this format; ProgramFailed where the program `ffmpeg` cannot."""
    trial = replace(TRIAL, channels=RGBA) if VIDEOS[name].has_alpha else TRIAL
    with trial_files() as (frame, film):
        frame.write_bytes(bytes(trial.frame_bytes))
        command = encode_command(
            ffmpeg, frame, trial, [film], crf=17, preset="ultrafast", name=name
        )
        if VIDEOS[name].is_folder:  # one picture is a file
            command[-1:] = ["-update", "1", str(film)]
        run(command, timeout=seconds)
        if not film.exists() or not film.stat().st_size:
            raise ProgramFailed(command, 0, "it wrote no film")
        # Some versions take 8 bits instead, and say so in a warning alone.
        if FORMATS[name].pixels.is_always_deep and not VIDEOS[name].is_folder:
            _require_depth(command, film)


def _require_depth(command: Sequence[str], film: Path) -> None:
    import av  # here: these take a moment, and few formats are looked at

    from render.shown.screen import has_depth

    with av.open(str(film)) as container:
        found = str(container.streams.video[0].codec_context.pix_fmt)
    if not has_depth(found):
        raise ProgramFailed(command, 0, f"it makes {found}, of 8 bits")


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
    """Work was ended because its `stop` was set."""


def run(
    command: Sequence[str], timeout: float = RUN_SECONDS, stop: threading.Event | None = None
) -> None:
    """Run a program to its end, within `timeout` seconds; ProgramFailed where it fails.

    Waits for a turn (`TURNS`) first; `timeout` begins then. Raises Stopped soon after `stop` is
    set, once it has its turn.
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
    last_words, kind = "", ProgramFailed
    try:
        returncode = _returncode(command, said, timeout, stop)
    except OSError as error:
        last_words = str(error)
    except subprocess.TimeoutExpired:
        returncode, kind = -signal.SIGKILL, ProgramHangs
        last_words = f"it was killed, for it did not end within {timeout:g} seconds"
    failure = kind(command, returncode, f"{end_of(said)}\n{last_words}")
    # Some versions say that the disk is full, leave frames out and end with 0 all the same.
    if returncode != 0 or means_full(failure):
        raise failure


def _returncode(
    command: Sequence[str], said: IO[bytes], timeout: float, stop: threading.Event | None
) -> int:
    """Raises OSError, subprocess.TimeoutExpired, Stopped; the program has ended in any case."""
    deadline = time.monotonic() + timeout
    with running(command, said) as process:
        while stop and time.monotonic() < deadline:
            with suppress(subprocess.TimeoutExpired):
                return process.wait(STOP_SECONDS)
            if stop.is_set():
                raise Stopped
        return process.wait(max(0.0, deadline - time.monotonic()))


def end_of(said: IO[bytes]) -> str:
    """The end of what a program said that has ended."""
    said.seek(max(0, said.seek(0, os.SEEK_END) - SAID_BYTES))
    return said.read().decode(errors="replace")


def candidates() -> Iterator[str]:
    """The programs that may serve, the user's own first, unless it is known to hang."""
    own = shutil.which("ffmpeg")
    if own and own not in _HANGING:
        yield own
    import imageio_ffmpeg  # here: needed only where PATH has none that serves

    # The package's own search runs each candidate and remembers failures, even by a kill, for as
    # long as this process lives; `try_out` tries again.
    folder = Path(imageio_ffmpeg.__file__).parent / "binaries"
    chosen = os.environ.get("IMAGEIO_FFMPEG_EXE")
    yield from [chosen] if chosen else map(str, sorted(folder.glob("ffmpeg-*")))
