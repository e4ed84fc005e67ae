"""The worker in this process: real files, real ffmpeg, time and threads as arguments."""

import hashlib
import json
import random
from concurrent.futures import Executor, Future

import numpy as np
import pytest
from numbered import checkpoint, numbers_in, read, spool
from PIL import Image

from jobs.failures import Failure
from jobs.paths import listing, part_of
from jobs.plan import FrameRange
from render import ffmpeg
from render.films import drop_batches
from render.spool import batches, rewind
from render.timecuts import EncodeBatch
from render.worker import RenderWorker


class Inline(Executor):
    """Does everything at once, in this thread."""

    def submit(self, fn, /, *args, **kwargs):
        future = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


class Held(Executor):
    """Does nothing until it is told to."""

    def __init__(self):
        self.held = []

    def submit(self, fn, /, *args, **kwargs):
        future = Future()
        self.held.append((future, fn, args))
        return future

    def tasks(self):
        """(job, task) of all that was ever submitted."""
        return [(fn.__self__.paths.name, *args) for _, fn, args in self.held]

    def let_go(self, index):
        """Do the one at `index`."""
        future, fn, args = self.held[index]
        try:
            future.set_result(fn(*args))
        except Exception as error:
            future.set_exception(error)


class NoCourier:
    def __init__(self):
        self.offered = {}

    def offer(self, paths, outputs):
        self.offered[paths.name] = [output.name for output in outputs]


@pytest.fixture
def courier():
    return NoCourier()


@pytest.fixture
def start_worker(workspace, courier):
    """`start_worker(*names, executor=Inline(), encoders=100)`"""

    def start(*names, executor=None, encoders=100):
        worker = RenderWorker(workspace, executor or Inline(), encoders, courier)
        for name in names:
            worker.take_up(name)
        return worker

    return start


def run(worker, start=0.0):
    """Tick, a second apart, until nothing happens any more."""
    now = start
    for _ in range(60):
        worker.tick(now)
        now += 1.0
        if worker.idle and not worker.looks_after:
            break
    return now


def whole(paths, job):
    """Train the job to its end."""
    spool(paths, job, 0, job.plan.frames_total)
    checkpoint(paths, job.plan.frames_total)


def checksum(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def failure(paths):
    return json.loads(paths.render_failure.read_text())


def test_a_job_becomes_timecuts_a_film_and_a_manifest(make_job, start_worker):
    paths, job = make_job(name="it's 100% %d", frames=37, cut=15, seed=7)
    whole(paths, job)
    run(start_worker(paths.name))
    assert numbers_in(paths.film()) == list(range(37))
    assert numbers_in(paths.timecut(1)) == list(range(15))
    assert numbers_in(paths.timecut(3)) == list(range(30, 37))
    assert not paths.spool.exists()
    assert not paths.segments.exists()
    manifest = json.loads(paths.manifest.read_text())
    assert manifest["frames"] == 37
    assert manifest["fps"] == 60
    assert manifest["seed"] == manifest["spec"]["seed"] == 7
    frameworks = set() if job.spec.family == "testcard" else {"tensorflow", "keras", "numpy"}
    assert set(manifest["versions"]) == {"multitrain", "ffmpeg", "python"} | frameworks
    assert [cut["frames"] for cut in manifest["timecuts"]] == [15, 15, 7]
    assert manifest["films"] == [
        {
            "file": "it's 100% %d.mp4",
            "frames": 37,
            "bytes": paths.film().stat().st_size,
            "sha256": checksum(paths.film()),
        }
    ]
    assert listing(paths.workspace.renders) == sorted(
        [paths.manifest.name, paths.film().name, *(paths.timecut(n).name for n in (1, 2, 3))]
    )


def test_timecuts_appear_while_the_job_trains_once_a_checkpoint_covers_them(make_job, start_worker):
    paths, job = make_job(frames=60, cut=20)
    worker = start_worker(paths.name)
    spool(paths, job, 0, 30)
    run(worker)
    assert listing(paths.workspace.renders) == []
    assert len(batches(paths)) == 3
    checkpoint(paths, 19)
    run(worker)
    assert listing(paths.workspace.renders) == []
    assert batches(paths) == [FrameRange(10, 20), FrameRange(20, 30)]
    checkpoint(paths, 20)
    run(worker)
    assert listing(paths.workspace.renders) == [paths.timecut(1).name]
    assert worker.looks_after == {paths.name}


def test_boxes_become_films_of_their_own(make_job, start_worker):
    paths, job = make_job(
        frames=25, cut=15, size=(17, 16), grid_width=2, grid_height=2, render_res="34x16"
    )
    whole(paths, job)
    run(start_worker(paths.name))
    for box, offset in [(1, 0), (2, 1000)]:
        assert numbers_in(paths.film(box)) == [offset + n for n in range(25)]
        assert numbers_in(paths.timecut(2, box)) == [offset + n for n in range(15, 25)]
    manifest = json.loads(paths.manifest.read_text())
    assert manifest["boxes"][1] == {"x": 0, "y": 16, "width": 34, "height": 16}
    assert len(manifest["films"]) == 2


def test_images_instead_of_a_video(make_job, start_worker):
    paths, job = make_job(frames=25, render_video=False)
    spool(paths, job, 0, 25)
    worker = start_worker(paths.name)
    paths.batch(FrameRange(16, 25)).rename(part_of(paths.batch(FrameRange(16, 25))))
    run(worker)
    assert listing(paths.frames) == []  # no checkpoint, and not every frame exists
    part_of(paths.batch(FrameRange(16, 25))).rename(paths.batch(FrameRange(16, 25)))
    run(worker)
    images = sorted(paths.frames.iterdir())
    assert [read(np.asarray(Image.open(image))) for image in images] == list(range(25))
    assert json.loads(paths.manifest.read_text())["films"] == []
    assert listing(paths.workspace.renders) == [paths.name, paths.manifest.name]


def test_images_as_well_as_a_video(make_job, start_worker):
    paths, job = make_job(frames=12, delete_images_after_render=False)
    whole(paths, job)
    run(start_worker(paths.name))
    assert len(listing(paths.frames)) == 12
    assert numbers_in(paths.film()) == list(range(12))


def test_without_checkpoints_everything_comes_at_the_end(make_job, start_worker):
    paths, job = make_job(frames=30, cut=10, use_checkpoints=False)
    worker = start_worker(paths.name)
    spool(paths, job, 0, 20)
    run(worker)
    assert batches(paths) == []  # encoded: nobody goes back into the middle
    assert listing(paths.workspace.renders) == []
    spool(paths, job, 20, 30)
    run(worker)
    assert numbers_in(paths.film()) == list(range(30))
    assert paths.timecut(3).exists()


@pytest.mark.parametrize("seed", range(4))
def test_the_film_is_the_same_whatever_happens_on_the_way(make_job, start_worker, seed):
    """Against a job that is made in one go: same bits for the film and each timecut."""
    straight, job = make_job("straight", frames=55, cut=20, preset="medium")
    whole(straight, job)
    run(start_worker("straight"))

    paths, job = make_job("crooked", frames=55, cut=20, preset="medium")
    chance = random.Random(seed)
    worker = start_worker("crooked", encoders=1)
    frame, now, published = 0, 0.0, {}
    while frame < 55:
        then = min(55, frame + chance.randint(1, 15))
        spool(paths, job, frame, then)
        frame = then
        if chance.random() < 0.5:
            checkpoint(paths, frame)
        for _ in range(chance.randint(0, 4)):
            worker.tick(now := now + 1.0)
        if chance.random() < 0.4:  # the trainer or the worker is started again
            covered = max((name.frame for name in paths.checkpoint_names()), default=0)
            frame = rewind(paths, job.plan, covered)
            worker = start_worker("crooked", encoders=1)
        for name, before in published.items():
            assert checksum(paths.workspace.renders / name) == before
        names = listing(paths.workspace.renders)
        published = {n: checksum(paths.workspace.renders / n) for n in names if "crooked" in n}
    run(worker, now)
    for number in (1, 2, 3):
        assert checksum(paths.timecut(number)) == checksum(straight.timecut(number))
    assert checksum(paths.film()) == checksum(straight.film())
    assert numbers_in(paths.film()) == list(range(55))


def test_a_moved_timecut_is_not_made_again_and_not_missed(make_job, start_worker):
    paths, job = make_job(frames=40, cut=20)
    worker = start_worker(paths.name)
    spool(paths, job, 0, 25)
    checkpoint(paths, 25)
    run(worker)
    paths.timecut(1).unlink()
    run(worker)
    assert not paths.timecut(1).exists()
    spool(paths, job, 25, 40)
    run(worker)
    assert numbers_in(paths.film()) == list(range(40))
    cuts = json.loads(paths.manifest.read_text())["timecuts"]
    assert [cut["file"] for cut in cuts] == [paths.timecut(2).name]


def wrap_ffmpeg(folder, monkeypatch, script):
    """A shell script in front of ffmpeg."""
    wrapper = folder / "ffmpeg-wrapper"
    wrapper.write_text(f'#!/bin/sh\n{script}\nexec "{ffmpeg.find()}" "$@"\n')
    wrapper.chmod(0o755)
    monkeypatch.setattr(ffmpeg, "find", lambda: str(wrapper))


def test_a_killed_encoder_is_tried_again(make_job, start_worker, tmp_path, monkeypatch, caplog):
    paths, job = make_job(frames=15)
    whole(paths, job)
    flag = tmp_path / "killed"
    wrap_ffmpeg(tmp_path, monkeypatch, f'[ -e "{flag}" ] || {{ touch "{flag}"; kill -9 $$; }}')
    worker = start_worker(paths.name)
    worker.tick(0.0)
    worker.tick(0.5)  # within the pause: not yet
    assert listing(paths.segments) == ["000000007-000000015.mp4"]
    run(worker, 1.0)
    assert numbers_in(paths.film()) == list(range(15))
    assert "try 1 of 3: ffmpeg-wrapper ended with code -9" in caplog.text
    assert "command: " in caplog.text


def test_a_job_that_cannot_be_encoded_is_given_up_and_the_others_go_on(
    make_job, start_worker, tmp_path, monkeypatch, caplog
):
    bad, bad_job = make_job("bad", frames=15)
    good, good_job = make_job("good", frames=15)
    whole(bad, bad_job)
    whole(good, good_job)
    script = 'case "$*" in *runs/bad/*) echo "no luck" >&2; exit 3;; esac'
    wrap_ffmpeg(tmp_path, monkeypatch, script)
    worker = start_worker("bad", "good")
    run(worker)
    assert failure(bad) == {"kind": "render", "reason": "ffmpeg-wrapper ended with code 3: no luck"}
    assert "try 3 of 3: ffmpeg-wrapper ended with code 3: no luck" in caplog.text
    assert "try 4" not in caplog.text
    assert len(batches(bad)) == 2  # the raw batches stay
    assert numbers_in(good.film()) == list(range(15))
    assert worker.looks_after == frozenset()
    run(start_worker("bad"))
    assert not bad.film().exists()  # left alone as long as the failure stands there
    monkeypatch.undo()


def test_a_job_given_up_is_taken_up_again_once_the_failure_is_removed(make_job, start_worker):
    paths, job = make_job(frames=15)
    whole(paths, job)
    paths.render_failure.write_text("{}")
    worker = start_worker(paths.name)
    run(worker)
    assert not paths.film().exists()
    paths.render_failure.unlink()
    worker.take_up(paths.name)
    run(worker)
    assert paths.film().exists()


def test_a_job_file_that_cannot_be_read_is_a_failure(make_job, start_worker):
    paths, _ = make_job()
    paths.job_file.write_text("spec: [")
    worker = start_worker(paths.name)
    run(worker)
    assert "--fresh" in failure(paths)["reason"]
    assert worker.looks_after == frozenset()


def test_encoders_are_shared_fairly_oldest_batch_first(make_job, start_worker):
    for name in ("a", "b", "c"):
        paths, job = make_job(name, frames=40)
        spool(paths, job, 0, 40)
    executor = Held()
    worker = start_worker("a", "b", executor=executor, encoders=4)
    worker.tick(0.0)
    first, second = EncodeBatch(FrameRange(0, 10)), EncodeBatch(FrameRange(10, 20))
    expected = [("a", first), ("b", first), ("a", second), ("b", second)]
    assert executor.tasks() == expected
    worker.take_up("c")
    worker.tick(1.0)
    assert executor.tasks() == expected  # all encoders are busy
    executor.let_go(0)
    worker.tick(2.0)
    assert executor.tasks() == [*expected, ("c", first)]
    executor.let_go(1)
    worker.tick(3.0)
    # One in hand each: a was served longest ago.
    assert executor.tasks()[5] == ("a", EncodeBatch(FrameRange(20, 30)))


def test_one_encoder_goes_from_job_to_job(make_job, start_worker):
    for name in ("a", "b"):
        paths, job = make_job(name, frames=40)
        spool(paths, job, 0, 40)
    executor = Held()
    worker = start_worker("a", "b", executor=executor, encoders=1)
    for turn in range(4):
        worker.tick(float(turn))
        executor.let_go(turn)
    assert [name for name, _ in executor.tasks()] == ["a", "b", "a", "b"]


def test_draining_starts_nothing_and_notes_what_ends(make_job, start_worker):
    paths, job = make_job(frames=40)
    whole(paths, job)
    executor = Held()
    worker = start_worker(paths.name, executor=executor, encoders=1)
    worker.tick(0.0)
    executor.let_go(0)
    worker.tick(1.0, draining=True)
    assert worker.idle
    assert len(executor.held) == 1
    assert listing(paths.segments) == ["000000000-000000010.mp4"]


def test_the_worker_is_woken_when_a_step_has_ended(make_job, workspace, courier):
    paths, job = make_job(frames=10)
    whole(paths, job)
    rings, executor = [], Held()
    worker = RenderWorker(workspace, executor, 1, courier, lambda: rings.append(1))
    worker.take_up(paths.name)
    worker.tick(0.0)
    assert rings == []
    executor.let_go(0)
    assert rings == [1]


def test_a_job_taken_up_anew_waits_for_what_runs_of_the_old_one(make_job, start_worker):
    paths, job = make_job(frames=20)
    whole(paths, job)
    executor = Held()
    worker = start_worker(paths.name, executor=executor)
    worker.tick(0.0)
    assert len(executor.held) == 2
    rewind_to_nothing = paths.checkpoint(paths.checkpoint_names()[0])
    rewind_to_nothing.unlink()
    for batch in batches(paths):
        paths.batch(batch).unlink()
    make_job(frames=12)  # submitted afresh
    whole(paths, make_job(frames=12)[1])
    worker.take_up(paths.name)
    worker.tick(1.0)
    assert len(executor.held) == 2
    executor.let_go(0)
    executor.let_go(1)
    worker.tick(2.0)
    assert len(executor.held) == 4
    assert not paths.render_failure.exists()
    for index in (2, 3):
        executor.let_go(index)
    run(start_worker(paths.name))
    assert numbers_in(paths.film()) == list(range(12))


def test_the_last_failure_of_the_old_one_does_not_end_the_new_one(
    make_job, start_worker, monkeypatch
):
    paths, job = make_job(frames=10)
    whole(paths, job)
    executor = Held()
    worker = start_worker(paths.name, executor=executor)
    monkeypatch.setattr(ffmpeg, "find", lambda: "false")
    for tries in range(3):
        worker.tick(tries * 10.0)
        worker.tick(tries * 10.0 + 5.0)  # after the pause
        executor.let_go(tries)
    worker.take_up(paths.name)
    worker.tick(30.0)
    assert not paths.render_failure.exists()
    assert worker.looks_after == {paths.name}


def test_a_job_whose_folder_is_gone_is_given_up(workspace, start_worker):
    worker = start_worker("gone")
    worker.tick(0.0)
    assert worker.looks_after == frozenset()
    failure = Failure.load(workspace.job("gone").render_failure)
    assert failure is not None
    assert "run gone with --fresh" in failure.reason


def test_what_a_killed_worker_left_half_made_is_swept(make_job, start_worker):
    paths, job = make_job("job (1)", frames=40, delete_images_after_render=False)
    other, _ = make_job("job (1)2", frames=40)
    spool(paths, job, 0, 5)
    renders = paths.workspace.renders
    for folder in (renders, paths.segments, paths.frames / "000000000-000000010.part"):
        folder.mkdir(parents=True, exist_ok=True)
    half_made = [part_of(paths.timecut(1)), part_of(paths.film()), part_of(paths.manifest)]
    half_made += [part_of(paths.segment(FrameRange(0, 10)))]
    half_made += [renders / "job (1)_timecut0001.mp4.ffconcat.part"]
    stays = [part_of(other.film()), renders / "job (1)_copy.mp4.part", renders / "job (1).mp4"]
    for path in half_made + stays:
        path.touch()
    start_worker("job (1)").tick(0.0)
    assert not any(path.exists() for path in half_made)
    assert listing(paths.frames) == []
    assert all(path.exists() for path in stays)
    assert len(listing(paths.spool)) == 1  # the trainer's own part stays


def test_a_worker_killed_between_manifest_and_clearing_up(make_job, start_worker):
    paths, job = make_job(frames=20)
    whole(paths, job)
    paths.manifest.parent.mkdir(parents=True, exist_ok=True)
    paths.manifest.write_text("{}")
    worker = start_worker(paths.name)
    run(worker)
    assert not paths.spool.exists()
    assert worker.looks_after == frozenset()
    assert not paths.film().exists()  # done is done


def test_a_rewind_while_an_encoder_runs_is_no_failure(make_job, start_worker):
    paths, job = make_job(frames=30)
    spool(paths, job, 0, 25)
    executor = Held()
    worker = start_worker(paths.name, executor=executor)
    worker.tick(0.0)
    rewind(paths, job.plan, 13)
    for index in range(len(executor.held)):
        executor.let_go(index)
    worker.tick(1.0)
    assert listing(paths.segments) == ["000000000-000000010.mp4"]
    spool(paths, job, 13, 30)
    run(start_worker(paths.name))
    assert numbers_in(paths.film()) == list(range(30))


def test_a_batch_stays_whose_segment_or_image_marker_was_taken_back(make_job):
    paths, job = make_job(frames=30, delete_images_after_render=False)
    spool(paths, job, 0, 30)
    for needed in (paths.segment, paths.image_marker):
        drop_batches(paths, job, batches(paths))
        assert len(batches(paths)) == 3
        needed(FrameRange(10, 20)).parent.mkdir(exist_ok=True)
        needed(FrameRange(10, 20)).touch()
    drop_batches(paths, job, batches(paths))
    assert batches(paths) == [FrameRange(0, 10), FrameRange(20, 30)]


def test_latest_shows_the_newest_whole_frame_every_few_seconds(make_job, start_worker):
    paths, job = make_job(frames=60, size=(64, 64))
    worker = start_worker(paths.name)
    worker.tick(0.0)
    assert not paths.latest.exists()

    def shown():
        return read(np.asarray(Image.open(paths.latest)))

    spool(paths, job, 0, 13)
    with part_of(paths.batch(FrameRange(10, 20))).open("ab") as part:
        part.write(bytes(100))  # a frame that is not whole yet
    worker.tick(1.0)
    assert shown() == 12
    rewind(paths, job.plan, 13)
    spool(paths, job, 13, 16)
    worker.tick(2.0)
    assert shown() == 12
    worker.tick(4.5)
    assert shown() == 15
    before = paths.latest.stat().st_mtime_ns
    worker.tick(60.0)
    assert paths.latest.stat().st_mtime_ns == before


def test_videos_are_offered_for_delivery_where_the_job_asks(make_job, start_worker, courier):
    paths, job = make_job("sent", frames=20, cut=10, upload_to_ftp=True)
    quiet, quiet_job = make_job("quiet", frames=10)
    whole(paths, job)
    whole(quiet, quiet_job)
    run(start_worker("sent", "quiet"))
    assert courier.offered == {"sent": ["sent_timecut0001.mp4", "sent_timecut0002.mp4", "sent.mp4"]}
