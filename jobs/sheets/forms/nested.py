"""How columns are called in nested YAML: `generator.activation` is `activation_g`, and so on.

Pure tables: `yaml_settings` reads by them, `nested_form` writes by them.
"""

from __future__ import annotations

from collections.abc import Iterator

from jobs.settings.spec import COLUMNS

HIDDEN = ("filters", "activation", "normalization", "dropout", "noise")
CONVOLUTION = ("kernel", "stride", "dilation", "convolution")
LAYER = HIDDEN + CONVOLUTION  # what a mapping in a list of `layers` may say

LAYERS, KERNEL = "layers", "kernel"

Section = dict[str, tuple[str, ...]]  # by key, its columns: two where they are width and height


def _network(side: str) -> Section:
    named: Section = {
        LAYERS: (f"nbr_of_layers_{side}",),
        "dim": (f"{side}f_dim",),
        KERNEL: (f"k_w_{side}", f"k_h_{side}"),
        "updates": (f"nbr_{side}_updates",),
    }
    others = {column for columns in named.values() for column in columns}
    plain = [c for c in COLUMNS if c.endswith(f"_{side}") and c not in others]
    return named | {column.removesuffix(f"_{side}"): (column,) for column in plain}


NETWORKS = ("generator", "discriminator")
SECTIONS: dict[str, Section] = {
    "generator": _network("g"),
    "discriminator": _network("d"),
    "interpolate": {key: (f"interpolate_{key}",) for key in ("a", "b", "alpha")},
}


def _forms() -> Iterator[tuple[str, str]]:
    for section, keys in SECTIONS.items():
        for key, columns in keys.items():
            yield from ((column, f"{section}.{key}") for column in columns)


FORMS: dict[str, str] = dict(_forms())  # by column: `generator.activation`


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
