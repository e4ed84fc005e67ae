"""How quickly a moving average of weights follows them."""

from __future__ import annotations

from typing import Any

from keras import ops


def decay_after(updates: Any, decay: float) -> Any:
    """The share of the average that is kept at an update of the weights, after `updates` updates.

    Less at the start, so that the average soon forgets where it began: `(1 + n) / (10 + n)`, as in
    TensorFlow's `ExponentialMovingAverage`.
    """
    count = ops.cast(updates, "float32")
    return ops.minimum(decay, (1.0 + count) / (10.0 + count))
