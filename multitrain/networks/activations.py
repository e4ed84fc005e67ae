"""The activations a sheet can name. Tensors are channels-last: `(n, ..., channels)` float."""

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


# Parameters are those of `Activation.TABLE`.
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
}


def activation(choice: Activation) -> Callable[[Any], Any]:
    """The function from a layer's values to those that the next layer sees."""
    return partial(_ACTIVATIONS[choice.name], **choice.parameters())
