"""How a benchmark tells its results: a table for people, JSON for machines, where it ran."""

from __future__ import annotations

import json
import os
import platform
import re
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

import psutil

_NUMBER = re.compile(r"[≤≥ ]*-?[\d.,]+")
_NONE = "-"


def table(header: Iterable[object], rows: Iterable[Iterable[object]]) -> str:
    """A table in Markdown; numbers to the right."""
    heads, body = [str(head) for head in header], [[str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(heads, *body, strict=True)]
    columns = list(zip(*body, strict=True)) or [()] * len(heads)
    numeric = [_is_numeric(column) for column in columns]

    def line(cells: Iterable[str]) -> str:
        padded = (
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(cells, widths, numeric, strict=True)
        )
        return f"| {' | '.join(padded)} |"

    rule = [
        "-" * (width - right) + ":" * right for width, right in zip(widths, numeric, strict=True)
    ]
    return "\n".join([line(heads), line(rule), *map(line, body)])


def _is_numeric(column: Iterable[str]) -> bool:
    there = [cell for cell in column if cell != _NONE]
    return bool(there) and all(_NUMBER.fullmatch(cell) for cell in there)


def machine() -> str:
    """One line: cores, memory, system, Python."""
    memory = psutil.virtual_memory().total / 2**30
    return (
        f"{os.cpu_count()} cores ({_processor()}), {memory:.0f} GiB, "
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    )


class Results(Protocol):
    """What a benchmark of faults has found."""

    @property
    def clean(self) -> bool:
        """Whether nothing was wrong."""

    def for_machines(self) -> Mapping[str, object]: ...


def conclude(
    report: str, results: Results, told: str, seed: int, began: float, json_file: Path | None
) -> int:
    """Print the `report`, and what was done (`told`) since `began`; the exit code.

    `began` is by `time.monotonic`; the results go to `json_file`, where there is one.
    """
    seconds = round(time.monotonic() - began)
    print(f"{report}\n\n{told}, {seconds} s, seed {seed}; {machine()}")
    if json_file:
        facts = {"seed": seed, "seconds": seconds, "machine": machine()}
        save(json_file, {**facts, **results.for_machines()})
    return 0 if results.clean else 1


def tell(line: str) -> None:
    """How far it is."""
    print(line, file=sys.stderr, flush=True)


def save(path: Path, results: Mapping[str, object]) -> None:
    """As JSON."""
    path.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


def _processor() -> str:
    """As Linux calls it; elsewhere what Python knows."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
