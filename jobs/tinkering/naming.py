"""Names for jobs that differ in some of their settings: `neon-lrg1e-4-tanh`."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from jobs.settings.choices import Choice
from jobs.settings.kinds import LONGEST_NAME
from jobs.settings.spec import COLUMNS, JobSpec, facets
from jobs.workspace.names import folded

MOST_SHOWN = 4  # settings in a name
LONGEST_VALUE = 24  # characters


def label(column: str) -> str:
    """A column in a name: short, with its `g` or `d`."""
    return facets(column).label or column.replace("_", "")


def named(specs: Sequence[JobSpec], varied: Collection[str], taken: set[str]) -> list[JobSpec]:
    """The same jobs, each with a name that shows its `varied` columns.

    `taken` are names, folded, that others have; the new names are added to it.
    """
    if not varied:
        return list(specs)
    labels = _shown_labels(specs, varied)
    return [
        with_name(
            spec,
            [_shown(label, column, getattr(spec, column), varied) for column, label in labels],
            taken,
        )
        for spec in specs
    ]


def _shown_labels(specs: Sequence[JobSpec], varied: Collection[str]) -> list[tuple[str, str]]:
    """The first few columns with their labels; the width of square kernels is called `kernel`."""
    columns = {column: label(column) for column in COLUMNS if column in varied}
    for width in [column for column in columns if column.startswith("k_w")]:
        height = width.replace("k_w", "k_h")
        if height in columns and all(getattr(s, width) == getattr(s, height) for s in specs):
            del columns[height]
            columns[width] = f"kernel{width[4:]}"
    return list(columns.items())[:MOST_SHOWN]


def with_name(spec: JobSpec, parts: Sequence[str], taken: set[str]) -> JobSpec:
    """`spec`, named by its own name and `parts`; with a number where that is taken."""
    ending = "".join(f"-{part}" for part in parts if part)
    number, name = 1, fitting(spec.name, ending)
    while folded(name) in taken:
        number += 1
        name = fitting(spec.name, f"{ending}-{number}")
    taken.add(folded(name))
    return spec.model_copy(update={"name": name})


def fitting(name: str, ending: str) -> str:
    """`name` and `ending`, the name's end cut off where both are too long for a file's name."""
    room = LONGEST_NAME - len(ending.encode())
    cut = name.encode()[:room].decode(errors="ignore")
    return f"{cut if cut == name else cut.rstrip('. _-')}{ending}"


def _shown(label: str, column: str, value: object, varied: Collection[str]) -> str:
    """A setting and its value; a word stands alone, unless the other network's varies, too."""
    if value is None:
        return f"no{label}"
    if isinstance(value, bool):
        return label if value else f"no{label}"
    entries = value if isinstance(value, tuple) else (value,)
    text = "_".join(map(_short, entries))[:LONGEST_VALUE].strip("._-")
    is_number = all(isinstance(each, int | float) for each in entries)
    ambiguous = text in ("none", "auto", "on", "off") or _of_other_network(column) in varied
    return f"{label}{text}" if is_number or ambiguous else text


def _of_other_network(column: str) -> str:
    return column[:-1] + {"g": "d", "d": "g"}.get(column[-1], "")


def _short(value: object) -> str:
    """A value without characters that a file's name should not have: `1e-4`, `sgd0.9`."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        text = f"{value:.1e}" if 0 < abs(value) < 0.01 or abs(value) >= 1e5 else f"{value:.3g}"
        return re.sub(r"(\.0)?e([+-])0*", r"e\2", text).replace("e+", "e")
    if isinstance(value, Choice):
        return value.name + ".".join(_short(each) for _, each in value.given)
    return re.sub(r"[^\w.-]", "", str(value), flags=re.ASCII)
