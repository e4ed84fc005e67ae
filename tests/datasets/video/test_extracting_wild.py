"""Pictures out of videos as they are in the wild: as players show them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from multitrain.commands.datasets import dataset
from tests.render.numbered import read
from tests.wild import (
    H264,
    MPEG2,
    SHOWN,
    TURNS,
    as_player,
    corners,
    half_clear,
    numbered,
    put_together,
    quadrants,
    remuxed,
)


@pytest.fixture
def extracted(workspace):
    """Takes pictures and reads them."""

    def call(video, *options):
        told = ("--crop", "none", "--scale", "none", "--workspace", workspace.root, "--json")
        arguments = [str(each) for each in (video, "some", *options, *told)]
        result = CliRunner().invoke(dataset, ["extract", *arguments], catch_exceptions=False)
        assert json.loads(result.stdout)[0]["left_out"] == []
        pictures = sorted(workspace.dataset("some").glob("*.png"))
        return [np.asarray(Image.open(each)) for each in pictures]

    return call


@pytest.mark.parametrize("turn", TURNS, ids=lambda turn: " ".join(turn) or "upright")
def test_all_eight_display_matrices(tmp_path, extracted, turn):
    film = remuxed(quadrants(tmp_path / "plain.mp4", *H264), tmp_path / "film.mp4", *turn)
    (picture,) = extracted(film, "--count", 1)
    right = as_player(film)
    assert (picture.shape, corners(picture)) == (right.shape, corners(right))


@pytest.mark.parametrize(
    ("suffix", "encoder"),
    [
        (".mov", ("-c:v", "prores_ks", "-profile:v", "4444", "-pix_fmt", "yuva444p10le")),
        (".mov", ("-c:v", "hap", "-format", "hap_alpha")),
        (".mov", ("-c:v", "qtrle", "-pix_fmt", "argb")),
        (".webm", ("-c:v", "libvpx-vp9", "-pix_fmt", "yuva420p")),
    ],
    ids=["prores", "hap", "qtrle", "vp9"],
)
def test_what_is_transparent_is_black(tmp_path, extracted, suffix, encoder):
    (picture,) = extracted(half_clear(tmp_path / f"film{suffix}", *encoder), "--count", 1)
    assert picture.shape[2] == 3
    assert picture[:, -8:].max() < 4
    assert np.abs(picture[4, 4].astype(int) - SHOWN).max() < 12


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
def test_what_an_edit_list_hides_is_not_taken(tmp_path, extracted, suffix):
    whole = numbered(tmp_path / f"whole{suffix}", range(60), *H264, "-g", 50, "-bf", 0)
    film = remuxed(whole, tmp_path / f"film{suffix}", "-ss", 0.4, "-t", 1.2)
    assert [read(each) for each in extracted(film, "--every", "0.2")] == list(range(10, 40, 5))


@pytest.mark.parametrize("codec", [H264, MPEG2], ids=["h264", "mpeg2"])
@pytest.mark.parametrize("clocks", [(0, 0), (0, 5000), (95441, 100)], ids=["again", "leap", "wrap"])
@pytest.mark.parametrize("taken", [("--every", "0.2"), ("--count", "16")], ids=["every", "count"])
def test_of_recordings_that_were_put_together_all_is_taken(
    tmp_path, extracted, codec, clocks, taken
):
    parts = [
        numbered(
            tmp_path / f"{begin}.ts", range(begin, begin + 40), *codec, "-g", 8, "-bf", 2,
            "-output_ts_offset", clock,
        )
        for begin, clock in zip((0, 100), clocks, strict=True)
    ]  # fmt: skip
    film = put_together(tmp_path / "film.ts", *parts)
    pictures = [read(each) for each in extracted(film, *taken)]
    shift = 0 if taken[0] == "--every" else 2  # the middles of equal parts
    assert pictures == [begin + shift + step for begin in (0, 100) for step in range(0, 40, 5)]


def test_parts_of_other_sizes_are_taken_as_they_are(tmp_path, extracted):
    parts = [
        numbered(tmp_path / f"{wide}.ts", range(10), *H264, size=(wide, 32)) for wide in (64, 128)
    ]
    film = put_together(tmp_path / "film.ts", *parts)
    assert [each.shape[1] for each in extracted(film, "--every", "0.2")] == [64, 64, 128, 128]
