"""The activations a sheet can name, and `glu`, which families choose.

Tensors are channels-last: `(n, ..., channels)` float.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from keras import ops

from jobs.settings.choices import Activation


def _crelu(x: Any) -> Any:
    """Twice the channels: the positive parts, then the negative ones (Shang et al. 2016)."""
    return ops.concatenate([ops.relu(x), ops.relu(-x)], axis=-1)


def _mish(x: Any) -> Any:
    """Misra 2019, https://arxiv.org/abs/1908.08681."""
    return x * ops.tanh(ops.softplus(x))


def _lrelu(x: Any, slope: float) -> Any:
    return ops.leaky_relu(x, slope)


def _softsign(x: Any) -> Any:
    """Turian et al. 2009; written out, because TensorFlow's own kernel has no second derivative."""
    return x / (1.0 + ops.abs(x))


def _sine(x: Any, frequency: float) -> Any:
    """Sitzmann et al. 2020, https://arxiv.org/abs/2006.09661."""
    return ops.sin(x * frequency)


def glu(x: Any) -> Any:
    """Half the channels, each gated by one of the other half (Dauphin et al. 2016)."""
    values, gates = ops.split(x, 2, axis=-1)
    return values * ops.sigmoid(gates)


# Parameters are those of `Activation.TABLE`, which `glu` is not in: it halves the channels.
_ACTIVATIONS: dict[str, Callable[..., Any]] = {
    "relu": ops.relu,
    "relu6": ops.relu6,
    "lrelu": _lrelu,
    "elu": ops.elu,
    "crelu": _crelu,
    "selu": ops.selu,
    "gelu": partial(ops.gelu, approximate=False),
    "mish": _mish,
    "swish": ops.silu,
    "softplus": ops.softplus,
    "softsign": _softsign,
    "softmax": ops.softmax,
    "tanh": ops.tanh,
    "sigmoid": ops.sigmoid,
    "sine": _sine,
    "glu": glu,
}


def activation(choice: Activation) -> Callable[[Any], Any]:
    """The function from a layer's values to those that the next layer sees."""
    parameters = choice.parameters() if choice.name in choice.TABLE else {}
    return partial(_ACTIVATIONS[choice.name], **parameters)
