"""The worker with several jobs and few encoders."""

import threading
from concurrent.futures import ThreadPoolExecutor

from jobs.plans.plan import FrameRange
from jobs.workspace.files import listing
from render.encoding import ffmpeg
from render.films import segments
from render.films.due import EncodeBatch
from render.spool.spool import batches
from render.worker.worker import BESIDES, RenderWorker
from tests.render.numbered import numbers_in, spool
from tests.render.workbench import Held, run, whole

PATIENCE = 30.0  # seconds


def test_encoders_are_shared_fairly_oldest_batch_first(make_job, start_worker):
    for name in ("a", "b", "c"):
        paths, job = make_job(name, frames=40)
        spool(paths, job, 0, 40)
    executor = Held()
    worker = start_worker("a", "b", executor=executor, threads=4)
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
    worker = start_worker("a", "b", executor=executor, threads=1)
    for turn in range(4):
        worker.tick(float(turn))
        executor.let_go(turn)
    assert [name for name, _ in executor.tasks()] == ["a", "b", "a", "b"]


def test_draining_starts_nothing_and_notes_what_ends(make_job, start_worker):
    paths, job = make_job(frames=40)
    whole(paths, job)
    executor = Held()
    worker = start_worker(paths.name, executor=executor, threads=1)
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


def test_a_batch_is_encoded_while_the_one_before_is_verified(make_job, start_worker, monkeypatch):
    """By one encoder."""
    paths, job = make_job(frames=20)
    spool(paths, job, 0, 20)
    turns = ffmpeg.Turns()
    turns.at_most(1)
    monkeypatch.setattr(ffmpeg, "TURNS", turns)
    ffmpeg.find()
    runs, both_ran = [], threading.Event()

    def run_program(command, *options, real=ffmpeg._returncode):
        assert not turns.turn.acquire(blocking=False), "another one could start"
        runs.append(command)
        if len(runs) == 2:
            both_ran.set()
        return real(command, *options)

    def verify(*facts, real=segments.verify, **options):
        assert both_ran.wait(PATIENCE)
        real(*facts, **options)

    monkeypatch.setattr(ffmpeg, "_returncode", run_program)
    monkeypatch.setattr(segments, "verify", verify)
    with ThreadPoolExecutor(1 + BESIDES) as executor:
        start_worker(paths.name, executor=executor, threads=1 + BESIDES).tick(0.0)
    assert listing(paths.segments) == ["000000000-000000010.mp4", "000000010-000000020.mp4"]
