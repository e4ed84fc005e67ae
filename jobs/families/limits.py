"""How large a layer may be, of any family."""

from __future__ import annotations

from collections.abc import Iterator

from jobs.families.layer import Layer
from jobs.settings.spec import JobSpec

MOST_VALUES = 2**31  # of one array: devices count its values in 32 bits


def too_large(layer: Layer, spec: JobSpec, *, width: str, draws: bool) -> Iterator[tuple[str, str]]:
    """Columns and what is too large by them.

    `width` is the column of the layer's channels; a layer that `draws` makes samples, too.
    """
    if layer.parameters > MOST_VALUES:
        yield (
            width,
            f"would have {layer.parameters:,} parameters, and {MOST_VALUES:,} are the most; "
            f"use fewer channels or layers",
        )
    share = spec.images_per_batch // spec.gpus
    if layer.widest * share > MOST_VALUES:
        yield (
            "batch_size",
            f"would hold {layer.widest * share:,} values of {share} pictures at once, and "
            f"{MOST_VALUES:,} are the most; set a smaller batch_size",
        )
    if draws and layer.widest * spec.samples > MOST_VALUES:
        yield (
            "grid_width",
            f"would hold {layer.widest * spec.samples:,} values of {spec.samples} samples at once, "
            f"and {MOST_VALUES:,} are the most; make the grid smaller",
        )
