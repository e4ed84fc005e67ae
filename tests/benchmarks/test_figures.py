"""A figure knows whether it keeps its limit, and the table tells it."""

from __future__ import annotations

import json
import math

import pytest

from benchmarks.figures import Figure, number, table


@pytest.mark.parametrize(
    ("value", "at_least", "held"),
    [(1.25, True, True), (1.24, True, False), (1.25, False, True), (1.26, False, False)],
)
def test_a_limit_itself_is_kept(value: float, at_least: bool, held: bool) -> None:
    assert Figure("speed", value, "x", 1.25, at_least).held is held


@pytest.mark.parametrize("at_least", [True, False])
def test_what_is_no_number_keeps_no_limit(at_least: bool) -> None:
    assert not Figure("speed", math.nan, "x", 1.0, at_least).held


def test_a_figure_without_a_limit_is_kept() -> None:
    assert Figure("speed", 0.0, "", None, at_least=True).held


def test_the_table_tells_limits_peers_and_notes() -> None:
    figures = [
        Figure("kept", 1.3, "x", 1.25, True, {"peer, frames/s": 8.25}, "a note"),
        Figure("missed", 3.25, "%", 3.0, False),
        Figure("open", 12345.6, "", None, False),
    ]
    rows = [[cell.strip() for cell in row.split("|")[1:-1]] for row in table(figures).splitlines()]
    assert rows[2:] == [
        ["kept", "1.3 x", "≥ 1.25", "yes", "peer, frames/s 8.25; a note"],
        ["missed", "3.25 %", "≤ 3", "NO", "-"],
        ["open", "12346", "-", "-", "-"],
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.04321, "0.0432"), (1.2345, "1.23"), (999.4, "999"), (1234567.8, "1234568")],
)
def test_numbers_have_three_digits_or_are_whole(value: float, text: str) -> None:
    assert number(value) == text


def test_machines_read_what_people_read() -> None:
    figure = Figure("speed", 1.3, "x", 1.25, True, {"peer": 8.0}, "a note")
    told = json.loads(json.dumps(figure.for_machines()))
    assert told["held"] is True
    assert Figure(**{name: told[name] for name in told if name != "held"}) == figure
