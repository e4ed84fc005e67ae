"""Streams in sheets: videos, and what comes live, of which nothing is known before."""

from __future__ import annotations

import pytest

from jobs.errors import SheetError
from jobs.settings.kinds import Resolution
from jobs.settings.streams import is_live
from jobs.sheets.sheet import read_sheet
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace
from tests.footage import write_video

SIZED = "preprocess: cover, load_size: 32x24, "


@pytest.mark.parametrize(
    ("name", "live"),
    [
        ("/dev/video0", True),
        ("rtsp://camera.local/1", True),
        ("tcp://127.0.0.1:8000", True),
        ("/dev/shm/pictures", False),
        ("clip.mp4", False),
        ("udp:no", False),
    ],
)
def test_cameras_and_addresses_are_live(name: str, live: bool) -> None:
    assert is_live(name) == live


def read(workspace: Workspace, cells: str, *, from_page: bool = False) -> JobFile:
    path = workspace.root / "s.yaml"
    fixed = "name: a, family: autoencoder, grid_width: 1, grid_height: 1"
    path.write_text(f"jobs:\n- {{{fixed}, {cells}}}\n")
    (job,) = read_sheet(path, workspace, is_strangers=from_page).jobs
    return job


def test_a_video_is_a_stream_of_its_frames(workspace: Workspace) -> None:
    workspace.data.mkdir()
    write_video(workspace.data / "clip.mp4", 25)
    job = read(workspace, "stream: clip.mp4, steps: 60, show: output+curve, online_batch: 2")
    (feed,) = job.feeds
    assert (feed.latest, feed.is_live, job.spec.images_per_batch) == (20, False, 2)
    assert job.picture_count == 25
    assert job.cell == Resolution(160, 120)


def test_what_is_live_is_decoded_by_nobody_before(workspace: Workspace) -> None:
    job = read(workspace, SIZED + "stream: 'rtsp://camera.local/1', steps: 9")
    (feed,) = job.feeds
    assert feed.is_live
    assert feed.folders == ("rtsp://camera.local/1",)
    assert job.decodings == {}
    assert (job.image_width, job.image_height) == (32, 24)


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        ("stream: /dev/video0, steps: 9", "stream: is live, so how large its pictures are"),
        (SIZED + "stream: /dev/video0, epochs: 9", "epochs: are not known of a stream that is"),
        (SIZED + "stream: a.mp4, steps: 9", "stream: there is no video 'a.mp4' in data/"),
        (SIZED + "dataset: 'http://a.b/c', steps: 9", "dataset: there is no folder 'http://a.b/c'"),
        ("stream: few.mp4, steps: 9", "stream: has 5 frames, fewer than the 20 of fifo"),
        ("stream: few.mp4, dataset: few.mp4, steps: 9", "stream"),
        ("dataset: few.mp4, steps: 9, record_gb: 5", "record_gb: has no effect without stream"),
        (
            "stream: few.mp4, steps: 9, fifo: 4, warm_up: 3, schedule_g: plateau",
            "warm_up: does not",
        ),
    ],
)
def test_what_is_wrong_with_a_stream_is_told(workspace: Workspace, cells: str, told: str) -> None:
    workspace.data.mkdir()
    write_video(workspace.data / "few.mp4", 5)
    with pytest.raises(SheetError) as error:
        read(workspace, cells)
    reasons = [f"{each.column}: {each.reason}" for each in error.value.mistakes]
    assert any(reason.startswith(told) for reason in reasons), reasons


def test_the_page_opens_no_address(workspace: Workspace) -> None:
    cells = SIZED + "stream: 'http://169.254.1.1/x', steps: 9"
    assert read(workspace, cells)
    with pytest.raises(SheetError, match="is not taken from the page"):
        read(workspace, cells, from_page=True)


@pytest.mark.parametrize("family", ["", "family: pix2pix, "])
def test_a_stream_of_another_family_is_told_at_its_line(workspace: Workspace, family: str) -> None:
    path = workspace.root / "s.yaml"
    cells = "stream: clip.mp4, grid_width: 1, grid_height: 1, steps: 9"
    path.write_text(f"jobs:\n- {{name: a, {family}{cells}}}\n")
    with pytest.raises(SheetError, match="stream: means nothing to a"):
        read_sheet(path, workspace)
