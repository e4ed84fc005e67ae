from __future__ import annotations

from collections.abc import Callable

import pytest

from jobs.families.dcgan.layers import (
    COLUMNS_OF_LAYERS,
    discriminator_layers,
    generator_layers,
)
from jobs.families.dcgan.rules import impossible
from jobs.families.layer import Layer
from jobs.settings.spec import COLUMNS, JobSpec
from jobs.sheets import operations
from jobs.sheets.rules import Facts, broken_rules
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace


def spec_of(**columns: object) -> JobSpec:
    told = {"name": "a", "dataset": "demo", "grid_width": 3, "grid_height": 2, "video_length": 1}
    return JobSpec.model_validate(told | columns)


def sizes(layers: tuple[Layer, ...]) -> list[str]:
    return [str(layer.output) for layer in layers]


def test_a_default_generator_doubles_to_odd_sizes_exactly() -> None:
    layers = generator_layers(spec_of(), 160, 90)

    assert sizes(layers) == ["10x6x512", "20x12x256", "40x23x128", "80x45x64", "160x90x3"]
    assert [layer.kind for layer in layers] == ["linear", *["deconv"] * 4]
    assert [layer.number for layer in layers] == [1, 2, 3, 4, 5]
    assert [layer.normalization for layer in layers] == [*["batch"] * 4, "none"]
    assert [layer.bias for layer in layers] == [False] * 4 + [True]
    assert str(layers[0].input) == "1x1x100"
    assert layers[-1].activation is None


def test_a_default_discriminator_halves_rounding_up() -> None:
    layers = discriminator_layers(spec_of(), 160, 90)

    assert sizes(layers) == ["80x45x64", "40x23x128", "20x12x256", "10x6x512", "1x1x1"]
    assert [layer.kind for layer in layers] == [*["conv"] * 4, "linear"]
    assert [layer.normalization for layer in layers] == ["none", *["batch"] * 3, "none"]
    assert str(layers[0].input) == "160x90x3"
    assert str(layers[-1].input) == "10x6x512"


def test_strides_may_differ_from_layer_to_layer() -> None:
    spec = spec_of(nbr_of_layers_g=4, nbr_of_layers_d=4, stride_g="3,1,2", stride_d="4,1,2")

    generator, discriminator = generator_layers(spec, 31, 17), discriminator_layers(spec, 31, 17)

    assert sizes(generator) == ["6x3x256", "16x9x128", "16x9x64", "31x17x3"]
    assert sizes(discriminator) == ["8x5x64", "8x5x128", "4x3x256", "1x1x1"]


def test_short_lists_start_over_and_are_counted_from_the_first_layer_of_their_kind() -> None:
    spec = spec_of(
        activation_g="relu,tanh,sine", k_w="3,5", k_h_g="1,2", dropout_g="0.5,0", noise_g="0,0.1"
    )

    layers = generator_layers(spec, 64, 64)

    assert [str(layer.activation) for layer in layers[:4]] == ["relu", "tanh", "sine", "relu"]
    assert [layer.kernel for layer in layers] == [None, (3, 1), (5, 2), (3, 1), (5, 2)]
    assert [layer.dropout for layer in layers] == [0.5, 0, 0.5, 0, 0]
    assert [layer.noise for layer in layers] == [0, 0.1, 0, 0.1, 0]


def test_crelu_doubles_what_the_next_layer_gets() -> None:
    layers = generator_layers(spec_of(activation_g="crelu,relu", gf_dim=4), 32, 32)

    assert (layers[0].filters, layers[0].output.channels) == (32, 64)
    assert layers[1].input.channels == 64
    assert layers[1].output.channels == 16


def test_filters_stand_for_themselves() -> None:
    spec = spec_of(filters_g="7,5", filters_d="3,4,5,6", colour_model="grey")

    generator, discriminator = generator_layers(spec, 32, 32), discriminator_layers(spec, 32, 32)

    assert [layer.filters for layer in generator] == [7, 5, 7, 5, 1]
    assert [layer.filters for layer in discriminator] == [3, 4, 5, 6, 1]
    assert discriminator[0].input.channels == 1


def test_dilated_is_by_two_where_nothing_else_is_said() -> None:
    spec = spec_of(convolution_d="dilated,dilated,conv,conv", dilation_d="1,3,1,3")

    assert [layer.dilation for layer in discriminator_layers(spec, 64, 64)] == [2, 3, 1, 3, 1]


def test_behind_spectral_normalization_the_logit_is_normalized_so_too() -> None:
    def last(normalization: str) -> str:
        spec = spec_of(normalization_d=normalization)
        return discriminator_layers(spec, 64, 64)[-1].normalization

    assert last("spectral") == "spectral"
    assert last("spectral,spectral,spectral,batch") == "none"
    assert generator_layers(spec_of(normalization_g="spectral"), 64, 64)[-1].normalization == "none"


def test_parameters_by_hand() -> None:
    spec = spec_of(nbr_of_layers_g=3, nbr_of_layers_d=3, gf_dim=4, df_dim=4, z_dim=5, k_w=3, k_h=2)

    generator, discriminator = generator_layers(spec, 12, 9), discriminator_layers(spec, 12, 9)

    # The linear layer makes 3x3 pixels of 8 channels; 4 parameters are of each normalized channel.
    assert [layer.parameters for layer in generator] == [
        5 * 3 * 3 * 8 + 4 * 8,
        3 * 2 * 8 * 4 + 4 * 4,
        3 * 2 * 4 * 3 + 3,
    ]
    assert [layer.parameters for layer in discriminator] == [
        3 * 2 * 3 * 4 + 4,
        3 * 2 * 4 * 8 + 4 * 8,
        3 * 3 * 8 + 1,
    ]


@pytest.mark.parametrize(
    ("columns", "column", "said"),
    [
        (
            {"dilation_g": "1,1,2,1"},
            "dilation_g",
            "layer 4 enlarges 8x8 to 16x16 pixels by a deconv, which cannot be dilated by 2; "
            "set dilation_g or stride_g to 1 there, or convolution_g to upconv",
        ),
        (
            {"convolution_g": "upconv", "k_w_g": "9"},
            "convolution_g",
            "layer 2 makes 4x4 pixels, too few for its 9x5 kernel, which mirrors 4 of them "
            "beyond the sides and 2 beyond top and bottom; use a smaller kernel there, or deconv",
        ),
        (
            {"filters_d": "1,2", "activation_d": "softmax"},
            "activation_d",
            "layer 1 has one channel, and softmax makes 1 of any one value",
        ),
        (
            {"normalization_d": "instance", "stride_d": "4"},
            "normalization_d",
            "layer 3 makes 1x1x256, where instance normalization is of single values, of which it "
            "leaves nothing; use another one, or fewer layers",
        ),
        (
            {"normalization_g": "pixel", "filters_g": "8,1"},
            "normalization_g",
            "layer 2 makes 4x4x1, where pixel normalization is of single values, of which it "
            "leaves nothing; use another one, or fewer layers",
        ),
        (
            {"freeze_d": 5},
            "freeze_d",
            "leaves none of the discriminator's 5 layers to learn; at most 4",
        ),
        (
            {"gf_dim": 4096, "k_w": 31, "k_h": 31},
            "gf_dim",
            "layer 2 would have 515,933,011,968 parameters, and 2,147,483,648 are the most; "
            "use fewer channels or layers",
        ),
        (
            {"filters_d": "4096", "k_w": 31, "k_h": 31},
            "filters_d",
            "layer 2 would have 16,122,920,960 parameters, and 2,147,483,648 are the most; "
            "use fewer channels or layers",
        ),
        (
            {"batch_size": 65536, "filters_d": "129", "filters_g": "8"},
            "batch_size",
            "layer 1 would hold 2,164,260,864 values of 65536 pictures at once, and 2,147,483,648 "
            "are the most; set a smaller batch_size",
        ),
        (
            {"grid_width": 500, "grid_height": 500, "batch_size": 1},
            "grid_width",
            "layer 4 would hold 4,096,000,000 values of 250000 samples at once, and 2,147,483,648 "
            "are the most; make the grid smaller",
        ),
    ],
)
def test_what_cannot_be_is_told_with_its_layer(
    columns: dict[str, object], column: str, said: str
) -> None:
    assert impossible(spec_of(**columns), 32, 32)[column] == said


@pytest.mark.parametrize(
    "columns",
    [
        {},
        {"convolution_g": "upconv", "k_w_g": "7", "k_h_g": "7"},
        {"convolution_g": "upconv", "dilation_g": "2", "k_w_g": "3", "k_h_g": "3"},
        {"dilation_g": "2", "stride_g": "1"},
        {"dilation_g": "3", "convolution_g": "subpixel"},
        {"dilation_d": "3"},
        {"normalization_g": "spectral", "normalization_d": "layer"},
        {"freeze_d": 4},
    ],
)
def test_what_can_be_is_not_told(columns: dict[str, object]) -> None:
    assert impossible(spec_of(**columns), 32, 32) == {}


def reasons_of(workspace: Workspace, *wrong: str, **columns: object) -> dict[str, str]:
    job = JobFile(spec=spec_of(**columns), image_width=32, image_height=32, picture_count=100)
    return broken_rules(Facts(job, workspace), wrong)


@pytest.mark.parametrize(
    ("columns", "column", "said"),
    [
        (
            {"label_smoothing": 0.1, "loss": "hinge"},
            "label_smoothing",
            "is not for the loss hinge, which compares with no label; leave it 0, "
            "or use vanilla or lsgan",
        ),
        (
            {"diffaugment": "color,cutout,color"},
            "diffaugment",
            "names color twice; once is enough",
        ),
        (
            {"optimizer_g": "sgd(nesterov=True)"},
            "optimizer_g",
            "nesterov looks ahead by the momentum, which is 0; give both, as momentum=0.9",
        ),
        (
            {"optimizer_d": "sgd(nesterov=True)"},
            "optimizer_d",
            "nesterov looks ahead by the momentum, which is 0; give both, as momentum=0.9",
        ),
    ],
)
def test_settings_at_odds(
    columns: dict[str, object], column: str, said: str, workspace: Workspace
) -> None:
    assert reasons_of(workspace, **columns) == {column: said}


@pytest.mark.parametrize(
    "columns",
    [
        {"label_smoothing": 0.1, "loss": "lsgan"},
        {"diffaugment": "color,cutout"},
        {"optimizer_g": "sgd(momentum=0.9, nesterov=True)"},
    ],
)
def test_settings_that_agree(columns: dict[str, object], workspace: Workspace) -> None:
    assert reasons_of(workspace, **columns) == {}


def test_layers_are_looked_at_where_all_that_makes_them_is_right(workspace: Workspace) -> None:
    assert reasons_of(workspace, freeze_d=9).keys() == {"freeze_d"}
    assert reasons_of(workspace, "dataset", freeze_d=9) == {}
    assert reasons_of(workspace, freeze_d=9, family="testcard") == {}


def test_a_frame_that_is_too_large_is_told_alone(workspace: Workspace) -> None:
    assert reasons_of(workspace, grid_width=2000, grid_height=2000, batch_size=1).keys() == {
        "grid_width"
    }


class Asked(JobSpec):
    """Knows which columns it was asked for."""

    def __getattribute__(self, name: str) -> object:
        if name in COLUMNS:
            asked.add(name)
        return super().__getattribute__(name)


asked: set[str] = set()


@pytest.mark.parametrize(
    "columns", [{}, {"convolution_g": "upconv", "filters_d": "8,9", "gpus": 2}]
)
@pytest.mark.parametrize(
    ("question", "others"),
    [
        (lambda job: impossible(job.spec, 160, 90), {"family"}),
        (operations.of_step.__wrapped__, {"family", "nbr_d_updates", "nbr_g_updates", "snapshot"}),
    ],
    ids=["what is wrong", "operations"],
)
def test_what_is_remembered_depends_on_nothing_else(
    columns: dict[str, object], question: Callable[[JobFile], object], others: set[str]
) -> None:
    """Of a sheet's thousands of jobs, those that are alike in these are looked at once."""
    spec = Asked.model_validate(spec_of(**columns).model_dump())
    job = JobFile.model_construct(spec=spec, image_width=160, image_height=90)
    asked.clear()
    question(job)
    assert "gf_dim" in asked
    assert asked <= COLUMNS_OF_LAYERS | others
