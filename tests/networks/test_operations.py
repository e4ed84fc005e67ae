"""Operations are counted as the networks have them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from benchmarks.figures import Effort
from benchmarks.standard import standard_job
from jobs.families.dcgan.layers import discriminator_layers, generator_layers
from jobs.families.dcgan.plan import layers, step_operations
from jobs.sheets import operations
from jobs.workspace.jobfile import JobFile
from multitrain.families.dcgan.building import build_discriminator, build_generator

TinyJob = Callable[..., JobFile]
SIZES = [(12, 9), (13, 7), (16, 16)]


def positions(tensor: Any) -> int:
    """Pixels of an image, or one vector."""
    height, width = tensor.shape[1:3] if len(tensor.shape) == 4 else (1, 1)
    return int(height * width)


def products(network: Any) -> list[int]:
    """By layer with a kernel: its weights, as often as they are laid on a pixel."""
    counts = []
    for layer in network.layers:
        kernels = [weight for weight in layer.weights if weight.path.endswith("kernel")]
        for kernel in kernels:
            spreads = "Transpose" in type(layer).__name__
            laid = positions(layer.input if spreads else layer.output)
            counts.append(2 * laid * int(kernel.value.shape.num_elements()))
    return counts


@pytest.mark.parametrize("size", SIZES)
def test_layers_are_counted_as_the_networks_have_them(
    tiny_job: TinyJob, size: tuple[int, int]
) -> None:
    job = tiny_job(*size, nbr_of_layers_g=4, k_w=5)
    generator = build_generator(generator_layers(job.spec, *size), count())
    discriminator = build_discriminator(discriminator_layers(job.spec, *size), job.spec, count())
    planned = layers(job.spec, *size)
    for network, built in (("generator", generator), ("discriminator", discriminator)):
        assert [layer.operations for layer in planned[network]] == products(built)


def test_a_step_by_hand(tiny_job: TinyJob) -> None:
    spec = tiny_job(batch_size=7, snapshot="step").spec  # 6 samples
    made = 11
    judged = 2 * (1100 + 1100 + 1000)  # forwards, weights, inputs; pictures and fakes
    learnt = 1100 + 1100 + 11 + 10  # D forwards and its inputs; G's weights and inputs
    found = step_operations(spec, generator=[1, 10], discriminator=[100, 1000])
    assert found == 7 * (made + judged + learnt) + 6 * 11


def test_more_updates_and_frames(tiny_job: TinyJob) -> None:
    """Each update makes fakes of its own, but for the one that two share."""
    spec = tiny_job(batch_size=1, nbr_d_updates=3, nbr_g_updates=2).spec
    weights_of_g, frames = 2, 2 * 6
    found = step_operations(spec, generator=[1], discriminator=[0])
    assert found == (3 + 2 - 1) + weights_of_g + frames


def test_the_standard_step() -> None:
    """About what anybody finds who counts a DCGAN of this size on paper."""
    assert 139e9 < operations.of_step(standard_job(Effort())) < 141e9
