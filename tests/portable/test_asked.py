"""What can be taken away, and what is told of it, before anything is loaded."""

from __future__ import annotations

import pytest

from jobs.errors import UsageError
from jobs.settings.kinds import Resolution
from multitrain.weights.moments import Moments
from tests.portable.conftest import CYCLES, Ask

AT_4 = Moments((4,), lambda _: {})
ANY = (None, None)


@pytest.mark.parametrize(
    ("form", "more", "columns", "words"),
    [
        (
            "keras",
            (),
            {"family": "testcard"},
            "night is a testcard, which trains no network; dcgan",
        ),
        ("keras", ("discriminator",), {}, "has no network 'discriminator' that makes pictures; it"),
        ("keras", ("generator_back",), {"family": "pix2pix"}, "pictures; it has generator$"),
        ("keras", ("back",), CYCLES, "it has generator and generator_back"),
        ("onnx", (*ANY, Resolution(64, 48)), {}, "draws pictures of one size; no --size"),
        ("onnx", (*ANY, Resolution(64, 4)), CYCLES, "night takes 5 pixels a side, not 64x4"),
        (
            "h5",
            (),
            {"colour_model": "lab"},
            "h5 cannot hold how lab becomes colours; --format keras",
        ),
    ],
)
def test_what_cannot_be_is_told(
    ask: Ask, form: str, more: tuple[object, ...], columns: dict[str, object], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        ask(form, *more, **columns).check()


def test_what_goes_in_and_comes_out_of_a_network_that_draws(ask: Ask) -> None:
    asked = ask("h5", colour_model="rgba", z_dim=7, z_distribution="normal")
    asked.check()
    assert list(asked.told(AT_4)) == [
        "generator of night (dcgan) at step 4, as the older file of Keras",
        "in: latents (n, 7) float32, each value drawn normally around 0, with deviation 1",
        "out: made (n, 36, 45, 4) float32",
        "pictures are red, green, blue and alpha from -1 to 1: (value + 1) * 127.5 is the level of "
        "0 to 255",
    ]


def test_what_goes_in_and_comes_out_of_a_network_that_is_given_pictures(ask: Ask) -> None:
    asked = ask("onnx", family="pix2pix", downs=4, input_from="edges(strength=3)")
    asked.check()
    assert list(asked.told(AT_4))[1:4] == [
        "in: pictures (n, height, width, 3) float32; height and width are multiples of 16, at "
        "least 16 (--size WxH makes a file for any other size)",
        "    no photos, but what input_from makes of such: edges(strength=3.0)",
        "out: made (n, height, width, 3) float32",
    ]
    sized = ask("onnx", None, None, Resolution(61, 40), family="pix2pix", downs=4)
    assert "in: pictures (n, 40, 61, 3) float32" in list(sized.told(AT_4))


@pytest.mark.parametrize(
    ("form", "more", "built_for", "is_free"),
    [
        ("keras", (), (48, 36), True),
        ("h5", (), (45, 36), False),
        ("keras", (*ANY, Resolution(61, 40)), (61, 40), False),
    ],
)
def test_it_is_built_for_pictures_that_need_no_padding_or_of_one_size(
    ask: Ask, form: str, more: tuple[object, ...], built_for: Resolution, is_free: bool
) -> None:
    asked = ask(form, *more, **CYCLES)
    assert (asked.built_for, asked.is_free) == (built_for, is_free)


def test_files_are_named_by_what_is_in_them(ask: Ask) -> None:
    assert ask("keras", **CYCLES).title == ask("keras", "generator", **CYCLES).title
    assert ask("keras", **CYCLES).title == "night_network"
    assert ask("keras", "generator_back", 40, **CYCLES).title == "night_generator_back_step_40"
