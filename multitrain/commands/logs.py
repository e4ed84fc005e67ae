"""`multitrain logs`: what a job's trainer has said."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from jobs.errors import UsageError
from jobs.workspace.files import listing
from jobs.workspace.paths import JobPaths, Workspace
from jobs.workspace.store import read_jobs
from multitrain.commands.options import Whole, existing_workspace_option

LOOK_SECONDS = 0.5  # between two looks at a file that may grow
CHUNK = 2**16  # bytes


@click.command()
@click.argument("job")
@click.option("-f", "--follow", is_flag=True, help="Go on until the job, or the farm, has ended.")
@click.option(
    "-n",
    "--lines",
    type=Whole(0, 10**9),
    default=100,
    show_default=True,
    help="So many of the last lines.",
)
@existing_workspace_option
def logs(job: str, follow: bool, lines: int, workspace: Path) -> None:
    """Show what the trainer of JOB has said: what it trains on, how far it is, why it failed.

    The log of the render worker, of all jobs, is runs/render.log.
    """
    place = Workspace(workspace.absolute())
    paths = _job_of(place, job)
    if not paths.log.exists() and not follow:
        click.echo(f"{job} has not begun.", err=True)
        return
    for chunk in tail(paths.log, lines, lambda: follow and _may_go_on(place, job)):
        click.echo(chunk, nl=False)


def tail(
    log: Path, lines: int, goes_on: Callable[[], bool], pause: Callable[[float], None] = time.sleep
) -> Iterator[bytes]:
    """The last `lines` of a file, and what comes to it as long as it `goes_on`.

    A file that is replaced by another one, or cut off, is read from its beginning.
    """
    place, identity = -1, None
    while True:
        is_last = not goes_on()  # asked before reading: what was written until then is still read
        try:
            with log.open("rb") as file:
                facts = os.fstat(file.fileno())
                if place < 0:
                    place = start_of_last(file.fileno(), facts.st_size, lines)
                elif identity != facts.st_ino or facts.st_size < place:
                    place = 0
                identity = facts.st_ino
                file.seek(place)
                while chunk := file.read(CHUNK):
                    place += len(chunk)
                    yield chunk
        except FileNotFoundError:
            place = max(place, 0)  # what is written there later is all new
        if is_last:
            return
        pause(LOOK_SECONDS)


def start_of_last(file: int, size: int, lines: int) -> int:
    """The byte at which the last `lines` lines of a file of `size` bytes begin.

    A last line without its newline counts as a line.
    """
    if not lines:
        return size
    end, newlines = size, 0
    while end > 0:
        begin = max(0, end - CHUNK)
        chunk = os.pread(file, end - begin, begin)
        at = len(chunk)
        while (at := chunk.rfind(b"\n", 0, at)) >= 0:
            if begin + at == size - 1:
                continue
            newlines += 1
            if newlines == lines:
                return begin + at + 1
        end = begin
    return 0


def _job_of(place: Workspace, name: str) -> JobPaths:
    known = [row.name for row in read_jobs(place.store)]
    known += [each for each in listing(place.runs) if place.job(each).job_file.exists()]
    if name not in known:
        from jobs.tinkering.earlier_jobs import no_such_job

        raise UsageError(no_such_job(place, name, known))
    return place.job(name)


def _may_go_on(place: Workspace, name: str) -> bool:
    """Whether the log may still grow: a farm runs, and the job has not ended."""
    from jobs.workspace.at_work import is_held

    rows = (row for row in read_jobs(place.store) if row.name == name)
    return is_held(place) and any(not row.state.ended for row in rows)
