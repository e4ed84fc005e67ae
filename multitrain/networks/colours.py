"""Colour models: pictures into what networks see, and what networks make into pictures.

A picture is uint8 RGB (of `rgba` RGBA), gamma-coded as sRGB; in a network every value is in
[-1, 1]. Both ways are plain array maths, for any engine and compiler. Whatever a network makes
becomes a valid colour: hues need not lie on the circle, and colours beyond sRGB are cut off.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from keras import ops

from jobs.settings.colours import ColourModel

WHITE = 255.0
SIXTH = math.pi / 3  # of a turn: from red to yellow, from there to green, ...

# ITU-R BT.709, item 3.2: the share of red and blue in luma; the rest is green's.
LUMA_RED, LUMA_BLUE = 0.2126, 0.0722

# IEC 61966-2-1 (sRGB): linear light to CIE XYZ, and back.
TO_XYZ = (
    (0.4124, 0.3576, 0.1805),
    (0.2126, 0.7152, 0.0722),
    (0.0193, 0.1192, 0.9505),
)
FROM_XYZ = (
    (3.2406255, -1.5372080, -0.4986286),
    (-0.9689307, 1.8757561, 0.0415175),
    (0.0557101, -0.2040211, 1.0569959),
)
D65 = tuple(sum(row) for row in TO_XYZ)  # the white of sRGB
LAB_REACH = 110.0  # a* and b* of sRGB reach from -108 to 98

PACKED_HALF = 2.0**23  # of the whole numbers that three bytes hold


def to_network(model: ColourModel, pictures: Any) -> Any:
    """`(..., 3 or 4)` pictures, uint8 or levels, as values `(..., network channels)` in [-1, 1]."""
    return _MODELS[model].to_network(ops.cast(pictures, "float32"))


def to_picture(model: ColourModel, values: Any) -> Any:
    """`(..., network channels)` float32 as `(..., 3 or 4)` uint8 pictures, rounded and clipped."""
    return ops.cast(ops.round(to_levels(model, values)), "uint8")


def to_levels(model: ColourModel, values: Any) -> Any:
    """As `to_picture`, as float32 levels from 0 to 255, not rounded."""
    return ops.clip(to_open_levels(model, values), 0.0, WHITE)


def to_open_levels(model: ColourModel, values: Any) -> Any:
    """As `to_levels`, but levels of colours beyond sRGB are not cut off: they still have slopes."""
    return _MODELS[model].to_picture(values)


def _from_levels(levels: Any) -> Any:
    return levels * (2.0 / WHITE) - 1.0


def _to_levels(values: Any) -> Any:
    return (values + 1.0) * (WHITE / 2.0)


def _share(value: Any) -> Any:
    """A network's `value` as a share: 0 for -1, 1 for 1."""
    return (value + 1.0) / 2.0


def _to_hsv(levels: Any) -> Any:
    """Sine and cosine of the hue, saturation, value (Smith 1978, "Color gamut transform pairs")."""
    largest, chroma = _extent(levels)
    saturation = chroma / ops.maximum(largest, 1.0)
    return _with_hue(levels, largest, chroma, [2.0 * saturation - 1.0, _from_levels(largest)])


def _from_hsv(values: Any) -> Any:
    saturation, value = _share(values[..., 2:3]), _share(values[..., 3:4])
    return WHITE * value * (1.0 - saturation * _missing(values))


def _to_hsl(levels: Any) -> Any:
    """Sine and cosine of the hue, saturation, lightness (Joblove and Greenberg 1978)."""
    largest, chroma = _extent(levels)
    double = 2.0 * largest - chroma  # lightness doubled: the largest plus the smallest
    room = ops.minimum(double, 2.0 * WHITE - double)
    saturation = chroma / ops.maximum(room, 1.0)
    return _with_hue(levels, largest, chroma, [2.0 * saturation - 1.0, double / WHITE - 1.0])


def _from_hsl(values: Any) -> Any:
    saturation, lightness = _share(values[..., 2:3]), _share(values[..., 3:4])
    reach = saturation * ops.minimum(lightness, 1.0 - lightness)
    return WHITE * (lightness + reach * (1.0 - 2.0 * _missing(values)))


def _extent(levels: Any) -> tuple[Any, Any]:
    """The largest of red, green and blue, and how far the smallest is from it."""
    largest = ops.max(levels, axis=-1)
    return largest, largest - ops.min(levels, axis=-1)


def _with_hue(levels: Any, largest: Any, chroma: Any, others: list[Any]) -> Any:
    """Sine and cosine of the hue in front of `others`; greys have the hue of red."""
    red, green, blue = (levels[..., channel] for channel in range(3))
    chroma = ops.maximum(chroma, 1.0)
    by_red, by_green = (green - blue) / chroma, (blue - red) / chroma + 2.0
    by_blue = (red - green) / chroma + 4.0
    hue = ops.where(
        ops.equal(largest, red), by_red, ops.where(ops.equal(largest, green), by_green, by_blue)
    )
    angle = hue * SIXTH
    return ops.stack([ops.sin(angle), ops.cos(angle), *others], axis=-1)


def _missing(values: Any) -> Any:
    """How much of red, green and blue a hue leaves out: `(..., 3)`, 0 to 1.

    The hue is the direction of any point, sine and cosine, from the middle; there it is red's.
    """
    hue = ops.arctan2(values[..., 0:1], values[..., 1:2]) / SIXTH
    place = ops.mod(hue + ops.array([5.0, 3.0, 1.0]), 6.0)  # the complement's range is from 0 to 4
    return ops.clip(ops.minimum(place, 4.0 - place), 0.0, 1.0)


def _to_lab(levels: Any) -> Any:
    """CIE 1976 L*a*b* (CIE 15:2004, section 8.2.1) of sRGB, its white D65: L*, a*, b*."""
    xyz = _combined(TO_XYZ, _linear(levels / WHITE))
    x, y, z = (_lab_root(xyz[..., axis] / D65[axis]) for axis in range(3))
    lightness, a, b = 116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)
    return ops.stack([lightness / 50.0 - 1.0, a / LAB_REACH, b / LAB_REACH], axis=-1)


def _from_lab(values: Any) -> Any:
    y = ((values[..., 0] + 1.0) * 50.0 + 16.0) / 116.0
    x = y + values[..., 1] * (LAB_REACH / 500.0)
    z = y - values[..., 2] * (LAB_REACH / 200.0)
    xyz = [_lab_power(each) * white for each, white in zip((x, y, z), D65, strict=True)]
    return WHITE * _gamma_coded(_combined(FROM_XYZ, ops.stack(xyz, axis=-1)))


def _lab_root(t: Any) -> Any:
    """The cube root, with a straight line in place of its steep start."""
    root = ops.power(ops.maximum(t, (6 / 29) ** 3), 1 / 3)
    return ops.where(t > (6 / 29) ** 3, root, t * (841 / 108) + 4 / 29)


def _lab_power(t: Any) -> Any:
    """The inverse of `_lab_root`."""
    return ops.where(t > 6 / 29, t * t * t, (t - 4 / 29) * (108 / 841))


def _linear(coded: Any) -> Any:
    """Light from its gamma-coded form, both in [0, 1] (IEC 61966-2-1)."""
    curve = ops.power((coded + 0.055) / 1.055, 2.4)
    return ops.where(coded > 0.04045, curve, coded / 12.92)


def _gamma_coded(light: Any) -> Any:
    """The inverse of `_linear`; what is beyond [0, 1] stays there, and is cut off as a level."""
    curve = 1.055 * ops.power(ops.maximum(light, 0.0031308), 1 / 2.4) - 0.055
    return ops.where(light > 0.0031308, curve, light * 12.92)


def _combined(rows: tuple[tuple[float, float, float], ...], colours: Any) -> Any:
    """A matrix times colours `(..., 3)`, in full float32: a matrix unit may round more."""
    one, two, three = (colours[..., channel] for channel in range(3))
    return ops.stack([row[0] * one + row[1] * two + row[2] * three for row in rows], axis=-1)


def _to_ycbcr(levels: Any) -> Any:
    """Luma and colour differences of ITU-R BT.709, item 3.2 and 3.3, each in its full range."""
    red, green, blue = (levels[..., channel : channel + 1] for channel in range(3))
    luma = green + LUMA_RED * (red - green) + LUMA_BLUE * (blue - green)
    differences = [
        (colour - luma) / ((1.0 - share) * WHITE)
        for colour, share in ((blue, LUMA_BLUE), (red, LUMA_RED))
    ]
    return ops.concatenate([_from_levels(luma), *differences], axis=-1)


def _from_ycbcr(values: Any) -> Any:
    luma = _to_levels(values[..., 0:1])
    blue, red = (
        luma + values[..., place : place + 1] * ((1.0 - share) * WHITE)
        for place, share in ((1, LUMA_BLUE), (2, LUMA_RED))
    )
    green = (luma - LUMA_RED * red - LUMA_BLUE * blue) / (1.0 - LUMA_RED - LUMA_BLUE)
    return ops.concatenate([red, green, blue], axis=-1)


def _to_grey(levels: Any) -> Any:
    """Luma; that of greys comes out exactly."""
    red, green, blue = (levels[..., channel : channel + 1] for channel in range(3))
    return _from_levels(green + LUMA_RED * (red - green) + LUMA_BLUE * (blue - green))


def _from_grey(values: Any) -> Any:
    return ops.repeat(_to_levels(values), 3, axis=-1)


def _to_packed(levels: Any) -> Any:
    """Red, green and blue as the bytes of one whole number, exact in float32."""
    red, green, blue = (levels[..., channel : channel + 1] for channel in range(3))
    return (red * 65536.0 + green * 256.0 + blue - PACKED_HALF) / PACKED_HALF


def _from_packed(values: Any) -> Any:
    packed = ops.clip(ops.round(values * PACKED_HALF), -PACKED_HALF, PACKED_HALF - 1.0)
    packed = packed + PACKED_HALF
    red = ops.floor(packed / 65536.0)
    rest = packed - red * 65536.0
    green = ops.floor(rest / 256.0)
    return ops.concatenate([red, green, rest - green * 256.0], axis=-1)


class _Model(NamedTuple):
    """Functions between levels (float32, 0 to 255) and a network's values."""

    to_network: Callable[[Any], Any]
    to_picture: Callable[[Any], Any]


_MODELS: dict[ColourModel, _Model] = {
    "rgb": _Model(_from_levels, _to_levels),
    "hsv": _Model(_to_hsv, _from_hsv),
    "hsl": _Model(_to_hsl, _from_hsl),
    "lab": _Model(_to_lab, _from_lab),
    "ycbcr": _Model(_to_ycbcr, _from_ycbcr),
    "grey": _Model(_to_grey, _from_grey),
    "rgba": _Model(_from_levels, _to_levels),
    "packed24": _Model(_to_packed, _from_packed),
}
