"""Videos that sheets name as they name folders of pictures: each frame is a picture."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import av
import psutil
import pytest
from PIL import Image

from jobs.errors import DatasetError
from jobs.families.family import Family
from jobs.families.feed import Feed
from jobs.families.table import FAMILIES
from jobs.pictures.folders import DatasetFolders
from jobs.pictures.pairing import names_of_pictures
from jobs.settings.kinds import Resolution
from jobs.settings.preprocess import RESIZE, Step
from jobs.settings.spec import JobSpec
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace
from multitrain.datasets.cached.cache import open_pictures
from multitrain.datasets.decoded.folders import Pictures, load_pictures
from multitrain.trainer.feeds import open_job_pictures
from tests.footage import HEIGHT, WIDTH, number_of, numbered, write_video

if TYPE_CHECKING:
    from tests.conftest import MakePictures

COUNT = 23


@pytest.fixture
def clip(workspace: Workspace) -> Path:
    workspace.data.mkdir(exist_ok=True)
    return write_video(workspace.dataset("clip.mp4"), COUNT, gop=8)


def opened(workspace: Workspace, *names: str) -> Pictures:
    return open_pictures(workspace, names, WIDTH, HEIGHT)


def shown(pictures: Pictures) -> list[int]:
    """The numbers that the pictures show."""
    return [number_of(Image.fromarray(each)) for each in pictures.images]


def test_every_frame_is_a_picture_in_the_order_of_showing(workspace: Workspace, clip: Path) -> None:
    found = DatasetFolders(workspace).look_at(("clip.mp4",))
    pictures = opened(workspace, "clip.mp4")
    assert (found.survey.count, found.size, found.reason) == (COUNT, (WIDTH, HEIGHT), None)
    assert shown(pictures) == list(range(COUNT))
    assert opened(workspace, "clip.mp4").mapped == pictures.mapped is not None


def test_a_video_that_changes_is_decoded_anew(workspace: Workspace, clip: Path) -> None:
    before = opened(workspace, "clip.mp4").fingerprint
    write_video(clip, [numbered(number) for number in range(40, 45)])
    assert shown(opened(workspace, "clip.mp4")) == list(range(40, 45))
    assert before.difference(opened(workspace, "clip.mp4").fingerprint)


def test_a_folder_of_videos_is_all_of_them_unless_there_are_pictures(
    workspace: Workspace, clip: Path, make_pictures: MakePictures
) -> None:
    for name, first in (("b.mov", 50), ("a.mkv", 60)):
        frames = [numbered(number) for number in range(first, first + 3)]
        (films := workspace.dataset("films")).mkdir(exist_ok=True)
        write_video(films / name, frames)
    assert shown(opened(workspace, "films", "clip.mp4"))[:7] == [60, 61, 62, 50, 51, 52, 0]
    make_pictures(films, 1, (WIDTH, HEIGHT))
    assert len(opened(workspace, "films").paths) == 1
    (warning,) = _warnings(workspace, "films")
    assert "2 files are left out: films/a.mkv (is a video" in warning


def _warnings(workspace: Workspace, name: str) -> list[str]:
    folders = DatasetFolders(workspace)
    folders.look_at((name,))
    return list(folders.warnings())


def test_a_video_counts_once_however_often_it_is_named(workspace: Workspace, clip: Path) -> None:
    (films := workspace.dataset("films")).mkdir()
    (films / "again.mp4").symlink_to(clip)
    assert len(opened(workspace, "clip.mp4", "films", "clip.mp4").paths) == COUNT


def test_frames_are_seen_as_players_show_them(workspace: Workspace, clip: Path) -> None:
    def wide(stream: av.VideoStream) -> None:
        stream.sample_aspect_ratio = Fraction(2)

    write_video(clip, 5, prepare=wide)
    found = DatasetFolders(workspace).look_at(("clip.mp4",))
    assert found.size == (2 * WIDTH, HEIGHT)
    back = (Step(RESIZE, Resolution(WIDTH, HEIGHT)),)
    pictures = open_pictures(workspace, ["clip.mp4"], WIDTH, HEIGHT, steps=back)
    assert shown(pictures) == list(range(5))


def test_frames_that_are_damaged_are_left_out(workspace: Workspace, clip: Path) -> None:
    write_video(clip, COUNT, gop=1)
    damaged = bytearray(clip.read_bytes())
    begin, end = _place_of_frame(clip, 8)
    damaged[begin + 4 : end] = bytes(end - begin - 4)
    clip.write_bytes(damaged)
    pictures = opened(workspace, "clip.mp4")
    assert pictures.skipped == ((clip / "0000008.frame", "cannot be decoded"),)
    assert shown(pictures) == [number for number in range(COUNT) if number != 8]


def _place_of_frame(path: Path, number: int) -> tuple[int, int]:
    """Where it lies in the file: first byte, and the one behind it."""
    with av.open(str(path)) as container:
        packet = next(islice(container.demux(video=0), number, None))
        return packet.pos, packet.pos + packet.size


def test_more_pictures_than_memory_holds_are_refused(
    workspace: Workspace, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = SimpleNamespace(available=COUNT * WIDTH * HEIGHT * 3 - 1)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: free)
    with pytest.raises(DatasetError, match=r"take 970 KiB of memory, and 970 KiB are free"):
        load_pictures([clip], WIDTH, HEIGHT)


def test_what_is_no_video_is_told(workspace: Workspace) -> None:
    workspace.data.mkdir(exist_ok=True)
    workspace.dataset("clip.mp4").write_text("none")
    with pytest.raises(DatasetError, match=r"clip\.mp4 \(is no video, or it is damaged\)"):
        opened(workspace, "clip.mp4")


def test_clips_of_videos_do_not_cross_them_and_pairs_are_of_equal_number(
    workspace: Workspace, clip: Path
) -> None:
    films = workspace.dataset("films")
    films.mkdir()
    for name in ("a.mp4", "b.mp4"):
        write_video(films / name, 4)
    cells = {"dataset": "films", "grid_width": 1, "grid_height": 1, "video_length": 1}
    spec = JobSpec.model_validate({"name": "j", "family": "testcard", **cells})
    job = JobFile(spec=spec, image_width=WIDTH, image_height=HEIGHT)
    clips = Feed("of", ("films",), frames=3)
    one = replace(clips, folders=("films/a.mp4",), frames=1)
    other = Feed("other", ("clip.mp4",), pair_of="of")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(FAMILIES, "testcard", Family(feeds=lambda _: (clips,)))
        items = open_job_pictures(job, workspace, keep_free=0).feeds["of"].numbers
        assert items.tolist() == [[0, 1, 2], [1, 2, 3], [4, 5, 6], [5, 6, 7]]
        patch.setitem(FAMILIES, "testcard", Family(feeds=lambda _: (one, other)))
        pairs = open_job_pictures(job, workspace, keep_free=0)
    named = names_of_pictures([f"/a/{name}" for name in ("n.mp4/1.frame", "n.png")], ["/a/"])
    assert set(named) == {(0, "n/1"), (0, "n")}, "whatever kind of video it is"
    assert [len(pairs.pictures[name].paths) for name in ("of", "other")] == [4, COUNT]
    assert pairs.feeds["other"].numbers[:, 0].tolist() == [0, 1, 2, 3]
