"""The trainer draws the walks of its sheet behind the last frame, and never pays for it."""

from __future__ import annotations

import errno
import json
import threading
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from jobs.errors import MultitrainError
from jobs.settings.spec import JobSpec
from jobs.workspace.files import listing
from jobs.workspace.jobfile import JobFile
from jobs.workspace.outputs import loop_files
from jobs.workspace.paths import JobPaths
from multitrain.engine.session import SessionSettings
from multitrain.farm.progress_reader import last_progress
from multitrain.inference import blocks
from multitrain.protocol.call import Call
from multitrain.trainer import drawing as of_sheets
from multitrain.trainer.process import train
from multitrain.walking import making
from render.spool.notes import is_made, is_over, still_to_draw
from tests.hearing.played import a_song, write_song
from tests.walking.walked import frames_of

LOOPS = "walk(frames=6,keyframes=2), walk(frames=4,grid=1x1,checkpoint=0,format=ffv1)"


@pytest.fixture
def sheet(learnt: JobFile, paths: JobPaths) -> Callable[[str], JobFile]:
    """`sheet(loops)`: the job that has learnt asks for these."""

    def make(loops: str = LOOPS) -> JobFile:
        spec = JobSpec.model_validate({**learnt.spec.model_dump(), "loops": loops})
        job = JobFile(spec=spec, image_width=12, image_height=9)
        job.save(paths)
        return job

    return make


def walk(paths: JobPaths, job: JobFile, stop: threading.Event | None = None) -> bool:
    return of_sheets.draw_the_rest(paths, job, SessionSettings(), stop or threading.Event())


def test_all_that_are_missing_are_drawn_and_noted(
    sheet: Callable[..., JobFile], paths: JobPaths
) -> None:
    job = sheet()

    assert walk(paths, job) is True

    renders = paths.workspace.renders
    assert listing(renders) == ["tiny_loop0001.mp4", "tiny_loop0002.mov"]
    assert frames_of(renders / "tiny_loop0001.mp4").shape == (6, 18, 36, 3)
    assert frames_of(renders / "tiny_loop0002.mov").shape == (4, 9, 12, 3)
    assert all(is_made(paths, job, each) for each in loop_files(job.spec, job.plan))


def test_a_walk_to_a_song_is_drawn_with_its_song(
    sheet: Callable[..., JobFile], paths: JobPaths, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    song = write_song(tmp_path / "song.wav", a_song(120, beats=4, start=0.0).samples)
    job = sheet(f"song(file={song}, from=0.5, to=1.5), song(file={tmp_path}/none.mp3)")

    assert walk(paths, job) is True

    (name,) = listing(paths.workspace.renders)
    loop = paths.workspace.renders / name
    assert frames_of(loop).shape == (10, 18, 36, 3)
    with av.open(str(loop)) as film:
        (sound,) = film.streams.audio
        assert float(sound.duration * sound.time_base) == pytest.approx(1.0, abs=0.03)
    assert "none.mp3 is not there" in caplog.text


def test_those_that_are_there_stay(sheet: Callable[..., JobFile], paths: JobPaths) -> None:
    job = sheet()
    walk(paths, job)
    first, second = (paths.workspace.renders / each for each in listing(paths.workspace.renders))
    made_at = first.stat().st_mtime_ns
    third = paths.workspace.root / "moved away"
    second.rename(third)

    assert walk(paths, job) is True
    assert not second.exists(), "it is its user's"

    paths.made(second).unlink()
    assert walk(paths, job) is True

    assert first.stat().st_mtime_ns == made_at
    assert second.exists()


def test_other_settings_draw_it_anew(sheet: Callable[..., JobFile], paths: JobPaths) -> None:
    walk(paths, sheet("walk(frames=6)"))

    walk(paths, sheet("walk(frames=5)"))

    assert len(frames_of(paths.workspace.renders / "tiny_loop0001.mp4")) == 5


def test_a_wish_to_stop_is_heard_within_a_walk_which_is_drawn_anew(
    sheet: Callable[..., JobFile], paths: JobPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 1)
    job, stop = sheet(), threading.Event()
    block = making.Drawing.block

    def draw(drawing: making.Drawing, first: int) -> np.ndarray:
        if first == 3:
            stop.set()
        return block(drawing, first)

    monkeypatch.setattr(making.Drawing, "block", draw)
    assert walk(paths, job, stop) is False
    assert listing(paths.workspace.renders) == []

    stop.clear()
    monkeypatch.setattr(making.Drawing, "block", block)
    assert walk(paths, job, stop) is True
    assert still_to_draw(paths, job) == []


def test_a_walk_that_cannot_be_is_given_up_and_the_next_one_is_drawn(
    sheet: Callable[..., JobFile], paths: JobPaths, caplog: pytest.LogCaptureFixture
) -> None:
    job = sheet("walk(frames=6,checkpoint=5), walk(frames=4)")

    assert walk(paths, job) is True

    assert "cannot draw loop 1" in caplog.text
    assert "tiny has no weights of step 5" in caplog.text
    assert listing(paths.workspace.renders) == ["tiny_loop0002.mp4"]
    assert still_to_draw(paths, job) == [], "nobody waits for it"
    first, second = loop_files(job.spec, job.plan)
    assert [is_made(paths, job, each) for each in (first, second)] == [False, True]
    assert is_over(paths, job, first)


@pytest.mark.parametrize(
    "trouble",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        RuntimeError("CUDA_ERROR_ECC_UNCORRECTABLE: uncorrectable ECC error encountered"),
    ],
    ids=["full disk", "broken GPU"],
)
def test_what_is_not_the_walks_fault_is_for_the_farm(
    sheet: Callable[..., JobFile],
    paths: JobPaths,
    monkeypatch: pytest.MonkeyPatch,
    trouble: Exception,
) -> None:
    job = sheet()
    monkeypatch.setattr(of_sheets, "make_walk", lambda *_: (_ for _ in ()).throw(trouble))

    with pytest.raises(type(trouble)):
        walk(paths, job)

    assert len(still_to_draw(paths, job)) == 2


def test_a_walk_whose_note_cannot_be_written_is_not_given_up(
    sheet: Callable[..., JobFile], paths: JobPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = sheet("walk(frames=4)")
    with monkeypatch.context() as broken:
        trouble = OSError(errno.EIO, "Input/output error")
        broken.setattr(of_sheets, "note_made", lambda *_: (_ for _ in ()).throw(trouble))
        with pytest.raises(OSError, match="Input/output"):
            walk(paths, job)
    assert listing(paths.workspace.renders) == ["tiny_loop0001.mp4"]
    assert len(still_to_draw(paths, job)) == 1

    assert walk(paths, job) is True

    assert still_to_draw(paths, job) == []
    assert all(is_made(paths, job, each) for each in loop_files(job.spec, job.plan))


def test_the_farm_sees_that_frames_are_drawn(
    sheet: Callable[..., JobFile], paths: JobPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 1)
    monkeypatch.setattr(of_sheets, "TELL_SECONDS", 0.0)
    job = sheet()

    walk(paths, job)

    lines = [json.loads(line) for line in paths.progress.read_text().splitlines()]
    assert {line["frame"] for line in lines} == {job.plan.frames_total}
    walked = [line["walked"] for line in lines]
    assert walked == sorted(walked)
    assert {1, 2, 6, 7, 10} <= set(walked)
    told = last_progress(paths.progress)
    assert told is not None
    assert (told.frame, told.walked) == (job.plan.frames_total, 10)


def test_a_trainer_draws_them_at_its_end_and_when_it_is_started_again(
    submit: Callable[..., JobFile], paths: JobPaths
) -> None:
    """As the farm starts it."""
    job = submit(8, loops="walk(frames=3)")
    call = Call(paths.workspace.root, "tiny")
    loop = paths.workspace.renders / "tiny_loop0001.mp4"

    assert train(call, threading.Event()) is True
    assert len(frames_of(loop)) == 3

    paths.made(loop).unlink()
    loop.unlink()
    stop = threading.Event()
    stop.set()
    assert train(call, stop) is False
    assert train(call, threading.Event()) is True
    assert len(frames_of(loop)) == 3
    assert still_to_draw(paths, job) == []


def test_without_walks_nothing_of_it_is_loaded(
    submit: Callable[..., JobFile], paths: JobPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit(8, loops="pingpong()")
    monkeypatch.setattr(of_sheets, "draw_the_rest", lambda *_: pytest.fail("it has none"))

    assert train(Call(paths.workspace.root, "tiny"), threading.Event()) is True


@pytest.fixture
def submit(paths: JobPaths, make_pictures: Callable[..., object]) -> Callable[..., JobFile]:
    """Writes `job.yaml` and pictures of a tiny DCGAN: `submit(frames, **columns)`."""

    def make(frames: int, **columns: object) -> JobFile:
        make_pictures(paths.workspace.dataset("d"), count=5)
        cells = {"name": "tiny", "dataset": "d", "grid_width": 2, "grid_height": 2, "fps": 10}
        cells |= {"video_length": frames / 600, "nbr_of_layers_g": 3, "nbr_of_layers_d": 3}
        cells |= {"gf_dim": 2, "df_dim": 2, "z_dim": 4}
        job = JobFile(
            spec=JobSpec.model_validate({**cells, **columns}), image_width=16, image_height=12
        )
        paths.run.mkdir(parents=True, exist_ok=True)
        job.save(paths)
        return job

    return make


def test_a_test_card_has_none(submit: Callable[..., JobFile], paths: JobPaths) -> None:
    job = submit(8, loops="walk(frames=3)", family="testcard")

    assert walk(paths, job) is True

    assert listing(paths.workspace.renders) == []
    with pytest.raises(MultitrainError, match="testcard has none"):
        making.WalkPlan(job, job.spec.loops[0].walk_settings(), "h264").check()
