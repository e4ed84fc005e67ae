import errno
import os

import numpy as np
import pytest

from jobs.errors import MultitrainError
from jobs.plans.plan import FrameRange
from jobs.workspace.files import listing, part_of
from render.spool.spool import SpoolWriter, batches, rewind, spooled_bytes
from tests.render.numbered import frames, read, spool


def numbers_on_disk(paths, job):
    """Every frame number in the spool, batch by batch; the unfinished one last."""
    shape = (-1, job.plan.frame_height, job.plan.frame_width, 3)
    files = sorted(paths.spool.iterdir())
    return [read(frame) for file in files for frame in np.fromfile(file, np.uint8).reshape(shape)]


def touch(folder, *names):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).touch()


def test_frames_are_split_over_batches_however_they_come(make_job):
    paths, job = make_job(frames=35, cut=15)
    writer = SpoolWriter(paths, job.plan, 0)
    for start, stop in [(0, 1), (1, 3), (3, 30), (30, 31), (31, 40)]:
        writer.write(frames(job.plan, range(start, stop)))
    writer.close()
    assert batches(paths) == list(job.plan.batches())
    assert listing(paths.spool) == [f"{batch}.rgb" for batch in job.plan.batches()]
    assert numbers_on_disk(paths, job) == list(range(35))
    assert writer.frame == 35
    assert spooled_bytes(paths) == 35 * job.plan.frame_bytes


def test_an_unfinished_batch_is_no_batch_but_takes_room(make_job):
    paths, job = make_job(frames=40)
    spool(paths, job, 0, 13)
    assert batches(paths) == [FrameRange(0, 10)]
    assert listing(paths.spool)[1] == "000000010-000000020.rgb.part"
    assert spooled_bytes(paths) == 13 * job.plan.frame_bytes


def test_a_writer_goes_on_in_the_middle_of_a_batch(make_job):
    paths, job = make_job(frames=40)
    spool(paths, job, 0, 13)
    spool(paths, job, 13, 27)
    assert numbers_on_disk(paths, job) == list(range(27))


def test_a_writer_refuses_to_leave_a_gap(make_job):
    paths, job = make_job(frames=40)
    spool(paths, job, 0, 13)
    with pytest.raises(MultitrainError, match="does not end at frame 14"):
        SpoolWriter(paths, job.plan, 14)


def test_frames_of_another_size_are_refused(make_job):
    paths, job = make_job(frames=40)
    with pytest.raises(ValueError, match="frames are"):
        SpoolWriter(paths, job.plan, 0).write(np.zeros((1, 8, 8, 3), np.uint8))


def test_nothing_is_there_before_the_first_frame(make_job):
    paths, _ = make_job()
    assert batches(paths) == []
    assert spooled_bytes(paths) == 0


@pytest.mark.parametrize("keep", [0, 1, 9, 10, 11, 19, 20, 27, 30])
def test_rewind_keeps_exactly_the_frames_before(make_job, keep):
    paths, job = make_job(frames=60, cut=30)
    spool(paths, job, 0, 37)
    assert rewind(paths, job.plan, keep) == keep
    assert numbers_on_disk(paths, job) == list(range(keep))
    spool(paths, job, keep, 60)
    assert numbers_on_disk(paths, job) == list(range(60))
    assert batches(paths) == list(job.plan.batches())


def test_rewind_drops_segments_and_markers_beyond(make_job):
    paths, job = make_job(frames=60, size=(16, 16), grid_width=2, render_res="16x16")
    spool(paths, job, 0, 37)
    first, second = "000000000-000000010", "000000010-000000020"
    boxes = ["_box0001.mp4", "_box0002.mp4", ".png"]
    touch(paths.segments, *(f"{each}{end}" for each in (first, second) for end in boxes))
    assert rewind(paths, job.plan, 15) == 15
    assert listing(paths.segments) == sorted(f"{first}{end}" for end in boxes)


def test_rewind_never_touches_what_is_published(make_job):
    paths, job = make_job(frames=90, cut=30)
    spool(paths, job, 0, 71)
    encoded = [batch for batch in job.plan.batches() if batch.stop <= 70]
    touch(paths.segments, *(paths.segment(batch).name for batch in encoded))
    touch(paths.workspace.renders, *(paths.timecut(number).name for number in (1, 3)))
    assert rewind(paths, job.plan, 5) == 30
    assert listing(paths.segments) == [paths.segment(batch).name for batch in encoded[:3]]
    assert paths.timecut(3).exists()  # a run is broken without 2, but nobody removes films


def test_a_timecut_is_published_with_all_its_boxes(make_job):
    paths, job = make_job(frames=60, cut=30, size=(16, 16), grid_width=2, render_res="16x16")
    spool(paths, job, 0, 31)
    touch(paths.workspace.renders, paths.timecut(1, 1).name)
    assert rewind(paths, job.plan, 5) == 5


def test_rewind_of_a_job_whose_frames_all_exist_drops_nothing(make_job):
    paths, job = make_job(frames=30)
    spool(paths, job, 0, 30)
    paths.batch(FrameRange(0, 10)).unlink()
    touch(paths.segments, paths.segment(FrameRange(0, 10)).name)
    assert rewind(paths, job.plan, 5) == 30
    assert batches(paths) == [FrameRange(10, 20), FrameRange(20, 30)]


def test_rewind_of_a_job_whose_film_is_done_loses_nothing(make_job):
    """Finished by the render worker, segments and all, while a trainer started once more."""
    paths, job = make_job(frames=30)
    touch(paths.workspace.renders, paths.film().name, paths.manifest.name)
    assert rewind(paths, job.plan, 20) == 30
    assert paths.film().exists()


def test_lost_frames_are_told_with_advice(make_job):
    paths, job = make_job(frames=40)
    spool(paths, job, 0, 13)
    with pytest.raises(MultitrainError, match=r"frames 10 to 14 were lost; .* --fresh"):
        rewind(paths, job.plan, 15)


def test_lost_batches_before_are_noticed_too(make_job):
    paths, job = make_job(frames=40)
    spool(paths, job, 0, 25)
    paths.batch(FrameRange(0, 10)).unlink()
    with pytest.raises(MultitrainError, match="frames 0 to 9 were lost"):
        rewind(paths, job.plan, 25)


def test_a_batch_that_begins_anew_holds_nothing_old(make_job):
    paths, job = make_job(frames=40)
    touch(paths.spool)
    for batch in job.plan.batches():
        part_of(paths.batch(batch)).write_bytes(b"left over")
    spool(paths, job, 0, 37)
    assert batches(paths) == list(job.plan.batches())[:3]
    assert [path.stat().st_size for path in paths.spool.iterdir() if path.suffix == ".part"] == [
        7 * job.plan.frame_bytes
    ]
    assert sorted(numbers_on_disk(paths, job)) == list(range(37))


def test_a_full_disk_in_the_middle_of_a_write_is_mended_by_rewind(make_job, monkeypatch):
    paths, job = make_job(frames=40)
    spool(paths, job, 0, 12)
    room = 3 * job.plan.frame_bytes + 100
    real_write = os.write

    def write(file, data):
        nonlocal room
        if not room:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = real_write(file, data[:room])
        room -= written
        return written

    writer = SpoolWriter(paths, job.plan, 12)
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", write)
        with pytest.raises(OSError, match="No space left"):
            writer.write(frames(job.plan, range(12, 30)))
    assert writer.frame == 12
    writer.close()
    assert rewind(paths, job.plan, 12) == 12
    spool(paths, job, 12, 40)
    assert numbers_on_disk(paths, job) == list(range(40))
