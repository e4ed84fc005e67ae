from __future__ import annotations

import io
import random

import numpy as np
import pytest
from PIL import Image

from multitrain.datasets.drawn.landscapes import draw_landscape
from multitrain.datasets.looking.likeness import ALIKE_BITS, BITS, near_duplicates, perceptual_hash

EVERY_BIT = 2**BITS - 1


def landscape(number: int) -> Image.Image:
    return Image.fromarray(draw_landscape(number, 160, 90))


def as_jpeg(picture: Image.Image) -> Image.Image:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=40)
    return Image.open(file)


def brighter(picture: Image.Image) -> Image.Image:
    return picture.point([min(255, level // 2 + 60) for level in range(256)] * 3)


@pytest.mark.parametrize(
    "changed",
    [as_jpeg, brighter, lambda picture: picture.resize((640, 360)), lambda each: each.convert("L")],
    ids=["jpeg", "brighter", "larger", "grey"],
)
def test_what_looks_the_same_differs_in_few_bits(changed):
    for number in range(8):
        picture = landscape(number)
        apart = perceptual_hash(picture) ^ perceptual_hash(changed(picture))
        assert apart.bit_count() <= ALIKE_BITS


def test_other_pictures_differ_in_many_bits():
    hashes = [perceptual_hash(landscape(number)) for number in range(0, 40, 8)]
    pairs = [(a, b) for a in range(5) for b in range(a)]
    assert all((hashes[a] ^ hashes[b]).bit_count() > 2 * ALIKE_BITS for a, b in pairs)


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 2)])
@pytest.mark.parametrize("mode", ["1", "L", "P", "RGBA", "CMYK"])
def test_every_size_and_mode_has_a_hash(size, mode):
    assert 0 <= perceptual_hash(Image.new(mode, size)) <= EVERY_BIT


def test_pictures_of_one_colour_are_all_alike():
    colours = ["black", "white", (1, 2, 3)]
    assert {perceptual_hash(Image.new("RGB", (7, 9), colour)) for colour in colours} == {0}


SMOOTH = {
    "black": np.zeros((48, 64)),
    "right": np.tile(np.linspace(20, 235, 64), (48, 1)),
    "left": np.tile(np.linspace(235, 20, 64), (48, 1)),
    "down": np.tile(np.linspace(20, 235, 48)[:, None], (1, 64)),
    "faint": np.tile(np.linspace(100, 110, 64), (48, 1)),
    "faint_left": np.tile(np.linspace(110, 100, 64), (48, 1)),
    "corner": np.add.outer(np.linspace(20, 120, 48), np.linspace(0, 115, 64)),
}


def smooth_hash(levels: np.ndarray) -> int:
    return perceptual_hash(Image.fromarray(np.rint(levels).clip(0, 255).astype(np.uint8)))


@pytest.mark.parametrize("name", SMOOTH)
def test_smooth_pictures_are_like_themselves_with_a_little_noise(name):
    for seed in range(10):
        noise = np.random.default_rng(seed).integers(-1, 2, (48, 64))
        apart = smooth_hash(SMOOTH[name]) ^ smooth_hash(SMOOTH[name] + noise)
        assert apart.bit_count() <= ALIKE_BITS


def test_smooth_pictures_differ_from_others():
    hashes = {name: smooth_hash(levels) for name, levels in SMOOTH.items()}
    for kinds in (("black", "right", "left", "down", "corner"), ("black", "faint", "faint_left")):
        assert near_duplicates([hashes[each] for each in kinds]) == [None] * len(kinds)


def test_the_nearest_one_before_is_repeated():
    far = 0xFFFF_FFFF
    assert near_duplicates([0, far, 0b111, far ^ 1, far], 3) == [None, None, 0, 1, 1]


def test_the_limit_is_within():
    assert near_duplicates([0, 0b1111], 4) == [None, 0]
    assert near_duplicates([0, 0b1111], 3) == [None, None]


def test_what_repeats_is_not_repeated():
    assert near_duplicates([0, 0b11, 0b1111], 2) == [None, 0, None]


def test_nothing_repeats_in_nothing():
    assert near_duplicates([], 4) == []


def test_it_agrees_with_comparing_every_pair():
    draw = random.Random(6)
    hashes = [draw.choice([0, EVERY_BIT]) ^ draw.getrandbits(12) for _ in range(400)]
    repeated = near_duplicates(hashes, 2)
    kept = [place for place, earlier in enumerate(repeated) if earlier is None]
    for place, earlier in enumerate(repeated):
        before = {each: (hashes[each] ^ hashes[place]).bit_count() for each in kept if each < place}
        if earlier is None:
            assert min(before.values(), default=BITS) > 2
        else:
            assert before[earlier] == min(before.values()) <= 2
    assert 10 < len(kept) < np.size(hashes)
