"""Answers that several pages share."""

from __future__ import annotations

from multitrain.serving.shared import MOST, SECONDS, Shared


def test_an_answer_is_shared_for_a_moment() -> None:
    now = 100.0
    shared = Shared(lambda: now)
    shared.keep("a", b"1")
    assert shared.get("a") == b"1"
    assert shared.get("b") is None
    now += SECONDS * 0.8
    shared.keep("a", shared.get("a") or b"")
    now += SECONDS * 0.4
    assert shared.get("a") is None, "it grows old, however often it is asked for"


def test_few_are_kept() -> None:
    shared = Shared(lambda: 0.0)
    for number in range(3 * MOST):
        shared.keep(number, b"x")
    kept = [number for number in range(3 * MOST) if shared.get(number)]
    assert len(kept) <= MOST
    assert kept[-1] == 3 * MOST - 1
