"""What an order does to jobs, by their states alone: decided, nothing changed. Pure.

The farm carries it out with its trainers (`multitrain.farm.steering`); without a farm, commands
write it into the store.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from jobs.settings.words import nearest, quoted
from jobs.workspace.requests import Order, Request
from jobs.workspace.states import State
from jobs.workspace.store import JobRow


@dataclass(frozen=True)
class Decision:
    """What becomes of one job: its `row` as it is to be, and a clause for people."""

    row: JobRow
    said: str
    is_refused: bool = False
    is_forgotten: bool = False


@dataclass
class Verdict:
    """What becomes of all jobs that a request is about; `wrong` says why it is about none."""

    decisions: list[Decision] = field(default_factory=list)
    wrong: str = ""


def decide(request: Request, rows: Sequence[JobRow]) -> Verdict:
    """What becomes of the jobs in `rows`; not for `submit` and `drain`, which concern others."""
    by_name = {row.name: row for row in rows}
    chosen = list(rows) if request.every else [by_name[n] for n in request.names if n in by_name]
    if unknown := [name for name in request.names if name not in by_name]:
        return Verdict(wrong=_unknown(unknown, by_name))
    if request.order is Order.TOP:
        return Verdict(_to_the_top(chosen, rows))
    rule = _RULES[request.order]
    decisions = [rule(row, request) for row in chosen]
    if request.every:  # of those that it does not concern, nothing is said
        failed_only = request.every == "failed"
        decisions = [
            each
            for each, row in zip(decisions, chosen, strict=True)
            if (each.row != row or each.is_forgotten)
            and (row.state is State.FAILED or not failed_only)
        ]
    return Verdict(decisions)


def _unknown(names: Iterable[str], known: Mapping[str, JobRow]) -> str:
    return "; ".join(
        f"there is no job {quoted(name)} in this workspace{nearest(name, known)}" for name in names
    )


def _pause(row: JobRow, _: Request) -> Decision:
    match row.state:
        case State.QUEUED:
            return Decision(replace(row, state=State.PAUSED), "is paused")
        case State.RUNNING:
            return Decision(replace(row, state=State.PAUSED), "stops at a checkpoint and is paused")
        case State.PAUSED:
            return Decision(row, "is paused already")
        case State.RENDERING:
            return _refused(row, "is trained, and its film is being finished")
    return _refused(row, f"{_ended(row)}: there is nothing to pause")


def _resume(row: JobRow, _: Request) -> Decision:
    match row.state:
        case State.PAUSED:
            return Decision(replace(row, state=State.QUEUED), "is queued again")
        case State.FAILED | State.CANCELLED:
            return _refused(
                row, f"{_ended(row)}; `multitrain requeue {row.name}` takes it up again"
            )
        case State.DONE:
            return _refused(row, "is done")
    return Decision(row, f"is {row.state}, not paused")


def _cancel(row: JobRow, _: Request) -> Decision:
    match row.state:
        case State.CANCELLED:
            return Decision(row, "is cancelled already")
        case State.RUNNING:
            row = replace(row, state=State.CANCELLED)
            return Decision(row, "stops at a checkpoint and is cancelled")
        case State.DONE | State.FAILED:
            return _refused(row, f"{_ended(row)}: there is nothing to cancel")
    return Decision(replace(row, state=State.CANCELLED), "is cancelled; its files stay")


def _requeue(row: JobRow, request: Request) -> Decision:
    again = replace(row, state=State.QUEUED, attempts=0, error="")
    if request.fresh:
        if _is_at_work(row):
            return _refused(row, f"{_at_work(row)}; cancel it before it starts over")
        return Decision(again, "is queued, and starts over")
    match row.state:
        case State.FAILED | State.CANCELLED:
            return Decision(again, "is queued again")
        case State.DONE:
            return _refused(row, "is done; with --fresh it starts over, and its film is kept")
        case State.PAUSED:
            return _refused(row, f"is paused; `multitrain resume {row.name}` queues it again")
    return Decision(row, f"is {row.state} already")


def _prioritise(row: JobRow, request: Request) -> Decision:
    if row.state.ended:
        return _refused(row, _ended(row))
    assert request.priority is not None, "checked when it was made"
    return Decision(replace(row, priority=request.priority), f"has priority {request.priority}")


def _forget(row: JobRow, _: Request) -> Decision:
    if _is_at_work(row):
        return _refused(row, f"{_at_work(row)}; cancel it first")
    said = "is forgotten; its files stay, and whoever submits its sheet takes it up again"
    return Decision(row, said, is_forgotten=True)


def _to_the_top(chosen: Sequence[JobRow], rows: Sequence[JobRow]) -> list[Decision]:
    """The last of the names first in the queue would surprise: they keep their order."""
    names = {row.name for row in chosen}
    others = [row.priority for row in rows if not row.state.ended and row.name not in names]
    top = max([*others, -1]) + 1
    decisions = []
    for row in chosen:
        if row.state.ended:
            decisions.append(_refused(row, _ended(row)))
        else:
            said = "is the next" if row.state is State.QUEUED else "comes before all others"
            row = replace(row, priority=max(top, row.priority))
            decisions.append(Decision(row, said))
    return decisions


def _is_at_work(row: JobRow) -> bool:
    """Also of a job that was paused or cancelled, as long as its trainer has not ended."""
    return bool(row.slot) or row.state in (State.RUNNING, State.RENDERING)


def _at_work(row: JobRow) -> str:
    return f"is {row.state}" if not row.slot else f"is at work on {row.slot}"


def _refused(row: JobRow, why: str) -> Decision:
    return Decision(row, why, is_refused=True)


def _ended(row: JobRow) -> str:
    return {State.FAILED: "has failed"}.get(row.state, f"is {row.state}")


_RULES: dict[Order, Callable[[JobRow, Request], Decision]] = {
    Order.PAUSE: _pause,
    Order.RESUME: _resume,
    Order.CANCEL: _cancel,
    Order.REQUEUE: _requeue,
    Order.PRIORITY: _prioritise,
    Order.FORGET: _forget,
}
