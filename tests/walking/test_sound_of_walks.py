"""The song of a walk's video is where it belongs, to the millisecond, whatever it came as."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from jobs.errors import UsageError
from jobs.settings.loops import WalkSettings
from jobs.settings.songs import SongSettings
from jobs.settings.videos import FormatName
from jobs.workspace.jobfile import JobFile
from multitrain.engine.session import Frames
from multitrain.walking.making import WalkPlan, encode
from tests.hearing.played import RATE, Played, a_song, write_song

START = 0.85  # seconds of the song: between two samples of MP3's frames, and two beats


class Grey:
    """Draws a walk without a network."""

    def __init__(self, plan: WalkPlan) -> None:
        self._plan = plan

    def block(self, first: int) -> Frames:
        plan = self._plan
        count = min(plan.block_frames, plan.frames - first)
        return np.full((count, plan.raw.height, plan.raw.width, 3), 90, np.uint8)


@pytest.fixture(scope="module")
def played() -> Played:
    return a_song(150, beats=8, kit=("click",), start=0.0)


def a_walk(
    tiny_job: Callable[..., JobFile], song: Path, out: Path, name: FormatName = "h264", **how: float
) -> WalkPlan:
    settings = SongSettings(song, **{"start": START, **how})  # type: ignore[arg-type]
    plan = WalkPlan(tiny_job(preset="ultrafast"), WalkSettings(None, settings), name)
    encode(plan, Grey(plan), out, lambda _: None, threading.Event())
    return plan


def heard_in_film(path: Path) -> tuple[np.ndarray, int, float]:
    """The first channel as players play it, its rate, and when its first sample is heard."""
    with av.open(str(path)) as container:
        frames = list(container.decode(audio=0))
    start = float(frames[0].pts * frames[0].time_base)
    parts = []
    for frame in frames:
        resampled = av.AudioResampler(format="fltp").resample(frame)
        parts += [each.to_ndarray()[0] for each in resampled]
    return np.concatenate(parts), frames[0].sample_rate, start


def clicks_at(path: Path, wanted: np.ndarray) -> np.ndarray:
    """Seconds at which clicks are heard: where each is most alike to the click that was played."""
    samples, rate, start = heard_in_film(path)
    time = np.arange(round(0.03 * rate)) / rate
    click = np.exp(-time / 0.005) * np.sin(2 * np.pi * 2000 * time)
    found = []
    for moment in wanted:
        first = round((moment - 0.02 - start) * rate)
        near = samples[max(first, 0) : first + round(0.07 * rate)]
        alike = np.correlate(near, click, "valid")
        found.append(start + (max(first, 0) + int(alike.argmax())) / rate)
    return np.array(found)


@pytest.mark.parametrize(
    ("suffix", "name"),
    [
        (".wav", "h264"), (".mp3", "h264"), (".m4a", "h264"), (".flac", "h264"), (".ogg", "h264"),
        (".opus", "h264"), (".mp3", "ffv1"), (".m4a", "webm"),
    ],
)  # fmt: skip
def test_clicks_are_heard_where_they_belong(
    tiny_job: Callable[..., JobFile], played: Played, tmp_path: Path, suffix: str, name: FormatName
) -> None:
    song = write_song(tmp_path / f"song{suffix}", played.samples)
    out = tmp_path / f"walk.{({'ffv1': 'mov', 'webm': 'webm'}).get(name, 'mp4')}"

    plan = a_walk(tiny_job, song, out, name)

    wanted = played.beats[played.beats > START] - START
    assert len(wanted) == 5
    np.testing.assert_allclose(clicks_at(out, wanted), wanted, atol=0.001)
    with av.open(str(out)) as film:
        assert len(list(film.decode(video=0))) == plan.frames
    with av.open(str(out)) as film:
        (audio,) = film.streams.audio
        length = float((audio.duration or 0) * audio.time_base) or film.duration / 1e6
        assert length == pytest.approx(plan.frames / plan.fps, abs=0.025), "as long as the video"
    keys = plan.schedule.keys  # a frame of a tiny job is shown for a sixtieth of a second
    met = np.abs(keys[:, np.newaxis] / plan.fps - wanted[0]).min()
    assert met <= 0.5 / plan.fps + 0.006


def test_from_the_beginning_and_beyond_the_end_of_the_song(
    tiny_job: Callable[..., JobFile], played: Played, tmp_path: Path
) -> None:
    song, out = write_song(tmp_path / "song.wav", played.samples), tmp_path / "walk.mp4"

    plan = a_walk(tiny_job, song, out, start=0.0, end=100.0)

    assert plan.frames == round(len(played.samples) / RATE * plan.fps)
    np.testing.assert_allclose(clicks_at(out, played.beats), played.beats, atol=0.001)


def test_a_gif_is_silent(tiny_job: Callable[..., JobFile], played: Played, tmp_path: Path) -> None:
    song, out = write_song(tmp_path / "song.wav", played.samples), tmp_path / "walk.gif"

    plan = a_walk(tiny_job, song, out, "gif")

    assert plan.soundtrack is None
    with av.open(str(out)) as film:
        assert not film.streams.audio
        assert len(list(film.decode(video=0))) == plan.frames


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read: No such file"),
        (b"", "song.mp3 is empty"),
        (b"no song at all" * 999, "song.mp3 is no song, or it is damaged"),
    ],
)
def test_what_is_no_song_is_told(
    tiny_job: Callable[..., JobFile], tmp_path: Path, content: bytes | None, words: str
) -> None:
    if content is not None:
        (tmp_path / "song.mp3").write_bytes(content)

    with pytest.raises(UsageError, match=words):
        a_walk(tiny_job, tmp_path / "song.mp3", tmp_path / "walk.mp4")

    assert not (tmp_path / "walk.mp4").exists()


def test_where_no_song_is_left_that_is_told(
    tiny_job: Callable[..., JobFile], played: Played, tmp_path: Path
) -> None:
    song = write_song(tmp_path / "song.wav", played.samples)

    with pytest.raises(UsageError, match=r"lasts 3.4 s, and the walk would begin after 5 s"):
        a_walk(tiny_job, song, tmp_path / "walk.mp4", start=5.0)
