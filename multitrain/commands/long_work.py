"""The progress of long commands: a bar on a terminal, a line now and then in a log."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import click

from jobs.units import bytes_for_people, duration

if TYPE_CHECKING:
    from multitrain.datasets.web.transfer import OnBytes, Shown

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
        lines = Lines(what, time.monotonic(), lambda done, total: f"{done}/{total} {unit}")
        yield lambda done: say(lines.told(done, total, time.monotonic()))
        return
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bars:
        bar = bars.add_task(what, total=total)
        yield lambda done: bars.update(bar, completed=done)


@contextmanager
def shown_bytes() -> Iterator[Shown]:
    """As `shown_work`, of bytes, and of several things one after another."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TransferSpeedColumn,
    )

    console = Console(stderr=True)
    if not console.is_terminal:
        yield _lines_of_bytes
        return
    what_and_bar = TextColumn("{task.description}"), BarColumn()
    columns = (*what_and_bar, DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=console, transient=True) as bars:

        def shown(what: str) -> OnBytes:
            bar = bars.add_task(what, total=None)
            return lambda done, total: bars.update(bar, completed=done, total=total)

        yield shown


class Lines:
    """The progress lines of a log; all times are those of one clock, in seconds."""

    def __init__(
        self, what: str, now: float, amount: Callable[[int, int | None], str], begun: int = 0
    ) -> None:
        """`amount` says what is done, of how much if known; `begun`: what is done at the start."""
        self._what, self._amount = what, amount
        self._said = now
        self._begun = begun, now

    def told(self, done: int, total: int | None, now: float) -> str | None:
        """`night.mp4: 120/600 frames, 0:03:15 left`, every half a minute; None in between.

        The time left is counted from the last call with nothing done yet: what came before, such as
        looking at a film, is no measure of it.
        """
        if done <= self._begun[0]:
            self._begun = done, now
        if now - self._said < LINE_SECONDS:
            return None
        self._said = now
        before, since = self._begun
        left = (now - since) * (total - done) / (done - before) if total and done > before else 0
        rest = f", {duration(left)} left" if left >= 1 else ""
        return f"{self._what}: {self._amount(done, total)}{rest}"


def _lines_of_bytes(what: str) -> OnBytes:
    lines: Lines | None = None

    def on_bytes(done: int, total: int | None) -> None:
        nonlocal lines
        now = time.monotonic()
        lines = lines or Lines(what, now, _bytes, done)
        say(lines.told(done, total, now))

    return on_bytes


def _bytes(done: int, total: int | None) -> str:
    return bytes_for_people(done) + (f" of {bytes_for_people(total)}" if total else "")


def say(line: str | None) -> None:
    """A line with its time, on stderr; above a bar, where one is shown."""
    if line:
        with suppress(OSError):
            click.echo(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {line}", err=True)


def say_aside(line: str) -> None:
    """A line on stderr, beside what a command prints."""
    click.echo(line, err=True)
