"""What the render worker does, and merging, as scenes."""

from __future__ import annotations

from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace
from render.encoding import ffmpeg
from render.encoding.commands import encode_again_command
from render.files.digests import DIGEST_BYTES
from render.files.merge import merge_folder
from render.films.films import publish_timecut
from render.films.segments import encode_batch, write_images
from render.spool.notes import note_what_is_told
from tests.disk.small_job import run_worker, trained


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
