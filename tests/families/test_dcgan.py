from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import get_args

import keras
import numpy as np
import pytest

from jobs.jobfile import JobFile
from jobs.spec import Activation
from multitrain.engine.session import SessionSettings
from multitrain.families import open_session
from multitrain.families.dcgan import (
    build_discriminator,
    build_generator,
    describe,
    discriminator_loss,
    generator_loss,
)

MakeJob = Callable[..., JobFile]


def outputs(network: keras.Model, kind: type) -> list[tuple[int | None, ...]]:
    return [layer.output.shape[1:] for layer in network.layers if isinstance(layer, kind)]


def test_the_generator_doubles_to_odd_sizes_exactly(tiny_job: MakeJob) -> None:
    spec = tiny_job(nbr_of_layers_g=5, gf_dim=2).spec

    network = build_generator(spec, 160, 90, count())

    shapes = outputs(network, keras.layers.Conv2DTranspose)
    assert network.get_layer("reshape").output.shape == (None, 6, 10, 16)
    assert shapes == [(12, 20, 8), (23, 40, 4), (45, 80, 2), (90, 160, 3)]


def test_the_discriminator_halves_rounding_up(tiny_job: MakeJob) -> None:
    spec = tiny_job(nbr_of_layers_d=5, df_dim=2).spec

    network = build_discriminator(spec, 160, 90, count())

    shapes = outputs(network, keras.layers.Conv2D)
    assert shapes == [(45, 80, 2), (23, 40, 4), (12, 20, 8), (6, 10, 16)]
    assert network.output.shape == (None, 1)


@pytest.mark.parametrize(("width", "height"), [(1, 1), (7, 13), (31, 2)])
@pytest.mark.parametrize("layers", [2, 4])
def test_any_size_fits(tiny_job: MakeJob, width: int, height: int, layers: int) -> None:
    spec = tiny_job(nbr_of_layers_g=layers, nbr_of_layers_d=layers, k_w=4).spec

    pictures = build_generator(spec, width, height, count())(np.ones((2, 5), np.float32))

    assert pictures.shape == (2, height, width, 3)
    assert build_discriminator(spec, width, height, count())(pictures).shape == (2, 1)


def test_batch_norm_everywhere_but_in_the_first_convolution(tiny_job: MakeJob) -> None:
    model = describe(tiny_job())

    assert _norms(model.generator.network) == {"norm_0", "norm_1"}
    assert _norms(model.discriminator.network) == {"norm_1"}


def test_batch_norm_can_be_left_out(tiny_job: MakeJob) -> None:
    model = describe(tiny_job(batch_norm_g="False", batch_norm_d="no"))

    assert not _norms(model.generator.network) | _norms(model.discriminator.network)
    assert model.generator.network.get_layer("linear").use_bias


def _norms(network: keras.Model) -> set[str]:
    kind = keras.layers.BatchNormalization
    return {layer.name for layer in network.layers if isinstance(layer, kind)}


def test_crelu_doubles_the_channels_that_the_next_layer_sees(tiny_job: MakeJob) -> None:
    spec = tiny_job(activation_g="crelu,relu").spec

    network = build_generator(spec, 12, 9, count())

    assert network.get_layer("transposed_1").input.shape[-1] == 2 * 8
    assert network.get_layer("transposed_2").input.shape[-1] == 4


def test_weights_come_from_the_seed(tiny_job: MakeJob) -> None:
    one, same, other = (
        describe(tiny_job(seed=seed)).generator.network.get_weights() for seed in (1, 1, 2)
    )

    assert all((a == b).all() for a, b in zip(one, same, strict=True))
    assert any((a != b).any() for a, b in zip(one, other, strict=True))


def test_weights_are_spread_as_the_paper_says(tiny_job: MakeJob) -> None:
    model = describe(tiny_job(gf_dim=64, df_dim=64))
    kernel = model.generator.network.get_layer("transposed_1").get_weights()[0]
    truncated = model.discriminator.network.get_layer("conv_1").get_weights()[0]

    assert kernel.std() == pytest.approx(0.02, rel=0.03)
    assert np.abs(kernel).max() > 0.05
    assert np.abs(truncated).max() <= 0.04 + 1e-6  # two deviations


def test_losses_are_sigmoid_cross_entropies() -> None:
    real, fake = np.array([[2.0], [-1.0]], np.float32), np.array([[0.5], [3.0]], np.float32)

    def probability(logits: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-logits))

    wanted_d = -np.log(probability(real)).mean() - np.log(1 - probability(fake)).mean()
    assert float(discriminator_loss(real, fake)) == pytest.approx(wanted_d, rel=1e-5)
    assert float(generator_loss(fake)) == pytest.approx(-np.log(probability(fake)).mean(), rel=1e-5)


@pytest.mark.parametrize("activation", get_args(Activation))
def test_every_activation_trains(
    activation: str, tiny_job: MakeJob, noise: Callable[..., np.ndarray]
) -> None:
    job = tiny_job(16, 16, activation_g=activation, activation_d=activation, gf_dim=2, df_dim=2)
    session = open_session(job, noise(job), SessionSettings())
    before = session.state()

    block = session.run(2)

    after = session.state()
    assert all(np.isfinite(loss) for loss in block.losses.values())
    assert all(np.isfinite(array).all() for array in after.values())
    for network in ("generator/linear/kernel", "discriminator/linear/kernel"):
        assert (after[network] != before[network]).any()
