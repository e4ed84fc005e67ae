"""The trainer makes videos of its sheet's others behind the last frame, and never pays for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pytest

from jobs.settings.spec import JobSpec
from jobs.workspace.files import listing
from jobs.workspace.jobfile import JobFile
from jobs.workspace.outputs import OutputName
from jobs.workspace.paths import JobPaths
from multitrain.applying import planning
from multitrain.applying.asked import Asked
from multitrain.applying.translator import Translator
from multitrain.engine.session import SessionSettings
from multitrain.inference.network import Device
from multitrain.trainer import drawing
from multitrain.trainer.drawing import draw_the_rest
from render.clips.pieces import Pieces
from render.files.claims import BeingMade
from render.files.film import Film
from render.files.reading import FilmReader, frames_in_order
from render.spool.notes import is_made, still_to_draw
from tests.applying.conftest import Learn
from tests.applying.weights import noise
from tests.footage import write_video

FRAMES, FPS = 12, 10
Sheet = Callable[..., JobFile]


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return write_video(tmp_path / "clip.mp4", iter(noise(FRAMES, 36, 46, 3)), fps=FPS)


@pytest.fixture
def sheet(learn: Learn, paths: JobPaths) -> Sheet:
    """`sheet(clip, …)`: the job that has learnt is to be applied to these."""

    def make(*clips: Path) -> JobFile:
        job = learn(family="pix2pix", format="ffv1", keep_checkpoints=2).job
        given = {**job.spec.model_dump(mode="json"), "apply_to": [str(each) for each in clips]}
        job = job.replaced(spec=JobSpec.model_validate(given))
        job.save(paths)
        return job

    return make


@pytest.fixture(autouse=True)
def short_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of four frames; and each is told of."""
    monkeypatch.setattr(planning, "PIECE_SECONDS", 4 / FPS)
    monkeypatch.setattr(drawing, "TELL_SECONDS", 0.0)


def draw(paths: JobPaths, job: JobFile, stop: threading.Event | None = None) -> bool:
    return draw_the_rest(paths, job, SessionSettings(), stop or threading.Event())


def frames_of(path: Path) -> np.ndarray:
    with FilmReader([Film.look(path, with_sound=True)]) as reader:
        return np.stack(list(frames_in_order(reader))).astype(int)


def test_each_frame_is_what_the_newest_network_makes_of_it(
    sheet: Sheet, film: Path, paths: JobPaths
) -> None:
    job = sheet(film)

    assert draw(paths, job) is True

    (name,) = listing(paths.workspace.renders)
    assert name == "tiny_applied0001.mov"
    assert OutputName.parse(name) == OutputName("tiny", suffix=".mov", applied=1)
    asked = Asked(paths.workspace, job)
    translator = Translator(asked, Device(job, SessionSettings()), Film.look(film).size)
    weights = translator.place(asked.moments()[0].load(0))
    wanted = translator.make(weights, frames_of(film).astype(np.uint8)).astype(int)
    assert np.abs(frames_of(paths.workspace.renders / name) - wanted).max() <= 1
    assert still_to_draw(paths, job) == []
    assert not list(paths.workspace.applying.iterdir())


def test_a_wish_to_stop_is_heard_and_the_next_start_goes_on(
    sheet: Sheet, film: Path, paths: JobPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, stop, told = sheet(film), threading.Event(), list[int]()
    tell = drawing._Reports.__call__

    def stops_in_the_second_piece(reports: drawing._Reports, frames: int) -> None:
        told.append(frames)
        if frames >= 8:
            stop.set()
        tell(reports, frames)

    monkeypatch.setattr(drawing._Reports, "__call__", stops_in_the_second_piece)
    assert draw(paths, job, stop) is False
    assert listing(paths.workspace.renders) == []

    stop.clear()
    told.clear()
    assert draw(paths, job, threading.Event()) is True
    assert told[0] >= 4, "frames that were there"
    assert len(frames_of(paths.workspace.renders / "tiny_applied0001.mov")) == FRAMES


def test_a_video_that_its_user_makes_at_the_same_time_is_waited_for(
    sheet: Sheet, film: Path, paths: JobPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing, "BUSY_SECONDS", 0.01)
    job, calls = sheet(film), iter([True, True])
    finish = Pieces.held

    def held_by_another(pieces: Pieces) -> AbstractContextManager[None]:
        if next(calls, False):
            raise BeingMade("another process makes the same video; wait for it")
        return finish(pieces)

    monkeypatch.setattr(Pieces, "held", held_by_another)
    assert draw(paths, job) is True
    assert listing(paths.workspace.renders) == ["tiny_applied0001.mov"]


def test_other_videos_in_the_list_are_other_files(
    sheet: Sheet, film: Path, paths: JobPaths
) -> None:
    draw(paths, sheet(film))
    other = write_video(film.with_name("other.mp4"), iter(noise(4, 36, 46, 3, seed=1)), fps=FPS)
    changed = sheet(other, film)
    assert len(still_to_draw(paths, changed)) == 2


def test_one_that_is_gone_is_given_up_and_the_next_one_is_made(
    sheet: Sheet, film: Path, paths: JobPaths, caplog: pytest.LogCaptureFixture
) -> None:
    job = sheet(film.with_name("gone.mp4"), film)
    gone, there = still_to_draw(paths, job)

    assert draw(paths, job) is True

    assert f"cannot draw {gone}" in caplog.text
    assert [is_made(paths, job, each) for each in (gone, there)] == [False, True]
    assert still_to_draw(paths, job) == []
    assert listing(paths.workspace.renders) == ["tiny_applied0002.mov"]
