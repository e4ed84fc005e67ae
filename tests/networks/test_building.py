from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

from jobs.families.dcgan.layers import discriminator_layers, generator_layers
from jobs.settings.choices import Activation
from jobs.sheets.fitting import misfit
from jobs.workspace.jobfile import JobFile
from multitrain.families.dcgan.building import build_discriminator, build_generator
from multitrain.networks.transposed import ExactConv2DTranspose
from tests.combinations import first_on_jax

MakeJob = Callable[..., JobFile]


@pytest.fixture
def generator(tiny_job: MakeJob) -> Callable[..., keras.Model]:
    """`generator(width, height, **columns)`."""

    def build(width: int = 12, height: int = 9, **columns: object) -> keras.Model:
        spec = tiny_job(**columns).spec
        return build_generator(generator_layers(spec, width, height), count())

    return build


@pytest.fixture
def discriminator(tiny_job: MakeJob) -> Callable[..., keras.Model]:
    """`discriminator(width, height, **columns)`."""

    def build(width: int = 12, height: int = 9, **columns: object) -> keras.Model:
        spec = tiny_job(**columns).spec
        return build_discriminator(discriminator_layers(spec, width, height), spec, count())

    return build


Build = Callable[..., keras.Model]


ALIKE_OR_NOT: list[dict[str, object]] = [
    {},
    {"z_dim": 6},
    {"k_w_d": 5},
    {"stride_g": 1, "stride_d": "1,2"},
    {"filters_g": "4,6"},
    {"colour_model": "hsv"},
    {"activation_d": "crelu"},
    {"activation_g": "sine", "dropout_d": 0.1, "noise_g": 0.1},
    {"convolution_g": "upconv"},
    {"convolution_g": "upconv-bilinear"},
    {"convolution_g": "subpixel"},
    {"convolution_g": "subpixel", "stride_g": "1,2"},
    {"convolution_d": "dilated", "dilation_d": 3},
    {"convolution_d": "separable"},
    {"normalization_d": "spectral"},
    {"normalization_g": "layer"},
    {"normalization_g": "instance", "normalization_d": "pixel"},
    {"normalization_d": "none"},
    {"nbr_of_layers_g": 4},
]


def test_plans_tell_whether_all_weights_fit(
    generator: Build, discriminator: Build, tiny_job: MakeJob
) -> None:
    jobs = [tiny_job(**columns) for columns in ALIKE_OR_NOT]
    weights = [
        {(build, weight.path): tuple(weight.shape) for build in (generator, discriminator)
         for weight in build(**columns).weights if weight.dtype == "float32"}
        for columns in ALIKE_OR_NOT
    ]  # fmt: skip
    for a, theirs in zip(jobs, weights, strict=True):
        for b, ours in zip(jobs, weights, strict=True):
            assert (misfit(a, b) is None) is (theirs == ours), (a.spec, b.spec)


def outputs(network: keras.Model, kind: type) -> list[tuple[int | None, ...]]:
    return [layer.output.shape[1:] for layer in network.layers if isinstance(layer, kind)]


def latents(samples: int = 4) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(samples, 5)).astype(np.float32)


def names(network: keras.Model) -> set[str]:
    return {layer.name for layer in network.layers}


def test_the_generator_doubles_to_odd_sizes_exactly(generator: Build) -> None:
    network = generator(160, 90, nbr_of_layers_g=5, gf_dim=2)

    shapes = outputs(network, ExactConv2DTranspose)
    assert network.get_layer("reshape").output.shape == (None, 6, 10, 16)
    assert shapes == [(12, 20, 8), (23, 40, 4), (45, 80, 2), (90, 160, 3)]


def test_the_discriminator_halves_rounding_up(discriminator: Build) -> None:
    network = discriminator(160, 90, nbr_of_layers_d=5, df_dim=2)

    shapes = outputs(network, keras.layers.Conv2D)
    assert shapes == [(45, 80, 2), (23, 40, 4), (12, 20, 8), (6, 10, 16)]
    assert [each.shape for each in network.outputs] == [(None, 1), (None, 6 * 10 * 16)]


def test_features_are_what_the_linear_layer_makes_logits_of(discriminator: Build) -> None:
    network = discriminator()
    pictures = np.random.default_rng(1).normal(size=(2, 9, 12, 3)).astype(np.float32)

    logits, features = network(pictures)

    kernel, bias = network.get_layer("linear").get_weights()
    np.testing.assert_allclose(np.asarray(features) @ kernel + bias, logits, atol=1e-6)


@pytest.mark.parametrize("kind", ["deconv", "upconv", "upconv-bilinear", "subpixel"])
@pytest.mark.parametrize("stride", ["1", "2", "3,4"])
def test_every_generator_arrives_at_its_size(
    kind: str, stride: str, generator: Build, tiny_job: MakeJob
) -> None:
    network = generator(17, 11, convolution_g=kind, stride_g=stride, k_w=2)
    spec = tiny_job(convolution_g=kind, stride_g=stride, k_w=2).spec

    pictures = network(latents())

    assert pictures.shape == (4, 11, 17, 3)
    planned = generator_layers(spec, 17, 11)
    assert network.count_params() == sum(layer.parameters for layer in planned)


@pytest.mark.parametrize("kind", ["conv", "dilated", "separable"])
@pytest.mark.parametrize("stride", ["1", "2", "3,4"])
@pytest.mark.parametrize("dilation", [1, 2])
def test_every_discriminator_shrinks_as_planned(
    kind: str, stride: str, dilation: int, discriminator: Build, tiny_job: MakeJob
) -> None:
    columns = {"convolution_d": kind, "stride_d": stride, "dilation_d": dilation}
    network = discriminator(17, 11, **columns)
    planned = discriminator_layers(tiny_job(**columns).spec, 17, 11)

    _, features = network(np.ones((2, 11, 17, 3), np.float32))

    assert features.shape == (2, planned[-1].input.values)
    assert network.count_params() == sum(layer.parameters for layer in planned)


@pytest.mark.parametrize("kind", ["batch", "layer", "instance", "pixel", "spectral", "none"])
def test_parameters_are_counted_as_keras_does(
    kind: str, generator: Build, discriminator: Build, tiny_job: MakeJob
) -> None:
    for enlarging, shrinking in [("deconv", "separable"), ("subpixel", "conv")]:
        columns = {
            "normalization_g": kind, "normalization_d": kind, "activation_g": "crelu",
            "convolution_g": enlarging, "convolution_d": shrinking, "noise_g": "0.1",
        }  # fmt: skip
        spec = tiny_job(**columns).spec
        plans = generator_layers(spec, 12, 9), discriminator_layers(spec, 12, 9)
        for network, planned in zip(
            (generator(**columns), discriminator(**columns)), plans, strict=True
        ):
            counted = sum(layer.parameters for layer in planned)
            assert network.count_params() == counted


def test_batch_norm_everywhere_but_in_the_first_convolution(
    generator: Build, discriminator: Build
) -> None:
    assert {name for name in names(generator()) if "norm" in name} == {"norm_0", "norm_1"}
    assert {name for name in names(discriminator()) if "norm" in name} == {"norm_1"}


def test_names_of_default_layers_are_those_of_old_checkpoints(
    generator: Build, discriminator: Build
) -> None:
    assert [variable.path for variable in generator().trainable_variables] == [
        "linear/kernel", "norm_0/gamma", "norm_0/beta", "transposed_1/kernel", "norm_1/gamma",
        "norm_1/beta", "transposed_2/kernel", "transposed_2/bias",
    ]  # fmt: skip
    assert [variable.path for variable in discriminator().trainable_variables] == [
        "conv_0/kernel", "conv_0/bias", "conv_1/kernel", "norm_1/gamma", "norm_1/beta",
        "linear/kernel", "linear/bias",
    ]  # fmt: skip


def test_default_networks_take_one_seed_per_layer(tiny_job: MakeJob) -> None:
    spec, seeds = tiny_job().spec, count()

    build_generator(generator_layers(spec, 12, 9), seeds)
    build_discriminator(discriminator_layers(spec, 12, 9), spec, seeds)

    assert next(seeds) == 6


def test_crelu_doubles_the_channels_that_the_next_layer_sees(generator: Build) -> None:
    network = generator(activation_g="crelu,relu")

    assert network.get_layer("transposed_1").input.shape[-1] == 2 * 8
    assert network.get_layer("transposed_2").input.shape[-1] == 4


def test_each_colour_model_has_its_channels(generator: Build, discriminator: Build) -> None:
    assert generator(colour_model="grey").output.shape[-1] == 1
    assert discriminator(colour_model="rgba").input.shape[-1] == 4


def test_frozen_layers_do_not_learn_and_keep_their_statistics(discriminator: Build) -> None:
    network = discriminator(freeze_d=2)
    before = network.get_weights()

    network(np.random.default_rng(0).normal(size=(4, 9, 12, 3)).astype(np.float32), training=True)

    learning = [variable.path for variable in network.trainable_variables]
    assert learning == ["linear/kernel", "linear/bias"]
    for was, now in zip(before, network.get_weights(), strict=True):
        np.testing.assert_array_equal(now, was)


def test_dropout_and_noise_stand_behind_the_layers_that_want_them(generator: Build) -> None:
    network = generator(dropout_g="0.5,0", noise_g="0,0.25")

    assert {name for name in names(network) if "dropout" in name} == {"dropout_0"}
    assert network.get_layer("dropout_0").rate == 0.5
    assert {name for name in names(network) if "noise" in name} == {"noise_1"}
    assert network.get_layer("noise_1").stddev == 0.25


def test_what_is_drawn_is_counted_in_the_network_and_only_in_training(
    discriminator: Build,
) -> None:
    network = discriminator(
        dropout_d="0.5", noise_d="0.1", instance_noise=0.3, diffaugment="translation"
    )
    pictures = np.ones((2, 9, 12, 3), np.float32)
    counters = [each for each in network.variables if each.path.endswith("seed_generator_state")]
    assert [each.path.split("/")[0] for each in counters] == [
        "diffaugment", "instance_noise", "dropout_0", "noise_0", "dropout_1", "noise_1",
    ]  # fmt: skip

    first, again = (np.asarray(network(pictures)[0]) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert [np.asarray(each.value)[1] for each in counters] == [0] * 6

    one = np.asarray(network(pictures, training=True)[0])
    other = np.asarray(network(pictures, training=True)[0])
    assert (one != other).all()

    for counter in counters:
        counter.assign(ops.convert_to_tensor(np.asarray(counter.value) * [1, 0]))
    np.testing.assert_array_equal(network(pictures, training=True)[0], one)


@pytest.mark.parametrize("colour_model", ["rgb", "grey", "rgba"])
def test_a_discriminator_is_augmented_before_it_is_noised(
    colour_model: str, discriminator: Build
) -> None:
    network = discriminator(
        colour_model=colour_model, instance_noise=0.1, diffaugment="cutout,color"
    )

    assert [layer.name for layer in network.layers[1:4]] == [
        "diffaugment",
        "instance_noise",
        "conv_0",
    ]
    assert network.get_layer("diffaugment").kinds == ("cutout", "color")
    assert network.get_layer("diffaugment").has_alpha == (colour_model == "rgba")


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="there, sessions train all of them")
@pytest.mark.parametrize("kind", ["batch", "layer", "instance", "pixel", "spectral", "none"])
@pytest.mark.parametrize("name", Activation.TABLE)
def test_every_activation_has_finite_gradients_behind_every_normalization(
    kind: str, name: str, tiny_job: MakeJob
) -> None:
    columns = {"normalization_g": kind, "activation_g": name, "gf_dim": 2, "nbr_of_layers_g": 2}
    spec = tiny_job(**columns).spec
    network = build_generator(generator_layers(spec, 4, 4), count())

    found = gradients(network, latents())

    assert len(found) == len(network.trainable_variables)
    assert all(np.isfinite(each).all() for each in found)
    assert np.abs(found[-2]).max() > 0


def gradients(network: keras.Model, x: np.ndarray) -> list[np.ndarray]:
    """Of the sum of squares of what it makes in training, of its trainable weights."""
    import tensorflow as tf

    with tf.GradientTape() as tape:
        squares = tf.reduce_sum(network(x, training=True) ** 2)
    weights = [each.value for each in network.trainable_variables]
    return [np.asarray(each) for each in tape.gradient(squares, weights)]


@pytest.mark.parametrize(
    "convolution", first_on_jax(["upconv", "deconv", "upconv-bilinear", "subpixel"])
)
def test_networks_compute_in_bfloat16_and_keep_float32_weights(
    convolution: str, tiny_job: MakeJob
) -> None:
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        spec = tiny_job(
            convolution_g=convolution, normalization_g="spectral,instance", dropout_g=0.1,
            noise_g=0.1, convolution_d="separable", normalization_d="spectral",
            diffaugment="color,translation,cutout", instance_noise=0.1,
        ).spec  # fmt: skip
        made = build_generator(generator_layers(spec, 12, 9), count())
        judged = build_discriminator(discriminator_layers(spec, 12, 9), spec, count())
    finally:
        keras.config.set_dtype_policy(before)

    pictures = made(latents(), training=True)
    logits, features = judged(pictures, training=True)

    for layer in (made.get_layer("norm_1"), judged.get_layer("separable_1")):
        assert layer.output.dtype == "bfloat16"
    for answer in (pictures, logits, features):
        assert keras.backend.standardize_dtype(answer.dtype) == "float32"
    weights = [*made.trainable_variables, *judged.trainable_variables]
    assert {variable.dtype for variable in weights} == {"float32"}


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="there, all is compiled anyway")
@pytest.mark.parametrize(
    "columns",
    [
        {"convolution_g": "upconv-bilinear", "convolution_d": "separable", "dilation_d": "2"},
        {"convolution_g": "subpixel,upconv", "convolution_d": "dilated", "stride_g": "3"},
        {"stride_g": "1", "dilation_g": "2", "normalization_g": "instance"},
    ],
)
def test_xla_compiles_training(columns: dict[str, object], tiny_job: MakeJob) -> None:
    import tensorflow as tf

    spec = tiny_job(
        **columns, normalization_d="spectral,layer", dropout_d="0.1", noise_g="0.1",
        diffaugment="color,translation,cutout", instance_noise=0.1,
    ).spec  # fmt: skip
    made = build_generator(generator_layers(spec, 12, 9), count())
    judged = build_discriminator(discriminator_layers(spec, 12, 9), spec, count())

    @tf.function(jit_compile=True)
    def train(x: Any) -> Any:
        with tf.GradientTape() as tape:
            logits, _ = judged(made(x, training=True), training=True)
            loss = tf.reduce_mean(logits**2)
        weights = [*made.trainable_variables, *judged.trainable_variables]
        return tape.gradient(loss, [each.value for each in weights])

    found = train(latents())

    assert all(np.isfinite(each).all() and np.abs(each).max() > 0 for each in found)
