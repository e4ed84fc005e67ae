"""`multitrain status`, and the table at the end of `run`."""

from __future__ import annotations

import io
import json
import shutil
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import redirect_stdout, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.table import Table

from jobs.errors import UsageError
from jobs.units import bytes_for_people, clock, duration
from jobs.workspace.paths import Workspace
from jobs.workspace.store import JobRow, read_jobs
from multitrain.commands import long_tables
from multitrain.commands.options import existing_workspace_option
from multitrain.commands.sheets import output_console

if TYPE_CHECKING:
    from jobs.workspace.farm_state import FarmState
    from jobs.workspace.measures import Measures, Told
    from multitrain.commands.overview import Overview

# Other modules are imported by the commands that need them, so that each starts at once.

ALWAYS = {"name", "state", "frames", "attempts"}  # columns
MOST_REASONS = 5  # for which jobs wait
WATCH_SECONDS = 1.0
FROM_THE_TOP = "\x1b[H\x1b[J"  # cursor to the top, all below is cleared: one write, no flicker


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.option("--watch", is_flag=True, help="Go on telling, until Ctrl-C.")
@existing_workspace_option
def status(as_json: bool, watch: bool, workspace: Path) -> None:
    """Tell where every job of the workspace stands, and whether a farm runs here."""
    place = Workspace(workspace.absolute())
    if not watch:
        _tell(place, as_json=as_json)
        return
    if as_json or not sys.stdout.isatty():
        raise UsageError("--watch needs a terminal; programs read `multitrain status --json`.")
    with suppress(KeyboardInterrupt):
        while True:
            with redirect_stdout(_Screen()) as screen:
                _tell(place, as_json=False)
            click.echo(f"{FROM_THE_TOP}{screen.fitting()}")
            time.sleep(WATCH_SECONDS)


class _Screen(io.StringIO):
    """What is to be shown on the terminal, all at once."""

    def isatty(self) -> bool:
        return True

    def fitting(self) -> str:
        """As many lines as the terminal has."""
        lines = self.getvalue().splitlines()
        room = shutil.get_terminal_size().lines - 2
        if len(lines) > room:
            lines = [*lines[: room - 1], f"… {len(lines) - room + 1} lines more"]
        return "\n".join(lines)


def _tell(place: Workspace, *, as_json: bool) -> None:
    from multitrain.commands.overview import overviews
    from multitrain.farm.workspace_lock import FARM, holder
    from render.films.earlier import earlier_bytes

    rows = read_jobs(place.store)
    found = holder(place)
    farm = found if found and found.who == FARM else None
    state = _state_of_farm(place) if farm else None
    jobs = overviews(place, rows, state)
    if as_json:
        seconds = (state and state.night.seconds) or None
        shown = farm and {"pid": farm.pid, "since": farm.since, "seconds_left": seconds}
        click.echo(json.dumps([{**job.for_machines(), "farm": shown} for job in jobs], indent=2))
        return
    if not rows:
        click.echo(
            f"No jobs yet in {place.root}: start some with `multitrain run SHEET`, "
            "or name another --workspace."
        )
        return
    _print(place, jobs)
    if farm:
        left = f"; {state.left_in_words}" if state and state.left_in_words else ""
        click.echo(f"A farm runs here since {farm.since} (pid {farm.pid}){left}.")
        _tell_why_jobs_wait(jobs)
    elif found:
        click.echo(f"The {found.who} with pid {found.pid} is at work here since {found.since}.")
    elif any(not row.state.ended for row in rows):
        click.echo("No farm is running here: `multitrain run` goes on.")
    else:
        click.echo("No farm is running here.")
    if kept := earlier_bytes(place):
        click.echo(f"Earlier films take {bytes_for_people(kept)}: see `multitrain earlier`.")


def _state_of_farm(place: Workspace) -> FarmState | None:
    from jobs.workspace.farm_state import read_farm_state  # takes as long as all the rest

    return read_farm_state(place)


def _tell_why_jobs_wait(jobs: Sequence[Overview]) -> None:
    """The reasons of most jobs; with `--json`, each job has its own."""
    waiting = Counter(job.waits_for for job in jobs if job.waits_for)
    for reason, count in waiting.most_common(MOST_REASONS):
        alone = next(job.row.name for job in jobs if job.waits_for == reason)
        click.echo(f"{alone} waits: {reason}." if count == 1 else f"{count} jobs wait: {reason}.")


def print_at_the_end(place: Workspace, rows: Sequence[JobRow]) -> None:
    """Print where the jobs of a run stand, and where their films are."""
    from multitrain.commands.overview import overviews

    jobs = overviews(place, rows)
    _print(place, jobs)
    if films := sum(len(job.films) for job in jobs):
        click.echo(f"{films} film{'s' * (films > 1)} in {place.renders}")


def _print(place: Workspace, jobs: Sequence[Overview]) -> None:
    """Columns that say nothing of any job are left out."""
    table = Table(box=None, pad_edge=False)
    cells = {
        "name": [job.row.name for job in jobs],
        "state": [str(job.row.state) for job in jobs],
        "frames": [f"{job.row.frames_done}/{job.row.frames_total}" for job in jobs],
        "steps": [str(job.steps) for job in jobs],
        "left": [duration(job.left.seconds) if job.left else "" for job in jobs],
        "psnr": [_psnr(job.measured) for job in jobs],
        "loops": [str(job.loops) for job in jobs],
        "exports": [str(job.exports) for job in jobs],
        "attempts": [str(job.row.attempts) for job in jobs],
        "slot": [job.row.slot for job in jobs],
        "priority": [str(job.row.priority or "") for job in jobs],
        "film": [_film(place, job) for job in jobs],
        "error": [job.row.error for job in jobs],
    }
    shown = {name: column for name, column in cells.items() if name in ALWAYS or any(column)}
    for name in shown:
        table.add_column(name, overflow="fold")
    for row in zip(*shown.values(), strict=True):
        table.add_row(*row)
    long_tables.show(output_console(), table, markup=False)


def _psnr(measured: Told) -> str:
    """`34.51 at 3000, best 34.60 at 2500`: by `validation`, in decibels."""
    last, best = measured
    told = [f"{_decibels(last)} at {last.step}"] if last else []
    if best and (not last or best.step != last.step):
        told.append(f"best {_decibels(best)} at {best.step}".replace("  ", " "))
    return ", ".join(told)


def _decibels(measures: Measures) -> str:
    return f"{measures.values['psnr']:.2f}" if "psnr" in measures.values else ""


def _film(place: Workspace, job: Overview) -> str:
    """`renders/night.mp4 0:39.0`; with several boxes, also how many more there are."""
    if not job.films:
        return ""
    first, *others = job.films
    length = f" {clock(job.film_seconds)}" if job.film_seconds else ""
    more = f" and {len(others)} more" if others else ""
    return f"{first.relative_to(place.root)}{more}{length}"
