"""Frames with alpha: films and PNG frames keep it; H.264 shows them over black."""

from __future__ import annotations

import json

import av
import numpy as np
import pytest
from PIL import Image

from jobs.errors import MultitrainError
from jobs.plans.plan import FrameRange
from jobs.workspace.files import listing
from render.encoding import ffmpeg
from render.files.merge import join, merge_folder
from render.files.probe import read_header, verify
from render.films.latest import newest_frame, write_latest
from render.films.segments import encode_batch
from render.spool.spool import SpoolWriter, rewind
from tests.render.numbered import checkpoint
from tests.render.workbench import checksum, run

LOSSY = {"prores-4444": (3, 2), "hap-alpha": (12, 4)}  # levels that colour and alpha may be off


@pytest.fixture(params=list(LOSSY))
def name(request):
    return request.param


def pictures(plan, first, last):
    """`(n, height, width, 4)` uint8: slow waves that move, and every alpha from none to all."""
    number = np.arange(first, last)[:, None, None]
    y, x = np.mgrid[: plan.frame_height, : plan.frame_width]
    red = np.broadcast_to(x * 3 + number, (last - first, *x.shape))
    green = 90 + 80 * np.sin(number / 9 + y / 15)
    blue = np.broadcast_to(200 - y * 2 - x, red.shape)
    alpha = (x * 256 // plan.frame_width + 3 * number).clip(0, 255) * (y > 3)
    return np.stack([red, np.broadcast_to(green, red.shape), blue, alpha], axis=-1).astype(np.uint8)


def spool(paths, job, first, last):
    with_alpha = pictures(job.plan, first, last)
    writer = SpoolWriter(paths, job.plan, first)
    writer.write(with_alpha)
    writer.close()
    return with_alpha


def decoded(video):
    """All frames as `(n, height, width, 4)` uint8; fails where one is not at its time."""
    shown = []
    with av.open(str(video)) as container:
        fps = container.streams.video[0].average_rate
        for number, frame in enumerate(container.decode(video=0)):
            assert frame.pts * frame.time_base * fps == number
            assert any(component.is_alpha for component in frame.format.components)
            shown.append(frame.to_ndarray(format="rgba"))
    return np.stack(shown)


def assert_alike(video, wanted, name):
    off = np.abs(decoded(video).astype(int) - wanted).max(axis=(0, 1, 2))
    colour, alpha = LOSSY[name]
    assert off[:3].max() <= colour
    assert off[3] <= alpha


@pytest.fixture
def make_clear_job(make_job, name):
    def make(job="job", **columns):
        columns = {"size": (64, 48), "frames": 25, "cut": 15} | columns
        return make_job(job, format=name, colour_model="rgba", **columns)

    return make


def test_a_film_keeps_the_alpha_of_every_frame(make_clear_job, start_worker, name):
    paths, job = make_clear_job()
    wanted = spool(paths, job, 0, 25)
    checkpoint(paths, 25)
    run(start_worker("job"))
    renders = paths.workspace.renders
    videos = ["job.mov", "job_timecut0001.mov", "job_timecut0002.mov"]
    assert listing(renders) == ["job.contact.jpg", "job.jpg", "job.json", *videos]
    assert_alike(renders / "job.mov", wanted, name)
    assert_alike(renders / "job_timecut0002.mov", wanted[15:], name)
    manifest = json.loads(paths.manifest.read_text())
    assert (manifest["spec"]["format"], manifest["encoder"]) == ([name], None)
    assert [film["file"] for film in manifest["films"]] == ["job.mov"]
    assert [cut["frames"] for cut in manifest["timecuts"]] == [15, 10]


def test_boxes_keep_it_too(make_clear_job, start_worker, name):
    paths, job = make_clear_job(grid_width=2, render_res="64x48")
    wanted = spool(paths, job, 0, 25)
    checkpoint(paths, 25)
    run(start_worker("job"))
    assert_alike(paths.film(1, ".mov"), wanted[:, :, :64], name)
    assert_alike(paths.film(2, ".mov"), wanted[:, :, 64:], name)


def test_timecuts_of_a_folder_make_the_same_film_again(make_clear_job, start_worker):
    paths, job = make_clear_job()
    spool(paths, job, 0, 25)
    checkpoint(paths, 25)
    run(start_worker("job"))
    [film] = paths.films(job.plan)
    before = checksum(film)
    film.unlink()
    assert merge_folder(paths.workspace.renders) == [film]
    assert checksum(film) == before


def test_what_is_published_stays_after_a_rewind(make_clear_job, start_worker, name):
    paths, job = make_clear_job()
    spool(paths, job, 0, 22)
    checkpoint(paths, 15)
    run(start_worker("job"))
    [first] = paths.timecuts(1, job.plan)
    published = checksum(first)
    assert rewind(paths, job.plan, 0) == 15
    assert listing(paths.segments) == [each.name for each in segments(paths, job)[:2]]
    spool(paths, job, 15, 25)
    checkpoint(paths, 25)
    run(start_worker("job"))
    assert checksum(first) == published
    assert_alike(paths.film(None, ".mov"), pictures(job.plan, 0, 25), name)


def segments(paths, job):
    return [each for batch in job.plan.batches() for each in paths.segments_of(batch, job.plan)]


def test_the_same_frames_give_the_same_bytes(make_clear_job):
    sums = []
    for each in ("one", "other"):
        paths, job = make_clear_job(each)
        spool(paths, job, 0, 25)
        encode_batch(paths, job, next(job.plan.batches()))
        sums.append(checksum(segments(paths, job)[0]))
    assert sums[0] == sums[1]


def test_films_are_tagged_as_others_are(make_clear_job, name):
    paths, job = make_clear_job()
    spool(paths, job, 0, 25)
    for batch in job.plan.batches():
        encode_batch(paths, job, batch)
    film = paths.run / "film.mov"
    join(segments(paths, job), film, 25)
    for video in (segments(paths, job)[0], film):
        with av.open(str(video)) as container:
            frame = next(container.decode(video=0))
            assert (frame.color_primaries, frame.color_trc) == (1, 1)  # ITU-T H.273: BT.709
            assert frame.colorspace == (1 if name == "prores-4444" else 0)
            assert frame.key_frame
    assert read_header(film).settings == {"prores-4444": b"ap4h", "hap-alpha": b"Hap5"}[name]


def test_prores_takes_any_size(make_job):
    paths, job = make_job(format="prores-4444", colour_model="rgba", size=(33, 17), frames=10)
    wanted = spool(paths, job, 0, 10)
    encode_batch(paths, job, FrameRange(0, 10))
    assert_alike(segments(paths, job)[0], wanted, "prores-4444")


def test_frames_without_alpha_make_opaque_films(make_job, name):
    paths, job = make_job(format=name, size=(64, 48), frames=10)
    writer = SpoolWriter(paths, job.plan, 0)
    writer.write(np.ascontiguousarray(pictures(job.plan, 0, 10)[..., :3]))
    writer.close()
    encode_batch(paths, job, FrameRange(0, 10))
    shown = decoded(segments(paths, job)[0])
    assert shown[..., 3].min() == 255


def test_h264_shows_them_over_black(make_job):
    paths, job = make_job(colour_model="rgba", crf=4, size=(65, 47), frames=10)
    with_alpha = spool(paths, job, 0, 10).astype(int)
    encode_batch(paths, job, FrameRange(0, 10))
    with av.open(str(paths.segment(FrameRange(0, 10)))) as container:
        shown = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    over_black = with_alpha[..., :3] * with_alpha[..., 3:] / 255
    off = np.abs(np.stack(shown)[:, :47, :65] - over_black)
    assert off.mean() < 3
    assert over_black[with_alpha[..., 3] < 255].max() < with_alpha[..., :3].max()


def test_png_frames_keep_it_exactly(make_job, start_worker):
    paths, job = make_job(colour_model="rgba", render_video=False, size=(33, 17), frames=5)
    with_alpha = spool(paths, job, 0, 5)
    checkpoint(paths, 5)
    run(start_worker("job"))
    for number in range(5):
        with Image.open(paths.image(number)) as image:
            np.testing.assert_array_equal(np.asarray(image), with_alpha[number])


def test_the_picture_of_the_newest_frame_is_over_black(make_job):
    paths, job = make_job(colour_model="rgba", frames=5)
    frames = np.zeros((5, 32, 32, 4), np.uint8)
    frames[4] = 200, 100, 50, 128
    writer = SpoolWriter(paths, job.plan, 0)
    writer.write(frames)
    write_latest(paths, job.plan, newest_frame(paths, job.plan))
    with Image.open(paths.latest) as image:
        np.testing.assert_allclose(np.asarray(image)[16, 16], (100, 50, 25), atol=3)


def test_frames_of_another_kind_are_refused(make_job):
    paths, job = make_job(colour_model="rgba", frames=5)
    with pytest.raises(ValueError, match=r"not \(n, \*\(32, 32, 4\)\) uint8"):
        SpoolWriter(paths, job.plan, 0).write(np.zeros((5, 32, 32, 3), np.uint8))


def test_a_video_without_alpha_is_not_taken_for_one_with_it(make_job):
    paths, job = make_job(frames=10)
    writer = SpoolWriter(paths, job.plan, 0)
    writer.write(np.zeros((10, 32, 32, 3), np.uint8))
    encode_batch(paths, job, FrameRange(0, 10))
    segment = paths.segment(FrameRange(0, 10))
    verify(segment, 10, 60, 32, 32)
    with pytest.raises(MultitrainError, match=r"has no alpha: its pixels are yuv420p"):
        verify(segment, 10, 60, 32, 32, has_alpha=True)


def test_timecuts_of_another_kind_of_hap_are_not_joined(make_job):
    """Their codec and sizes are the same."""
    paths, job = make_job(format="hap-alpha", colour_model="rgba", frames=20)
    spool(paths, job, 0, 20)
    for batch in job.plan.batches():
        encode_batch(paths, job, batch)
    one, other = segments(paths, job)
    plain = other.with_name("plain.mov")
    ffmpeg.run(
        [
            *(ffmpeg.find("hap-alpha"), "-loglevel", "error", "-i", str(other)),
            *("-c:v", "hap", "-format", "hap", "-video_track_timescale", "30720", str(plain)),
        ]
    )
    with pytest.raises(MultitrainError, match=r"plain\.mov does not fit the others"):
        join([one, plain], paths.run / "both.mov", 20)


@pytest.fixture
def program_without(tmp_path):
    """`program_without(format)`: an ffmpeg that was built without it, alone in a folder."""
    real = ffmpeg.find()

    def make(name):
        lacks = {"prores-4444": "prores_ks", "hap-alpha": "hap"}[name]
        unknown = f'case " $* " in *" {lacks} "*) echo "Unknown encoder {lacks}" >&2; exit 8;; esac'
        program = tmp_path / "bin" / "ffmpeg"
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\n{unknown}\nexec "{real}" "$@"\n')
        program.chmod(0o755)
        return program

    ffmpeg.find.cache_clear()
    yield make
    ffmpeg.find.cache_clear()


def test_no_ffmpeg_with_the_encoder_is_told_with_advice(program_without, monkeypatch, name):
    program = program_without(name)
    monkeypatch.setenv("PATH", str(program.parent))
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(program))
    assert ffmpeg.find() == str(program)
    named = {"prores-4444": "ProRes 4444", "hap-alpha": "HAP"}[name]
    with pytest.raises(MultitrainError, match=rf"can encode {named}.*Unknown encoder"):
        ffmpeg.find(name)


def test_another_ffmpeg_serves_where_the_own_one_lacks_it(
    make_clear_job, program_without, monkeypatch, name
):
    program = program_without(name)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    monkeypatch.delenv("IMAGEIO_FFMPEG_EXE", raising=False)
    assert ffmpeg.find() == str(program)
    paths, job = make_clear_job(frames=10, cut=None)
    wanted = spool(paths, job, 0, 10)
    encode_batch(paths, job, FrameRange(0, 10))
    assert_alike(segments(paths, job)[0], wanted, name)
