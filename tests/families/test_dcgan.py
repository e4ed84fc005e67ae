from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import pytest

from jobs.workspace.jobfile import JobFile
from multitrain.families.dcgan.describing import describe
from tests.combinations import first_on_jax

MakeJob = Callable[..., JobFile]


def test_batch_norm_can_be_left_out(tiny_job: MakeJob) -> None:
    model = describe(tiny_job(batch_norm_g="False", batch_norm_d="no"))

    assert not _norms(model.networks["generator"]) | _norms(model.networks["discriminator"])
    assert model.networks["generator"].get_layer("linear").use_bias


def _norms(network: keras.Model) -> set[str]:
    kind = keras.layers.BatchNormalization
    return {layer.name for layer in network.layers if isinstance(layer, kind)}


@pytest.mark.parametrize("size", first_on_jax([(7, 13), (1, 1), (31, 2)]), ids=str)
@pytest.mark.parametrize("layers", first_on_jax([4, 2]))
def test_any_size_fits(tiny_job: MakeJob, size: tuple[int, int], layers: int) -> None:
    width, height = size
    model = describe(tiny_job(width, height, nbr_of_layers_g=layers, nbr_of_layers_d=layers, k_w=4))

    pictures = model.networks["generator"](np.ones((2, 5), np.float32))

    assert pictures.shape == (2, height, width, 3)
    assert model.networks["discriminator"](pictures)[0].shape == (2, 1)


def test_weights_come_from_the_seed(tiny_job: MakeJob) -> None:
    one, same, other = (
        describe(tiny_job(seed=seed)).networks["generator"].get_weights() for seed in (1, 1, 2)
    )

    assert all((a == b).all() for a, b in zip(one, same, strict=True))
    assert any((a != b).any() for a, b in zip(one, other, strict=True))


def test_weights_are_spread_as_the_paper_says(tiny_job: MakeJob) -> None:
    model = describe(tiny_job(gf_dim=64, df_dim=64))
    kernel = model.networks["generator"].get_layer("transposed_1").get_weights()[0]
    truncated = model.networks["discriminator"].get_layer("conv_1").get_weights()[0]

    assert kernel.std() == pytest.approx(0.02, rel=0.03)
    assert np.abs(kernel).max() > 0.05
    assert np.abs(truncated).max() <= 0.04 + 1e-6  # two deviations
