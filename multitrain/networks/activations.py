"""The activations a sheet can name. Tensors are channels-last: `(n, ..., channels)` float."""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle, islice
from typing import Any

from keras import ops

from jobs.spec import Activation

LRELU_SLOPE = 0.2  # Radford et al. 2015, "Unsupervised representation learning with DCGANs"


def _lrelu(x: Any) -> Any:
    return ops.leaky_relu(x, LRELU_SLOPE)


def _crelu(x: Any) -> Any:
    """Twice the channels: the positive parts, then the negative ones (Shang et al. 2016)."""
    return ops.concatenate([ops.relu(x), ops.relu(-x)], axis=-1)


ACTIVATIONS: dict[Activation, Callable[[Any], Any]] = {
    "relu": ops.relu,
    "relu6": ops.relu6,
    "lrelu": _lrelu,
    "elu": ops.elu,
    "crelu": _crelu,
    "selu": ops.selu,
    "tanh": ops.tanh,
    "sigmoid": ops.sigmoid,
    "softplus": ops.softplus,
    "softsign": ops.softsign,
    "softmax": ops.softmax,
    "swish": ops.silu,
}


def repeated(names: tuple[Activation, ...], layers: int) -> list[Callable[[Any], Any]]:
    """One activation per layer: the list starts over when it is shorter than the network."""
    return [ACTIVATIONS[name] for name in islice(cycle(names), layers)]
