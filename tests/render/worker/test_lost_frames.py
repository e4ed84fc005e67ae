"""Segments, timecuts, films and PNG frames that vanish or change: made again, or named."""

import os

import numpy as np
import pytest
from PIL import Image

from jobs.plans.plan import FrameRange
from jobs.workspace.files import listing
from render.files.digests import DIGEST_BYTES, is_as_marked, is_unchanged
from render.files.probe import open_packets, settings_of
from render.spool.notes import note_what_is_told
from render.spool.spool import rewind
from render.worker import rendering
from tests.render.files.test_copies import encode_again
from tests.render.numbered import checkpoint, read, spool
from tests.render.workbench import checksum, failure, run, whole

FIRST, SECOND = FrameRange(0, 10), FrameRange(10, 20)  # the segments of the first timecut
BOXES = {"size": (17, 16), "grid_width": 2, "grid_height": 2, "render_res": "34x16"}
BOX_BYTES = 16 + DIGEST_BYTES  # what stands behind a segment


def flip(path, place=0.5):
    """Change a byte of a file where it lies, as a failing disk does."""
    data = bytearray(path.read_bytes())
    data[int(len(data) * place)] ^= 0xFF
    path.write_bytes(data)


def as_of_the_version_before(segment):
    """Take its digest from it."""
    assert is_unchanged(segment)
    segment.write_bytes(segment.read_bytes()[:-BOX_BYTES])


@pytest.fixture
def half_way(make_job, start_worker):
    """`paths, job, straight = half_way(**columns)`: of 40 frames, timecut 1 is published, the raw
    frames of it are gone, and the rest is to come; `straight` is the same job in one go.
    """

    def make(**columns):
        settings = {"frames": 40, "cut": 20, "preset": "medium"} | columns
        straight, job = make_job("straight", **settings)
        whole(straight, job)
        run(start_worker("straight"))
        paths, job = make_job("crooked", **settings)
        spool(paths, job, 0, 25)
        checkpoint(paths, 25)
        run(start_worker("crooked"))
        assert paths.timecuts(1, job.plan)[0].exists()
        assert not paths.batch(FIRST).exists()
        return paths, job, straight

    return make


def is_finished_as(paths, job, straight, start_worker):
    """Whether films and timecuts come out as those of the job that nothing happened to."""
    spool(paths, job, 25, 40)
    checkpoint(paths, 40)
    run(start_worker(paths.name))
    return outputs(paths, job) == outputs(straight, job)


def outputs(paths, job):
    """What films and timecuts hold: settings for the decoder, and packets at their times.

    The mean bit rate that a file tells is that of the first piece which it was joined from.
    """
    numbers = range(1, len(job.plan.cuts) + 1)
    videos = [*paths.films(job.plan), *(v for n in numbers for v in paths.timecuts(n, job.plan))]
    return [contents(video) for video in videos]


def contents(video):
    with open_packets(video) as (stream, packets):
        held = [(packet.pts, packet.is_keyframe, bytes(packet)) for packet in packets]
        return settings_of(stream), stream.codec_context.codec_tag, stream.duration, held


@pytest.mark.parametrize(
    "columns",
    [
        {"format": "h264"},
        {"format": "h265"},
        {"format": "hap"},
        {"format": "dxv"},
        {"format": "prores"},
        {"format": "ffv1"},
        BOXES,
    ],
    ids=str,
)
def test_a_lost_segment_is_taken_from_its_timecut(half_way, start_worker, columns):
    paths, job, straight = half_way(**columns)
    paths.segments_of(SECOND, job.plan)[-1].unlink()
    assert is_finished_as(paths, job, straight, start_worker)


def test_a_lost_segment_is_encoded_again_while_its_raw_frames_are_there(half_way, start_worker):
    paths, job, straight = half_way()
    spool(paths, job, 25, 30)
    run(start_worker(paths.name))
    paths.segment(FrameRange(20, 30)).unlink()
    run(start_worker(paths.name))
    assert paths.segment(FrameRange(20, 30)).exists()
    spool(paths, job, 30, 40)
    checkpoint(paths, 40)
    run(start_worker(paths.name))
    assert outputs(paths, job) == outputs(straight, job)


def test_a_changed_segment_is_set_aside_and_taken_from_its_timecut(half_way, start_worker, caplog):
    paths, job, straight = half_way()
    flip(paths.segment(FIRST))
    assert is_finished_as(paths, job, straight, start_worker)
    assert "000000000-000000010.mp4 is damaged and made again, if it can be" in caplog.text


@pytest.mark.parametrize("harm", [flip, lambda segment: segment.unlink()], ids=["flip", "unlink"])
def test_what_is_nowhere_else_fails_the_job_at_once(make_job, start_worker, harm):
    paths, job = make_job(frames=40, cut=20)
    spool(paths, job, 0, 15)
    checkpoint(paths, 15)
    run(start_worker(paths.name))
    harm(paths.segment(FIRST))
    spool(paths, job, 15, 40)
    checkpoint(paths, 40)
    worker = start_worker(paths.name)
    run(worker)
    assert worker.looks_after == frozenset()
    assert failure(paths)["kind"] == "frames_lost"
    told = "frames 0 to 9 are lost: 000000000-000000010.mp4 is gone or damaged"
    assert failure(paths)["reason"].startswith(told)
    assert "--fresh job" in failure(paths)["reason"]
    assert not paths.film().exists()


def test_segments_of_the_version_before_are_decoded_and_get_a_digest(half_way, start_worker):
    paths, job, straight = half_way()
    for segment in (FIRST, SECOND):
        as_of_the_version_before(paths.segment(segment))
    paths.timecut(1).unlink()
    run(start_worker(paths.name))
    assert all(is_unchanged(paths.segment(each)) for each in (FIRST, SECOND))
    assert is_finished_as(paths, job, straight, start_worker)


def test_a_segment_of_the_version_before_that_does_not_decode_is_damaged(half_way, start_worker):
    paths, job, straight = half_way()
    as_of_the_version_before(paths.segment(SECOND))
    paths.segment(SECOND).write_bytes(paths.segment(SECOND).read_bytes()[:-200])
    assert is_finished_as(paths, job, straight, start_worker)


def test_training_goes_on_where_only_a_timecut_has_the_frames(half_way):
    paths, job, _ = half_way()
    paths.segment(FIRST).unlink()
    assert rewind(paths, job.plan, 25) == 25


# --- a timecut that is needed was changed by its user ---------------------------------------------


def test_a_timecut_that_has_changed_is_not_taken(half_way, start_worker):
    paths, job, straight = half_way()
    published = paths.timecut(1).read_bytes()
    paths.segment(FIRST).unlink()
    encode_again(paths.timecut(1), "-c:v", "libx264", "-bf", "0", "-crf", "30")
    assert not is_finished(paths, job, start_worker)
    assert failure(paths)["kind"] == "frames_lost"
    assert "crooked_timecut0001.mp4 is needed" in failure(paths)["reason"]
    assert "it has changed since it was published" in failure(paths)["reason"]
    paths.render_failure.unlink()
    paths.timecut(1).write_bytes(published)
    run(start_worker(paths.name))
    assert outputs(paths, job) == outputs(straight, job)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        (("-c:v", "libx264", "-bf", "2"), "it was encoded again"),
        (("-c", "copy", "-frames:v", "19"), "has 19 frames instead of 20"),
    ],
    ids=["B-frames", "cut"],
)
def test_nor_one_of_which_nobody_knows_how_it_was(half_way, start_worker, changed, why):
    paths, job, _ = half_way()
    paths.segment(FIRST).unlink()
    paths.digest(paths.timecut(1)).unlink()
    encode_again(paths.timecut(1), *changed)
    assert not is_finished(paths, job, start_worker)
    assert why in failure(paths)["reason"]


def is_finished(paths, job, start_worker):
    spool(paths, job, 25, 40)
    checkpoint(paths, 40)
    run(start_worker(paths.name))
    return paths.manifest.exists()


# --- a job that was done and is looked at again ---------------------------------------------------


@pytest.fixture
def done(make_job, start_worker):
    """A job that was done, with what its manifest told as notes; no segments, nothing raw."""

    def make(**columns):
        paths, job = make_job(frames=55, cut=20, preset="medium", **columns)
        whole(paths, job)
        run(start_worker(paths.name))
        before = outputs(paths, job)
        note_what_is_told(paths, job)
        paths.manifest.unlink()
        return paths, job, before

    return make


FORMATS = [{}, BOXES, {"format": "hap"}, {"format": "ffv1"}, {"format": "h265"}]


@pytest.mark.parametrize("columns", FORMATS, ids=str)
def test_a_film_that_is_gone_is_joined_of_its_timecuts(done, start_worker, columns):
    paths, job, before = done(**columns)
    paths.films(job.plan)[-1].unlink()
    assert rewind(paths, job.plan, 0) == 55
    run(start_worker(paths.name))
    assert outputs(paths, job) == before
    assert paths.manifest.exists()


@pytest.mark.parametrize("columns", FORMATS, ids=str)
@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_timecut_that_is_gone_is_cut_from_the_film(done, start_worker, columns, number):
    paths, job, before = done(**columns)
    paths.timecuts(number, job.plan)[-1].unlink()
    assert rewind(paths, job.plan, 0) == 55
    run(start_worker(paths.name))
    assert outputs(paths, job) == before
    assert paths.manifest.exists()


def test_where_a_timecut_and_the_film_are_gone_it_is_said_which_frames_are_lost(done, start_worker):
    paths, *_ = done()
    paths.film().unlink()
    paths.timecut(2).unlink()
    run(start_worker(paths.name))
    assert failure(paths)["reason"].startswith("frames 20 to 39 are lost")
    assert paths.timecut(2).name in failure(paths)["reason"]


def test_a_timecut_is_not_cut_from_a_film_that_has_changed(done, start_worker):
    paths, *_ = done()
    flip(paths.film())
    paths.timecut(2).unlink()
    run(start_worker(paths.name))
    assert f"{paths.film()} is needed" in failure(paths)["reason"]
    assert not paths.timecut(2).exists()


def test_a_film_that_changes_before_its_job_is_done_is_joined_again(
    make_job, start_worker, monkeypatch
):
    paths, job = make_job(frames=20)
    whole(paths, job)
    made, real = [], rendering.make_extra

    def make(*arguments):
        made.append(checksum(paths.film()))
        real(*arguments)
        flip(paths.film())

    monkeypatch.setattr(rendering, "make_extra", make)
    run(start_worker(paths.name))
    assert checksum(paths.film()) == made[0]
    assert paths.manifest.exists()


# --- PNG frames -----------------------------------------------------------------------------------


@pytest.fixture
def with_images(make_job, start_worker):
    """All PNG frames are written but for the last batch, and the raw frames are gone."""
    paths, job = make_job(frames=30, delete_images_after_render=False)
    spool(paths, job, 0, 25)
    checkpoint(paths, 20)
    run(start_worker(paths.name))
    assert not paths.batch(FIRST).exists()
    return paths, job


def finish(paths, job, start_worker):
    spool(paths, job, 25, 30)
    checkpoint(paths, 30)
    run(start_worker(paths.name))


def test_a_lost_marker_is_written_again(with_images, start_worker):
    paths, job = with_images
    paths.image_marker(FIRST).unlink()
    finish(paths, job, start_worker)
    assert len(listing(paths.frames)) == 30
    assert paths.manifest.exists()


@pytest.mark.parametrize("loses_marker", [True, False])
@pytest.mark.parametrize("harm", [flip, lambda image: image.unlink()], ids=["flip", "unlink"])
def test_a_lost_picture_fails_the_job(with_images, start_worker, harm, loses_marker):
    paths, job = with_images
    harm(paths.image(7))
    if loses_marker:
        paths.image_marker(FIRST).unlink()
    finish(paths, job, start_worker)
    assert failure(paths)["kind"] == "frames_lost"
    assert paths.image(7).name in failure(paths)["reason"]
    assert not paths.manifest.exists()


def test_a_lost_picture_is_written_again_while_its_raw_frames_are_there(with_images, start_worker):
    paths, job = with_images
    spool(paths, job, 25, 30)
    run(start_worker(paths.name))
    checkpoint(paths, 30)
    paths.image_marker(FrameRange(20, 30)).unlink(missing_ok=True)
    run(start_worker(paths.name))
    assert read(np.asarray(Image.open(paths.image(27)))) == 27


def test_a_raw_batch_that_the_disk_has_changed_is_not_encoded(make_job, start_worker):
    paths, job = make_job(frames=40, cut=20)
    spool(paths, job, 0, 40)
    flip(paths.batch(SECOND))
    checkpoint(paths, 40)
    run(start_worker("job"))
    assert "the disk has damaged frames 10 to 19" in failure(paths)["reason"]
    assert not paths.film().exists()


@pytest.mark.parametrize("resumed", [False, True])
def test_a_batch_knows_what_was_written(make_job, resumed):
    paths, job = make_job(frames=40, cut=20)
    spool(paths, job, 0, 5)
    rewind(paths, job.plan, 5 if resumed else 0)
    spool(paths, job, 5 if resumed else 0, 40)
    assert all(is_as_marked(paths.batch(batch)) for batch in job.plan.batches())
    assert os.getxattr(paths.batch(FIRST), "user.multitrain.sha256")


@pytest.mark.parametrize("harm", ["cut off", "other bytes"])
def test_a_timecut_that_was_damaged_meanwhile_is_kept_aside(make_job, start_worker, harm):
    paths, job = make_job(frames=40, cut=20)
    whole(paths, job)
    worker = start_worker("job")
    worker.tick(0.0)
    worker.tick(1.0)
    timecut = paths.timecut(1)
    assert timecut.exists()
    content = timecut.read_bytes()
    middle = len(content) // 2
    other = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
    timecut.write_bytes(content[:500] if harm == "cut off" else other)
    run(worker, 2.0)
    assert paths.is_done
    assert not timecut.exists()
    assert (paths.workspace.earlier / "job-1" / timecut.name).exists()


def test_a_poster_that_was_damaged_meanwhile_is_drawn_again(make_job, start_worker):
    paths, job = make_job(frames=40, cut=20, loops="pingpong(frames=8)")
    whole(paths, job)
    worker = start_worker("job")
    for second in range(60):
        worker.tick(float(second))
        if paths.made(poster := paths.workspace.renders / "job.jpg").exists():
            break
    assert not paths.is_done
    poster.write_bytes(b"no picture")
    run(worker, 60.0)
    assert paths.is_done
    with Image.open(poster) as image:
        image.verify()
    assert (paths.workspace.earlier / "job-1" / "job.jpg").read_bytes() == b"no picture"
