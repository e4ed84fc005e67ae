"""Spectral normalization: weights divided by their largest singular value.

Miyato et al. 2018, https://arxiv.org/abs/1802.05957. Gradients go through the division, as there;
Keras' layer of that name replaces the weights instead.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from multitrain.networks.initializers import Normal

EPSILON = 1e-12  # keeps lengths from 0


class SpectralNorm(keras.layers.Layer):  # type: ignore[misc]
    """Divides a kernel by an estimate of its spectral norm: one power iteration per training call.

    As a matrix, a kernel has a column for each value of its axis `outputs`. Computes in float32.
    """

    def __init__(self, seed: int, outputs: int = -1) -> None:
        super().__init__(name="spectral", dtype="float32")
        self._seed, self._outputs = seed, outputs

    def build(self, kernel_shape: tuple[int, ...]) -> None:
        self.vector = self.add_weight(
            shape=(kernel_shape[self._outputs],),
            initializer=Normal(1.0, self._seed),
            trainable=False,
            aggregation="only_first_replica",  # equal on all replicas, as the weights are
            name="vector",
        )

    def call(self, kernel: Any, training: bool | None = None) -> Any:
        columns = kernel.shape[self._outputs]
        matrix = ops.reshape(ops.moveaxis(kernel, self._outputs, -1), (-1, columns))
        still = ops.stop_gradient(matrix)
        right = _unit(ops.convert_to_tensor(self.vector))
        left = _unit(ops.matmul(still, right))
        if training:
            right = _unit(ops.matmul(left, still))
            self.vector.assign(right)
        return kernel / (ops.sum(left * ops.matmul(matrix, right)) + EPSILON)

    def compute_output_shape(self, kernel_shape: tuple[int, ...]) -> tuple[int, ...]:
        return kernel_shape


class SpectrallyNormalized:
    """Mixin of a Keras layer with a `kernel`: normalizes it where there is a `spectral` norm.

    A layer applies its kernel in `apply_kernel`; the bias is added afterwards.
    """

    spectral: SpectralNorm | None

    def __init__(self, *arguments: Any, spectral: SpectralNorm | None = None, **kw: Any) -> None:
        # The norm is that of the float32 weights, whatever the layer computes in.
        super().__init__(*arguments, autocast=spectral is None, **kw)  # type: ignore[call-arg]
        self.spectral = spectral

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        super().build(input_shape)  # type: ignore[misc]
        if self.spectral is not None:
            self.spectral.build(self.kernel.shape)  # type: ignore[attr-defined]

    def call(self: Any, inputs: Any, training: bool | None = None) -> Any:
        kernel = ops.convert_to_tensor(self.kernel)
        if self.spectral is not None:
            kernel = self.spectral(kernel, training=training)
        inputs, kernel = (ops.cast(each, self.compute_dtype) for each in (inputs, kernel))
        outputs = self.apply_kernel(inputs, kernel)
        return outputs + ops.cast(self.bias, self.compute_dtype) if self.use_bias else outputs


class Linear(SpectrallyNormalized, keras.layers.Dense):  # type: ignore[misc]
    """A fully connected layer."""

    def apply_kernel(self, inputs: Any, kernel: Any) -> Any:
        """`(n, values)` to `(n, units)`."""
        return ops.matmul(inputs, kernel)


def _unit(vector: Any) -> Any:
    return vector * ops.rsqrt(ops.sum(ops.square(vector)) + EPSILON)
