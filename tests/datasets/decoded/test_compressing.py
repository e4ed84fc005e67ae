"""Pictures as a video codec leaves them: one after another, folder by folder."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from PIL import Image

from jobs.settings.translation import Codec, Degradation
from jobs.workspace.paths import Workspace
from multitrain.datasets.cached.cache import open_pictures
from multitrain.datasets.decoded.compressing import compressed
from multitrain.datasets.decoded.folders import load_pictures
from multitrain.datasets.drawn.landscapes import draw_landscape

WIDTH, HEIGHT, FRAMES = 46, 35, 6  # odd, as videos of these codecs are not
LANDSCAPE = draw_landscape(1, WIDTH + 3 * FRAMES, HEIGHT)
PAN = [np.ascontiguousarray(LANDSCAPE[:, 3 * n : 3 * n + WIDTH]) for n in range(FRAMES)]
HERE, THERE = (Path("here"), 0), (Path("there"), 0)


def off(made: list[np.ndarray], wanted: list[np.ndarray]) -> float:
    return float(np.abs(np.stack(made).astype(int) - np.stack(wanted)).mean())


def through(how: str, *stretches: list[np.ndarray]) -> list[np.ndarray]:
    named = zip((HERE, THERE), stretches, strict=False)
    pictures = ((name, each) for name, stretch in named for each in stretch)
    return list(compressed(pictures, Degradation.parse(how)))


@pytest.mark.parametrize("codec", get_args(Codec))
def test_every_picture_comes_back_the_worse_the_higher_crf(codec: str) -> None:
    fine, coarse = (through(f"video({crf},codec={codec})", PAN) for crf in (12, 45))
    assert [each.shape for each in coarse] == [(HEIGHT, WIDTH, 3)] * FRAMES
    assert off(fine, PAN) < 4 < off(coarse, PAN)


def test_a_picture_is_encoded_by_those_before_it_in_its_folder() -> None:
    whole = through("video(40)", PAN)
    alone = [made for each in PAN for made in through("video(40)", [each])]
    np.testing.assert_array_equal(through("video(40)", PAN, PAN[3:])[: len(PAN)], whole)
    np.testing.assert_array_equal(
        through("video(40)", PAN[3:], PAN)[len(PAN[3:]) :], whole, "a folder begins anew"
    )
    assert off(whole[1:], alone[1:]) > 0.5


def test_decoded_pictures_of_a_video_are_kept_beside_plain_ones(workspace: Workspace) -> None:
    folder = workspace.dataset("pan")
    folder.mkdir(parents=True)
    for number, each in enumerate(PAN):
        Image.fromarray(each).save(folder / f"{number}.png")
    (folder / "2.png").write_bytes(b"no picture")
    codec = Degradation.parse("video(40)")
    plain = open_pictures(workspace, ["pan"], WIDTH, HEIGHT)
    made = [open_pictures(workspace, ["pan"], WIDTH, HEIGHT, codec=codec) for _ in range(2)]
    assert made[0].mapped == made[1].mapped != plain.mapped
    wanted = through("video(40)", PAN[:2], PAN[3:])
    np.testing.assert_array_equal(made[1].images, wanted, "what is left out ends a video")
    loaded = load_pictures([folder], WIDTH, HEIGHT, codec=codec)
    assert loaded.fingerprint == made[0].fingerprint == made[1].fingerprint
