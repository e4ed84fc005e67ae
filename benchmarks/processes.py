"""The processes of one farm, whoever their parent is by now: found by a mark that all inherit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress

import psutil

MARK = "MULTITRAIN_BENCHMARK"  # an environment variable

KINDS: Mapping[str, Callable[[list[str]], bool]] = {
    "trainer": lambda command: "multitrain.trainer.process" in command,
    "render worker": lambda command: "render.worker.worker" in command,
    "ffmpeg": lambda command: command[0].rpartition("/")[2].startswith("ffmpeg"),
}


def marked(mark: str, variable: str = MARK) -> Iterator[psutil.Process]:
    """The living processes whose environment holds `variable=mark`."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get(variable) == mark and is_alive(process):
                yield process


def is_alive(process: psutil.Process) -> bool:
    """Zombies that nobody reaps, as happens in containers, are dead."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def kind(process: psutil.Process) -> str | None:
    """Which of KINDS it is; None for any other, and where it has just ended."""
    with suppress(psutil.Error):
        command = process.cmdline()
        return next((name for name, fits in KINDS.items() if command and fits(command)), None)
    return None


def kill_all(mark: str, sparing: str | None = None, variable: str = MARK) -> None:
    """End all of them but one kind, so fast that none can clean up after another."""
    while living := [
        each for each in marked(mark, variable) if sparing is None or kind(each) != sparing
    ]:
        for process in living:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(living, timeout=1)
