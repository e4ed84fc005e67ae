"""Everything of the project that writes, as scenes: small, complete, and the same at every showing.

A scene is set once; then it is played in copies of its set, again and again, until a disk that
fills up at the first, second, third … write has failed at every one of them.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import numpy as np
from PIL import Image

from jobs.families.feed import PICTURES
from jobs.settings.spec import JobSpec
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import CheckpointName, JobPaths, Workspace
from jobs.workspace.states import State
from jobs.workspace.store import Store
from multitrain.datasets.cached.cache import open_pictures
from multitrain.datasets.decoded.folders import Fingerprint
from multitrain.datasets.drawn import demo
from multitrain.executors import Launch
from multitrain.executors.local import LocalExecutor
from multitrain.farm import workspace_lock
from multitrain.farm.progress_reader import last_progress
from multitrain.farm.rebuilding import open_store
from multitrain.farm.render_keeper import RenderKeeper
from multitrain.farm.submission import submit
from multitrain.protocol.call import Call
from multitrain.slots.leases import LeaseFolder
from multitrain.trainer.curves import Curves
from multitrain.trainer.process import train
from multitrain.weights import checkpoints
from multitrain.weights.checkpoints import Checkpoint
from multitrain.weights.init_from import beginning
from render.delivery.courier import Courier
from render.encoding import ffmpeg
from render.encoding.commands import encode_again_command
from render.files.digests import DIGEST_BYTES
from render.files.merge import merge_folder
from render.films.films import publish_timecut
from render.films.segments import encode_batch, write_images
from render.spool.notes import note_what_is_told
from render.spool.spool import batches
from render.worker.worker import RenderWorker
from tests.disk import (
    clip_scenes,
    dataset_scenes,
    delivery_scenes,
    earlier_scenes,
    export_scenes,
    forecast_scenes,
    page_scenes,
    walk_scenes,
)
from tests.inline import Inline

FRAMES, CUT_FRAMES, BATCH_FRAMES = 4, 2, 2
SIZE = (16, 12)  # of a picture, in pixels


@dataclass(frozen=True)
class Scene:
    """`play` does in a workspace what the project does there; on a full disk it may end early."""

    name: str
    prepare: Callable[[Workspace], None]
    play: Callable[[Workspace], None]
    outlives: bool = False  # one full write, with no second showing: nothing is raised


def a_job(name: str = "job", **columns: object) -> JobFile:
    """A test card of four frames in two timecuts, each of one batch."""
    settings = {
        "dataset": "tiny",
        "family": "testcard",
        "grid_width": 1,
        "grid_height": 1,
        "video_length": FRAMES / 3600,
        "auto_render_period": CUT_FRAMES / 60,
        "snapshot": "step",
        "preset": "ultrafast",
    }
    spec = JobSpec(name=name, **(settings | columns))
    return JobFile(spec=spec, image_width=SIZE[0], image_height=SIZE[1])


def make_job(workspace: Workspace, **columns: object) -> JobFile:
    """A saved job, and the pictures of its data set."""
    pictures = workspace.dataset("tiny")
    pictures.mkdir(parents=True)
    for number in range(2):
        pixels = np.full((SIZE[1], SIZE[0], 3), 100 * number, np.uint8)
        Image.fromarray(pixels).save(pictures / f"{number}.png")
    job = a_job(**columns)
    job.save(workspace.job(job.spec.name))
    return job


def run_trainer(workspace: Workspace, stop: threading.Event) -> bool:
    return train(Call(workspace.root, "job"), stop)


def run_worker(workspace: Workspace, *names: str) -> None:
    """Tick, a second apart, until all jobs have ended; given up after a minute of ticks."""
    worker = RenderWorker(workspace, Inline(), 100, Courier(workspace))
    for name in names:
        worker.take_up(name)
    for second in range(60):
        worker.tick(float(second))
        if worker.idle and not worker.looks_after:
            break


# --- a training, new or as a trainer that was killed has left it --------------------------------


def untrained(workspace: Workspace) -> None:
    make_job(workspace)


def to_keep_weights(workspace: Workspace) -> None:
    make_job(workspace, keep_checkpoints=2)


class StopAfter(threading.Event):
    """Set once so many frames are told of."""

    def __init__(self, paths: JobPaths, frames: int) -> None:
        super().__init__()
        self._paths, self._frames = paths, frames

    def is_set(self) -> bool:
        told = last_progress(self._paths.progress)
        return told is not None and told.frame >= self._frames


def killed_in_training(workspace: Workspace) -> None:
    """One batch cut by the checkpoint, one whole and one unfinished beyond it."""
    job = make_job(workspace, video_length=12 / 3600, auto_render_period=12 / 60)
    paths = workspace.job("job")
    run_trainer(workspace, StopAfter(paths, 4))
    [checkpoint] = paths.checkpoint_names()
    assert checkpoint.frame % BATCH_FRAMES, "it is to stand within a batch"
    assert checkpoint.frame < 8
    kept = paths.checkpoint(checkpoint).read_bytes()
    run_trainer(workspace, threading.Event())
    for later in paths.checkpoint_names():
        paths.checkpoint(later).unlink()
    paths.checkpoint(checkpoint).write_bytes(kept)
    last = batches(paths)[-1]
    half = paths.batch(last).read_bytes()[: job.plan.frame_bytes // 2]
    paths.batch(last).unlink()
    paths.batch(last).with_suffix(".rgb.part").write_bytes(half)


def train_to_the_end(workspace: Workspace) -> None:
    assert run_trainer(workspace, threading.Event())


def with_an_origin(workspace: Workspace) -> None:
    """A job, and another one that it starts from."""
    make_job(workspace, family="dcgan", init_from="origin")
    weights = {"generator/kernel": np.ones(5, np.float32)}
    pictures = {PICTURES: Fingerprint(2, *SIZE, "")}
    checkpoint = Checkpoint(CheckpointName(1, 2), "dcgan", "tensorflow", pictures, weights)
    checkpoints.save(workspace.job("origin"), checkpoint)


def keep_the_beginning(workspace: Workspace) -> None:
    paths = workspace.job("job")
    job = JobFile.load(paths)
    assert beginning(job.spec, paths)["generator/kernel"].sum() == 5


# --- rendering -----------------------------------------------------------------------------------


def trained(workspace: Workspace, **columns: object) -> None:
    make_job(workspace, **columns)
    assert run_trainer(workspace, threading.Event())


def trained_with_boxes(workspace: Workspace) -> None:
    trained(workspace, grid_width=2, render_res="16x12")


def trained_for_pictures(workspace: Workspace) -> None:
    columns = {"render_video": False, "video_length": 2 / 3600, "auto_render_period": None}
    trained(workspace, **columns)


def damaged(workspace: Workspace) -> None:
    """A segment without a digest, as the version before left it; one that has changed, whose
    timecut is there; a marker of PNG frames that is gone, as the raw frames are.
    """
    trained(workspace, delete_images_after_render=False)
    paths = workspace.job("job")
    job = JobFile.load(paths)
    first, second = job.plan.batches()
    for batch in (first, second):
        encode_batch(paths, job, batch)
        write_images(paths, job, batch)
        paths.batch(batch).unlink()
    publish_timecut(paths, job, 1, [first])
    paths.image_marker(first).unlink()
    paths.segment(first).write_bytes(_flipped(paths.segment(first).read_bytes()))
    unsigned = paths.segment(second).read_bytes()[: -(16 + DIGEST_BYTES)]
    paths.segment(second).write_bytes(unsigned)


def _flipped(data: bytes) -> bytes:
    place = len(data) // 2
    return data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :]


def looked_at_again(workspace: Workspace) -> None:
    """A job that was done; its manifest told what it had, and its first timecut is gone."""
    trained(workspace, delete_images_after_render=False)
    run_worker(workspace, "job")
    paths = workspace.job("job")
    note_what_is_told(paths, JobFile.load(paths))
    paths.manifest.unlink()
    paths.timecut(1).unlink()


def look_after(workspace: Workspace) -> None:
    run_worker(workspace, "job")


def render(workspace: Workspace) -> None:
    look_after(workspace)
    assert not workspace.job("job").render_failure.exists()


def nothing(workspace: Workspace) -> None:
    """The job that is asked for is not there."""


def cuts_in_a_folder(workspace: Workspace) -> None:
    trained(workspace)
    run_worker(workspace, "job")
    workspace.job("job").film().unlink()


def cuts_of_two_encoders(workspace: Workspace) -> None:
    """The first one has other settings for the decoder than the second."""
    cuts_in_a_folder(workspace)
    paths = workspace.job("job")
    job = JobFile.load(paths)
    cut, other = paths.timecut(1), workspace.root / "other.mp4"
    ffmpeg.run(encode_again_command(ffmpeg.find(), cut, job.plan, other, crf=0, preset="ultrafast"))
    other.replace(cut)


def merge(workspace: Workspace) -> None:
    merge_folder(workspace.renders)


# --- the farm ------------------------------------------------------------------------------------


def two_jobs(workspace: Workspace) -> None:
    """One that has begun, and one whose removal was cut off before it had begun."""
    a_job("begun").save(workspace.job("begun"))
    workspace.job("new").removed.mkdir()


def open_a_store(workspace: Workspace) -> None:
    with closing(Store(workspace.store)) as store:
        submit(workspace, store, [a_job()])


def an_older_store(workspace: Workspace) -> None:
    """As the version before priorities left it."""
    open_a_store(workspace)
    with closing(sqlite3.connect(workspace.store)) as database:
        for column in ("priority", "sheet_priority", "submitted", "job"):
            database.execute(f"ALTER TABLE jobs DROP COLUMN {column}")
        database.execute("PRAGMA user_version = 1")


def a_damaged_store(workspace: Workspace) -> None:
    two_jobs(workspace)
    workspace.store.write_bytes(b"no store")


def make_the_store_anew(workspace: Workspace) -> None:
    with closing(open_store(workspace, lambda _: None)):
        pass


def keep_the_store(workspace: Workspace) -> None:
    jobs = [a_job("begun"), a_job("new")]
    with closing(Store(workspace.store)) as store:
        submit(workspace, store, jobs)
        submit(workspace, store, jobs)
        store.wait_at_most(1.0)
        store.transition("begun", State.RUNNING, attempts=1)
        store.record_frames("begun", 3)
        store.forget(["new"])


def start_over(workspace: Workspace) -> None:
    jobs = [a_job("begun"), a_job("new"), a_job("newer")]
    with closing(Store(workspace.store)) as store:
        submit(workspace, store, jobs, ["all"])
        jobs[0].save(workspace.job("begun"))


class NoDisplay:
    def note(self, text: str) -> None: ...


class NoStop:
    requests = 0


def hold(workspace: Workspace) -> None:
    with workspace_lock.hold(workspace, NoDisplay(), NoStop()):
        pass


def lease(workspace: Workspace) -> None:
    for name in ("GPU-a", "GPU-b"):
        descriptor = LeaseFolder(workspace.root / "leases").take(name)
        assert descriptor is not None
        os.close(descriptor)


def start_a_process(workspace: Workspace) -> None:
    launch = Launch(command=("true",), log=workspace.job("job").log)
    process = LocalExecutor().start(launch)
    process._popen.wait()


def keep_a_worker(workspace: Workspace) -> None:
    """The file that it is to touch is made, at the second look at the latest."""
    process = mock.Mock(**{"poll.return_value": None})
    executor = mock.Mock(**{"start.return_value": process})
    keeper = RenderKeeper(workspace, executor, encoders=1)
    keeper.take("job")
    for now in (0.0, 1.0):
        keeper.keep_alive(now)


def draw_pictures(workspace: Workspace) -> None:
    few = mock.patch.object(demo.draw_demo, "__defaults__", (2,))
    small = mock.patch.object(demo, "DEMO_SIZE", (32, 24))
    with few, small:
        demo.ensure_demo(workspace)


def large_pictures(workspace: Workspace) -> None:
    """So many pixels that they are worth keeping."""
    folder = workspace.dataset("large")
    folder.mkdir(parents=True)
    for number in range(2):
        Image.new("RGB", (64, 48), (100 * number, 0, 0)).save(folder / f"{number}.png")


def open_decoded(workspace: Workspace) -> None:
    """Twice: the second time they are there already, if there was room."""
    for _ in range(2):
        pictures = open_pictures(workspace, ["large"], 64, 48, keep_free=0)
        assert pictures.images[:, 0, 0].tolist() == [[0, 0, 0], [100, 0, 0]]


def draw_curves(workspace: Workspace) -> None:
    curves = Curves(workspace.job("job"))
    for step in range(3):
        curves.draw(1000.0, step, {"loss": 0.5})
    curves.close()


SCENES = (
    Scene("training", untrained, train_to_the_end),
    Scene("keeping weights", to_keep_weights, train_to_the_end),
    Scene("drawing walks", walk_scenes.a_network, walk_scenes.draw),
    Scene("going on with a training", killed_in_training, train_to_the_end),
    Scene("starting from another job", with_an_origin, keep_the_beginning),
    Scene("rendering with boxes", trained_with_boxes, render, outlives=True),
    Scene("rendering pictures", trained_for_pictures, render, outlives=True),
    Scene("rendering what was damaged", damaged, render, outlives=True),
    Scene("making up for what is gone", looked_at_again, render, outlives=True),
    Scene("giving up", nothing, look_after, outlives=True),
    Scene("merge", cuts_in_a_folder, merge),
    Scene("merge of two encoders", cuts_of_two_encoders, merge),
    Scene("sending", delivery_scenes.film_to_send, delivery_scenes.send, outlives=True),
    Scene("sending by SFTP", delivery_scenes.film_for_sftp, delivery_scenes.meet),
    Scene("telling", delivery_scenes.job_to_tell_of, delivery_scenes.tell, outlives=True),
    Scene("a new store", nothing, open_a_store),
    Scene("an older store", an_older_store, open_a_store),
    Scene("a damaged store", a_damaged_store, make_the_store_anew),
    Scene("the store", two_jobs, keep_the_store),
    Scene("starting over", two_jobs, start_over),
    Scene("a later film", earlier_scenes.done, earlier_scenes.start_over),
    Scene(
        "a later film of a job unknown",
        earlier_scenes.done_without_its_run,
        earlier_scenes.start_over,
    ),
    Scene("a longer film", earlier_scenes.done, earlier_scenes.make_longer),
    Scene("the same by copies", earlier_scenes.done, earlier_scenes.make_longer_without_links),
    Scene("more pictures", earlier_scenes.done_with_pictures, earlier_scenes.more_pictures),
    Scene("more of pictures", earlier_scenes.done_with_pictures, earlier_scenes.a_gif_as_well),
    Scene("a job that was done", earlier_scenes.done, earlier_scenes.take_up_again),
    Scene("an earlier film", earlier_scenes.done, earlier_scenes.come_back),
    Scene("the page", nothing, page_scenes.link_and_stars),
    Scene("timing jobs", nothing, forecast_scenes.time_jobs),
    Scene("the lock", nothing, hold),
    Scene("leases", nothing, lease),
    Scene("starting a process", nothing, start_a_process),
    Scene("keeping a render worker", untrained, keep_a_worker, outlives=True),
    Scene("built-in pictures", nothing, draw_pictures),
    Scene("decoded pictures", large_pictures, open_decoded, outlives=True),
    Scene("curves", nothing, draw_curves, outlives=True),
    Scene("drawing a data set", nothing, dataset_scenes.draw),
    Scene("converting", dataset_scenes.pictures, dataset_scenes.convert),
    Scene("tiling", dataset_scenes.pictures, dataset_scenes.tile_and_untile),
    Scene("extracting", dataset_scenes.video, dataset_scenes.extract),
    Scene("extracting from afar", dataset_scenes.video, dataset_scenes.extract_from_afar),
    Scene("fetching", dataset_scenes.archive, dataset_scenes.fetch),
    Scene("exporting", export_scenes.film_with_an_old_export, export_scenes.export),
    Scene("loops", clip_scenes.film, clip_scenes.loops),
    Scene("films in one", clip_scenes.two_films, clip_scenes.one_after_another),
)


def outcome(workspace: Workspace) -> dict[str, object]:
    """What a scene has made, as far as it is the same at every showing.

    Without what is only nice to have: the newest picture and cut, the curves, the decoded pictures,
    how fast jobs went, and what was fetched from an address that is another one at each showing.
    """
    files = (path for path in sorted(workspace.root.rglob("*")) if path.is_file())
    return {
        str(path.relative_to(workspace.root)): _content(path)
        for path in files
        if path.name not in ("latest.jpg", "preview.mp4")
        and path.parent.name != "tensorboard"
        and path != workspace.speeds
        and path.parent != workspace.cache
        and workspace.downloads not in path.parents
    }


def _content(path: Path) -> object:
    match path.suffix:
        case ".mp4" | ".png" | ".rgb" | ".yaml":
            return path.read_bytes()
        case ".jsonl":
            return [json.loads(line)["frame"] for line in path.read_text().splitlines()][-1]
        case ".sqlite":
            with closing(Store(path)) as store:
                return store.jobs()
    return None
