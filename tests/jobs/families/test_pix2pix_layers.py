"""pix2pix's plan: published sizes, pictures of any size, and what cannot be built."""

from __future__ import annotations

import math

import pytest

from jobs.families import patches
from jobs.families.layer import Layer
from jobs.families.padding import padded
from jobs.families.pix2pix import layers as plans
from jobs.families.table import FAMILIES
from jobs.settings.spec import JobSpec

PIX2PIX = FAMILIES["pix2pix"]


def spec_of(**columns: object) -> JobSpec:
    told = {"name": "a", "dataset": "demo", "grid_width": 2, "grid_height": 2, "video_length": 1}
    return JobSpec.model_validate({**told, "family": "pix2pix", **columns})


def learned(layers: tuple[Layer, ...]) -> int:
    """Parameters that learn: the moving statistics of batch normalization do not."""
    statistics = sum(2 * each.filters for each in layers if each.normalization == "batch")
    return sum(each.parameters for each in layers) - statistics


@pytest.mark.parametrize("normalization", ["batch", "instance"])
def test_both_networks_are_as_large_as_the_published_ones(normalization: str) -> None:
    planned = PIX2PIX.layers(spec_of(normalization_g=normalization), 256, 256)

    assert learned(planned["generator"]) == 54_413_955
    assert learned(planned["discriminator"]) == 2_768_705
    last = planned["discriminator"][-1].output
    assert (last.height, last.width) == (30, 30)


def test_the_innermost_and_the_outermost_layers_have_no_norm() -> None:
    plan = plans.generator(spec_of(), 256, 256)

    assert [each.normalization for each in plan.downs] == ["none", *["instance"] * 6, "none"]
    assert [each.normalization for each in plan.ups] == [*["instance"] * 7, "none"]
    assert [each.dropout for each in plan.ups] == [0, 0.5, 0.5, 0.5, 0, 0, 0, 0]


@pytest.mark.parametrize(
    ("size", "downs", "whole"),
    [
        ((256, 256), 8, (256, 256)),
        ((64, 64), 6, (64, 64)),
        ((96, 54), 5, (96, 64)),
        ((1280, 720), 8, (1280, 768)),
        ((255, 257), 7, (256, 384)),
    ],
)
def test_pictures_are_halved_as_often_as_their_size_allows(
    size: tuple[int, int], downs: int, whole: tuple[int, int]
) -> None:
    plan = plans.generator(spec_of(), *size)

    assert (len(plan.downs), len(plan.ups)) == (downs, downs)
    assert plan.size == whole


@pytest.mark.parametrize("side", [36, 47, 64, 65, 100, 255])
def test_the_most_downs_are_the_most_that_a_reflection_can_pad_for(side: int) -> None:
    def is_possible(downs: int) -> bool:
        missing = padded(side, side, downs).width - side
        return math.ceil(missing / 2) < side

    most = plans.most_downs(side, side)
    assert is_possible(most)
    assert not is_possible(most + 1)
    assert plans.halvings(side, side) <= most


def test_peeling_takes_the_outer_layers_off() -> None:
    whole = plans.generator(spec_of(), 256, 256)
    peeled = plans.generator(spec_of(peel=2), 64, 64)

    assert [each.output for each in peeled.downs] == [each.output for each in whole.downs[2:]]
    assert [each.output for each in peeled.ups[:-1]] == [each.output for each in whole.ups[:5]]


@pytest.mark.parametrize("patch", patches.SHRINKING)
def test_a_logit_sees_its_patch(patch: str) -> None:
    """The receptive field: of the last layer a kernel, and by each layer before it so much more."""
    seen = 1
    for layer in reversed(plans.discriminator(spec_of(patch=patch), 1024, 1024)):
        seen = (seen - 1) * layer.stride + layer.kernel[0]
    assert seen == int(patch)


def test_one_that_sees_no_inputs_has_half_as_many_channels() -> None:
    first, other = (
        plans.discriminator(spec_of(conditional=each), 64, 64)[0].input.channels
        for each in (True, False)
    )
    assert (first, other) == (6, 3)


@pytest.mark.parametrize(
    ("columns", "size", "column", "reason"),
    [
        ({"downs": 8}, (64, 64), "downs", "7 is the most, 6 the default"),
        ({}, (40, 20), "patch", "34 would do"),
        ({"patch": "286"}, (64, 64), "patch", "142 would do"),
        (
            {"batch_size": 3, "normalization_g": "batch"},
            (64, 64), "batch_size", "set normalization_g to instance",
        ),
        (
            {"batch_size": 4, "gpus": 2, "normalization_g": "batch"},
            (64, 64), "batch_size", "4 on 2 gpus is 2 for each",
        ),
        ({"losses": "l1*100,l1"}, (64, 64), "losses", "names l1 twice"),
        ({"losses": "l1*0"}, (64, 64), "losses", "no term with a weight above 0"),
        ({"loss": "wgan-gp"}, (64, 64), "loss", "set normalization_d to layer or instance"),
        ({"freeze_d": 5}, (64, 64), "freeze_d", "at most 4"),
        (
            {"dataset": None, "targets": "a", "inputs": "b", "sample_from": "c",
             "show": "input+output+target"},
            (64, 64), "show", "show input+output",
        ),
    ],
    ids=str,
)  # fmt: skip
def test_what_cannot_be_is_told_with_what_could(
    columns: dict[str, object], size: tuple[int, int], column: str, reason: str
) -> None:
    reasons = PIX2PIX.impossible(spec_of(**columns), *size)

    assert list(reasons) == [column]
    assert reason in reasons[column]


@pytest.mark.parametrize(
    "columns",
    [
        {"downs": 7},
        {"batch_size": 1},
        {"loss": "wgan-gp", "normalization_d": "layer"},
        {"normalization_g": "instance", "normalization_d": "instance"},
    ],
    ids=str,
)
def test_what_messages_advise_can_be(columns: dict[str, object]) -> None:
    assert PIX2PIX.impossible(spec_of(**columns), 64, 64) == {}


def test_a_step_costs_what_its_passes_do() -> None:
    """Of a step with one update each and no frame counted: of the discriminator two pictures
    forwards, and their weights' gradients; of the generator, both networks and back through them.
    """
    job = spec_of(snapshot="every 1000000 steps", batch_size=4)
    networks = PIX2PIX.layers(job, 64, 64).values()
    made, judged = ([layer.operations for layer in layers] for layers in networks)
    forwards = sum(made) + 2 * sum(judged)
    backwards_d = 2 * (2 * sum(judged) - judged[0])
    backwards_g = sum(judged) + sum(judged) + 2 * sum(made) - made[0]
    wanted = 4 * (forwards + backwards_d + backwards_g)
    assert PIX2PIX.operations(job, 64, 64) == pytest.approx(wanted, rel=0.01)


def test_layers_without_a_norm_have_a_bias_but_beside_offsets() -> None:
    plan = plans.generator(spec_of(normalization_g="instance,none"), 256, 256)
    biased = [each.bias for each in plan.downs]
    assert biased == [False, False, True, False, True, False, True, False]


def test_what_is_not_transposed_has_odd_kernels() -> None:
    for kind, side in {"deconv": 4, "upconv": 3, "subpixel": 3}.items():
        plan = plans.generator(spec_of(convolution_g=kind), 64, 64)
        assert {each.kernel for each in plan.ups} == {(side, side)}
