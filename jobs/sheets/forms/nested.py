"""How columns are called in nested YAML: `generator.activation` is `activation_g`, and so on.

Pure tables: `yaml_settings` reads by them, `nested_form` writes by them.
"""

from __future__ import annotations

from jobs.settings.parsing import ENTRIES_FOR
from jobs.settings.spec import COLUMNS, facets

LAYERS, KERNEL = "layers", "kernel"
NETWORKS = {"_g": "generator", "_d": "discriminator"}  # by the end of their columns

Section = dict[str, tuple[str, ...]]  # by key, its columns: two where they are width and height


def _form(column: str) -> str:
    """`generator.activation`; empty where a column is not nested."""
    network = NETWORKS.get(column[-2:])
    return facets(column).nested or (f"{network}.{column[:-2]}" if network else "")


def _sections() -> dict[str, Section]:
    """Columns by section and key; in each section, keys that columns are not called by first."""
    sections: dict[str, Section] = {}
    for column in sorted(FORMS, key=lambda column: not facets(column).nested):
        name, _, key = FORMS[column].partition(".")
        section = sections.setdefault(name, {})
        section[key] = (*section.get(key, ()), column)
    return sections


FORMS = {column: form for column in COLUMNS if (form := _form(column))}
SECTIONS = _sections()


def _with_entries_for(each: str) -> tuple[str, ...]:
    keys = SECTIONS["generator"].items()
    return tuple(key for key, columns in keys if ENTRIES_FOR.get(columns[0]) == each)


HIDDEN = _with_entries_for("hidden layer")
CONVOLUTION = _with_entries_for("convolution")
LAYER = HIDDEN + CONVOLUTION  # what a mapping in a list of `layers` may say


def has(network: str, key: str, number: int, layers: int) -> bool:
    """Whether layer `number` (from 1) has an entry of `key`; `layers` - 1 of them do.

    Hidden are all layers but the last. The generator's first layer is linear, as is the
    discriminator's last one; all others are convolutions.
    """
    if key in CONVOLUTION and network == "generator":
        return number > 1
    return number < layers


def why_not(network: str, key: str, number: int) -> str:
    """Why layer `number` cannot have `key`, where it has none."""
    layer = f"layer {number} of the {network}"
    if key in CONVOLUTION:
        return f"{layer} is linear: it has no {key}"
    makes = "the picture" if network == "generator" else "the logit"
    return f"{layer} makes {makes}: it has no {key}"
