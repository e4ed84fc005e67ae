"""What users ask of a farm: files renamed into `runs/.requests/`, and answered by files.

A request outlives the farm: one that comes while none runs, or that a kill cut off, is carried out
by the next farm, or by the next command, in the order of the requests. Each has an id: sent twice,
it is carried out once. Answers are kept for a day.
"""

from __future__ import annotations

import enum
import time
import uuid
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from annotated_types import Ge, Le
from pydantic import BaseModel, ConfigDict, Field, field_serializer, model_validator

from jobs.errors import UsageError
from jobs.reading import MOST_BYTES, DamagedText, escaped, read_json
from jobs.workspace.files import PART, listing, write_text
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace

LOOK_SECONDS = 0.05  # between two looks for an answer
KEPT_SECONDS = 24 * 3600.0  # of answers
READ_AT_ONCE = 50  # jobs of a request: in some milliseconds
MOST_PRIORITY = 1000  # as in sheets; `top` may go beyond

REQUEST, ANSWER = ".request.json", ".answer.json"  # endings of files


class Order(enum.StrEnum):
    """What is to be done."""

    SUBMIT = "submit"  # take up the jobs of a sheet, all or none of them
    PAUSE = "pause"  # stop at a checkpoint; the place in the queue is kept
    RESUME = "resume"  # queue what was paused
    CANCEL = "cancel"  # stop at a checkpoint and leave it; all files stay
    REQUEUE = "requeue"  # queue what was cancelled or has failed
    PRIORITY = "priority"  # say how important jobs are
    TOP = "top"  # put before all others
    FORGET = "forget"  # leave out of `status`; all files stay
    DRAIN = "drain"  # the farm stops, every job at a checkpoint


class Request(BaseModel):
    """One wish of a user, as it stands in its file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
    order: Order
    names: tuple[str, ...] = ()  # of jobs
    every: Literal["", "all", "failed"] = (
        ""  # instead of names: all jobs, or those that have failed
    )
    priority: Annotated[int, Ge(-MOST_PRIORITY), Le(MOST_PRIORITY)] | None = None
    now: bool = False  # of `top`: running jobs make room
    fresh: bool = False  # of `requeue`: from the start; the film that is there is kept
    jobs: tuple[JobFile, ...] = ()  # of `submit`

    @model_validator(mode="after")
    def _says_all(self) -> Self:
        if (self.order is Order.PRIORITY) != (self.priority is not None):
            raise ValueError("a number goes with the order `priority`, and with no other")
        return self

    @field_serializer("jobs")
    def _compact(self, jobs: tuple[JobFile, ...]) -> list[dict[str, Any]]:
        return [job.compact for job in jobs]

    @classmethod
    def new(cls, order: Order, **what: object) -> Request:
        """A request with an id of its own."""
        return cls.model_validate({"id": uuid.uuid4().hex, "order": order, **what})


class Answer(BaseModel):
    """What became of a request."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    done: tuple[str, ...] = ()  # a line for each job of which it was carried out
    refused: tuple[str, ...] = ()  # and for each of which it was not
    is_wrong: bool = False  # nothing was done: the request itself cannot be carried out


NOT_UNDERSTOOD = Answer(
    refused=("the request cannot be understood: it is damaged, or of another version",),
    is_wrong=True,
)


def send(
    workspace: Workspace, request: Request, clock_ns: Callable[[], int] = time.time_ns
) -> Path:
    """Put a request where the farm finds it; returns its file, also where it was sent before.

    `clock_ns` returns unix nanoseconds. OSError where it cannot be written; UsageError where it is
    too large to be read.
    """
    for name in listing(workspace.requests):
        if name.endswith((f"-{request.id}{REQUEST}", f"-{request.id}{ANSWER}")):
            return workspace.requests / f"{name.partition('.')[0]}{REQUEST}"
    path = workspace.requests / f"{clock_ns():020d}-{request.id}{REQUEST}"
    text = request.model_dump_json(exclude_defaults=True)
    if len(text.encode()) > MOST_BYTES:
        raise UsageError("the sheet has too many jobs to be submitted at once; divide it")
    write_text(path, text)
    return path


def waiting(workspace: Workspace) -> list[Path]:
    """The files of all requests that have no answer yet, in their order."""
    return [
        workspace.requests / name
        for name in listing(workspace.requests)
        if name.endswith(REQUEST) and (workspace.requests / name).is_file()
    ]


def reading(path: Path) -> Generator[None, None, Request | None]:
    """Read the request of this file, some jobs at a time: a sheet may have thousands.

    Returns None where it is gone. ValueError where it is none, OSError.
    """
    try:
        content = read_json(path, dict)
    except FileNotFoundError:
        return None
    rows = content.pop("jobs", [])
    if not isinstance(rows, list):
        raise DamagedText("its jobs are no list")
    request, jobs = Request.model_validate(content), []
    for start in range(0, len(rows), READ_AT_ONCE):
        jobs += [JobFile.model_validate(row) for row in rows[start : start + READ_AT_ONCE]]
        if len(rows) > READ_AT_ONCE:
            yield
    return request.model_copy(update={"jobs": tuple(jobs)})


def sent_at(path: Path) -> int:
    """When a request was sent, by the name of its file, in unix nanoseconds; 0: it does not say."""
    moment = path.name.partition("-")[0]
    return int(moment) if moment.isdecimal() else 0


def answer(path: Path, what: Answer) -> None:
    """Answer the request of this file, which goes. OSError where that cannot be written."""
    told = what.model_copy(
        update={name: tuple(map(escaped, getattr(what, name))) for name in ("done", "refused")}
    )
    write_text(answer_of(path), told.model_dump_json(exclude_defaults=True))
    path.unlink(missing_ok=True)


def answer_of(path: Path) -> Path:
    """The file of the answer to a request's file."""
    return path.with_name(path.name.removesuffix(REQUEST) + ANSWER)


def read_answer(path: Path) -> Answer | None:
    """The answer to the request of this file; None while there is none."""
    try:
        return Answer.model_validate(read_json(answer_of(path), dict))
    except FileNotFoundError:
        return None
    except ValueError:
        return Answer(refused=(f"{answer_of(path)} is damaged",), is_wrong=True)


def looks(
    path: Path, seconds: float, clock: Callable[[], float] = time.monotonic
) -> Iterator[Answer | None]:
    """What becomes of the request of this file, look by look: None while there is no answer.

    The last is the answer, or None once that has taken `seconds` by the `clock`. Whoever looks
    rests for LOOK_SECONDS in between.
    """
    deadline = clock() + seconds
    while True:
        found = read_answer(path)
        yield found
        if found or clock() > deadline:
            return


def sweep(workspace: Workspace, wall: Callable[[], float] = time.time) -> None:
    """Delete the answers of days before, and what killed commands have left."""
    for name in listing(workspace.requests):
        path = workspace.requests / name
        with suppress(OSError):
            if name.endswith((ANSWER, PART)) and wall() - path.stat().st_mtime > KEPT_SECONDS:
                path.unlink()
