"""Jobs with several formats: the film in the first one, exports beside it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from jobs.errors import MultitrainError
from jobs.settings.videos import VIDEOS, WITH_NVENC
from jobs.workspace.files import listing
from render.clips import exporting
from render.encoding import ffmpeg
from render.files.probe import read_header
from render.files.verifying import verify_made
from render.spool.spool import SpoolWriter
from tests.render.numbered import checkpoint, spool
from tests.render.workbench import run


@pytest.mark.parametrize(
    ("formats", "codec"),
    [
        ("hap,png,gif,h264", "hap"),
        ("ffv1,h265,dxv", "ffv1"),
        ("h265", "hevc"),
        ("h265-10bit,dpx", "hevc"),
    ],
)
def test_film_timecuts_and_exports(make_job, start_worker, formats, codec):
    paths, job = make_job(format=formats, frames=25, cut=15, size=(40, 24), crf=30)
    spool(paths, job, 0, 25)
    checkpoint(paths, 25)
    run(start_worker("job"))
    names = listing(paths.workspace.renders)
    first, *others = formats.split(",")
    suffix = VIDEOS[first].suffix
    for video, frames in (("job", 25), ("job_timecut0001", 15), ("job_timecut0002", 10)):
        path = paths.workspace.renders / f"{video}{suffix}"
        verify_made(first, path, frames, 60, (40, 24))
        assert read_header(path).format.codec == codec
        names.remove(path.name)
    form = read_header(paths.film(suffix=suffix)).format
    for name in others:
        path = exporting.export_name(paths.film(suffix=suffix), name)
        verify_made(name, path, 25, 60, (form.width, form.height))
        names.remove(path.name)
    assert names == ["job.contact.jpg", "job.jpg", "job.json"]
    told = json.loads(paths.manifest.read_text())
    assert [each["file"] for each in told["films"]] == [f"job{suffix}"]
    assert told["encoder"] == ("x264" if first in WITH_NVENC else None)


def test_boxes_are_exported_each(make_job, start_worker):
    paths, job = make_job(format="h264,hap", frames=5, grid_width=2, render_res="32x32")
    spool(paths, job, 0, 5)
    checkpoint(paths, 5)
    run(start_worker("job"))
    for box in (1, 2):
        path = paths.workspace.renders / f"job_box000{box}.hap.mov"
        verify_made("hap", path, 5, 60, (32, 32))


def test_exports_are_as_good_as_the_job_asks_for(make_job, start_worker):
    sizes = []
    for name, crf in (("fine", 4), ("coarse", 45)):
        paths, job = make_job(name, format="ffv1,h264", crf=crf, frames=10, size=(64, 64))
        writer = SpoolWriter(paths, job.plan, 0)
        writer.write(np.random.default_rng(0).integers(0, 256, (10, 64, 64, 3), np.uint8))
        writer.close()
        checkpoint(paths, 10)
        run(start_worker(name))
        sizes.append((paths.workspace.renders / f"{name}.h264.mp4").stat().st_size)
    assert sizes[0] > 2 * sizes[1]


def test_an_export_that_cannot_be_made_is_told(make_job, start_worker, monkeypatch, caplog):
    """The film and the other exports are there all the same, and the job is done."""
    real = ffmpeg.find

    def find(name="h264"):
        if name == "dxv":
            raise MultitrainError("No ffmpeg here can encode DXV")
        return real(name)

    monkeypatch.setattr(ffmpeg, "find", find)
    paths, job = make_job(format="h264,dxv,hap", frames=5)
    spool(paths, job, 0, 5)
    checkpoint(paths, 5)
    run(start_worker("job"))
    renders = paths.workspace.renders
    assert all((renders / name).exists() for name in ("job.mp4", "job.hap.mov", "job.json"))
    assert not (renders / "job.dxv.mov").exists()
    assert (
        "make the dxv of the film failed, try 3 of 3: No ffmpeg here can encode DXV" in caplog.text
    )
