"""Frames written to a running ffmpeg, and what becomes of it when something fails."""

from __future__ import annotations

import stat
import threading
import time
from contextlib import suppress
from pathlib import Path

import av
import numpy as np
import psutil
import pytest

from jobs.errors import ProgramFailed
from jobs.workspace.disk import means_full
from render.encoding import ffmpeg, streaming
from render.encoding.streaming import RawVideo, encoding
from render.files.probe import verify
from tests.render.numbered import numbers_in, picture

RAW = RawVideo(64, 48, 3, 60)


def numbered(first, last):
    return np.stack([picture(number, RAW.width, RAW.height) for number in range(first, last)])


def stream(film, batches, **options):
    """Encode so many batches of forty frames."""
    with encoding(film, RAW, "h264", **options) as sink:
        for _ in range(batches):
            sink.write(numbered(0, 40))


def children():
    return psutil.Process().children()


def test_frames_come_out_as_they_went_in(workspace):
    film = workspace.root / "film.mp4.part"
    with encoding(film, RAW, "h264") as sink:
        sink.write(picture(0, RAW.width, RAW.height))
        sink.write(numbered(1, 40))
        sink.write(numbered(40, 41)[0, :, ::1])
        assert sink.frames == 41
    verify(film, 41, 60, 64, 48)
    assert numbers_in(film) == list(range(41))
    assert not children()


def test_filters_come_before_those_of_the_format(tmp_path):
    film = tmp_path / "film.mp4"
    with encoding(film, RAW, "h264", filters="crop=64:24:0:24,hflip", size=(64, 24)) as sink:
        sink.write(numbered(0xF000, 0xF001))
    with av.open(str(film)) as video:
        shown = next(video.decode(video=0)).to_ndarray(format="rgb24")
    assert shown.shape[:2] == (24, 64)
    assert shown[-4:].min() > 200  # the four highest bits
    assert shown[:4].max() < 50


def test_frames_with_alpha(tmp_path):
    film = tmp_path / "film.mov"
    raw = RawVideo(30, 22, 4, 25)
    frames = np.random.default_rng(0).integers(0, 256, (5, 22, 30, 4), dtype=np.uint8)
    with encoding(film, raw, "ffv1") as sink:
        sink.write(frames[:2])
        sink.write(frames[2:])
    with av.open(str(film)) as video:
        shown = [frame.to_ndarray(format="rgba") for frame in video.decode(video=0)]
    assert np.array_equal(shown, frames)


@pytest.mark.parametrize(
    "frames",
    [
        np.zeros((48, 64, 4), np.uint8),
        np.zeros((64, 48, 3), np.uint8),
        np.zeros((48, 64, 3), np.float32),
        np.zeros((1, 1, 48, 64, 3), np.uint8),
    ],
    ids=lambda frames: f"{frames.dtype}{frames.shape}",
)
def test_frames_of_another_kind_are_a_mistake_of_ours(tmp_path, frames):
    film = tmp_path / "film.mp4"
    mistake = pytest.raises(ValueError, match="no uint8 frames of")
    with mistake, encoding(film, RAW, "h264") as sink:
        sink.write(frames)
    assert not children()


def test_it_is_ended_where_the_frames_fail(tmp_path):
    def fail():
        with encoding(tmp_path / "film.mp4", RAW, "h264") as sink:
            sink.write(numbered(0, 3))
            assert children()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert not children()


def test_its_words_are_told(tmp_path):
    with pytest.raises(ProgramFailed, match="ended with code") as caught:
        stream(tmp_path / "none" / "film.mp4", 100)
    assert "No such file or directory" in caught.value.said
    assert "pipe:0" in caught.value.full_report()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk that is always full")
def test_a_full_disk_is_seen(tmp_path):
    film = tmp_path / "film.mp4"
    film.symlink_to("/dev/full")
    with pytest.raises(ProgramFailed) as caught:
        stream(film, 20, filters="noise=alls=99")
    assert means_full(caught.value)


def program(path, monkeypatch, script):
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setattr(ffmpeg, "find", lambda name: str(path))


def test_one_that_ends_well_but_early_has_failed(tmp_path, monkeypatch):
    program(tmp_path / "ffmpeg", monkeypatch, "head -c 100 >/dev/null; exit 0")
    with pytest.raises(ProgramFailed, match="it ended before all frames came"):
        stream(tmp_path / "film.mp4", 20)


@pytest.mark.parametrize("when", ["while it reads", "at its end"])
def test_one_that_hangs_is_killed(tmp_path, monkeypatch, when):
    monkeypatch.setattr(streaming, "SILENCE_SECONDS", 0.2)
    monkeypatch.setattr(streaming, "LOOK_SECONDS", 0.05)
    reads = "cat >/dev/null;" if when == "at its end" else ""
    program(tmp_path / "ffmpeg", monkeypatch, f"echo I think; {reads} exec sleep 1000")
    with pytest.raises(ProgramFailed, match=r"it did nothing for 0\.2 s") as caught:
        stream(tmp_path / "film.mp4", 1 if reads else 20)
    assert "I think" in caught.value.said
    assert not children()


def test_one_that_computes_for_long_is_waited_for(tmp_path, monkeypatch):
    """It reads when it has been silent for longer than it may, by the time that it computed."""
    monkeypatch.setattr(streaming, "SILENCE_SECONDS", 0.1)
    monkeypatch.setattr(streaming, "LOOK_SECONDS", 0.02)
    reads = tmp_path / "reads"
    program(tmp_path / "ffmpeg", monkeypatch, f'until [ -e "{reads}" ]; do :; done; cat >/dev/null')
    cpu_seconds, computed = streaming._cpu_seconds, [0.0]

    def once_it_has_computed(pid):
        while (seconds := cpu_seconds(pid)) == computed[-1] and not reads.exists():
            time.sleep(0.01)
        computed.append(seconds)
        if seconds > 3 * 0.1:
            monkeypatch.setattr(streaming, "SILENCE_SECONDS", 60.0)
            reads.touch()
        return seconds

    monkeypatch.setattr(streaming, "_cpu_seconds", once_it_has_computed)
    with encoding(tmp_path / "film.mp4", RAW, "h264") as sink:
        sink.write(numbered(0, 200))
    assert reads.exists()


def test_one_that_is_not_there(tmp_path, monkeypatch):
    monkeypatch.setattr(ffmpeg, "find", lambda name: str(tmp_path / "ffmpeg"))
    with pytest.raises(ProgramFailed, match="did not start"):
        stream(tmp_path / "film.mp4", 0)


def test_another_thread_may_write(tmp_path):
    film = tmp_path / "film.mp4"
    with encoding(film, RAW, "h264") as sink:
        writer = threading.Thread(target=lambda: sink.write(numbered(0, 200)))
        writer.start()
        writer.join()
    assert numbers_in(film) == list(range(200))


def test_as_many_at_once_as_there_are_turns(tmp_path, monkeypatch):
    """Looking for a program takes a turn itself."""
    turns = ffmpeg.Turns()
    turns.at_most(1)
    monkeypatch.setattr(ffmpeg, "TURNS", turns)
    ffmpeg.find.cache_clear()
    with suppress(ProgramFailed), encoding(tmp_path / "film.mp4", RAW, "h264") as sink:
        assert not turns.turn.acquire(blocking=False)
        sink.write(numbered(0, 2))
    assert turns.turn.acquire(blocking=False)
