"""Names for jobs that differ in some of their settings: `neon-lrg1e-4-tanh`."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from jobs.choices import Choice
from jobs.kinds import LONGEST_NAME
from jobs.spec import COLUMNS, JobSpec

MOST_TOLD = 4  # settings in a name
LONGEST_VALUE = 24  # characters

# Settings that are often varied; others stand with their column's name.
_LABELS = {
    "nbr_of_layers": "layers",
    "learning_rate": "lr",
    "activation": "act",
    "normalization": "norm",
    "convolution": "conv",
    "optimizer": "opt",
    "batch_size": "batch",
    "batch_norm": "bn",
    "dropout": "drop",
    "gradient_clip": "clip",
    "instance_noise": "inoise",
    "feature_matching": "match",
    "label_smoothing": "smooth",
    "colour_model": "colour",
    "latent_motion": "motion",
    "k_w": "kw",
    "k_h": "kh",
    "gf_dim": "gf",
    "df_dim": "df",
    "z_dim": "z",
    "z_distribution": "z",
    "nbr_g_updates": "gups",
    "nbr_d_updates": "dups",
    "interpolate_alpha": "alpha",
}


def label(column: str) -> str:
    """A column in a name: short, with its `g` or `d`."""
    if column in _LABELS:
        return _LABELS[column]
    stem, _, network = column.rpartition("_")
    if network in ("g", "d") and stem in _LABELS:
        return _LABELS[stem] + network
    return column.replace("_", "")


def named(specs: Sequence[JobSpec], varied: Collection[str], taken: set[str]) -> list[JobSpec]:
    """The same jobs, each with a name that tells its `varied` columns.

    `taken` are names, casefolded, that others have; those given are added to it.
    """
    if not varied:
        return list(specs)
    labels = _labels_to_tell(specs, varied)
    return [
        with_name(
            spec,
            [_told(label, column, getattr(spec, column), varied) for column, label in labels],
            taken,
        )
        for spec in specs
    ]


def _labels_to_tell(specs: Sequence[JobSpec], varied: Collection[str]) -> list[tuple[str, str]]:
    """The first few columns with their labels; of square kernels the width is told as `kernel`."""
    columns = {column: label(column) for column in COLUMNS if column in varied}
    for width in [column for column in columns if column.startswith("k_w")]:
        height = width.replace("k_w", "k_h")
        if height in columns and all(getattr(s, width) == getattr(s, height) for s in specs):
            del columns[height]
            columns[width] = f"kernel{width[4:]}"
    return list(columns.items())[:MOST_TOLD]


def with_name(spec: JobSpec, parts: Sequence[str], taken: set[str]) -> JobSpec:
    """`spec`, named by its own name and `parts`; with a number where that is taken."""
    ending = "".join(f"-{part}" for part in parts if part)
    number, name = 1, fitting(spec.name, ending)
    while name.casefold() in taken:
        number += 1
        name = fitting(spec.name, f"{ending}-{number}")
    taken.add(name.casefold())
    return spec.model_copy(update={"name": name})


def fitting(name: str, ending: str) -> str:
    """`name` and `ending`, the name's end cut off where both are too long for a file's name."""
    room = LONGEST_NAME - len(ending.encode())
    cut = name.encode()[:room].decode(errors="ignore")
    return f"{cut if cut == name else cut.rstrip('. _-')}{ending}"


def _told(label: str, column: str, value: object, varied: Collection[str]) -> str:
    """A setting and its value; words alone tell enough, but where the other network's vary too."""
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
    """`1e-4`, `sgd0.9`: no sign that a file's name should not have."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        text = f"{value:.1e}" if 0 < abs(value) < 0.01 or abs(value) >= 1e5 else f"{value:.3g}"
        return re.sub(r"(\.0)?e([+-])0*", r"e\2", text).replace("e+", "e")
    if isinstance(value, Choice):
        return value.name + ".".join(_short(each) for _, each in value.given)
    return re.sub(r"[^\w.-]", "", str(value), flags=re.ASCII)
