"""Contenders take turns, and rounds are compared one by one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from benchmarks.turns import Rounds, amounts_for, take_turns, timed

Turns = list[tuple[str, int]]


def contender(name: str, turns: Turns, seconds_per_unit: float) -> Callable[[int], float]:
    def take(amount: int) -> float:
        turns.append((name, amount))
        return amount * seconds_per_unit

    return take


def test_every_other_round_goes_backwards() -> None:
    turns: Turns = []
    contenders = {name: contender(name, turns, 1.0) for name in "abc"}
    take_turns(contenders, {"a": 1, "b": 2, "c": 3}, rounds=3, settle=0)
    forwards: Turns = [("a", 1), ("b", 2), ("c", 3)]
    assert turns == [*forwards, *reversed(forwards), *forwards]


def test_seconds_are_those_of_a_unit() -> None:
    contenders = {"a": contender("a", [], 0.5), "b": contender("b", [], 2.0)}
    rounds = take_turns(contenders, {"a": 8, "b": 3}, rounds=2, settle=0)
    assert rounds.seconds == {"a": [0.5, 0.5], "b": [2.0, 2.0]}
    assert rounds.rate("a") == 2.0


def test_a_speedup_is_the_median_of_the_rounds_ratios() -> None:
    """The machine was slow in the second round, and in the third it was so for `a` alone."""
    rounds = Rounds({"a": [1.0, 10.0, 9.0], "b": [2.0, 20.0, 2.0]})
    assert rounds.speedup("a", over="b") == 2.0
    assert rounds.median("b") / rounds.median("a") != 2.0


def test_the_fastest_has_the_least_median() -> None:
    rounds = Rounds({"a": [1.0, 5.0, 5.0], "b": [4.0, 4.0, 4.0], "c": [1.0, 1.0, 1.0]})
    assert rounds.fastest(["a", "b"]) == "b"


def test_amounts_fill_the_time_and_are_never_nothing() -> None:
    contenders = {"quick": contender("quick", [], 0.5), "slow": contender("slow", [], 100.0)}
    assert amounts_for(contenders, 4.0) == {"quick": 8, "slow": 1}


def test_work_in_this_process_is_done_as_often_as_asked() -> None:
    done: list[int] = []
    assert timed(lambda: done.append(1))(3) > 0
    assert len(done) == 3


def test_a_contender_without_an_amount_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        take_turns({"a": contender("a", [], 1.0)}, {}, rounds=1, settle=0)
