from __future__ import annotations

import errno
import io
from collections.abc import Callable

import pytest
from rich.console import Console

from multitrain.commands.run.display import LineDisplay, Summary, open_display, progress_line
from multitrain.farm.events import Event, Happening, JobView, StepsView
from multitrain.farm.time_left import NightLeft
from multitrain.forecasts.forecasting import Forecast


def view(done: int, **changes: object) -> JobView:
    fields = {
        "name": "dusk[1]",
        "state": "running",
        "slot": "gpu 0",
        "frames_done": done,
        "frames_total": 3600,
        "frames_per_second": 12.0,
        "left": Forecast(200.0, 0.1),
    }
    return JobView(**{**fields, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("job", "line"),
    [
        (view(1200), "1200/3600 frames, 12.0 frames/s, 0:03:20 left (gpu 0)"),
        (view(0, frames_per_second=0.0, left=None), "0/3600 frames (gpu 0)"),
        (
            view(0, steps=StepsView(500, 9000, 31.44)),
            "step 500/9000, 0/3600 frames, 31.4 steps/s, 0:03:20 left (gpu 0)",
        ),
        (view(3, steps=StepsView(5, 9, 0.0), left=None), "step 5/9, 3/3600 frames (gpu 0)"),
        (
            view(3600, slot="", state="rendering", frames_per_second=0.0),
            "3600/3600 frames, 0:03:20 left (rendering)",
        ),
        (
            view(3600, slot="", frames_per_second=0.0, left=Forecast(0.2, 0.1)),
            "3600/3600 frames (running)",
        ),
    ],
)
def test_progress_in_a_line(job: JobView, line: str) -> None:
    assert progress_line(job) == line


def test_lines_come_at_most_every_half_minute_per_job() -> None:
    out = io.StringIO()
    display = LineDisplay(Console(file=out))
    for now in range(100):
        display.refresh([view(now), view(now, name="other")], Summary("2 running"), now=float(now))
    lines = out.getvalue().splitlines()
    assert [line.split(": ")[0].split()[-1] for line in lines] == ["dusk[1]", "other"] * 3
    assert "30/3600" in lines[0]
    assert "60/3600" in lines[2]


def test_the_night_is_told_now_and_then() -> None:
    out = io.StringIO()
    display = LineDisplay(Console(file=out))
    for now in range(0, 1500, 10):
        left = str(NightLeft(Forecast(5000.0 - now, 0.1), unknown=1)) if now >= 100 else ""
        display.refresh([], Summary("1 done, 2 queued", left), now=float(now))
    lines = [line.split(" ", 2)[2] for line in out.getvalue().splitlines()]
    assert lines == [
        f"1 done, 2 queued; about {clock} left, and 1 job of which nothing is known"
        for clock in ("1:21:40", "1:11:40", "1:01:40")
    ]


def told_while_waiting(waiting: Callable[[int], dict[str, str]], seconds: int) -> list[str]:
    """The lines, without their times, of a farm that shows every second what it waits for."""
    out = io.StringIO()
    display = LineDisplay(Console(file=out))
    for now in range(seconds):
        display.refresh([], Summary("1 queued", waiting=waiting(now)), now=float(now))
    return [line.split(" ", 2)[2] for line in out.getvalue().splitlines()]


def test_why_jobs_wait_is_told_when_it_changes() -> None:
    reason = {"gpu 0": "in use by process 7"}
    assert told_while_waiting(lambda now: reason if now < 100 else {}, 200) == [
        "jobs are waiting: gpu 0: in use by process 7",
        "slots are free",
    ]


def test_why_jobs_wait_is_not_told_for_every_number_that_changes() -> None:
    def waiting(now: int) -> dict[str, str]:
        memory = {"gpu 0": f"its memory is taken: {now / 1000} GiB are free"}
        return memory if now < 3000 else memory | {"the spool": "full"}

    assert told_while_waiting(waiting, 3600) == [
        "jobs are waiting: gpu 0: its memory is taken: 0.03 GiB are free",
        "jobs are waiting: gpu 0: its memory is taken: 3.0 GiB are free; the spool: full",
    ]


def test_a_summary_in_a_line() -> None:
    assert str(Summary("2 running")) == "2 running"
    waiting = {"gpu 0": "busy", "the disk": "full"}
    assert str(Summary("1 queued", waiting=waiting)) == "1 queued; gpu 0: busy; the disk: full"


def test_a_display_that_cannot_be_written_falls_silent() -> None:
    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(5, "Input/output error")

    for terminal in (True, False):
        display = open_display(Console(file=Closed(), force_terminal=terminal))
        for now in range(0, 100, 40):
            display.refresh([view(1200)], Summary("1 running"), now=float(now))
            display.note("still here")
        display.close()


def test_a_full_disk_costs_lines_but_not_the_display() -> None:
    class Full(io.StringIO):
        full = True

        def write(self, text: str) -> int:
            if self.full:
                raise OSError(errno.ENOSPC, "No space left on device")
            return super().write(text)

    out = Full()
    display = open_display(Console(file=out))
    display.note("lost")
    out.full = False
    display.note("still here")
    display.close()
    assert "still here" in out.getvalue()


def test_long_events_stay_one_line_in_a_log() -> None:
    out = io.StringIO()
    display = open_display(Console(file=out))
    display.tell(Event(Happening.FAILED, "a", "failed: " + "very " * 100 + "badly [log]"))
    assert len(out.getvalue().splitlines()) == 1
    assert out.getvalue().endswith("badly [log]\n")


def test_bars_on_a_terminal() -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=120)
    display = open_display(console)
    display.refresh([view(1200)], Summary("1 running"), now=0.0)
    display.tell(Event(Happening.PUBLISHED, "dusk[1]", "published renders/dusk.mp4"))
    display.refresh([], Summary("1 done"), now=1.0)
    display.close()
    shown = out.getvalue()
    assert "dusk[1]" in shown
    assert "1200/3600 frames" in shown
    assert "published renders/dusk.mp4" in shown
