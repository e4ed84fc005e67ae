"""What films are like: their samples, when they settle, their colours, their checkerboards."""

from __future__ import annotations

import numpy as np
import pytest

from jobs.settings.kinds import Resolution
from jobs.settings.spec import JobSpec
from jobs.workspace.jobfile import JobFile
from render.clips.looking import Area, Layout, areas, layout_of, look_at_film
from tests.footage import write_video

CELL = Resolution(48, 40)


@pytest.mark.parametrize(
    ("size", "layout", "found"),
    [
        ((20, 10), (CELL, 0, 0), [(0, 0, 20, 10)]),
        ((96, 40), (CELL, 0, 0), [(0, 0, 48, 40), (48, 0, 48, 40)]),
        ((98, 42), (CELL, 0, 0), [(0, 0, 48, 40), (48, 0, 48, 40)]),
        ((100, 40), (CELL, 24, 80), [(24, 0, 48, 40)]),
        ((50, 60), (CELL, 20, 20), [(0, 20, 28, 40)]),
        ((20, 10), (CELL, 30, 0), [(0, 0, 18, 10)]),
    ],
)
def test_samples_are_whole_where_any_is(size, layout, found):
    there = areas(Resolution(*size), Layout(*layout))
    assert list(there) == [Area(*each) for each in found]


@pytest.fixture
def job(workspace):
    """`job(**columns)`: a job `night` of 3x2 samples of 48x40."""

    def make(**columns):
        settings = {"dataset": "demo", "grid_width": 3, "grid_height": 2, "video_length": 1}
        spec = JobSpec(name="night", **(settings | columns))
        JobFile(spec=spec, image_width=48, image_height=40).save(workspace.job("night"))
        workspace.renders.mkdir()

    return make


@pytest.mark.parametrize(
    ("name", "size", "layout"),
    [
        ("night.mp4", (144, 80), Layout(CELL)),
        ("night_timecut0002.mp4", (144, 80), Layout(CELL)),
        ("night_loop0001.mp4", (72, 40), None),
        ("night_box0001.mp4", (144, 80), None),
        ("day.mp4", (144, 80), None),
        ("night.mp3", (144, 80), None),
    ],
)
def test_a_job_tells_where_its_samples_are(workspace, job, name, size, layout):
    job()
    assert layout_of(workspace.renders / name, Resolution(*size)) == layout


def test_boxes_have_their_place_among_the_samples(workspace, job):
    job(render_res="72x40")
    box = workspace.renders / "night_box0004.mp4"
    assert layout_of(box, Resolution(72, 40)) == Layout(CELL, 72, 40)
    assert layout_of(workspace.renders / "night_box0005.mp4", Resolution(72, 40)) is None
    assert layout_of(workspace.renders / "night.mp4", Resolution(144, 80)) is None


def frames(count, grey, checkers):
    """Grey, then waves in 3x2 samples of 48x40, with a checkerboard that strong."""
    y, x = np.mgrid[:40, :48]
    yield from [np.full((80, 144, 3), 128, np.uint8)] * grey
    for number in range(count - grey):
        waves = [100 * np.sin((x + k * y) / 9 + number / 5 + k) for k in (1, 2, 3)]
        cell = np.stack(waves, axis=2) + checkers * (1 - 2 * ((x + y) % 2))[..., None]
        yield np.uint8(np.tile(cell + 120, (2, 3, 1)).clip(0, 255))


def look(tmp_path, cell=CELL, **how):
    film = write_video(tmp_path / "film.mp4", frames(60, 15, **how), gop=4)
    return look_at_film([film], cell, lambda done: None)


def test_a_film_is_told_by_its_settled_frames(tmp_path):
    seen = look(tmp_path, checkers=0)
    assert (seen.frames, seen.fps, seen.size) == (60, 25, (144, 80))
    assert (len(seen.samples), seen.samples[-1]) == (6, Area(96, 40, 48, 40))
    assert abs(seen.settled.frame - 15) <= 1
    assert seen.settled_seconds == pytest.approx(0.6, abs=0.05)
    assert seen.measured == 16
    assert seen.mean == pytest.approx([120] * 3, abs=12)
    assert seen.deviation == pytest.approx([71] * 3, abs=8)


def test_a_checkerboard_shows_in_samples(tmp_path):
    assert look(tmp_path, checkers=0).checkerboard < 1.5
    assert look(tmp_path, checkers=20).checkerboard > 3


def test_borders_of_samples_are_no_checkerboard(tmp_path):
    """Of the frame as one picture, they would be: a grid of 32 pixels has waves of 4 and 2, too."""
    ramp = np.linspace(40, 200, 32)[:, None, None] + np.linspace(-30, 30, 32)[:, None] + np.zeros(3)
    film = write_video(tmp_path / "film.mp4", [np.uint8(np.tile(ramp, (4, 6, 1)))] * 20)
    in_samples, as_one = (
        look_at_film([film], cell, lambda done: None).checkerboard
        for cell in (Resolution(32, 32), None)
    )
    assert as_one > in_samples + 3


def test_tiny_samples_tell_nothing(tmp_path):
    seen = look(tmp_path, cell=Resolution(20, 20), checkers=0)
    assert seen.checkerboard is None
    assert len(seen.samples) == 28
    assert seen.measured == 16
