"""Songs whose beats are known, heard: clicks, chords, drums, swung, over noise, in two tempi."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from jobs.settings.songs import TempoRange
from multitrain.hearing.heard import Heard, heard_in
from multitrain.hearing.spectrum import HOPS, RATE
from tests.hearing.played import Played, a_song, as_heard

FRAME = 1 / 60  # seconds
TEMPI = (87, 120, 128, 174)
KINDS: dict[str, dict[str, object]] = {
    "drums": {},
    "swung": {"swing": 2 / 3},
    "over noise": {"noise": 0.02, "swing": 0.6},
    "clicks": {"kit": ("click",), "noise": 0.01},
    "clicks and chords": {"kit": ("click", "chord")},
}


@cache
def song(kind: str, *tempi: float) -> Played:
    return a_song(*tempi, **KINDS[kind])  # type: ignore[arg-type]


def heard(played: Played, **how: object) -> Heard:
    return heard_in(as_heard(played.samples), **how)  # type: ignore[arg-type]


def share_met(wanted: np.ndarray, found: np.ndarray) -> float:
    """Of the moments that are `wanted`, how many have one that was found within a frame."""
    return float(np.mean(np.abs(found[:, np.newaxis] - wanted).min(axis=0) <= FRAME))


def within(moments: np.ndarray, played: Played) -> np.ndarray:
    """From the first beat that was played to the last."""
    return moments[(moments > played.beats[0] - 0.05) & (moments < played.beats[-1] + 0.05)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bpm", TEMPI)
def test_onsets_beats_and_the_tempo_of_songs(kind: str, bpm: int) -> None:
    played = song(kind, bpm)

    found = heard(played)

    assert share_met(played.onsets, found.onsets) >= 0.95
    others = within(found.onsets, played)  # the noise itself begins before
    assert share_met(others, played.onsets) >= 0.95
    octave = np.log2(np.median(found.tempo) / bpm)
    assert abs(octave - round(octave)) < np.log2(1.005)
    if round(octave) == 0:
        assert share_met(played.beats, found.beats) >= 0.95
        assert share_met(within(found.beats, played), played.beats) >= 0.95


@pytest.mark.parametrize("bpm", TEMPI)
@pytest.mark.parametrize("kind", ["swung", "clicks"])
def test_a_range_of_tempi_settles_the_octave(kind: str, bpm: int) -> None:
    played = song(kind, bpm)

    found = heard(played, tempi=TempoRange(bpm / 1.3, bpm * 1.3))

    assert np.median(found.tempo) == pytest.approx(bpm, rel=0.005)
    assert share_met(played.beats, found.beats) >= 0.95


@pytest.mark.parametrize(("bpm", "given"), [(174, 174), (174, 87), (87, 174), (128, 126)])
def test_a_tempo_that_is_given_about_settles_it(bpm: int, given: int) -> None:
    found = heard(song("drums", bpm), bpm=given)

    octave = 2.0 ** round(np.log2(given / bpm))
    assert np.median(found.tempo) == pytest.approx(bpm * octave, rel=0.005)
    assert share_met(song("drums", bpm).beats[::2], found.beats) >= 0.95


@pytest.mark.parametrize("tempi", [(120, 126), (128, 100)])
@pytest.mark.parametrize("kind", ["swung", "over noise"])
def test_a_tempo_that_changes(kind: str, tempi: tuple[int, int]) -> None:
    played = song(kind, *tempi)

    found = heard(played)

    for number, bpm in enumerate(tempi):
        middle = played.beats[16 + 32 * number]
        there = found.tempo[int(np.abs(found.beats - middle).argmin())]
        assert there == pytest.approx(bpm, rel=0.005)
    assert share_met(played.beats, found.beats) >= 0.95
    assert " BPM" in found.told
    assert f"{min(tempi)}.0 to {max(tempi)}.0" in found.told


def test_sections_begin_where_a_song_becomes_another() -> None:
    parts = [
        a_song(128, beats=32, start=0.0),
        a_song(128, beats=32, kit=("chord",), start=0.0),
        a_song(128, beats=32, kit=("kick", "hat"), start=0.0),
    ]
    length = round(32 * 60 / 128 * 44_100)

    found = heard_in(as_heard(np.concatenate([part.samples[:length] for part in parts])))

    np.testing.assert_allclose(found.sections, [15.0, 30.0], atol=0.05)
    assert heard(song("drums", 120)).sections.tolist() == []
    assert "3 sections" in found.told


def test_loudness_and_bands() -> None:
    """Second by second: bass, mids, highs, a quarter of its loudness, silence."""
    time = np.arange(RATE) / RATE
    tones = [np.sin(2 * np.pi * pitch * time) for pitch in (80, 800, 6000)]
    seconds = [*tones, tones[1] / 2, np.zeros(RATE)]

    found = heard_in(np.concatenate(seconds).astype(np.float32) * 0.5)

    middle = [round((second + 0.5) * HOPS) for second in range(5)]
    np.testing.assert_allclose(found.loudness[middle], [1, 1, 1, 1 - 6.02 / 30, 0], atol=0.02)
    np.testing.assert_allclose(found.bands[middle[:3]], np.eye(3), atol=0.02)
    assert found.seconds == 5
    peaks = found.waveform[middle[1] : middle[1] + 10]
    assert (peaks.min(), peaks.max()) == pytest.approx((-0.5, 0.5), abs=0.02)


def test_silence_has_an_even_beat() -> None:
    found = heard_in(np.zeros(RATE * 5, np.float32))

    assert len(found.onsets) == 0
    assert found.told == "5.0 s in which nothing begins"
    np.testing.assert_allclose(np.diff(found.beats), 0.5, atol=0.02)
    assert found.loudness.max() == 0 == found.bands.max()


@pytest.mark.parametrize("count", [1, 2, 100, 1000, 5000])
def test_the_shortest_songs(count: int) -> None:
    random = np.random.default_rng(1)

    found = heard_in(random.standard_normal(count).astype(np.float32))

    assert found.seconds == count / RATE
    assert np.isfinite(found.tempo).all()
    assert len(found.loudness) == len(found.bands) == len(found.waveform)
