"""How far an ffmpeg has got that runs for long."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

WATCH_SECONDS = 0.2

OnProgress = Callable[[int], None]  # is called with the frames that are done


@contextmanager
def watched(progress: Path, on_progress: OnProgress) -> Iterator[None]:
    """While the block runs, passes on the frames done that ffmpeg writes to the file `progress`."""
    done = threading.Event()

    def watch() -> None:
        while not done.wait(WATCH_SECONDS):
            with suppress(OSError):  # not there yet
                on_progress(frames_done(progress.read_text(encoding="utf-8").splitlines()))

    thread = threading.Thread(target=watch, name="watching ffmpeg", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def frames_done(lines: Sequence[str]) -> int:
    """The last number of frames in ffmpeg's `-progress` report."""
    for line in reversed(lines):
        key, _, value = line.partition("=")
        if key == "frame" and value.strip().isdigit():
            return int(value)
    return 0
