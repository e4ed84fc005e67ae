"""In which settings jobs differ, and how these are told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from jobs.families.table import family_of
from jobs.settings.spec import COLUMNS, JobSpec, facets


def differing(specs: Sequence[JobSpec]) -> list[str]:
    """The columns that are not equal in all jobs whose family knows them, but the name.

    Addresses and commands, which may hold secrets, are left out.
    """
    told = [name for name in COLUMNS if name != "name" and not facets(name).private]
    known = [(spec, family_of(spec).without) for spec in specs]
    return [
        column
        for column in told
        if len({getattr(spec, column) for spec, without in known if column not in without}) > 1
    ]


def settings(spec: JobSpec, columns: Iterable[str]) -> dict[str, object]:
    """Those of `columns` that the job's family knows, as plain values."""
    without = family_of(spec).without
    return spec.model_dump(mode="json", include={each for each in columns if each not in without})


def in_cell(value: object) -> str:
    """A plain value as a cell of a sheet has it; empty where there is none."""
    if isinstance(value, list):
        return ",".join(map(in_cell, value))
    return "" if value is None else str(value)


def unusual(rows: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """Of each row, what differs from what most rows have."""
    counts: dict[str, Counter[str]] = {}
    for row in rows:
        for column, text in row.items():
            counts.setdefault(column, Counter())[text] += 1
    usual = {column: found.most_common(1)[0][0] for column, found in counts.items()}
    return [{name: text for name, text in row.items() if text != usual[name]} for row in rows]
