"""Long tables look as Rich draws them."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable

import pytest
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

from multitrain.commands import long_tables

MakeTable = Callable[[tuple[str, ...]], Table]

NAMES = ("night", "a" * 30, "日本語 🦄", "e\u0301té {x}", "[bold]", "")


def drawn(table: Table, width: int, long: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr(long_tables, "LONG", long)
    file = io.StringIO()
    long_tables.show(Console(file=file, width=width), table, markup=False)
    return file.getvalue().splitlines()


def estimates(names: tuple[str, ...]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_footer=True)
    table.add_column("job", footer="6 jobs", overflow="fold")
    table.add_column("frames", "36000000", justify="right")
    for number, name in enumerate(names):
        table.add_row(name, str(10**number))
    return table


def rows(names: tuple[str, ...]) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in ("name", "state", "error"):
        table.add_column(column, overflow="fold")
    for name in names:
        table.add_row(name, "failed", "it was killed by hand or by the system, twice" * len(name))
    return table


@pytest.mark.parametrize("make", [estimates, rows])
@pytest.mark.parametrize("width", [90, 200])
def test_a_long_table_is_what_rich_would_draw(
    make: MakeTable, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_rich, ours = (drawn(make(NAMES), width, long, monkeypatch) for long in (99, 0))
    assert ours == by_rich


@pytest.mark.parametrize("make", [estimates, rows])
def test_on_a_narrow_terminal_nothing_is_lost(
    make: MakeTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_rich, ours = ("".join(drawn(make(NAMES), 40, long, monkeypatch)) for long in (99, 0))
    assert Counter(ours.replace(" ", "")) >= Counter("".join(NAMES).replace(" ", ""))
    assert Counter(ours)["w"] == Counter(by_rich)["w"]
    assert all(cell_len(line) <= 40 for line in drawn(make(NAMES), 40, 0, monkeypatch))


def test_what_is_too_narrow_for_that_is_left_to_rich(monkeypatch: pytest.MonkeyPatch) -> None:
    by_rich, ours = (drawn(rows(NAMES), 12, long, monkeypatch) for long in (99, 0))
    assert ours == by_rich


def test_the_widest_columns_give_way_first() -> None:
    assert long_tables.shrunk([30, 9, 20], 60) == [30, 9, 20]
    assert long_tables.shrunk([30, 9, 20], 49) == [20, 9, 20]
    assert long_tables.shrunk([30, 9, 20], 30) == [9, 9, 12]
    assert long_tables.shrunk([30, 9, 20], 20) is None
