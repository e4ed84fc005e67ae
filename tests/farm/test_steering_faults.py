"""Kills, full disks and strange requests while a farm is steered."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import suppress
from pathlib import Path

import pytest

from jobs.workspace import requests
from jobs.workspace.farm_state import read_farm_state
from jobs.workspace.requests import Request
from jobs.workspace.states import State


def test_a_request_that_cannot_be_read_holds_up_nobody(
    steer, monkeypatch: pytest.MonkeyPatch
) -> None:
    farm = steer("a", "b")
    strange = farm.send("pause", "a")
    reading = requests.reading

    def refuse(path: Path) -> Generator[None, None, Request | None]:
        if path == strange:
            raise PermissionError(13, "not yours")
        return reading(path)

    monkeypatch.setattr(requests, "reading", refuse)
    assert farm.ask("pause", "b").done == ("b is paused",)


def test_no_request_ends_the_night(steer, monkeypatch: pytest.MonkeyPatch) -> None:
    farm = steer("a")
    folder = farm.simulation.workspace.requests
    farm.send("drain").write_text('{"id": "%s", "order": "priority", "names": ["a"]}' % ("0" * 32))
    (folder / "00000000000000000009-x.request.json").mkdir()
    farm.tick(3)

    def break_down(*_: object) -> None:
        raise RuntimeError("a path \udcff")

    monkeypatch.setattr("multitrain.farm.steering.decide", break_down)
    answer = farm.ask("pause", "a")
    assert answer.refused == ("it cannot be carried out: RuntimeError: a path \\udcff",)
    assert farm.states() == {"a": "running"}


def test_a_state_that_cannot_be_told_ends_nobody(steer) -> None:
    farm = steer("a")
    farm.simulation.farm.waiting_for = lambda: {"the disk": "of /tmp/\udcff"}
    farm.tick(3)
    state = read_farm_state(farm.simulation.workspace)
    assert state
    assert state.waiting == {"the disk": "of /tmp/\\udcff"}


def test_a_kill_before_the_answer_leaves_the_request_to_the_next_farm(
    steer, monkeypatch: pytest.MonkeyPatch
) -> None:
    farm = steer("a", "b")
    path = farm.send("pause", "a", "b")
    with monkeypatch.context() as patched, suppress(KeyboardInterrupt):

        def die(*_: object) -> None:
            raise KeyboardInterrupt

        patched.setattr(requests, "answer", die)
        farm.tick(1)
    assert requests.waiting(farm.simulation.workspace) == [path]
    farm.simulation.farm = farm.simulation.make_farm()
    farm.tick(1)
    answer = requests.read_answer(path)
    assert answer
    assert answer.done == ("a is paused already", "b is paused already")


def test_nothing_is_answered_before_it_is_stored(steer) -> None:
    farm = steer("a", "b")
    farm.simulation.store._database.execute("PRAGMA query_only = 1")
    path = farm.send("pause", "b")
    farm.tick(3)
    assert requests.read_answer(path) is None
    farm.simulation.store._database.execute("PRAGMA query_only = 0")
    farm.tick(4)
    answer = requests.read_answer(path)
    assert answer
    assert answer.done == ("b is paused",), "and it was done once"
    assert farm.states()["b"] == "paused"


def test_orders_that_contradict_each_other_are_taken_in_turn(steer) -> None:
    farm = steer("a", "b")
    for order in ("pause", "resume", "cancel", "requeue", "pause", "cancel"):
        farm.send(order, "b")
    farm.tick(1)
    assert farm.states()["b"] == "cancelled"
    assert not requests.waiting(farm.simulation.workspace)


def test_a_drain_that_was_meant_for_the_farm_before_ends_nobody(steer) -> None:
    farm = steer("a")
    path = farm.send("drain")
    farm.simulation.farm = farm.simulation.make_farm()
    farm.tick(1)
    answer = requests.read_answer(path)
    assert answer
    assert answer.refused
    assert farm.states() == {"a": "running"}


def test_no_order_is_lost_in_the_states(steer) -> None:
    """Whatever is asked for whenever, a job has one state and the farm comes to its end."""
    farm = steer("a", "b", "c", slots=2)
    orders = ["pause", "resume", "cancel", "requeue", "top"]
    for number in range(60):
        name, order = "abc"[number % 3], orders[(number * 7 + number // 5) % len(orders)]
        farm.ask(order, name, **({"now": True} if order == "top" and number % 2 else {}))
    farm.ask("resume", every="all")
    farm.ask("requeue", every="all")
    for trainer in farm.simulation.trainers:
        trainer.outcome.seconds = 0
    farm.simulation.outcomes.clear()
    farm.simulation.run()
    assert set(farm.states().values()) == {State.DONE}
