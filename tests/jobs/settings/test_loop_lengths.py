"""How long loops are: whole frames for lengths in seconds, frames or beats; loops of sheets."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from random import Random

import pytest

from jobs.settings.kinds import Resolution
from jobs.settings.loops import ClipSettings, Duration, Length, Loop, planned
from jobs.settings.songs import SongSettings, TempoRange

COMBINATIONS = 10_000


def test_beats_are_planned_to_the_nearest_whole_number_of_frames() -> None:
    """Against the definition: no other number of frames is nearer, and the drift is what it is."""
    random = Random(2026)
    for _ in range(COMBINATIONS):
        beats = Decimal(random.randint(1, 4096)) / random.choice([1, 2, 4])
        bpm = Decimal(random.randint(400, 30_000)) / random.choice([1, 10, 100])
        fps = random.choice([24, 25, 30, 50, 60, random.randint(1, 240)])
        even = random.random() < 0.3
        wanted = Duration.of(beats=float(beats), bpm=float(bpm))
        assert wanted
        length = planned(wanted, fps, even=even)
        seconds = Fraction(beats) * 60 / Fraction(bpm)
        unit = 2 if even else 1
        assert length.frames % unit == 0
        assert length.frames >= 2
        assert Fraction(length.frames, fps) - length.drift == seconds
        others = (length.frames - unit, length.frames + unit)
        misses = [abs(other - seconds * fps) for other in others if other >= 2]
        assert abs(length.frames - seconds * fps) <= min(misses)


@pytest.mark.parametrize(
    ("asked", "fps", "even", "length"),
    [
        ({"beats": 32, "bpm": 128}, 30, False, Length(450, Fraction(0))),
        ({"beats": 32, "bpm": 128}, 60, True, Length(900, Fraction(0))),
        ({"beats": 1, "bpm": 174}, 60, False, Length(21, Fraction(21, 60) - Fraction(60, 174))),
        ({"seconds": 0.1}, 25, False, Length(3, Fraction(1, 50))),
        ({"seconds": 0.001}, 25, False, Length(2, Fraction(2, 25) - Fraction(1, 1000))),
        ({"frames": 7}, 25, False, Length(7, Fraction(0))),
        ({"frames": 7}, 25, True, Length(8, Fraction(1, 25))),
    ],
)
def test_lengths(asked: dict[str, float], fps: int, even: bool, length: Length) -> None:
    wanted = Duration.of(**asked)  # type: ignore[arg-type]
    assert wanted
    assert planned(wanted, fps, even=even) == length


def test_nothing_asked_for() -> None:
    assert Duration.of() is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("walk", "walk: give its length: seconds, frames, or beats and bpm"),
        ("walk(beats=32)", "walk: beats need a tempo; give bpm, too"),
        ("pingpong(bpm=128)", "pingpong: bpm is the tempo of beats; give beats, too"),
        (
            "best(seconds=2, frames=3)",
            "best: give its length in one way: seconds, frames, or beats and bpm",
        ),
        ("pingpong(fade=1)", "pingpong has no parameter 'fade'"),
        ("walk(frames=8, grid=three)", "walk: grid must be two numbers such as 1280x720"),
        ("walk(frames=8, format=happ)", "walk: format must be one of h264,"),
        ("crossfade(speed=0)", "crossfade: speed must be a number above 0"),
        ("song", "song: give its file, such as file=/home/me/song.mp3"),
        ("song(file=/a.mp3, from=5, to=0:05)", "song: it ends before it begins; give a `to` that"),
        ("song(file=/a.mp3, bpm=90, bpm_range=60-120)", "song: give its tempo in one way"),
        ("song(file=/a.mp3, bpm=10)", "song: its bpm must be from 20 to 400"),
        ("song(file=/a.mp3, bpm_range=120-60)", "song: bpm_range must be two tempi from 20 to"),
        ("song(file=/a.mp3, seconds=3)", "song has no parameter 'seconds'"),
        ("song(file=/a(1).mp3)", "song: file must be a path without commas and brackets, such as"),
        ("spiral", "must be one of pingpong, crossfade, best, walk, song, not 'spiral'"),
    ],
)
def test_loops_that_cannot_be(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match="^" + re.escape(reason)):
        Loop.parse(text)


def test_a_loop_is_read_as_it_is_written() -> None:
    text = "walk(beats=32.0, bpm=127.5, fps=30, scale=3840x2160, format=hap-q, grid=2x1)"
    loop = Loop.parse(text)
    assert Loop.parse(str(loop)) == loop
    settings = loop.walk_settings()
    assert settings.duration == Duration(beats=Fraction(32), bpm=Fraction(255, 2))
    assert (settings.fps, settings.keyframes, settings.seed) == (30, 8, 0)
    assert (settings.scale, settings.grid) == (Resolution(3840, 2160), Resolution(2, 1))
    assert loop.format == "hap-q"


def test_a_walk_to_a_song() -> None:
    text = "song(file=/music/a song.mp3, from=0:30, to=1:30, bpm_range=90-180, every=8, grid=2x1)"
    loop = Loop.parse(text)
    assert Loop.parse(str(loop)) == loop
    assert (loop.is_walk, loop.is_closed, loop.duration) == (True, False, None)
    settings = loop.walk_settings()
    wanted = SongSettings(
        Path("/music/a song.mp3"), start=30.0, end=90.0, tempi=TempoRange(90, 180), every=8
    )
    assert (settings.duration, settings.song) == (None, wanted)
    assert settings.grid == Resolution(2, 1)
    assert wanted.label == "a song_from_30s_to_90s"
    assert Loop.parse("song(file=/a.mp3, closed=True)").is_closed


def test_a_clip_of_a_sheet() -> None:
    loop = Loop.parse("best(seconds=2.5, fade=0.5, start=3, smooth=True, crop=64x48)")
    assert loop.clip_settings() == ClipSettings(
        mode="best",
        duration=Duration(seconds=Fraction(5, 2)),
        start=3.0,
        fade=0.5,
        smooth=True,
        crop=Resolution(64, 48),
    )
    assert Loop.parse("pingpong").clip_settings() == ClipSettings("pingpong")
