import os
from contextlib import contextmanager

import av
import numpy as np
import pytest
from PIL import Image

from jobs.errors import MultitrainError, ProgramFailed
from jobs.plans.plan import FrameRange
from jobs.workspace.files import listing, part_of
from render.encoding import commands, ffmpeg
from render.films.segments import encode_batch, write_images
from render.spool.sources import Rewound
from render.spool.spool import locked, rewind
from tests.render.numbered import frames, numbers_in, read, spool

FIRST, SECOND = FrameRange(0, 10), FrameRange(10, 20)


def while_ffmpeg_runs(monkeypatch, event):
    """Let `event` happen when ffmpeg is through with its work and nobody has looked at it."""
    real_run = ffmpeg.run

    def run(command, timeout=None):
        real_run(command, timeout)
        event()

    monkeypatch.setattr(ffmpeg, "run", run)


@pytest.mark.parametrize("size", [(32, 32), (33, 17), (16, 51)])
def test_a_segment_shows_every_frame_of_its_batch(make_job, size):
    paths, job = make_job(frames=20, size=size)
    spool(paths, job, 0, 20)
    encode_batch(paths, job, SECOND)
    assert numbers_in(paths.segment(SECOND)) == list(range(10, 20))
    assert listing(paths.segments) == ["000000010-000000020.mp4"]


def test_boxes_become_a_segment_each(make_job):
    paths, job = make_job(frames=10, size=(17, 16), grid_width=2, grid_height=2, render_res="17x16")
    spool(paths, job, 0, 10)
    encode_batch(paths, job, FIRST)
    for box in range(4):
        shown = numbers_in(paths.segment(FIRST, box + 1))
        assert shown == [number + 1000 * box for number in range(10)]
    assert len(listing(paths.segments)) == 4


def many_boxes(make_job, monkeypatch, **columns):
    """Five of them, two by two: three calls of ffmpeg."""
    monkeypatch.setattr(commands, "MOST_OUTPUTS", 2)
    paths, job = make_job(frames=10, size=(17, 16), grid_width=5, render_res="17x16", **columns)
    spool(paths, job, 0, 10)
    return paths, job


def test_boxes_that_one_call_cannot_make_are_made_by_several(make_job, monkeypatch):
    paths, job = many_boxes(make_job, monkeypatch)
    encode_batch(paths, job, FIRST)
    for box in range(5):
        shown = numbers_in(paths.segment(FIRST, box + 1))
        assert shown == [number + 1000 * box for number in range(10)]
    assert len(listing(paths.segments)) == 5


@pytest.mark.parametrize("work", [encode_batch, write_images])
def test_boxes_appear_together_though_several_calls_make_them(make_job, monkeypatch, work):
    paths, job = many_boxes(make_job, monkeypatch, render_video=work is encode_batch)
    real_run, runs = ffmpeg.run, []

    def fail_the_last(command, timeout=None):
        runs.append(command)
        if len(runs) == 3:
            raise ProgramFailed(command, 1, "no luck")
        real_run(command, timeout)

    ffmpeg.find()  # which runs it, too
    monkeypatch.setattr(ffmpeg, "run", fail_the_last)
    with pytest.raises(ProgramFailed, match="no luck"):
        work(paths, job, FIRST)
    assert listing(paths.segments) == listing(paths.frames) == []


def test_a_batch_of_one_frame(make_job):
    paths, job = make_job(frames=1)
    spool(paths, job, 0, 1)
    encode_batch(paths, job, FrameRange(0, 1))
    assert numbers_in(paths.segment(FrameRange(0, 1))) == [0]


def test_the_same_batch_gives_the_same_bits(make_job):
    paths, job = make_job(frames=10, preset="medium", size=(64, 48))
    spool(paths, job, 0, 10)
    encode_batch(paths, job, FIRST)
    once = paths.segment(FIRST).read_bytes()
    encode_batch(paths, job, FIRST)
    assert paths.segment(FIRST).read_bytes() == once


def test_a_batch_with_half_a_frame_is_refused(make_job):
    paths, job = make_job(frames=20)
    spool(paths, job, 0, 20)
    os.truncate(paths.batch(FIRST), paths.batch(FIRST).stat().st_size - 1)
    with pytest.raises(MultitrainError, match="bytes instead of"):
        encode_batch(paths, job, FIRST)
    assert listing(paths.segments) == []


def test_a_result_with_a_frame_too_few_is_refused(make_job, monkeypatch):
    paths, job = make_job(frames=20)
    spool(paths, job, 0, 20)

    def run(command, timeout=None):
        """ffmpeg that leaves a frame out."""
        real_run([*command[:-3], "-frames:v", "9", *command[-3:]])

    real_run = ffmpeg.run
    monkeypatch.setattr(ffmpeg, "run", run)
    with pytest.raises(MultitrainError, match="has 9 frames instead of 10"):
        encode_batch(paths, job, FIRST)
    assert listing(paths.segments) == []


def test_a_failed_encoder_leaves_nothing(make_job, monkeypatch):
    paths, job = make_job(frames=20)
    spool(paths, job, 0, 20)
    monkeypatch.setattr(ffmpeg, "find", lambda _: "false")
    with pytest.raises(ProgramFailed, match="code 1"):
        encode_batch(paths, job, FIRST)
    assert listing(paths.segments) == []


@pytest.mark.parametrize("make", [encode_batch, write_images])
@pytest.mark.parametrize("keep", [0, 13])
def test_a_rewind_in_the_middle_leaves_nothing_stale(make_job, monkeypatch, make, keep):
    paths, job = make_job(frames=30, delete_images_after_render=False)
    spool(paths, job, 0, 25)
    while_ffmpeg_runs(monkeypatch, lambda: rewind(paths, job.plan, keep))
    with pytest.raises(Rewound):
        make(paths, job, SECOND)
    assert listing(paths.segments) == []
    assert listing(paths.frames) == []


def test_a_rewind_and_new_frames_in_the_middle_leave_nothing_stale(make_job, monkeypatch):
    paths, job = make_job(frames=30)
    spool(paths, job, 0, 25)

    def go_back_and_on():
        rewind(paths, job.plan, 13)
        spool(paths, job, 13, 25)

    while_ffmpeg_runs(monkeypatch, go_back_and_on)
    with pytest.raises(Rewound):
        encode_batch(paths, job, SECOND)
    assert listing(paths.segments) == []


def test_a_rewind_at_the_last_moment_leaves_nothing_stale(make_job, monkeypatch):
    paths, job = make_job(frames=30)
    spool(paths, job, 0, 25)

    @contextmanager
    def locked_too_late(paths):
        rewind(paths, job.plan, 13)
        with locked(paths):
            yield

    monkeypatch.setattr("render.spool.sources.locked", locked_too_late)
    with pytest.raises(Rewound):
        encode_batch(paths, job, SECOND)
    assert listing(paths.segments) == []


def test_a_batch_truncated_under_ffmpeg_is_no_failure_but_a_rewind(make_job, monkeypatch):
    paths, job = make_job(frames=30)
    spool(paths, job, 0, 25)
    real_run = ffmpeg.run

    def run(command, timeout=None):
        rewind(paths, job.plan, 13)
        real_run(command)

    monkeypatch.setattr(ffmpeg, "run", run)
    with pytest.raises(Rewound):
        encode_batch(paths, job, SECOND)


def test_a_batch_that_is_gone_was_taken_back(make_job):
    paths, job = make_job(frames=20)
    with pytest.raises(Rewound):
        encode_batch(paths, job, FIRST)


def image_numbers(paths, names):
    return [read(np.asarray(Image.open(paths.frames / name))) for name in names]


def test_images_are_exact_and_named_by_their_number(make_job):
    paths, job = make_job(name="100% 'x' %03d", frames=20, size=(33, 17), render_video=False)
    spool(paths, job, 0, 20)
    write_images(paths, job, SECOND)
    names = [f"frame_{number:09d}.png" for number in range(10, 20)]
    assert listing(paths.frames) == names
    assert image_numbers(paths, names) == list(range(10, 20))
    pixels = np.asarray(Image.open(paths.image(13)))
    assert np.array_equal(pixels, frames(job.plan, [13])[0])
    assert listing(paths.segments) == ["000000010-000000020.png"]


def test_images_of_boxes(make_job):
    paths, job = make_job(
        frames=10, size=(17, 16), grid_width=2, render_res="17x16", render_video=False
    )
    spool(paths, job, 0, 10)
    write_images(paths, job, FIRST)
    names = listing(paths.frames)
    assert names == [f"box{box:04d}_frame_{n:09d}.png" for box in (1, 2) for n in range(10)]
    assert image_numbers(paths, names) == [*range(10), *range(1000, 1010)]


def test_images_of_many_boxes(make_job, monkeypatch):
    paths, job = many_boxes(make_job, monkeypatch, render_video=False)
    write_images(paths, job, FIRST)
    names = [f"box{box:04d}_frame_{n:09d}.png" for box in range(1, 6) for n in range(10)]
    assert listing(paths.frames) == names
    shown = [number + 1000 * box for box in range(5) for number in range(10)]
    assert image_numbers(paths, names) == shown


def test_a_missing_or_broken_image_is_noticed(make_job, monkeypatch):
    paths, job = make_job(frames=10, render_video=False)
    spool(paths, job, 0, 10)
    folder = part_of(paths.frames / str(FIRST))
    last = folder / paths.image(9).name
    while_ffmpeg_runs(monkeypatch, lambda: os.truncate(last, last.stat().st_size - 20))
    with pytest.raises(MultitrainError, match=r"frame_000000009\.png was not written whole"):
        write_images(paths, job, FIRST)
    monkeypatch.undo()
    assert listing(paths.frames) == listing(paths.segments) == []


def test_segments_start_with_a_keyframe_and_have_no_b_frames(make_job):
    paths, job = make_job(frames=10, preset="medium", size=(64, 64))
    spool(paths, job, 0, 10)
    encode_batch(paths, job, FIRST)
    with av.open(str(paths.segment(FIRST))) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    assert packets[0].is_keyframe
    assert all(packet.pts == packet.dts for packet in packets)
