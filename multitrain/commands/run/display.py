"""What a running farm shows: live bars on a terminal, plain lines in a log."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.table import Column
from rich.text import Text

from jobs.units import duration
from jobs.workspace.disk import means_full
from multitrain.farm.events import Event, Happening, JobView

LINE_SECONDS = 30.0  # a job under nohup says at most so often how far it is
NIGHT_SECONDS = 600.0  # and the whole farm how long it will still take

_STYLES = {
    Happening.FAILED: "bold red",
    Happening.RETRIED: "yellow",
    Happening.FELL_SHORT: "yellow",
    Happening.TROUBLE: "yellow",
    Happening.DONE: "bold green",
    Happening.PUBLISHED: "cyan",
}


@dataclass(frozen=True)
class Summary:
    """A line for the whole farm: jobs by state, and why queued ones wait although slots exist.

    `left` says how long all of it will still take.
    """

    counts: str
    left: str = ""
    waiting: Mapping[str, str] = field(default_factory=dict)  # what jobs wait for -> why

    @property
    def reasons(self) -> str:
        return "; ".join(f"{place}: {reason}" for place, reason in self.waiting.items())

    def __str__(self) -> str:
        return "; ".join(filter(None, (self.counts, self.left, self.reasons)))


class Display(Protocol):
    """Somewhere to show a farm."""

    def tell(self, event: Event) -> None:
        """Show what happened."""

    def note(self, text: str) -> None:
        """Show a line that concerns the whole farm."""

    def refresh(self, jobs: Sequence[JobView], summary: Summary, now: float) -> None:
        """Show how far the active jobs are at `now` (unix seconds)."""

    def close(self) -> None:
        """Leave the terminal as it was."""


def open_display(console: Console, untold: Collection[Happening] = ()) -> Display:
    """Bars on a terminal, lines in a log; happenings in `untold` are not shown."""
    kind = BarDisplay if console.is_terminal else LineDisplay
    return Tireless(lambda: kind(console), untold)


def progress_line(job: JobView) -> str:
    """`1200/3600 frames, 12.3 frames/s, 0:03:15 left (gpu 0)`.

    `step 500/9000, 3/80 frames, 31.4 steps/s …` where not every step makes a frame.
    """
    parts = [f"{job.frames_done}/{job.frames_total} frames"]
    if job.steps:
        parts.insert(0, f"step {job.steps.done}/{job.steps.total}")
        if job.steps.per_second > 0:
            parts.append(f"{job.steps.per_second:.1f} steps/s")
    elif job.frames_per_second > 0:
        parts.append(f"{job.frames_per_second:.1f} frames/s")
    if job.left is not None and job.left.seconds >= 1:  # below that, a forecast says nothing
        parts.append(f"{duration(job.left.seconds)} left")
    return ", ".join(parts) + (f" ({job.slot})" if job.slot else f" ({job.state})")


class Tireless:
    """A display that falls silent, instead of ending the night, when its terminal closes.

    A line for which a full disk has no room is lost; those after it are tried again.
    """

    def __init__(
        self, open_display: Callable[[], Display], untold: Collection[Happening] = ()
    ) -> None:
        self._display: Display | None = None
        self._untold = untold
        with suppress(OSError, SystemExit):
            self._display = open_display()

    def tell(self, event: Event) -> None:
        if event.happening not in self._untold:
            self._try(lambda display: display.tell(event))

    def note(self, text: str) -> None:
        self._try(lambda display: display.note(text))

    def refresh(self, jobs: Sequence[JobView], summary: Summary, now: float) -> None:
        self._try(lambda display: display.refresh(jobs, summary, now))

    def close(self) -> None:
        self._try(lambda display: display.close())

    def _try(self, show: Callable[[Display], None]) -> None:
        if self._display is None:
            return
        try:
            show(self._display)
        except (OSError, SystemExit) as error:  # rich leaves a program whose pipe breaks
            if not means_full(error):
                self._display = None


class LineDisplay:
    """A line per event, one per job every half a minute, and why jobs wait when that changes.

    Now and then, one for how long the night will still take.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._said_at: dict[str, float] = {}
        self._showed_left_at = float("-inf")
        self._waiting: Set[str] = frozenset()  # what jobs wait for, as it was said last

    def tell(self, event: Event) -> None:
        self.note(str(event))

    def note(self, text: str) -> None:
        stamp = time.strftime("%Y-%m-%d %H:%M:%S")
        self._console.print(f"{stamp} {text}", markup=False, highlight=False, soft_wrap=True)

    def refresh(self, jobs: Sequence[JobView], summary: Summary, now: float) -> None:
        # Only what is waited for is compared: how much memory is free there changes all the time.
        if self._is_due("", now) and summary.waiting.keys() != self._waiting:
            self._waiting = frozenset(summary.waiting)
            self.note(
                f"jobs are waiting: {summary.reasons}" if summary.waiting else "slots are free"
            )
        for job in jobs:
            if self._is_due(job.name, now):
                self.note(f"{job.name}: {progress_line(job)}")
        if summary.left and now - self._showed_left_at >= NIGHT_SECONDS:
            self._showed_left_at = now
            self.note(f"{summary.counts}; {summary.left}")

    def close(self) -> None:
        """Nothing to restore."""

    def _is_due(self, what: str, now: float) -> bool:
        """Whether half a minute has passed since a line about `what`; if so, one is said now."""
        if now - self._said_at.setdefault(what, now) < LINE_SECONDS:
            return False
        self._said_at[what] = now
        return True


class BarDisplay:
    """A bar per active job and a line of counts; events scroll by above."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._tasks: dict[str, TaskID] = {}
        one_line: dict[str, Any] = {"no_wrap": True, "overflow": "ellipsis"}
        self._bars = Progress(
            TextColumn("{task.description}", table_column=Column(max_width=30, **one_line)),
            BarColumn(bar_width=None, table_column=Column(ratio=1, min_width=5)),
            TextColumn("{task.fields[line]}", style="dim", table_column=Column(no_wrap=True)),
            console=console,
            expand=True,
        )
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._live.start()

    def tell(self, event: Event) -> None:
        style = _STYLES.get(event.happening, "")
        job = Text(f"{event.job} " if event.job else "", "bold")
        self._console.print(job.append(event.text, style), soft_wrap=True)

    def note(self, text: str) -> None:
        self._console.print(Text(text), soft_wrap=True)

    def refresh(self, jobs: Sequence[JobView], summary: Summary, now: float) -> None:  # noqa: ARG002
        for gone in self._tasks.keys() - {job.name for job in jobs}:
            self._bars.remove_task(self._tasks.pop(gone))
        for job in jobs:
            if job.name not in self._tasks:
                self._tasks[job.name] = self._bars.add_task(escape(job.name), line="")
            self._bars.update(
                self._tasks[job.name],
                completed=job.steps.done if job.steps else job.frames_done,
                total=job.steps.total if job.steps else job.frames_total,
                line=escape(progress_line(job)),
            )
        self._live.update(Group(self._bars, Text(str(summary), "dim")), refresh=True)

    def close(self) -> None:
        self._live.stop()
