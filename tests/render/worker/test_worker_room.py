"""The worker on a full disk waits, says so once, leaves nothing half-made and gives nobody up."""

import errno
import os

import av
import pytest

from jobs.workspace.failures import Failure
from jobs.workspace.files import PART, listing, part_of
from render.encoding import ffmpeg
from render.spool.spool import batches
from render.worker.rendering import TRIES
from tests.render.numbered import checkpoint, numbers_in, spool
from tests.render.workbench import failure, run, whole, wrap_ffmpeg

FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

# What ffmpeg 7 says, and its exit code.
SAYS_FULL = 'echo "Error writing trailer: No space left on device" >&2; exit 228'


def full_disk(*arguments, **options):
    raise FULL


def ticks(worker, first, last):
    """One a second."""
    for second in range(first, last):
        worker.tick(float(second))


@pytest.mark.parametrize("code", [228, 0])
def test_an_encoder_without_room_is_tried_until_there_is_some(
    make_job, start_worker, tmp_path, monkeypatch, caplog, code
):
    """Also one of an older version, which ends with 0 all the same."""
    paths, job = make_job(frames=15)
    whole(paths, job)
    full, calls = tmp_path / "full", tmp_path / "calls"
    full.touch()
    says = SAYS_FULL.replace("228", str(code))
    wrap_ffmpeg(tmp_path, monkeypatch, f'[ ! -e "{full}" ] || {{ echo x >>"{calls}"; {says}; }}')
    worker = start_worker(paths.name)
    ticks(worker, 0, 30)
    assert len(calls.read_text().split()) > len(batches(paths)) * TRIES
    assert listing(paths.segments) == []
    assert len(batches(paths)) == 2
    assert caplog.text.count("the disk is full") == 1
    assert "try 1 of" not in caplog.text
    full.unlink()
    run(worker, 30.0)
    assert numbers_in(paths.film()) == list(range(15))
    assert not paths.render_failure.exists()


def test_a_task_without_room_does_not_hold_up_those_that_make_room(
    make_job, start_worker, monkeypatch
):
    paths, job = make_job(frames=40, cut=10)
    spool(paths, job, 0, 10)
    run(start_worker(paths.name))  # encoded; no checkpoint covers it
    spool(paths, job, 10, 40)
    checkpoint(paths, 30)
    real, refused = av.open, []

    def open_file(file, mode="r", **options):
        if mode == "w" and "_timecut0001" in file:
            refused.append(file)
            raise FULL
        return real(file, mode, **options)

    monkeypatch.setattr(av, "open", open_file)
    worker = start_worker(paths.name, threads=1)
    ticks(worker, 0, 20)
    assert len(refused) > TRIES
    assert not paths.timecut(1).exists()
    assert paths.timecut(3).exists()
    assert batches(paths) == []


def test_the_disk_is_told_full_again_after_something_went_well(
    make_job, start_worker, tmp_path, monkeypatch, caplog
):
    paths, job = make_job(frames=20)
    spool(paths, job, 0, 10)
    full = tmp_path / "full"
    wrap_ffmpeg(tmp_path, monkeypatch, f'[ ! -e "{full}" ] || {{ {SAYS_FULL}; }}')
    worker = start_worker(paths.name)
    full.touch()
    ticks(worker, 0, 12)
    full.unlink()
    ticks(worker, 12, 24)
    assert listing(paths.segments) == ["000000000-000000010.mp4"]
    spool(paths, job, 10, 20)
    full.touch()
    ticks(worker, 24, 36)
    assert caplog.text.count("the disk is full") == 2


def test_a_look_that_needs_room_is_no_failure(make_job, start_worker, monkeypatch):
    """On some file systems, even removing a file needs room."""
    paths, job = make_job(frames=20)
    whole(paths, job)
    worker = start_worker(paths.name)
    with monkeypatch.context() as full:
        full.setattr("render.worker.rendering.sweep", full_disk)
        ticks(worker, 0, 12)
        assert worker.looks_after == {paths.name}
        full.undo()
        full.setattr("render.worker.rendering.drop_batches", full_disk)
        ticks(worker, 12, 24)
        assert worker.looks_after == {paths.name}
    run(worker, 24.0)
    assert numbers_in(paths.film()) == list(range(20))
    assert not paths.render_failure.exists()


def test_a_film_without_room_to_clear_up_after_it_is_cleared_up_later(
    make_job, start_worker, monkeypatch
):
    paths, job = make_job(frames=20)
    whole(paths, job)
    worker = start_worker(paths.name)
    with monkeypatch.context() as full:
        for room in ("render.films.films.clear_up", "render.worker.worker.clear_up"):
            full.setattr(room, full_disk)
        ticks(worker, 0, 12)
        assert paths.manifest.exists()
        assert worker.looks_after == {paths.name}
    ticks(worker, 12, 20)
    assert worker.looks_after == frozenset()
    assert not paths.segments.exists()
    assert not paths.render_failure.exists()


def test_a_failure_that_cannot_be_written_down_is_written_later(
    make_job, start_worker, tmp_path, monkeypatch, caplog
):
    paths, job = make_job(frames=10)
    whole(paths, job)
    wrap_ffmpeg(tmp_path, monkeypatch, "echo broken >&2; exit 3")
    worker = start_worker(paths.name, "gone")
    with monkeypatch.context() as full:
        full.setattr(Failure, "save", full_disk)
        ticks(worker, 0, 20)
    assert worker.looks_after == {paths.name, "gone"}
    assert caplog.text.count("job: that is written down later") == 1
    assert "try 4" not in caplog.text  # it is left alone meanwhile
    ticks(worker, 20, 30)
    assert worker.looks_after == frozenset()
    assert failure(paths)["reason"].endswith("broken")
    assert "run the sheet of gone again" in failure(paths.workspace.job("gone"))["reason"]


def test_a_job_taken_up_anew_is_not_given_up_for_what_was(
    make_job, start_worker, tmp_path, monkeypatch
):
    paths, job = make_job(frames=10)
    whole(paths, job)
    broken = tmp_path / "broken"
    broken.touch()
    wrap_ffmpeg(tmp_path, monkeypatch, f'[ ! -e "{broken}" ] || exit 3')
    worker = start_worker(paths.name)
    with monkeypatch.context() as full:
        full.setattr(Failure, "save", full_disk)
        ticks(worker, 0, 20)
    broken.unlink()
    worker.take_up(paths.name)
    run(worker, 20.0)
    assert not paths.render_failure.exists()
    assert numbers_in(paths.film()) == list(range(10))


def test_a_picture_that_cannot_be_written_leaves_nothing_and_comes_later(
    make_job, start_worker, monkeypatch, caplog
):
    paths, job = make_job(frames=60)
    spool(paths, job, 0, 13)
    worker = start_worker(paths.name)
    with monkeypatch.context() as full:
        full.setattr(
            "render.films.latest.os.replace", full_disk
        )  # the worker's, too: nothing appears
        ticks(worker, 0, 15)
        assert listing(paths.run).count("latest.jpg") == 0
        assert not part_of(paths.latest).exists()
    assert caplog.text.count("no new latest.jpg") == 1
    ticks(worker, 15, 20)
    assert paths.latest.exists()  # of the same frame


@pytest.mark.parametrize("finished", [False, True])
def test_a_worker_that_was_killed_leaves_no_picture_and_no_failure_half_written(
    make_job, start_worker, finished
):
    paths, _ = make_job(frames=60)
    if finished:
        paths.manifest.parent.mkdir()
        paths.manifest.write_text("{}")
    for half_made in (paths.latest, paths.render_failure):
        part_of(half_made).touch()
    start_worker(paths.name).tick(0.0)
    assert not [name for name in listing(paths.run) if name.endswith(PART)]


def test_a_finished_job_keeps_its_newest_checkpoint(make_job, start_worker):
    paths, job = make_job(frames=20)
    spool(paths, job, 0, 20)
    checkpoint(paths, 10)
    checkpoint(paths, 20)
    run(start_worker(paths.name))
    assert [name.frame for name in paths.checkpoint_names()] == [20]


# --- encoders that hang ---------------------------------------------------------------------------


def test_an_encoder_that_hangs_is_ended_and_tried_again(
    make_job, start_worker, tmp_path, monkeypatch, caplog
):
    paths, job = make_job(frames=10)
    whole(paths, job)
    flag = tmp_path / "hung"
    hang = f'[ -e "{flag}" ] || {{ touch "{flag}"; exec sleep 600; }}'
    wrap_ffmpeg(tmp_path, monkeypatch, hang)
    monkeypatch.setattr(ffmpeg, "BATCH_SECONDS", 0.5)
    run(start_worker(paths.name))
    assert numbers_in(paths.film()) == list(range(10))
    assert "try 1 of 3: ffmpeg-wrapper ended with code -9" in caplog.text
    assert "it was killed, for it did not end within 0.5 seconds" in caplog.text


def test_no_program_may_run_for_ever(make_job, start_worker, monkeypatch):
    paths, job = make_job(frames=20, cut=10, delete_images_after_render=False)
    whole(paths, job)
    limits = {}

    def run_program(command, said, timeout, stop, *, real=ffmpeg._returncode):
        limits[" ".join(command)] = timeout
        return real(command, said, timeout, stop)

    monkeypatch.setattr(ffmpeg, "_returncode", run_program)
    run(start_worker(paths.name))
    assert paths.film().exists()
    assert len(limits) >= 5  # two batches, their pictures, ffmpeg's version
    assert all(limit and limit <= ffmpeg.RUN_SECONDS for limit in limits.values())
    of_batches = [limit for command, limit in limits.items() if ".rgb" in command]
    assert of_batches == [ffmpeg.BATCH_SECONDS] * 4
    assert ffmpeg.BATCH_SECONDS < ffmpeg.RUN_SECONDS
