"""Levels of settings, one over the other: a job over its presets over the defaults."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from pydantic import TypeAdapter, ValidationError

from jobs.settings.kinds import Switch
from jobs.settings.parsing import cell_text
from jobs.settings.spec import COLUMNS, GROUP_OF
from jobs.settings.words import entries_of
from jobs.sheets.forms.cells import Cell

_SWITCH: TypeAdapter[bool] = TypeAdapter(Switch)


@dataclass(frozen=True)
class ByLayer:
    """A column set by a list of layers: a cell per entry, None where its layer does not set it."""

    entries: tuple[Cell | None, ...]
    lines: tuple[int, ...]  # where the layer of each entry stands
    inherited: bool = False


Level = Mapping[str, Cell | ByLayer]  # by column; a cell that is there is not empty


@dataclass(frozen=True)
class Unsaid:
    """A layer without a setting that another one has: all hidden layers must have it, or none."""

    column: str
    entry: int
    line: int


def over(high: Level, low: Level) -> Level:
    """Both levels as one; `high` wins, and `low` fills in what layers of `high` do not set.

    A column of which only one of a group is given takes the place of the others in `low`.
    """
    replaced = {each for column in high for each in GROUP_OF.get(column, ())}
    merged = {column: said for column, said in low.items() if column not in replaced}
    for column, said in high.items():
        below = low.get(column)
        merged[column] = _filled_by_list(said, below) if isinstance(said, ByLayer) else said
    return merged


def inherited(level: Level) -> Level:
    """The same, as it counts for whoever takes it over."""
    return {column: replace(said, inherited=True) for column, said in level.items()}


def settle(level: Level) -> tuple[dict[str, Cell], list[Unsaid]]:
    """The cells of a row; a layer that no level sets takes the column's default."""
    cells: dict[str, Cell] = {}
    unsaid = []
    for column, said in level.items():
        if isinstance(said, Cell):
            cells[column] = said
            continue
        whole = said
        for below in _fallbacks(column, level, len(said.entries)):
            whole = _filled(whole, below)
        entries = tuple(entry for entry in whole.entries if entry)
        if len(entries) == len(whole.entries):
            line = next(entry.line for entry in said.entries if entry)
            text = ",".join(entry.text for entry in entries)
            cells[column] = Cell(text, line, entries, said.inherited)
        else:
            place = whole.entries.index(None)
            unsaid.append(Unsaid(column, place, whole.lines[place]))
    return cells, unsaid


def _filled_by_list(said: ByLayer, below: Cell | ByLayer | None) -> ByLayer:
    """As `_filled`; entries of `below` beyond the last layer stay, to be reported as too many."""
    if below is None or all(said.entries):
        return said
    filled = _filled(said, below)
    surplus = _entries(below)[len(said.entries) :] if isinstance(below, Cell) else ()
    return replace(filled, entries=filled.entries + surplus)


def _filled(said: ByLayer, below: Cell | ByLayer) -> ByLayer:
    low = below.entries if isinstance(below, ByLayer) else _entries(below)
    pairs = enumerate(said.entries)
    return ByLayer(tuple(own or low[n % len(low)] for n, own in pairs), said.lines)


def _entries(cell: Cell) -> tuple[Cell | None, ...]:
    return tuple(Cell(part, cell.line) for part in entries_of(cell.text)) or (None,)


def _fallbacks(column: str, level: Level, count: int) -> Iterator[Cell | ByLayer]:
    """What a column is where no level sets it, the nearest fallback first."""
    match column.removesuffix("_g").removesuffix("_d"):
        case "k_w" | "k_h" as side:
            if side in level:
                yield level[side]
            yield _default(side)
        case "normalization":
            kind = "batch" if _is_on(level, f"batch_norm{column[-2:]}") else "none"
            first = ["none"] if column.endswith("_d") else []
            yield _as_layers([*first, *[kind] * count][:count])
        case _:
            yield _default(column)


def _default(column: str) -> Cell:
    return Cell(cell_text(column, COLUMNS[column].default), 0)


def _as_layers(texts: Iterable[str]) -> ByLayer:
    return ByLayer(tuple(Cell(text, 0) for text in texts), ())


def _is_on(level: Level, column: str) -> bool:
    cell = level.get(column)
    try:
        return _SWITCH.validate_python(cell.text) if isinstance(cell, Cell) else True
    except ValidationError:  # reported where the column is parsed
        return True
