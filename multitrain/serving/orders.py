"""Orders from the page: to the farm that runs here, or carried out by a command where none does."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

from pydantic import ValidationError

from jobs.secrets import hidden
from jobs.workspace import requests
from jobs.workspace.at_work import is_held
from jobs.workspace.requests import MOST_PRIORITY, Answer, Order, Request
from multitrain.serving.bodies import Refused, nothing_else, take
from multitrain.serving.night import Night
from multitrain.serving.programs import Programs

ANSWER_SECONDS = 20.0  # beyond, the page says that the order waits for the farm
COMMAND_SECONDS = 120.0
MOST_NAMES = 1000  # in one order


class Form(NamedTuple):
    """What an order takes besides names: as the commands of `multitrain` do."""

    every: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()


FORMS = {
    Order.PAUSE: Form(("all",)),
    Order.RESUME: Form(("all",)),
    Order.CANCEL: Form(("all",)),
    Order.REQUEUE: Form(("all", "failed"), ("fresh",)),
    Order.PRIORITY: Form(),
    Order.TOP: Form((), ("now",)),
    Order.FORGET: Form(("failed",)),
    Order.DRAIN: Form(),
}


def request_of(order: Order, fields: dict[str, Any], night: Night) -> Request:
    """The request that a body of the page asks for; Refused where it is none."""
    form = FORMS[order]
    names = take(fields, "names", list, [])
    every = take(fields, "every", str, "")
    what: dict[str, Any] = {flag: take(fields, flag, bool, False) for flag in form.flags}
    if order is Order.PRIORITY:
        number = what["priority"] = take(fields, "priority", int)
        if abs(number) > MOST_PRIORITY:
            raise Refused(400, f"priorities lie between -{MOST_PRIORITY} and {MOST_PRIORITY}")
    nothing_else(fields)
    if every and every not in form.every:
        raise Refused(400, f"{order} is not for all at once")
    if order is not Order.DRAIN and bool(names) == bool(every):
        raise Refused(400, f"{order}: name jobs" + " or all" * bool(form.every))
    if order is Order.DRAIN and names:
        raise Refused(400, "drain concerns the farm, not single jobs")
    if len(names) > MOST_NAMES or (order is Order.PRIORITY and len(names) != 1):
        raise Refused(400, "these are too many jobs at once")
    known = night.jobs().by_name
    if any(not isinstance(name, str) or name not in known for name in names):
        raise Refused(404, "there is no job of this name in this workspace")
    try:
        return Request.new(order, names=tuple(dict.fromkeys(names)), every=every, **what)
    except ValidationError as error:
        raise Refused(400, "this order cannot be understood") from error


async def carry_out(request: Request, night: Night, programs: Programs) -> dict[str, Any]:
    """What became of an order: lines of what was `done`, and of what was `refused`."""
    if not is_held(night.workspace):
        said = await programs.run(_arguments(request, night), COMMAND_SECONDS)
        done, refused = said.out.splitlines(), said.err.splitlines()
        return _told(done, refused, is_wrong=said.code not in (0, 1))
    path = await asyncio.to_thread(requests.send, night.workspace, request)
    for found in requests.looks(path, ANSWER_SECONDS):
        if found is None:
            await asyncio.sleep(requests.LOOK_SECONDS)
    answer = found or Answer(done=("the order is given; it waits for the farm",))
    return _told(answer.done, answer.refused, is_wrong=answer.is_wrong)


def _told(done: Any, refused: Any, *, is_wrong: bool) -> dict[str, Any]:
    return {
        "done": [hidden(line) for line in done],
        "refused": [hidden(line) for line in refused],
        "is_wrong": is_wrong,
    }


def _arguments(request: Request, night: Night) -> list[str]:
    """The command that does the same; names stand behind `--`, whatever they begin with."""
    flags = [f"--{flag}" for flag in ("now", "fresh") if getattr(request, flag)]
    flags += [f"--{request.every}"] if request.every else []
    place = ["--workspace", str(night.workspace.root)]
    number = [str(request.priority)] if request.priority is not None else []
    return [str(request.order), *flags, *place, "--", *request.names, *number]
