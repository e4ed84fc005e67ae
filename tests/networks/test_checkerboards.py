"""Which layers draw checkerboards by themselves: networks that have learnt nothing."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import numpy as np
import pytest

from jobs.families.dcgan.layers import generator_layers
from jobs.workspace.jobfile import JobFile
from multitrain.families.dcgan.building import build_generator
from render.clips.checkerboard import checkerboard, luma

MakeJob = Callable[..., JobFile]

COUNT = 24


def measured(tiny_job: MakeJob, seed: int, size: tuple[int, int], **columns: object) -> float:
    """The checkerboard of pictures by a fresh generator of three layers, in dB."""
    spec = tiny_job(gf_dim=8, k_w_g=5, k_h_g=5, **columns).spec
    generator = build_generator(generator_layers(spec, *size), count(1000 * seed))
    latents = np.random.default_rng(seed).uniform(-1, 1, (COUNT, spec.z_dim)).astype(np.float32)
    made = np.asarray(generator(latents, training=True))
    decibels = checkerboard(luma(127.5 + 40 * made / made.std()))
    assert decibels is not None
    return decibels


@pytest.mark.parametrize("size", [(64, 48), (45, 37)])
@pytest.mark.parametrize("seed", range(3))
def test_a_transposed_convolution_draws_one_and_the_others_do_not(
    tiny_job: MakeJob, seed: int, size: tuple[int, int]
) -> None:
    assert measured(tiny_job, seed, size, convolution_g="deconv") > 5
    for kind in ("upconv", "upconv-bilinear", "subpixel"):
        assert measured(tiny_job, seed, size, convolution_g=kind) < 1, kind


@pytest.mark.parametrize("kinds", ["deconv,upconv", "upconv,deconv"])
def test_one_transposed_convolution_is_enough(tiny_job: MakeJob, kinds: str) -> None:
    """Of the layers before the last one, it is a grid of 4 pixels."""
    columns = {"convolution_g": kinds, "nbr_of_layers_g": 3}
    assert measured(tiny_job, 0, (64, 48), **columns) > 2
