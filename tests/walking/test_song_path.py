"""The way to a song: keyframes at beats, to the frame; wide where it is loud; closed if asked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from jobs.settings.songs import SongSettings
from multitrain.hearing.heard import Heard, heard_in
from multitrain.hearing.spectrum import HOPS
from multitrain.walking.plot import draw
from multitrain.walking.schedule import Schedule, schedule_of
from multitrain.walking.song_path import SongPath
from tests.hearing.played import a_song, as_heard

FILE = Path("/song.mp3")


def a_song_heard(
    beats: np.ndarray | None = None, seconds: float = 16.0, sections: tuple[float, ...] = ()
) -> Heard:
    """Loud in its second half; bass, mids and highs one after the other."""
    hops = int(seconds * HOPS)
    beats = np.arange(0.3, seconds, 60 / 128) if beats is None else beats
    thirds = np.arange(hops) * 3 // hops
    return Heard(
        seconds=seconds,
        onsets=beats,
        beats=beats,
        tempo=np.full(len(beats), 128.0),
        sections=np.array(sections),
        loudness=(np.arange(hops) >= hops / 2).astype(np.float32),
        bands=np.eye(3, dtype=np.float32)[thirds],
        waveform=np.zeros((hops, 2), np.float32),
    )


def a_schedule(heard: Heard | None = None, frames: int = 480, **how: object) -> Schedule:
    song = SongSettings(FILE, **{"every": 1, **how})  # type: ignore[arg-type]
    return schedule_of(heard or a_song_heard(), song, frames, 60)


def a_path(schedule: Schedule, samples: int = 2, **changed: object) -> SongPath:
    given = {"length": 50, "distribution": "normal", "sway": 0.0}
    return SongPath(schedule, samples, **{**given, **changed})  # type: ignore[arg-type]


@pytest.mark.parametrize("every", [1, 4])
@pytest.mark.parametrize("start", [0.0, 2.0])
@pytest.mark.parametrize("closed", [False, True])
def test_keyframes_stand_on_the_beats(every: int, start: float, closed: bool) -> None:
    heard = a_song_heard()
    schedule = a_schedule(heard, every=every, start=start, closed=closed)

    beats = [round((beat - start) * 60) for beat in heard.beats if start <= beat < start + 8]
    wanted = beats[::every]
    keys = schedule.keys[(schedule.keys >= 0) & (schedule.keys < 480)].tolist()
    assert set(wanted) <= set(keys)
    assert len(keys) - len(wanted) <= (0 if closed else 1), "one at the beginning at most"
    path = a_path(schedule)
    for number in wanted:
        place = schedule.places[number]
        assert place == int(place)
        key = path._keys[(int(place) + 1) % len(path._keys)] * schedule.width[number]
        np.testing.assert_allclose(path.at([number])[0], key, rtol=1e-5)


def test_of_a_song_that_was_played_keyframes_stand_on_its_beats() -> None:
    played = a_song(120, 126, beats=16, swing=0.6, noise=0.01)
    heard = heard_in(as_heard(played.samples))

    schedule = a_schedule(heard, frames=int(heard.seconds * 60), bpm=None)

    wanted = np.round(played.beats * 60)
    keys = schedule.keys
    missed = np.abs(keys[:, np.newaxis] - wanted).min(axis=0)
    assert np.mean(missed <= 1) >= 0.95
    assert len([key for key in keys if wanted[0] - 5 < key < wanted[-1] + 5]) == len(wanted)


def test_between_keyframes_it_goes_at_an_even_pace() -> None:
    """Also before the first beat, and behind the last."""
    beats = np.array([1.0, 2.0, 3.0, 5.0])
    schedule = a_schedule(a_song_heard(beats), frames=420, quiet=1.0)
    way = a_path(schedule, samples=64, length=100).at(range(420))

    steps = np.linalg.norm(np.diff(way, axis=0), axis=(1, 2))

    for first, last in ((1, 59), (61, 119), (121, 179), (181, 299), (301, 418)):
        part = steps[first:last]
        assert part.max() < 1.2 * part.min()
    assert np.median(steps[61:119]) == pytest.approx(2 * np.median(steps[181:299]), rel=0.1)


def test_a_closed_way_ends_where_it_begins() -> None:
    schedule = a_schedule(closed=True, quiet=1.0)
    path = a_path(schedule)

    assert path.at([480, 485]).tobytes() == path.at([0, 5]).tobytes()
    way = path.at(range(481))
    steps = np.linalg.norm(np.diff(way, axis=0), axis=(1, 2))
    assert steps[-1] < 1.5 * np.median(steps)
    open_steps = np.linalg.norm(
        np.diff(a_path(a_schedule(quiet=1.0)).at(range(481)), axis=0), axis=(1, 2)
    )
    assert open_steps[-1] > 5 * np.median(open_steps)


@pytest.mark.parametrize("beats", [[], [3.0], [1.0, 2.0]])
@pytest.mark.parametrize("closed", [False, True])
@pytest.mark.parametrize("frames", [2, 5, 480])
def test_songs_with_hardly_a_beat(beats: list[float], closed: bool, frames: int) -> None:
    schedule = a_schedule(a_song_heard(np.array(beats)), frames, closed=closed)

    way = a_path(schedule).at(range(frames + 3))

    assert np.isfinite(way).all()
    assert (np.diff(schedule.keys) > 0).all()
    assert way[frames].tobytes() == way[0].tobytes()


def test_where_it_is_loud_the_way_is_wide() -> None:
    schedule = a_schedule(frames=960, quiet=0.25)

    assert schedule.width[:470].tolist() == [0.25] * 470
    np.testing.assert_allclose(schedule.width[481:], 1.0)
    deviations = a_path(schedule, samples=64, length=200).at(range(0, 960, 60)).std(axis=(1, 2))
    np.testing.assert_allclose(deviations[:8], 0.25, atol=0.01)
    np.testing.assert_allclose(deviations[9:], 1.0, atol=0.03)


def test_what_has_ended_fades() -> None:
    heard = a_song_heard()
    heard.loudness[:] = heard.loudness[::-1].copy()

    width = a_schedule(heard, frames=960, quiet=0.0).width

    assert (np.diff(width[482:600]) < 0).all()
    assert width[480 + 18] == pytest.approx(np.exp(-1), abs=0.05)
    closed = a_schedule(heard, frames=960, quiet=0.0, closed=True).width
    np.testing.assert_allclose(closed, width)


@pytest.mark.parametrize("distribution", ["normal", "uniform"])
def test_bands_pull_and_latents_stay_as_likely(distribution: str) -> None:
    schedule = a_schedule(frames=960, quiet=1.0)
    pulled = a_path(schedule, samples=64, length=200, distribution=distribution, sway=0.8)
    free = a_path(schedule, samples=64, length=200, distribution=distribution)

    way, plain = pulled.at(range(0, 960, 96)), free.at(range(0, 960, 96))

    np.testing.assert_allclose(way.std(axis=(1, 2)), plain.std(axis=(1, 2)), rtol=0.05)
    assert np.abs(way - plain).mean() > 0.1
    for band, number in enumerate((160, 480, 800)):
        (at,) = pulled.at([number])
        alike = [np.corrcoef(at.ravel(), each.ravel())[0, 1] for each in pulled._bands]
        assert int(np.argmax(alike)) == band
        assert alike[band] == pytest.approx(0.8 / 3**0.5, abs=0.05)
    if distribution == "uniform":
        assert np.abs(way).max() <= 1


@pytest.mark.parametrize("path", ["spherical", "cubic"])
def test_each_section_has_latents_of_its_own_region(path: str) -> None:
    beats = np.arange(0.5, 16, 0.5)
    heard = a_song_heard(beats, sections=(5.0, 10.0))
    schedule = a_schedule(heard, frames=960, quiet=1.0)
    way = a_path(schedule, samples=1, length=4000, has_regions=True, path=path)

    frames = [150, 240, 390, 510, 690, 900]  # on beats, two of each section
    alike = np.corrcoef(way.at(frames)[:, 0])

    assert schedule.regions[[4, 12, 22]].tolist() == [0, 1, 2]
    same = np.arange(6) // 2
    is_same = same[:, np.newaxis] == same
    assert alike[is_same].min() > 0.55
    assert np.abs(alike[~is_same]).max() < 0.1
    if path == "spherical":
        between = way.at(range(140, 940, 7)).std(axis=(1, 2))
        np.testing.assert_allclose(between, 1.0, atol=0.06)


def test_seeds_are_other_ways() -> None:
    schedule = a_schedule()
    one, same, other = (a_path(schedule, seed=seed, sway=0.5).at([7]) for seed in (1, 1, 2))

    assert one.tobytes() == same.tobytes()
    assert not np.allclose(one, other)


def test_the_plot_shows_rows_of_the_part_that_is_walked_to() -> None:
    heard = a_song_heard(sections=(8.0,))
    song = SongSettings(FILE, start=2.0, every=4)
    schedule = schedule_of(heard, song, 13 * 60, 60)

    picture = draw(heard, song, a_path(schedule, sway=0.5), 60)

    colours = {colour for _, colour in picture.getcolors(2**20) or ()}
    assert picture.width == 1600
    assert {(255, 92, 120), (96, 200, 255), (255, 120, 80), (200, 150, 255)} <= colours
    longer = schedule_of(a_song_heard(seconds=900.0), SongSettings(FILE), 25 * 800, 25)
    large = draw(a_song_heard(seconds=900.0), SongSettings(FILE), a_path(longer), 25)
    assert 5 * picture.height < large.height < 4000
