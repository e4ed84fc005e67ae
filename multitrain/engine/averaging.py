"""How quickly a moving average of weights follows them."""

from __future__ import annotations

from typing import Any

from keras import ops


def decay_after(updates: Any, decay: float) -> Any:
    """What is kept of the average at a further update of the weights.

    Less at the start, so that it soon forgets where it began: `(1 + n) / (10 + n)`, as TensorFlow's
    `ExponentialMovingAverage` has it.
    """
    count = ops.cast(updates, "float32")
    return ops.minimum(decay, (1.0 + count) / (10.0 + count))
