"""Cells into specs: defaults, spellings, and a message for every kind of mistake."""

from __future__ import annotations

import pytest

from jobs.settings.choices import Activation, Optimizer, Snapshot
from jobs.settings.kinds import Resolution
from jobs.settings.parsing import expectation, parse_cells
from jobs.settings.spec import COLUMNS, JobSpec
from jobs.settings.words import nearest

REQUIRED = {
    "name": "night",
    "dataset": "faces",
    "grid_width": "4",
    "grid_height": "3",
    "video_length": "0.5",
}

# As users of DCGAN-for-psychonauts know them.
SEED_DEFAULTS = {
    "nbr_of_layers_g": 5,
    "nbr_of_layers_d": 5,
    "activation_g": (Activation("relu"),),
    "activation_d": (Activation("lrelu"),),
    "learning_rate_g": 0.0002,
    "learning_rate_d": 0.0002,
    "beta1_g": 0.5,
    "beta1_d": 0.5,
    "k_w": (5,),
    "k_h": (5,),
    "batch_norm_g": True,
    "batch_norm_d": True,
    "nbr_g_updates": 1,
    "nbr_d_updates": 1,
    "render_res": None,
    "auto_render_period": None,
    "render_video": True,
    "delete_images_after_render": True,
    "use_checkpoints": True,
    "upload_to_ftp": False,
    "fps": 60,
    "z_dim": 100,
    "gf_dim": 64,
    "df_dim": 64,
    "batch_size": None,
    "gpus": 1,
    "retries": 2,
    "snapshot": Snapshot("update"),
}


def parsed(**cells: str) -> JobSpec:
    spec, reasons = parse_cells(REQUIRED | cells)
    assert reasons == {}
    assert spec is not None
    return spec


def reason(column: str, text: str) -> str:
    spec, reasons = parse_cells(REQUIRED | {column: text})
    assert spec is None
    assert list(reasons) == [column]
    return reasons[column]


def test_empty_cells_take_the_defaults_of_the_seed() -> None:
    spec = parsed(**dict.fromkeys(SEED_DEFAULTS, " "))
    assert {column: getattr(spec, column) for column in SEED_DEFAULTS} == SEED_DEFAULTS


def test_every_column_has_a_help_text() -> None:
    assert [column for column, field in COLUMNS.items() if not field.description] == []


@pytest.mark.parametrize("column", list(REQUIRED))
def test_required_cells_may_not_be_empty(column: str) -> None:
    instead = "; steps or epochs would do, too" if column == "video_length" else ""
    assert reason(column, "  ") == f"is required and empty{instead}"


@pytest.mark.parametrize(
    ("column", "text", "message"),
    [
        ("grid_width", "three", "must be a whole number of at least 1, not 'three'"),
        ("grid_width", "1.5", "must be a whole number of at least 1, not '1.5'"),
        ("nbr_of_layers_g", "11", "must be a whole number of at least 2 and at most 10, not '11'"),
        ("seed", "-1", "must be a whole number of at least 0 and below 2147483648, not '-1'"),
        ("video_length", "0", "must be a number above 0 and at most 1440, not '0'"),
        ("learning_rate_g", "nan", "must be a number above 0, not 'nan'"),
        ("beta1_d", "1", "must be a number of at least 0 and below 1, not '1'"),
        ("auto_render_period", "-3", "must be a number above 0 and at most 86400, not '-3'"),
        ("batch_size", "x", "must be a whole number of at least 1 and at most 65536, not 'x'"),
        ("batch_norm_g", "maybe", "must be True or False, not 'maybe'"),
        (
            "snapshot",
            "updat",
            "must be one of update, step, every, not 'updat'; did you mean 'update'?",
        ),
        ("render_res", "1280", "must be a size such as 1280x720, not '1280'"),
        ("render_res", "0x720", "must be a size such as 1280x720, not '0x720'"),
        ("dataset", " , ", "needs at least one entry"),
        ("activation_g", ",", "needs at least one entry"),
    ],
)
def test_messages_say_what_is_wanted_and_what_was_found(
    column: str, text: str, message: str
) -> None:
    assert reason(column, text) == message


def test_an_unknown_activation_is_named_alone_and_with_the_nearest() -> None:
    message = reason("activation_d", "relu, sigmoyd, tanhh")
    assert message.endswith("not 'sigmoyd'; did you mean 'sigmoid'?")


@pytest.mark.parametrize(
    ("column", "text", "message"),
    [
        ("optimizer_g", "sdg", "not 'sdg'; did you mean 'sgd'?"),
        (
            "optimizer_g",
            "sgd(momentum=1)",
            "sgd: momentum must be a number of at least 0 and below",
        ),
        ("optimizer_g", "sgd(0.9, 0.1)", "sgd: '0.1' must be written as parameter=value"),
        ("optimizer_g", "sgd(0.9, momentum=0.1)", "sgd: momentum stands twice"),
        ("optimizer_g", "sgd(nesterov=2)", "sgd: nesterov must be True or False, not '2'"),
        ("activation_d", "relu(1)", "relu: '1' must be written as parameter=value"),
        ("activation_d", "relu(slope=1)", "relu has no parameter 'slope'; it has none"),
        ("activation_d", "lrelu(slop=1)", "it has slope; did you mean 'slope'?"),
        ("loss", "wgan-gp(", "must be one of vanilla, lsgan, hinge, wgan-gp, relativistic, not"),
    ],
)
def test_choices_with_parameters_say_what_is_wrong_with_them(
    column: str, text: str, message: str
) -> None:
    assert message in reason(column, text)


def test_parameters_at_their_defaults_are_as_good_as_none() -> None:
    spec = parsed(optimizer_g="SGD( momentum = 0.0, nesterov=yes )", activation_g="lrelu(0.2),elu")
    assert spec.optimizer_g == Optimizer("sgd", (("nesterov", True),))
    assert spec.optimizer_g["momentum"] == 0
    assert spec.activation_g[0] == Activation("lrelu")


@pytest.mark.parametrize(("text", "kept"), [("3,3,3", (3,)), ("3,5,3,5", (3, 5)), ("3,5,3", None)])
def test_lists_of_layers_are_kept_as_short_as_they_can_be(
    text: str, kept: tuple[int, ...] | None
) -> None:
    assert parsed(k_w=text).k_w == (kept or (3, 5, 3))


def test_long_cells_are_shortened_in_messages() -> None:
    assert len(reason("grid_width", "x" * 10_000)) < 200
    assert len(reason("render_res", "x" * 10_000)) < 200


@pytest.mark.parametrize("text", ["True", "TRUE", "true", "1", "yes", "on", "y", "WAHR", "Vrai"])
def test_true_in_any_usual_spelling(text: str) -> None:
    assert parsed(upload_to_ftp=text).upload_to_ftp is True


@pytest.mark.parametrize("text", ["False", "FALSE", "f", "0", "no", "off", "n", "FALSCH", "faux"])
def test_false_in_any_usual_spelling(text: str) -> None:
    assert parsed(render_video=text).render_video is False


@pytest.mark.parametrize("text", ["1280x720", "1280X720", " 1280 x 720 ", "1280×720"])
def test_sizes_are_read_in_any_usual_spelling(text: str) -> None:
    assert parsed(render_res=text).render_res == Resolution(1280, 720)


def test_lists_lose_their_spaces_and_a_comma_at_their_end() -> None:
    spec = parsed(dataset="faces,, cats/small ,", activation_g=" relu , lrelu(0.3),tanh,")
    assert spec.folders == ("faces", "cats/small")
    assert [each.name for each in spec.activation_g] == ["relu", "lrelu", "tanh"]


@pytest.mark.parametrize(
    ("column", "text", "number"),
    [
        ("activation_g", "relu,,mish", 2),
        ("k_w", ",3", 1),
        ("dropout_d", "0.1, 0.2, ,", 3),
        ("diffaugment", "color,,cutout", 2),
    ],
)
def test_an_entry_within_a_list_is_not_empty(column: str, text: str, number: int) -> None:
    assert reason(column, text) == f"entry {number} is empty"


@pytest.mark.parametrize(
    ("column", "text", "point"),
    [
        ("dropout_g", "0,5", "0.5"),
        ("dropout_g", "0,25,0,5", "0.25"),
        ("learning_rate_g", "0,001", "0.001"),
    ],
)
def test_decimal_commas_are_told_of(column: str, text: str, point: str) -> None:
    assert reason(column, text).endswith(f"; write decimals with a point, as {point}")


@pytest.mark.parametrize(("column", "text"), [("dropout_g", "0.1,5"), ("k_w", "0,5")])
def test_commas_that_are_none_of_decimals_are_not_told_of(column: str, text: str) -> None:
    assert "decimals" not in reason(column, text)


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("a/b", "'/' cannot stand in a file name"),
        ("a\\b", "'\\\\' cannot stand in a file name"),
        ("a\nb", "'\\n' cannot stand in a file name"),
        ("a\u2028b", "'\\u2028' cannot stand in a file name"),
        (".hidden", "must not begin with"),
        ("-rf", "must not begin with"),
        ("a.", "must not begin with"),
        ("CON", "reserved"),
        ("nul.txt", "reserved"),
        ("x_timecut0001", "like an output"),
        ("x_Box0001", "like an output"),
        ("x.mp4", "like an output"),
        ("x.json", "like an output"),
        ("é" * 61, "122 bytes long; at most 120"),
    ],
)
def test_names_that_no_file_can_have_are_mistakes(name: str, part: str) -> None:
    assert part in reason("name", name)


@pytest.mark.parametrize(
    "name", ["night 1", "Größe_50%", "夜", "a'b", "x_timecut", "box0001", "v1.2"]
)
def test_names_that_files_can_have_are_kept(name: str) -> None:
    assert parsed(name=name).name == name


def test_all_columns_with_mistakes_are_told_in_their_order() -> None:
    spec, reasons = parse_cells({"fps": "x", "name": "a", "grid_width": "0"})
    assert spec is None
    assert list(reasons) == ["dataset", "grid_width", "grid_height", "video_length", "fps"]


def test_nearest_ignores_case_and_is_silent_about_strangers() -> None:
    assert nearest("FACE", ["cats", "Faces"]) == "; did you mean 'Faces'?"
    assert nearest("qqq", ["cats", "Faces"]) == ""


@pytest.mark.parametrize("column", list(COLUMNS))
def test_every_column_can_say_what_it_expects(column: str) -> None:
    assert expectation(column)


def test_a_batch_is_the_grid_unless_told_otherwise() -> None:
    assert parsed().images_per_batch == 12
    assert parsed(batch_size="5").images_per_batch == 5


@pytest.mark.parametrize(
    ("render", "delete", "kept"), [("1", "1", False), ("1", "0", True), ("0", "1", True)]
)
def test_images_are_kept_where_they_are_all_there_is_or_were_asked_for(
    render: str, delete: str, kept: bool
) -> None:
    assert parsed(render_video=render, delete_images_after_render=delete).keeps_images is kept


def test_a_spec_survives_its_own_text_form() -> None:
    spec = parsed(render_res="8x8", activation_g="relu,tanh")
    assert JobSpec.model_validate(spec.model_dump(mode="json")) == spec
