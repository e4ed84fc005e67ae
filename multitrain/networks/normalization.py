"""Batch normalisation by one fused kernel where the backend has one."""

from __future__ import annotations

from typing import Any

import keras

from multitrain.networks.initializers import Filled

if keras.backend.backend() == "tensorflow":
    import tensorflow as tf

IMAGE_RANK = 4  # (n, height, width, channels)


class FusedBatchNormalization(keras.layers.BatchNormalization):  # type: ignore[misc]
    """Keras' layer (same variables, same results) without its dozen passes over the activations.

    Images may be bfloat16; scales, offsets and statistics stay float32.

    Keras composes the normalisation from elementary operations, each of which reads and writes the
    whole activation; TensorFlow has one kernel for all of them. On JAX, whose compiler makes one of
    them by itself, and for inputs that are not images `(n, height, width, channels)`, Keras' own
    way is taken.
    """

    def __init__(self, **kw: Any) -> None:
        super().__init__(
            autocast=False,  # the kernel wants its parameters in float32
            beta_initializer=Filled(0.0),
            gamma_initializer=Filled(1.0),
            moving_mean_initializer=Filled(0.0),
            moving_variance_initializer=Filled(1.0),
            **kw,
        )

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        if keras.backend.backend() != "tensorflow" or len(inputs.shape) != IMAGE_RANK:
            return super().call(inputs, training=training, mask=mask)
        return self._normalize_batch(inputs) if training else self._normalize_by_moving(inputs)

    def _normalize_batch(self, images: Any) -> Any:
        normalized, mean, unbiased = tf.compat.v1.nn.fused_batch_norm(
            images, self.gamma, self.beta, epsilon=self.epsilon, is_training=True
        )
        # The kernel answers with the sample's variance (n-1); Keras keeps the batch's (n).
        values = tf.cast(tf.size(images) // tf.shape(images)[-1], unbiased.dtype)
        self._move(self.moving_mean, mean)
        self._move(self.moving_variance, unbiased * (values - 1) / values)
        return normalized

    def _normalize_by_moving(self, images: Any) -> Any:
        return tf.compat.v1.nn.fused_batch_norm(
            images,
            self.gamma,
            self.beta,
            self.moving_mean,
            self.moving_variance,
            epsilon=self.epsilon,
            is_training=False,
        )[0]

    def _move(self, statistic: Any, towards: Any) -> None:
        statistic.assign(statistic * self.momentum + towards * (1.0 - self.momentum))
