"""Jobs that are done and start over, go on beyond their end, are taken up again, or come back."""

from __future__ import annotations

import json
from contextlib import closing
from unittest import mock

from jobs.settings.spec import JobSpec
from jobs.workspace.files import remove, write_text
from jobs.workspace.jobfile import JobFile
from jobs.workspace.outputs import Pictures
from jobs.workspace.paths import CheckpointName, JobPaths, Workspace
from jobs.workspace.store import Store
from multitrain.farm.submission import finish_all_moves, submit
from render.films.earlier import earlier_takes
from render.films.replacing import put_in_place, restore

FRAMES = 4


def a_job(**columns: object) -> JobFile:
    settings = {
        "dataset": "tiny",
        "family": "testcard",
        "grid_width": 1,
        "grid_height": 1,
        "video_length": FRAMES / 3600,
        "snapshot": "step",
    }
    return JobFile(spec=JobSpec(name="job", **(settings | columns)), image_width=8, image_height=8)


def done(workspace: Workspace) -> None:
    """By its files; what is in them does not matter here."""
    job, paths = a_job(), workspace.job("job")
    job.save(paths)
    for path in (
        *(paths.checkpoint(CheckpointName(FRAMES, FRAMES)), paths.timecut(1), paths.film()),
        *paths.files_of(Pictures(None), job.spec),
    ):
        write_text(path, f"the first {path.name}")
    write_manifest(paths, job, *(paths.film(), paths.timecut(1)))


def write_manifest(paths: JobPaths, job: JobFile, *videos) -> None:
    told = [{"file": path.name, "bytes": path.stat().st_size, "sha256": ""} for path in videos]
    manifest = {
        "spec": job.spec.model_dump(mode="json"),
        "films": told,
        "timecuts": [],
        "made_of_the_film": [{"made": str(Pictures(None))}],
    }
    write_text(paths.manifest, json.dumps(manifest))


def start_over(workspace: Workspace) -> None:
    """Until the new film has taken the place of the first one."""
    paths = workspace.job("job")
    finish_all_moves(workspace)
    with closing(Store(workspace.store)) as store:
        submit(workspace, store, [a_job(seed=2)], [] if earlier_takes(workspace) else ["job"])
    if paths.replaces.exists():
        a_job(seed=2).save(paths)
        write_text(paths.log, "it has begun")
        write_text(paths.film(), "the second film")
        put_in_place(paths)


def make_longer(workspace: Workspace) -> None:
    with closing(Store(workspace.store)) as store:
        for _ in range(2):
            submit(workspace, store, [a_job(video_length=2 * FRAMES / 3600)])


def make_longer_without_links(workspace: Workspace) -> None:
    with mock.patch("os.link", side_effect=PermissionError):
        make_longer(workspace)


def done_with_pictures(workspace: Workspace) -> None:
    done(workspace)
    paths, job = workspace.job("job"), a_job(delete_images_after_render=False)
    job.save(paths)
    for frame in range(FRAMES):
        write_text(paths.image(frame), f"frame {frame}")
    write_manifest(paths, job, paths.film(), paths.timecut(1))


def more_pictures(workspace: Workspace) -> None:
    job = a_job(delete_images_after_render=False, video_length=2 * FRAMES / 3600)
    with closing(Store(workspace.store)) as store:
        for _ in range(2):
            submit(workspace, store, [job])


def a_gif_as_well(workspace: Workspace) -> None:
    job = a_job(delete_images_after_render=False, format=("h264", "gif"))
    with closing(Store(workspace.store)) as store:
        submit(workspace, store, [job])


def done_without_its_run(workspace: Workspace) -> None:
    done(workspace)
    remove(workspace.job("job").run)


def take_up_again(workspace: Workspace) -> None:
    paths = workspace.job("job")
    finish_all_moves(workspace)
    if paths.manifest.read_text() != "{":
        write_text(paths.manifest, "{")
    with closing(Store(workspace.store)) as store:
        submit(workspace, store, [a_job(format=("h264", "hap"))])


def come_back(workspace: Workspace) -> None:
    finish_all_moves(workspace)
    if not (workspace.earlier / "job-2").exists():
        start_over(workspace)
        restore(earlier_takes(workspace)[0])
