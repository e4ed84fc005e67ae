"""The few frames that tell where the picture of a film has settled."""

from __future__ import annotations

import numpy as np
import pytest

from jobs.errors import MultitrainError
from jobs.settings.kinds import Resolution
from render.clips.sampling import FIRST, LATER, SAMPLES, sampled_numbers, settled_frame
from render.files.reading import FilmReader
from tests.footage import write_video

SMALL = Resolution(24, 13)


def training(count, grey):
    """Grey, and then fast waves: small pictures."""
    x, y = np.arange(48) / 48, np.arange(26)[:, None] / 26
    yield from [np.full((26, 48, 3), 128, np.uint8)] * grey
    for number in range(count - grey):
        turns = (x + number / 15 + 0 * y, y - x - number / 10, y + number / 15)
        waves = np.stack(np.broadcast_arrays(*turns), axis=2)
        yield np.uint8(127 + 100 * np.sin(2 * np.pi * waves))


@pytest.mark.parametrize(("count", "grey"), [(100, 20), (600, 150), (600, 0), (5, 2), (1, 1)])
def test_the_frame_where_a_film_settles(tmp_path, count, grey):
    film = write_video(tmp_path / "film.mp4", training(count, grey), gop=4)
    told = []
    with FilmReader([film], small=SMALL) as reader:
        found = settled_frame(reader, told.append)
    assert abs(found.frame - (grey if count > 16 else 0)) <= count // 50
    assert found.in_time
    looked_for_noise = FIRST + LATER if count > SAMPLES and not grey else 0
    assert len(told) == min(count, SAMPLES) + looked_for_noise


def coarse_noise(count, noisy, width=96, height=52):
    """Blotches of 4 pixels that turn into waves, which move on slowly."""
    random = np.random.default_rng(0)
    x, y = np.arange(width) / width, np.arange(height)[:, None] / height
    for number in range(count):
        turns = (x + number / 300 + 0 * y, y - x - number / 200, y + number / 250)
        waves = 127 + 70 * np.sin(2 * np.pi * np.stack(np.broadcast_arrays(*turns), axis=2))
        share = np.clip((number - noisy) / 10, 0, 1)
        blotches = np.kron(random.normal(127, 60, (height // 4, width // 4, 3)), np.ones((4, 4, 1)))
        yield ((1 - share) * blotches + share * waves).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("noisy", [30, 90])
def test_noise_that_is_not_flat_from_afar_is_noise(tmp_path, noisy):
    """As of networks that enlarge by `upconv`."""
    film = write_video(tmp_path / "film.mp4", coarse_noise(330, noisy), fps=10, gop=4)
    with FilmReader([film], small=SMALL) as reader:
        found = settled_frame(reader, lambda _: None)
    assert noisy <= found.frame <= noisy + 20


def test_pictures_as_fine_as_later_ones_are_no_noise(tmp_path):
    """A cut to another picture, a sixth from the beginning, is nothing that a training does."""
    waves = list(coarse_noise(120, -10))
    film = write_video(tmp_path / "film.mp4", [*waves[100:], *waves[:100]], gop=4)
    with FilmReader([film], small=SMALL) as reader:
        assert settled_frame(reader, lambda _: None) == (0, True)


def test_a_film_that_is_noise_beyond_its_middle_has_not_settled_in_time(tmp_path):
    film = write_video(tmp_path / "film.mp4", training(600, 400), gop=4)
    with FilmReader([film], small=SMALL) as reader:
        assert settled_frame(reader, lambda _: None) == (300, False)


def test_keyframes_are_taken_where_they_are_near(tmp_path):
    film = write_video(tmp_path / "film.mp4", training(600, 0), gop=2)
    with FilmReader([film], small=SMALL) as reader:
        numbers = list(sampled_numbers(reader))
    assert len(numbers) == SAMPLES
    assert all(number % 2 == 0 for number in numbers)
    assert numbers == sorted(set(numbers))


def test_damaged_frames_are_passed_over(tmp_path, monkeypatch):
    film = write_video(tmp_path / "film.mp4", training(300, 90), gop=4)
    whole = FilmReader.__getitem__

    def damaged(self, number):
        if 100 < number < 130:
            raise MultitrainError("cannot be decoded")
        return whole(self, number)

    monkeypatch.setattr(FilmReader, "__getitem__", damaged)
    with FilmReader([film], small=SMALL) as reader:
        assert abs(settled_frame(reader, lambda _: None).frame - 90) <= 6
    monkeypatch.setattr(FilmReader, "__getitem__", lambda self, number: damaged(self, 101))
    with FilmReader([film], small=SMALL) as reader:
        assert settled_frame(reader, lambda _: None) == (0, True)
