"""`preview.mp4`: the newest timecut, small, as browsers play it."""

from __future__ import annotations

import logging
from fractions import Fraction
from pathlib import Path

import av
import pytest

from jobs.errors import ProgramFailed
from jobs.workspace.files import PART, listing
from render.encoding import ffmpeg
from render.films.previews import show_timecut
from tests.render.numbered import numbers_in
from tests.render.workbench import run, whole


@pytest.mark.parametrize(
    ("size", "columns", "shown"),
    [
        ((960, 540), {}, (320, 180)),
        ((33, 51), {}, (34, 52)),
        ((700, 300), {"grid_width": 2, "render_res": "700x300"}, (320, 138)),
        ((64, 64), {"format": "prores"}, (64, 64)),
    ],
)
def test_every_timecut_is_followed_by_its_preview(make_job, start_worker, size, columns, shown):
    paths, job = make_job(frames=40, cut=20, size=size, **columns)
    whole(paths, job)
    run(start_worker("job"))
    assert paths.is_done
    with av.open(str(paths.preview)) as container:
        video = container.streams.video[0]
        assert (video.width, video.height) == shown
        assert video.codec_context.name == "h264"
        assert video.codec_context.pix_fmt == "yuv420p"
        assert video.average_rate == Fraction(30)
        assert sum(1 for _ in container.decode(video)) == 10
    assert not [name for name in listing(paths.run) if name.endswith(PART)]
    if not columns:
        assert numbers_in(paths.preview)[-1] >= 38, "the newest timecut"


def test_an_earlier_timecut_takes_no_later_ones_place(make_job, start_worker):
    paths, job = make_job(frames=40, cut=20)
    whole(paths, job)
    run(start_worker("job"))
    before = paths.preview.read_bytes()
    show_timecut(paths, job, 1)
    assert paths.preview.read_bytes() == before


def test_a_preview_that_fails_costs_the_job_nothing(make_job, start_worker, monkeypatch, caplog):
    paths, job = make_job(frames=20, cut=20)
    whole(paths, job)
    real_run = ffmpeg.run

    def no_previews(command, timeout=None):
        if Path(command[-1]).name.startswith("preview"):
            raise ProgramFailed(command, 1, "no luck")
        real_run(command, timeout)

    monkeypatch.setattr(ffmpeg, "run", no_previews)
    with caplog.at_level(logging.WARNING):
        run(start_worker("job"))
    assert paths.is_done
    assert not paths.preview.exists()
    assert "job: no preview of timecut 1" in caplog.text
