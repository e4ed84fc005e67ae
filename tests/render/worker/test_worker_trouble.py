"""The worker when encoders die, files are lost or taken back, or it was killed itself."""

from jobs.plans.plan import FrameRange
from jobs.workspace.failures import Failure
from jobs.workspace.files import listing, part_of
from render.films.films import drop_batches
from render.spool.spool import batches, rewind
from tests.render.numbered import numbers_in, spool
from tests.render.workbench import Held, failure, run, whole, wrap_ffmpeg


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
    assert "run the sheet of job again" in failure(paths)["reason"]
    assert worker.looks_after == frozenset()


def test_a_job_whose_folder_is_gone_is_given_up(workspace, start_worker):
    worker = start_worker("gone")
    worker.tick(0.0)
    assert worker.looks_after == frozenset()
    failure = Failure.load(workspace.job("gone").render_failure)
    assert failure is not None
    assert "run the sheet of gone again" in failure.reason


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
