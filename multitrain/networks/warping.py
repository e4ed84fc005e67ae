"""Pictures whose pixels are fetched from other places, and the frame between two by that.

Each pixel comes from where its motion points, between the centres of the four pixels there. These
are gathered; only pictures are, which nothing learns, for the gradient of a gather would be a sum
in no fixed order.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

SURE = 1e-3  # of a share of the way: nearer to its ends, its logit would have no bounds


def warped(pictures: Any, motion: Any) -> Any:
    """`(n, height, width, channels)` float32, each pixel fetched from as many pixels to the right
    and down as `motion`, `(n, height, width, 2)`, says. Beyond the edges, these go on.
    """
    height, width, channels = pictures.shape[1:]
    down, right = (each.astype(np.float32) for each in np.mgrid[:height, :width])
    x = ops.clip(motion[..., 0] + right, 0.0, width - 1.0)
    y = ops.clip(motion[..., 1] + down, 0.0, height - 1.0)
    left, upper = ops.floor(x), ops.floor(y)
    along, across = (x - left)[..., None], (y - upper)[..., None]
    columns, rows = ops.cast(left, "int32"), ops.cast(upper, "int32")
    next_columns, next_rows = (
        ops.minimum(first + 1, side - 1) for first, side in ((columns, width), (rows, height))
    )
    pixels = ops.reshape(pictures, (-1, channels))
    firsts = ops.arange(ops.shape(pictures)[0], dtype="int32")[:, None, None] * (height * width)

    def row(number: Any) -> Any:
        begins = firsts + number * width
        one, other = (
            ops.take(pixels, begins + column, axis=0) for column in (columns, next_columns)
        )
        return one + along * (other - one)

    above, below = row(rows), row(next_rows)
    return above + across * (below - above)


class Between(keras.layers.Layer):  # type: ignore[misc]
    """Two pictures as they are at a time between them, next to each other.

    It is given both and the time, `(n, height, width, 2 * channels + 1)` float32, with the time
    from 0, the first, to 1, the second; and the motion (optical flow), `(n, height, width, 2)`: how
    many pixels to the right and down what is seen in the middle moves until the second one. All
    moves straight and evenly, so in the first one, it was as far on the other side.
    """

    def __init__(self, **kw: Any) -> None:
        super().__init__(dtype="float32", **kw)

    def call(self, given: Any, motion: Any) -> Any:
        channels, time = given.shape[-1] // 2, given[..., -1:]
        both = ops.concatenate([given[..., :channels], given[..., channels:-1]], axis=0)
        ways = ops.concatenate([-2.0 * time * motion, 2.0 * (1.0 - time) * motion], axis=0)
        return ops.concatenate(ops.split(warped(both, ways), 2, axis=0), axis=-1)

    def compute_output_shape(
        self,
        given_shape: tuple[Any, ...],
        motion_shape: tuple[Any, ...],  # noqa: ARG002
    ) -> tuple[Any, ...]:
        return (*given_shape[:-1], given_shape[-1] - 1)


class Blend(keras.layers.Layer):  # type: ignore[misc]
    """The frame between two that were moved there, with `corrections` of its colours.

    Which of them shows a place is a logit, `(n, height, width, 1)`, beside the time: at 0, it is
    the nearer one, by as much as it is nearer. Corrections fade towards both ends.
    """

    def __init__(self, **kw: Any) -> None:
        super().__init__(dtype="float32", **kw)

    def call(self, moved: Any, shown: Any, time: Any, corrections: Any) -> Any:
        channels = moved.shape[-1] // 2
        first, second = moved[..., :channels], moved[..., channels:]
        sure = ops.clip(time, SURE, 1.0 - SURE)
        share = ops.sigmoid(shown + ops.log(sure) - ops.log(1.0 - sure))
        return first + share * (second - first) + 4.0 * time * (1.0 - time) * corrections

    def compute_output_shape(
        self,
        moved_shape: tuple[Any, ...],  # noqa: ARG002
        shown_shape: tuple[Any, ...],  # noqa: ARG002
        time_shape: tuple[Any, ...],  # noqa: ARG002
        corrections_shape: tuple[Any, ...],
    ) -> tuple[Any, ...]:
        return corrections_shape
