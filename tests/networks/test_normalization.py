from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from multitrain.networks.normalization import FusedBatchNormalization


def pair(channels: int) -> tuple[keras.layers.Layer, keras.layers.Layer]:
    """Our layer and Keras' own, with the same parameters."""
    ours, theirs = (
        kind(momentum=0.9, epsilon=1e-5)
        for kind in (FusedBatchNormalization, keras.layers.BatchNormalization)
    )
    random = np.random.default_rng(1)
    weights = [random.uniform(0.5, 2.0, channels).astype(np.float32) for _ in range(4)]
    for layer in (ours, theirs):
        layer.build((None, 3, 5, channels))
        layer.set_weights(weights)
    return ours, theirs


def images() -> np.ndarray:
    return np.random.default_rng(2).normal(3.0, 2.0, (4, 3, 5, 6)).astype(np.float32)


@pytest.mark.parametrize("training", [True, False])
def test_results_gradients_and_statistics_are_those_of_keras(training: bool) -> None:
    x = tf.constant(images())
    told = []
    for layer in pair(channels=6):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x, training=training)
            loss = tf.reduce_sum(y**3)
        variables = [variable.value for variable in layer.trainable_variables]
        gradients = tape.gradient(loss, [x, *variables])
        told.append([y, *gradients, *layer.get_weights()])

    for ours, theirs in zip(*told, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-4, atol=2e-4)


def test_flat_inputs_go_keras_own_way() -> None:
    layer = FusedBatchNormalization()

    y = layer(np.array([[1.0, 2.0], [3.0, 6.0]], np.float32), training=True)

    np.testing.assert_allclose(y, [[-1, -1], [1, 1]], atol=1e-2)


def test_images_take_the_fused_kernel() -> None:
    layer = FusedBatchNormalization()
    layer.build((None, 3, 5, 6))

    graph = tf.function(lambda x: layer(x, training=True)).get_concrete_function(images()).graph

    assert "FusedBatchNormV3" in {operation.type for operation in graph.get_operations()}
