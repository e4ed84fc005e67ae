"""Loops of a sheet that another job's network enlarges, behind the last frame of a training."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from jobs.settings.kinds import Resolution
from jobs.settings.spec import JobSpec
from jobs.workspace.files import listing
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import JobPaths, Workspace
from multitrain.applying import enlarging, planning
from multitrain.applying.asked import Asked
from multitrain.applying.making import Networks
from multitrain.datasets.drawn.landscapes import draw_landscape
from multitrain.engine.session import SessionSettings
from multitrain.inference.network import Device
from multitrain.trainer import drawing
from multitrain.trainer.drawing import draw_the_rest
from render.encoding.ffmpeg import Stopped
from render.files.reading import FilmReader, frames_in_order
from render.spool.notes import note_film, still_to_draw
from tests.applying.test_translator import far
from tests.applying.weights import keep_weights
from tests.footage import write_video
from tests.hearing.played import a_song, write_song

FPS, FRAMES = 10, 24
SIZE = Resolution(48, 36)
Night = Callable[[str], tuple[JobPaths, JobFile]]
CUT = "pingpong(frames=12,start=0,format=ffv1,scale_with=sharp)"


@pytest.fixture(autouse=True)
def short_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of four frames; and each is told of."""
    monkeypatch.setattr(planning, "PIECE_SECONDS", 4 / FPS)
    monkeypatch.setattr(drawing, "TELL_SECONDS", 0.0)


@pytest.fixture
def sharp(workspace: Workspace, tiny_job: Callable[..., JobFile]) -> JobFile:
    """Remembers, and doubles."""
    small = {"family": "superres", "net": "recurrent", "features": 4, "blocks": 1, "scale": 2}
    job = tiny_job(96, 72, name="sharp", precision="float32", **small)
    keep_weights(workspace, job)
    return job


@pytest.fixture
def night(workspace: Workspace) -> Night:
    """`night(loops)`: a job that is trained; its film is not joined yet."""

    def make(loops: str) -> tuple[JobPaths, JobFile]:
        spec = JobSpec(
            name="night", family="testcard", dataset="d", grid_width=1, grid_height=1, fps=FPS,
            steps=FRAMES, loops=loops,
        )  # fmt: skip
        job, paths = JobFile(spec=spec, image_width=48, image_height=36), workspace.job("night")
        job.save(paths)
        workspace.renders.mkdir(exist_ok=True)
        return paths, job

    return make


def join_film(paths: JobPaths, job: JobFile) -> None:
    """A pan over a landscape."""
    picture = draw_landscape(1, 2 * SIZE.width, SIZE.height)
    pan = (picture[:, 2 * each : 2 * each + SIZE.width] for each in range(FRAMES))
    write_video(paths.film(), pan, fps=FPS)
    note_film(paths, job)


def draw(paths: JobPaths, job: JobFile, stop: threading.Event | None = None) -> bool:
    return draw_the_rest(paths, job, SessionSettings(), stop or threading.Event())


def frames_of(path: Path) -> np.ndarray:
    with FilmReader([path]) as reader:
        return np.stack(list(frames_in_order(reader)))


def wanted(workspace: Workspace, sharp: JobFile, frames: np.ndarray) -> np.ndarray:
    """What the network makes of a loop that has been played before, and goes on after its end."""
    asked = Asked(workspace, sharp)
    before = planning.REMEMBERED
    numbers = [number % len(frames) for number in range(-before, len(frames) + 1)]
    course = asked.course(asked.moments(), len(numbers))
    network = Networks(asked, Device(sharp, SessionSettings())).following(course, SIZE)
    return network.made(0, frames[numbers])[before:]


def test_a_loop_that_a_kill_interrupts_is_cut_once_enlarged_and_closes(
    workspace: Workspace, sharp: JobFile, night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths, job = night(CUT)
    join_film(paths, job)
    stop, tell = threading.Event(), drawing._Reports.__call__

    def stops_in_the_second_piece(reports: drawing._Reports, frames: int) -> None:
        if frames >= 8:
            stop.set()
        tell(reports, frames)

    with monkeypatch.context() as patch:
        patch.setattr(drawing._Reports, "__call__", stops_in_the_second_piece)
        assert draw(paths, job, stop) is False
    assert listing(workspace.renders) == ["night.mp4"]
    (folder,) = [each for each in workspace.applying.iterdir() if each.is_dir()]
    assert enlarging.CLIP in listing(folder)

    monkeypatch.setattr(drawing, "make_loop", None)  # it is cut already
    assert draw(paths, job) is True

    made = frames_of(paths.outputs / "night_loop0001.mov")
    film = frames_of(paths.film())
    loop = film[[*range(7), *range(5, 0, -1)]]
    assert made.shape == (12, 72, 96, 3)
    assert far(made, wanted(workspace, sharp, loop)) <= 1
    assert still_to_draw(paths, job) == []
    assert listing(workspace.applying) == []


def test_a_walk_is_drawn_and_enlarged(
    workspace: Workspace, sharp: JobFile, tiny_job: Callable[..., JobFile]
) -> None:
    walk = "walk(frames=4,format=ffv1%s)"
    job = tiny_job(
        *SIZE, name="night", grid_width=1, grid_height=1, fps=FPS,
        loops=",".join(walk % more for more in ("", ",scale_with=sharp")),
    )  # fmt: skip
    keep_weights(workspace, job)
    paths = workspace.job("night")
    assert draw(paths, job) is True
    plain, large = (frames_of(paths.outputs / f"night_loop000{each}.mov") for each in (1, 2))
    assert far(large, wanted(workspace, sharp, plain)) <= 1


def test_a_song_that_was_replaced_makes_another_walk(
    workspace: Workspace,
    sharp: JobFile,
    tiny_job: Callable[..., JobFile],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What was made of a walk to the old one does not go on with the new one."""
    song, notes = tmp_path / "song.wav", []
    loops = f"song(file={song},format=ffv1,scale_with=sharp)"
    job = tiny_job(*SIZE, name="night", grid_width=1, grid_height=1, fps=FPS, loops=loops)
    keep_weights(workspace, job)

    def stops(_enlarging: enlarging.Enlarging, _make: object, note: str, *_: object) -> None:
        notes.append(note)
        raise Stopped

    monkeypatch.setattr(enlarging.Enlarging, "plan", stops)
    write_song(song, a_song(120, beats=4).samples)
    assert draw(workspace.job("night"), job) is False
    assert draw(workspace.job("night"), job) is False
    write_song(song, a_song(120, beats=6).samples)
    assert draw(workspace.job("night"), job) is False
    first, again, replaced = notes
    assert first == again != replaced


def test_the_film_is_waited_for_until_a_wish_to_stop(
    sharp: JobFile,
    night: Night,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(drawing, "FILM_SECONDS", 0.001)
    paths, job = night(CUT)
    looks = 0

    class Stop(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            nonlocal looks
            looks += 1
            if looks == 3:
                self.set()
            return super().wait(timeout)

    assert draw(paths, job, Stop()) is False
    assert looks == 3
    assert len(still_to_draw(paths, job)) == 1


def test_where_the_other_job_has_gone_the_loop_is_given_up(
    night: Night, caplog: pytest.LogCaptureFixture
) -> None:
    paths, job = night(CUT)
    join_film(paths, job)
    assert draw(paths, job) is True
    assert "There is no job 'sharp'" in caplog.text
    assert still_to_draw(paths, job) == []
