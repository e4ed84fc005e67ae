from __future__ import annotations

import pytest

from jobs.families.fastgan.layers import decoders, discriminator, generator, levels
from jobs.families.fastgan.plan import FASTGAN
from jobs.settings.spec import JobSpec


def spec_of(**columns: object) -> JobSpec:
    told = {"name": "a", "dataset": "demo", "grid_width": 3, "grid_height": 2, "video_length": 1}
    return JobSpec.model_validate(told | {"family": "fastgan"} | columns)


def test_levels_halve_rounding_up_to_four_pixels() -> None:
    assert [f"{each.width}x{each.height}" for each in levels(160, 90)] == [
        "3x2", "5x3", "10x6", "20x12", "40x23", "80x45", "160x90",
    ]  # fmt: skip
    assert levels(64, 64)[0] == levels(2048, 2048)[0] == (4, 4)
    assert levels(2048, 64)[0] == (1, 4)


def test_a_generator_doubles_to_odd_sizes_exactly() -> None:
    plan = generator(spec_of(gf_dim=16), 160, 90)

    assert str(plan.start.output) == "3x2x128"
    assert [str(layer.output) for layer in plan.stages] == [
        "5x3x128", "10x6x64", "20x12x32", "40x23x16", "80x45x8", "160x90x4",
    ]  # fmt: skip
    assert all(layer.filters == 2 * layer.output.channels for layer in plan.stages)
    assert str(plan.last.output) == "160x90x3"
    assert [layer.number for layer in plan.layers] == list(range(1, len(plan.layers) + 1))


def test_maps_of_4_to_32_pixels_excite_those_of_64_to_512() -> None:
    excitations = generator(spec_of(), 2048, 2048).excitations

    assert {level: each.source for level, each in excitations.items()} == {4: 0, 5: 1, 6: 2, 7: 3}
    for level, each in excitations.items():
        shape = generator(spec_of(), 2048, 2048).stages[level - 1].output
        assert each.gate.output.channels == shape.channels
    assert list(generator(spec_of(), 64, 64).excitations) == [4]


def test_a_discriminator_judges_at_two_scales_from_maps_of_8_pixels() -> None:
    plan = discriminator(spec_of(df_dim=16), 200, 256)

    assert str(plan.first.output) == "100x128x8"
    assert [str(block.mix.output) for block in plan.blocks] == [
        "50x64x16", "25x32x32", "13x16x64", "7x8x128",
    ]  # fmt: skip
    assert all(block.skip.output == block.mix.output for block in plan.blocks)
    assert str(plan.head[-1].output) == str(plan.small_head.output) == "7x8x1"
    assert (plan.small, str(plan.trunk[0].input)) == (1, "100x128x3")
    assert discriminator(spec_of(), 1024, 1024).small == 3
    assert discriminator(spec_of(), 64, 64).small == 1


@pytest.mark.parametrize(
    ("side", "whole", "part", "window"), [(64, 32, 32, 8), (128, 64, 64, 8), (1024, 128, 128, 8)]
)
def test_decoders_make_small_pictures(side: int, whole: int, part: int, window: int) -> None:
    plan = decoders(spec_of(), side, side)

    assert plan.whole.last.output.height == whole
    assert plan.part.last.output.height == part
    assert plan.window == (window, window)


def test_parameters_by_hand() -> None:
    spec = spec_of(gf_dim=8, df_dim=8, z_dim=5)
    start, stage = generator(spec, 64, 64).start, generator(spec, 64, 64).stages[-1]
    excitation = generator(spec, 64, 64).excitations[4]

    # Twice the channels before the gates; 4 of each normalized channel; one of the noise.
    assert start.parameters == 5 * 4 * 4 * 128 + 4 * 128
    assert stage.parameters == 3 * 3 * 16 * 16 + 4 * 16 + 1
    # Spectral norms keep a value of each channel.
    assert excitation.squeeze.parameters == 4 * 4 * 64 * 8 + 8 + 8


def test_a_fused_layer_costs_less_than_half_of_what_an_enlarging_one_does() -> None:
    stage = generator(spec_of(), 1024, 1024).stages[-1]

    enlarged_first = 2 * 1024 * 1024 * 9 * stage.input.channels * stage.filters
    assert 4 / 9 < stage.operations / enlarged_first < 0.447


@pytest.mark.parametrize(
    ("columns", "size", "column", "said"),
    [
        (
            {"gf_dim": 4096},
            (64, 64),
            "gf_dim",
            "layer 2 would have 19,327,614,977 parameters, and 2,147,483,648 are the most; "
            "use fewer channels or layers",
        ),
        (
            {"batch_size": 65536},
            (64, 64),
            "batch_size",
            "layer 2 would hold 6,710,886,400 values of 65536 pictures at once, and 2,147,483,648 "
            "are the most; set a smaller batch_size",
        ),
        (
            {"grid_width": 10, "grid_height": 10},
            (2048, 2048),
            "grid_width",
            "layer 18 would hold 6,724,000,000 values of 100 samples at once, and 2,147,483,648 "
            "are the most; make the grid smaller",
        ),
    ],
)
def test_what_cannot_be_is_told_with_its_layer(
    columns: dict[str, object], size: tuple[int, int], column: str, said: str
) -> None:
    assert FASTGAN.impossible(spec_of(**columns), *size)[column] == said


def test_usual_jobs_are_possible() -> None:
    for size in ((64, 64), (160, 90), (1024, 1024), (2048, 64)):
        assert FASTGAN.impossible(spec_of(batch_size=2), *size) == {}


def test_more_updates_cost_more_operations() -> None:
    def of(**columns: object) -> int:
        return FASTGAN.operations(spec_of(**columns), 64, 64)

    layers = FASTGAN.layers(spec_of(), 64, 64)
    made = sum(layer.operations for layer in layers["generator"])
    assert of(snapshot="update") - of(snapshot="step") == 6 * made
    assert of(nbr_d_updates=2) > of(nbr_g_updates=2) > of()
