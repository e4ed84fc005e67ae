"""What a benchmark brings: figures, each with its limit, beside what it was compared with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from benchmarks import reports

HEADERS = ("figure", "measured", "limit", "ok", "beside")


@dataclass(frozen=True)
class Effort:
    """How hard to try. `quick`: tiny sizes, only to see that a benchmark runs."""

    repetitions: int = 7
    quick: bool = False
    family: str = "dcgan"  # that `training` trains


@dataclass(frozen=True)
class Figure:
    """One number, in `unit`, that is claimed to be within `limit`; None claims nothing.

    `beside`: peers and raw medians of the same run, by names that say their unit.
    """

    name: str
    value: float
    unit: str
    limit: float | None
    at_least: bool  # else at most
    beside: Mapping[str, float] = field(default_factory=dict)
    note: str = ""

    @property
    def held(self) -> bool:
        """Whether the limit is kept; NaN keeps none."""
        if self.limit is None:
            return True
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def for_machines(self) -> dict[str, object]:
        return {
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "limit": self.limit,
            "at_least": self.at_least,
            "held": self.held,
            "beside": dict(self.beside),
            "note": self.note,
        }


class Benchmark(Protocol):
    """A module of `benchmarks` that measures."""

    def measure(self, effort: Effort) -> list[Figure]:
        """The figures; may take minutes unless the effort is quick."""


def table(figures: Iterable[Figure]) -> str:
    """A Markdown table, one line per figure."""
    return reports.table(HEADERS, [_row(figure) for figure in figures])


def number(value: float) -> str:
    """Three significant digits, or whole above that: `1.25`, `0.043`, `1234`."""
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _row(figure: Figure) -> tuple[object, ...]:
    limit = "-"
    if figure.limit is not None:
        limit = f"{'≥' if figure.at_least else '≤'} {number(figure.limit)}"
    beside = [f"{name} {number(value)}" for name, value in figure.beside.items()]
    return (
        figure.name,
        f"{number(figure.value)} {figure.unit}".rstrip(),
        limit,
        "-" if figure.limit is None else "yes" if figure.held else "NO",
        "; ".join(beside + [figure.note] * bool(figure.note)) or "-",
    )
