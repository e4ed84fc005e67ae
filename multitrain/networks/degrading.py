"""Low pictures made of high ones, for networks that learn to make the high ones of them again.

Pictures are levels, `(n, height, width, 3 or 4)` float32 from 0 to 255; alpha is made as large, and
nothing else becomes of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

from jobs.settings.colours import RGB
from jobs.settings.kinds import Resolution
from jobs.settings.preprocess import shrunk
from jobs.settings.translation import Degradation
from multitrain.networks.colours import WHITE
from multitrain.networks.making import blurred
from multitrain.networks.resizing import Matrix, down, resized
from multitrain.networks.upsampling import bilinear

Noises = Mapping[int, Any]  # by the place of their step: (n, height, width, 3), of deviation 1

BLOCK = 8  # pixels a side that JPEG transforms together
HALVED = 2  # of colours in JPEG: so many times smaller than brightness

# ITU-T T.81, tables K.1 and K.2: how coarsely brightness, and colours, are kept at quality 50.
COARSE_BRIGHTNESS = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
COARSE_COLOURS = (
    (17, 18, 24, 47, 99, 99, 99, 99),
    (18, 21, 26, 66, 99, 99, 99, 99),
    (24, 26, 56, 99, 99, 99, 99, 99),
    (47, 66, 99, 99, 99, 99, 99, 99),
    *((99,) * 8,) * 4,
)
# ITU-T T.871, section 7: levels of red, green and blue as brightness and two differences.
TO_YCC = (
    (0.299, 0.587, 0.114),
    (-0.168736, -0.331264, 0.5),
    (0.5, -0.418688, -0.081312),
)
FROM_YCC = ((1.0, 0.0, 1.402), (1.0, -0.344136, -0.714136), (1.0, 1.772, 0.0))


def sizes_of_noise(
    steps: Sequence[Degradation], high: Resolution, scale: int
) -> Mapping[int, Resolution]:
    """How large the pictures are to which noise is added, by the place of the step."""
    sizes, size = {}, high
    for place, step in enumerate(steps):
        if step.name == "shrink":
            size = shrunk(size, scale)
        elif step.name == "noise":
            sizes[place] = size
    return sizes


def degraded(steps: Sequence[Degradation], pictures: Any, scale: int, noises: Noises) -> Any:
    """What the steps, one after the other, make of `pictures`: whole levels, as a file has them."""
    levels = ops.cast(pictures, "float32")
    colours, alpha = levels[..., :RGB], levels[..., RGB:]
    for place, step in enumerate(steps):
        colours = ops.clip(_done(step, colours, scale, noises.get(place)), 0.0, WHITE)
        if step.name == "shrink" and alpha.shape[-1]:
            alpha = ops.clip(_done(step, alpha, scale, None), 0.0, WHITE)
    whole = ops.concatenate([colours, alpha], axis=-1) if alpha.shape[-1] else colours
    return ops.round(whole)


def _done(step: Degradation, colours: Any, scale: int, noise: Any) -> Any:
    match step.name:
        case "shrink":
            low = shrunk(Resolution(colours.shape[2], colours.shape[1]), scale)
            return resized(colours, low.height, low.width, step["kernel"])
        case "blur":
            return blurred(colours, step["radius"])
        case "noise":
            return colours + step["levels"] * noise
        case "jpeg":
            return _compressed(colours, step["quality"])
        case "halos":
            return colours + step["strength"] * (colours - blurred(colours, step["radius"]))
    return down(colours, _one_field(colours.shape[1]))


def _one_field(height: int) -> Matrix:
    """Rows of which every other one is the mean of its neighbours."""
    rows = np.eye(height, dtype=np.float32)
    for row in range(1, height, 2):
        below = row + 1 if row + 1 < height else row - 1
        rows[row] = 0.0
        for neighbour in (row - 1, below):
            rows[row, neighbour] += 0.5
    return rows


def _compressed(colours: Any, quality: int) -> Any:
    """As a JPEG file of this quality holds them, whose colours are half as large each way."""
    height, width = colours.shape[1:3]
    beyond = [-side % (BLOCK * HALVED) for side in (height, width)]
    for axis, more in enumerate(beyond, start=1):
        colours = ops.concatenate(
            [colours, *[ops.take(colours, [-1], axis=axis)] * more], axis=axis
        )
    ycc = ops.matmul(colours, _matrix(TO_YCC))
    brightness = _kept(ycc[..., :1] - WHITE / 2, COARSE_BRIGHTNESS, quality) + WHITE / 2
    tall, wide = ycc.shape[1:3]
    small = resized(ycc[..., 1:], tall // HALVED, wide // HALVED, "box")
    others = bilinear(_kept(small, COARSE_COLOURS, quality), HALVED)
    rgb = ops.matmul(ops.concatenate([brightness, others], axis=-1), _matrix(FROM_YCC))
    return ops.round(ops.clip(rgb, 0.0, WHITE))[:, :height, :width]


def _kept(values: Any, table: Sequence[Sequence[int]], quality: int) -> Any:
    """Values `(n, height, width, channels)` after their blocks were transformed and rounded."""
    _, height, width, channels = values.shape
    shape = (-1, height // BLOCK, BLOCK, width // BLOCK, BLOCK, channels)
    cosines = ops.convert_to_tensor(_cosines())
    steps = ops.convert_to_tensor(_steps(table, quality)[:, None, :, None])
    blocks = ops.reshape(values, shape)
    there = ops.einsum("ui,vj,nyixjc->nyuxvc", cosines, cosines, blocks)
    rounded = ops.round(there / steps) * steps
    back = ops.einsum("ui,vj,nyuxvc->nyixjc", cosines, cosines, rounded)
    return ops.reshape(back, (-1, height, width, channels))


def _cosines() -> Matrix:
    """The discrete cosine transform of a side: orthogonal, `(frequencies, pixels)`."""
    number = np.arange(BLOCK)
    waves = np.cos((2 * number + 1) * number[:, None] * np.pi / (2 * BLOCK))
    waves[0] *= 0.5**0.5
    return np.asarray(waves * (2 / BLOCK) ** 0.5, np.float32)


def _steps(table: Sequence[Sequence[int]], quality: int) -> NDArray[np.float32]:
    """How coarsely each frequency is kept, by the convention of libjpeg."""
    percent = 5000 // quality if quality < 50 else 200 - 2 * quality
    return np.asarray(np.clip((np.array(table) * percent + 50) // 100, 1, 255), np.float32)


def _matrix(rows: Sequence[Sequence[float]]) -> Any:
    return ops.convert_to_tensor(np.array(rows, np.float32).T)
