"""What each order does in each state."""

from __future__ import annotations

import pytest

from jobs.workspace.requests import Order, Request
from jobs.workspace.states import State
from jobs.workspace.store import JobRow
from multitrain.farm.orders import decide


def row(state: str | State, name: str = "a", priority: int = 0, slot: str = "") -> JobRow:
    return JobRow(name, State(state), 5, 10, 1, slot, "why", priority)


def decided(order: Order, rows: list[JobRow], **what: object) -> dict[str, tuple[str, int, bool]]:
    """State, priority and whether it was refused, by the names of the jobs that it is about."""
    what = what or {"names": ["a"]}
    verdict = decide(Request.new(order, **what), rows)
    assert not verdict.wrong
    return {
        each.row.name: (str(each.row.state), each.row.priority, each.is_refused)
        for each in verdict.decisions
    }


# By order and state: the state that follows; `!`: it is refused.
AFTER = {
    "pause": "queued>paused running>paused rendering! done! failed! cancelled! paused>paused",
    "resume": "queued>queued running>running rendering>rendering done! failed! cancelled! "
    "paused>queued",
    "cancel": "queued>cancelled running>cancelled rendering>cancelled done! failed! "
    "cancelled>cancelled paused>cancelled",
    "requeue": "queued>queued running>running rendering>rendering done! failed>queued "
    "cancelled>queued paused!",
    "forget": "queued>queued running! rendering! done>done failed>failed cancelled>cancelled "
    "paused>paused",
    "top": "queued>queued running>running rendering>rendering done! failed! cancelled! "
    "paused>paused",
}
CASES = [(order, case) for order, cases in AFTER.items() for case in cases.split()]


@pytest.mark.parametrize(("order", "case"), CASES, ids=[f"{each[0]}-{each[1]}" for each in CASES])
def test_each_state_has_an_answer_to_each_order(order: str, case: str) -> None:
    before, _, after = case.removesuffix("!").partition(">")
    state, _, is_refused = decided(Order(order), [row(before)])["a"]
    assert (state, is_refused) == (after or before, case.endswith("!"))
    assert before == state or State(before).may_become(State(state))
    if not is_refused:  # twice is once
        assert decided(Order(order), [row(state)])["a"][0] == state


def test_every_state_is_asked_of_every_order() -> None:
    for cases in AFTER.values():
        assert {case.removesuffix("!").partition(">")[0] for case in cases.split()} == set(State)
    assert {*map(Order, AFTER), Order.PRIORITY, Order.SUBMIT, Order.DRAIN} == set(Order)


@pytest.mark.parametrize("order", [Order.FORGET, Order.REQUEUE])
def test_a_job_whose_trainer_still_stops_is_left_alone(order: Order) -> None:
    stopping = [row("cancelled", slot="gpu 0")]
    what = {"names": ["a"], "fresh": order is Order.REQUEUE}
    assert decided(order, stopping, **what)["a"][2]


def test_the_top_is_above_all_that_have_not_ended() -> None:
    rows = [row("queued", "a", -3), row("queued", "b", 4), row("done", "c", 9)]
    assert decided(Order.TOP, rows)["a"][1] == 5
    rows[0] = row("queued", "a", 5)
    assert decided(Order.TOP, rows)["a"][1] == 5, "it was there already"
    assert decided(Order.TOP, rows, names=["a", "b"]) == {
        "a": ("queued", 5, False),
        "b": ("queued", 4, False),
    }, "two together keep their order"


def test_all_means_those_that_it_concerns() -> None:
    rows = [row("done", "d"), row("failed", "f"), row("cancelled", "c"), row("queued", "q")]
    assert set(decided(Order.REQUEUE, rows, every="all")) == {"f", "c"}
    assert set(decided(Order.REQUEUE, rows, every="failed")) == {"f"}
    assert set(decided(Order.FORGET, rows, every="failed")) == {"f"}
    assert set(decided(Order.PAUSE, rows, every="all")) == {"q"}


def test_a_requeued_job_has_all_its_tries_again() -> None:
    (decision,) = decide(Request.new(Order.REQUEUE, names=["a"]), [row("failed")]).decisions
    assert (decision.row.attempts, decision.row.error) == (0, "")


def test_a_name_that_is_unknown_stops_all_of_it() -> None:
    verdict = decide(
        Request.new(Order.PAUSE, names=["a", "wavs"]), [row("queued"), row("queued", "waves")]
    )
    assert not verdict.decisions
    assert verdict.wrong == ("there is no job 'wavs' in this workspace; did you mean 'waves'?")
