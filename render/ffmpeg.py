"""ffmpeg: which one, and running it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import IO

from jobs.colours import RGBA
from jobs.disk import means_full
from jobs.errors import MultitrainError, ProgramFailed
from jobs.plan import FramePlan
from jobs.videos import VIDEOS, Encoder
from render.commands import encode_command

NICENESS = 10  # trainers come first
TRIAL_SECONDS = 60.0
RUN_SECONDS = 3600.0  # of any run: far beyond what a film takes; one that hangs is ended
BATCH_SECONDS = 1200.0  # of a run on one batch, of which there is never much (`jobs.plan`)
NAMES: dict[Encoder, str] = {
    "x264": "H.264",
    "nvenc": "H.264 with NVENC",
    "prores-4444": "ProRes 4444",
    "hap-alpha": "HAP, which takes an FFmpeg that was built with libsnappy",
}
SAID_BYTES = 8192  # of a failed program's last words, kept for the report

# Odd where it may be, so that the trial goes through every filter that an encode can need.
TRIAL = FramePlan(
    frame_width=17, frame_height=17, box_width=17, box_height=17,
    fps=60, frames_total=1, frames_per_step=1, cut_frames=1,
)  # fmt: skip
TRIAL_RGBA = replace(
    TRIAL, frame_width=16, frame_height=16, box_width=16, box_height=16, channels=RGBA
)


class Turns:
    """How many programs may run side by side in this process; others wait."""

    def __init__(self) -> None:
        self.turn: AbstractContextManager[object] = nullcontext()

    def at_most(self, programs: int) -> None:
        """From now on; before, there is no limit."""
        self.turn = threading.BoundedSemaphore(programs)


TURNS = Turns()


@cache
def find(encoder: Encoder = "x264") -> str:
    """The ffmpeg to use: the one on PATH if it has this encoder, else that of imageio-ffmpeg.

    Both are asked by encoding a frame. MultitrainError where neither has; where the disk has no
    room to ask, the error says so (`jobs.disk.means_full`).
    """
    reasons = []
    for candidate in candidates():
        try:
            try_out(candidate, encoder)
        except ProgramFailed as failure:
            if means_full(failure):
                raise
            reasons.append(f"{candidate}: {failure}")
        else:
            return candidate
    raise MultitrainError(
        f"No ffmpeg here can encode {NAMES[encoder]}; install one that can, or run "
        "`pip install imageio-ffmpeg` again" + "".join(f" ({reason})" for reason in reasons)
    )


def try_out(ffmpeg: str, encoder: Encoder = "x264") -> None:
    """Encode one frame; ProgramFailed where this program cannot."""
    trial = TRIAL_RGBA if VIDEOS[encoder].has_alpha else TRIAL
    with trial_files() as (frame, film):
        frame.write_bytes(bytes(trial.frame_bytes))
        command = encode_command(
            ffmpeg, frame, trial, [film], crf=17, preset="ultrafast", encoder=encoder
        )
        run(command, timeout=TRIAL_SECONDS)
        if not film.exists() or not film.stat().st_size:
            raise ProgramFailed(command, 0, "it wrote no film")


@contextmanager
def trial_files() -> Iterator[tuple[Path, Path]]:
    """Two paths to write to. In memory, where the system can: a kill leaves nothing behind."""
    if sys.platform == "linux":
        with _memory_file("frame") as frame, _memory_file("film") as film:
            files = Path(f"/proc/{os.getpid()}/fd")  # where ffmpeg can open them as well
            yield files / str(frame.fileno()), files / str(film.fileno())
    else:
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder, "frame.rgb"), Path(folder, "film.mp4")


def version() -> str:
    """The first line that ffmpeg says of itself."""
    with _open_said() as said:
        _run([find(), "-version"], said, TRIAL_SECONDS)
        said.seek(0)
        return said.readline().decode(errors="replace").strip()


def run(command: Sequence[str], timeout: float = RUN_SECONDS) -> None:
    """Run a program to its end, within `timeout` seconds; ProgramFailed where it fails.

    It waits for its turn, where this process has as many `TURNS` as it may; `timeout` begins then.
    """
    with TURNS.turn, _open_said() as said:
        _run(command, said, timeout)


def lower_priority() -> None:
    """Make this thread, and the threads and programs it starts, step back behind trainers."""
    niceness = os.getpriority(os.PRIO_PROCESS, 0)
    os.setpriority(os.PRIO_PROCESS, 0, max(niceness, NICENESS))


def _open_said() -> IO[bytes]:
    """A file for what a program says.

    A pipe that nobody drains would block the program once it has much to say. In memory, where the
    system can: on a full disk, the words about the full disk would be lost.
    """
    return _memory_file("said") if sys.platform == "linux" else tempfile.TemporaryFile()


def _memory_file(name: str) -> IO[bytes]:
    return os.fdopen(os.memfd_create(name), "w+b")


def _run(command: Sequence[str], said: IO[bytes], timeout: float) -> None:
    returncode: int | None = None
    last_words = ""
    try:
        returncode = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            timeout=timeout,
            check=False,
        ).returncode
    except OSError as error:
        last_words = str(error)
    except subprocess.TimeoutExpired:
        returncode = -signal.SIGKILL
        last_words = f"it was killed, for it did not end within {timeout:g} seconds"
    failure = ProgramFailed(command, returncode, f"{_end_of(said)}\n{last_words}")
    # Some versions say that the disk is full, leave frames out and end with 0 all the same.
    if returncode != 0 or means_full(failure):
        raise failure


def _end_of(said: IO[bytes]) -> str:
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
