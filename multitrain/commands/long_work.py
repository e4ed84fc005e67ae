"""The progress of long commands: a bar on a terminal, a line now and then in a log."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import click

from jobs.units import duration

LINE_SECONDS = 30.0  # between two lines, as of a job of a farm under nohup


@contextmanager
def shown_work(what: str, total: int, unit: str) -> Iterator[Callable[[int], None]]:
    """Yields a function to call, again and again, with how much of `total` is done.

    Progress is shown on stderr; where that cannot be written to, the work goes on.
    """
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    if not console.is_terminal:
        lines = Lines(what, total, unit, time.monotonic())
        yield lambda done: _say(lines.told(done, time.monotonic()))
        return
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bars:
        bar = bars.add_task(what, total=total)
        yield lambda done: bars.update(bar, completed=done)


class Lines:
    """The progress lines of a log; all times are those of one clock, in seconds."""

    def __init__(self, what: str, total: int, unit: str, now: float) -> None:
        self._what, self._total, self._unit = what, total, unit
        self._said = self._begun = now

    def told(self, done: int, now: float) -> str | None:
        """`night.mp4: 120/600 frames, 0:03:15 left`, every half a minute; None in between.

        The time left is counted from the last call with `done` 0: what came before, such as looking
        at a film, is no measure of it.
        """
        if not done:
            self._begun = now
        if now - self._said < LINE_SECONDS:
            return None
        self._said = now
        left = (now - self._begun) * (self._total - done) / done if done else 0
        rest = f", {duration(left)} left" if left >= 1 else ""
        return f"{self._what}: {done}/{self._total} {self._unit}{rest}"


def _say(line: str | None) -> None:
    if line:
        with suppress(OSError):
            click.echo(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {line}", err=True)
