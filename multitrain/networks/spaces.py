"""Pictures as values of one colour model or of several at once, and back, with slopes."""

from __future__ import annotations

from typing import Any

from keras import ops

from jobs.settings.colours import CHANNELS, MODELS_OF, ColourSpace
from multitrain.networks.colours import WHITE, to_network, to_open_levels

NO_HUE = 1e-6  # square of the length of a hue's sine and cosine: below it, they say nothing


def to_space(space: ColourSpace, levels: Any) -> Any:
    """Levels `(..., 3)` from 0 to 255 as values `(..., channels of the space)` in [-1, 1]."""
    each = [to_network(model, levels) for model in MODELS_OF[space]]
    return ops.concatenate(each, axis=-1) if len(each) > 1 else each[0]


def from_space(space: ColourSpace, values: Any) -> Any:
    """Values as levels `(..., 3)`: of several models at once, the mean of the colours of each.

    Colours beyond sRGB are not cut off: see `to_open_levels`.
    """
    made, first = [], 0
    for model in MODELS_OF[space]:
        last = first + CHANNELS[model].network
        own = values[..., first:last]
        made.append(to_open_levels(model, _with_hue(own) if model == "hsv" else own))
        first = last
    return sum(made[1:], made[0]) / len(made)


def converted(values: Any, space: ColourSpace, other: ColourSpace) -> Any:
    """The values that colours of one space have in the other."""
    if space == other:
        return values
    return to_space(other, ops.clip(from_space(space, values), 0.0, WHITE))


def _with_hue(values: Any) -> Any:
    """Values of `hsv` whose hue has a direction: that of red where sine and cosine have none.

    The slope of a direction is not finite where its vector vanishes.
    """
    hue = values[..., :2]
    length = ops.sum(ops.square(hue), axis=-1, keepdims=True)
    red = ops.concatenate([ops.zeros_like(length), ops.ones_like(length)], axis=-1)
    return ops.concatenate([ops.where(length > NO_HUE, hue, red), values[..., 2:]], axis=-1)
