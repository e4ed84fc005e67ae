"""The worker in this process: real files, real ffmpeg, time and threads as arguments."""

import json
import random

import numpy as np
import pytest
from PIL import Image

from jobs.plans.plan import FrameRange
from jobs.workspace.files import listing, part_of
from jobs.workspace.outputs import Pictures
from render.spool.spool import batches, rewind
from tests.render.numbered import checkpoint, numbers_in, read, spool
from tests.render.workbench import checksum, run, whole


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
        path.name
        for path in (
            *(paths.manifest, paths.film(), *(paths.timecut(number) for number in (1, 2, 3))),
            *paths.files_of(Pictures(None), job.spec),
        )
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
    worker = start_worker("crooked", threads=1)
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
            worker = start_worker("crooked", threads=1)
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
    videos = ["sent_timecut0001.mp4", "sent_timecut0002.mp4", "sent.mp4"]
    assert courier.offered == {"sent": [*videos, "sent.jpg", "sent.contact.jpg"]}


def test_what_is_asked_for_last_is_offered_all_the_same(make_job, start_worker, courier):
    paths, job = make_job("sent", frames=20, cut=10, upload_to="file:///nas")
    whole(paths, job)
    run(start_worker("sent"))
    courier.offered.clear()
    worker = start_worker("sent")  # and its stdin ends before the first tick
    worker.tick(0.0, draining=True)
    assert courier.offered == {}
    worker.offer_the_rest(0.0)
    assert "sent.mp4" in courier.offered["sent"]
