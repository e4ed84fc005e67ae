"""The normalizations of values that a sheet can name; `spectral` is of weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import islice
from typing import Any

import keras
from keras import ops

from multitrain.networks.initializers import Filled

if keras.backend.backend() == "tensorflow":
    import tensorflow as tf

IMAGE_RANK = 4  # (n, height, width, channels)
BATCH_NORM_MOMENTUM = 0.9
EPSILON = 1e-5  # added to variances before the root
PIXEL_EPSILON = 1e-8  # Karras et al. 2018


def normalization(
    kind: str, name: str, scales: keras.initializers.Initializer | None = None
) -> keras.layers.Layer | None:
    """The layer of that `kind`, for `(n, height, width, channels)`; None where there is none.

    Its scales begin as `scales` says, where it has some; None: with 1.

    `layer` is over all values of a picture, with a scale and an offset for each channel, as critics
    have it (Ba et al. 2016; Gulrajani et al. 2017); `instance` is over each channel of a picture
    (Ulyanov et al. 2016), `plain-instance` the same without scales and offsets.
    """
    scales = scales or Filled(1.0)
    match kind:
        case "batch":
            return FusedBatchNormalization(
                momentum=BATCH_NORM_MOMENTUM, epsilon=EPSILON, gamma_initializer=scales, name=name
            )
        case "layer":
            return AxesNormalization((1, 2, 3), name, scales)
        case "instance":
            return AxesNormalization((1, 2), name, scales)
        case "plain-instance":
            return AxesNormalization((1, 2), name, None)
        case "pixel":
            return PixelNormalization(name=name)
    return None


class _SameShape(keras.layers.Layer):  # type: ignore[misc]
    """A layer whose outputs have the shape of its inputs."""

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape


class Steadied:
    """Means and variances of pictures, mixed with those of the pictures before.

    `before` are those, in the order in which normalizations are called; empty: there was no picture
    before. `share` is how much of a picture's own is mixed in. What they came to is in `after`.
    """

    def __init__(self, before: Sequence[Any], share: Any) -> None:
        self._before, self._share = iter(before), share
        self.after: list[Any] = []

    def smoothed(self, means: Any, variances: Any) -> tuple[Any, Any]:
        """These statistics of a picture, smoothed."""
        if before := list(islice(self._before, 2)):
            old_means, old_variances = before
            means = old_means + self._share * (means - old_means)
            variances = old_variances + self._share * (variances - old_variances)
        self.after += [means, variances]
        return means, variances


@contextmanager
def steadied(before: Sequence[Any], share: Any) -> Iterator[Steadied]:
    """Networks that are called within normalize by smoothed statistics."""
    context = Steadied(before, share)
    token = _steadied.set(context)
    try:
        yield context
    finally:
        _steadied.reset(token)


_steadied: ContextVar[Steadied | None] = ContextVar("steadied", default=None)


class AxesNormalization(_SameShape):
    """Mean 0 and variance 1 over `axes`, then a scale and an offset for each channel, in float32.

    Keras' layers take TensorFlow's moments. Within their variance, no gradient passes through the
    mean: it would be 0. That of a penalty on gradients is not, and came out a few percent wrong.
    """

    def __init__(
        self, axes: tuple[int, ...], name: str, scales: keras.initializers.Initializer | None
    ) -> None:
        """`scales` None: there are none, and no offsets."""
        super().__init__(name=name, autocast=False)
        self.axes, self._scales = axes, scales

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        if self._scales is None:
            return
        channels = (input_shape[-1],)
        self.gamma = self.add_weight(channels, self._scales, name="gamma", autocast=False)
        self.beta = self.add_weight(channels, Filled(0.0), name="beta", autocast=False)

    def call(self, inputs: Any) -> Any:
        values = ops.cast(inputs, "float32")
        means = ops.mean(values, self.axes, keepdims=True)
        centred = values - means
        variances = ops.mean(ops.square(centred), self.axes, keepdims=True)
        if steadied := _steadied.get():
            means, variances = steadied.smoothed(means, variances)
            centred = values - means
        scales = ops.rsqrt(variances + EPSILON)
        if self._scales is None:
            return ops.cast(centred * scales, self.compute_dtype)
        return ops.cast(centred * (scales * self.gamma) + self.beta, self.compute_dtype)


class PixelNormalization(_SameShape):
    """Each pixel's values divided by their root mean square (Karras et al. 2018, section 4.2)."""

    def call(self, inputs: Any) -> Any:
        values = ops.cast(inputs, "float32")
        squares = ops.mean(ops.square(values), axis=-1, keepdims=True)
        return ops.cast(values * ops.rsqrt(squares + PIXEL_EPSILON), self.compute_dtype)


class FusedBatchNormalization(keras.layers.BatchNormalization):  # type: ignore[misc]
    """Keras' layer (same variables, same results) without its dozen passes over the activations.

    Images may be bfloat16; scales, offsets and statistics stay float32.

    Keras composes the normalisation from elementary operations, each of which reads and writes the
    whole activation; TensorFlow has one kernel for all of them. On JAX, whose compiler makes one of
    them by itself, and for inputs that are not images `(n, height, width, channels)`, Keras' own
    way is taken. Frozen, it normalizes by its moving statistics.
    """

    def __init__(self, **kw: Any) -> None:
        kw.setdefault("gamma_initializer", Filled(1.0))
        super().__init__(
            autocast=False,  # the kernel wants its parameters in float32
            beta_initializer=Filled(0.0),
            moving_mean_initializer=Filled(0.0),
            moving_variance_initializer=Filled(1.0),
            **kw,
        )

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        if keras.backend.backend() != "tensorflow" or len(inputs.shape) != IMAGE_RANK:
            return super().call(inputs, training=training, mask=mask)
        if training and self.trainable:
            return self._normalize_batch(inputs)
        return self._normalize_by_moving(inputs)

    def _normalize_batch(self, images: Any) -> Any:
        normalized, mean, unbiased = tf.compat.v1.nn.fused_batch_norm(
            images, self.gamma, self.beta, epsilon=self.epsilon, is_training=True
        )
        # The kernel returns the sample's variance (n-1); Keras keeps the batch's (n).
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
