"""Which pictures are kept decoded, for how long, and which are not."""

from __future__ import annotations

import errno
import mmap
import os
import shutil
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import av
import pytest
from PIL import Image
from pillow_heif import register_heif_opener

from jobs.pictures.finding import UnreadablePicture
from jobs.workspace.files import PART, listing
from jobs.workspace.paths import Workspace
from multitrain.datasets.cached import cache, cache_folder, picture_file
from multitrain.datasets.cached.cache import NotCached, decode_ahead
from multitrain.datasets.decoded import decoding
from multitrain.datasets.decoded.folders import Fingerprint
from tests.datasets.cached.some_pictures import (
    COUNT,
    HEIGHT,
    WIDTH,
    assert_same,
    kept,
    open_some,
)

if TYPE_CHECKING:
    pass


# --- what is not kept ----------------------------------------------------------------------------


@pytest.mark.usefixtures("paths")
def test_no_room_is_taken_below_the_floor(
    workspace: Workspace, decoded: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    assert len(open_some(workspace, keep_free=2**60).images) == COUNT
    assert kept(workspace) == []
    assert "not kept decoded: less than" in caplog.text
    assert decoded == [], "the room is asked for first"


@pytest.mark.usefixtures("paths")
def test_trainers_do_not_come_to_wait_for_the_cache(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    size, floor = COUNT * WIDTH * HEIGHT * 3, 1000
    free = 2 * floor + 2 * size - 1
    monkeypatch.setattr(cache_folder, "free_bytes", lambda folder: free)
    open_some(workspace, keep_free=floor)
    assert kept(workspace) == []
    free += 1
    open_some(workspace, keep_free=floor)
    assert len(kept(workspace)) == 1


@pytest.mark.usefixtures("paths")
def test_the_disk_is_watched_while_pictures_are_written(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "ROOM_BYTES", WIDTH * HEIGHT * 3)
    free = iter([2**40, 2**40, 2**40, 0])
    monkeypatch.setattr(cache_folder, "free_bytes", lambda folder: next(free))
    assert len(open_some(workspace, keep_free=1).images) == COUNT
    assert next(free, None) is None
    assert kept(workspace) == []


@pytest.mark.usefixtures("paths")
def test_a_disk_that_is_full_all_the_same_leaves_nothing_behind(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int, picture: object) -> None:
        os.write(descriptor, b"x")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(picture_file, "append", full)
    assert len(open_some(workspace).images) == COUNT
    assert kept(workspace) == []


@pytest.mark.usefixtures("paths")
def test_a_place_that_cannot_be_written_costs_nothing_but_time(workspace: Workspace) -> None:
    workspace.runs.mkdir()
    workspace.cache.touch()
    assert len(open_some(workspace).images) == COUNT
    with pytest.raises(NotCached):
        decode_ahead(workspace, ["some"], WIDTH, HEIGHT)


def test_what_the_system_failed_at_is_tried_again(
    workspace: Workspace, paths: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = decoding.open_picture

    def fails_once(path: Path) -> Image.Image:
        if path == paths[0]:
            monkeypatch.setattr(decoding, "open_picture", real)
            raise UnreadablePicture("input/output error") from OSError(errno.EIO, "")
        return real(path)

    monkeypatch.setattr(decoding, "open_picture", fails_once)
    pictures = open_some(workspace)
    assert len(pictures.images) == COUNT - 1
    assert Fingerprint.of(pictures.images) == pictures.fingerprint
    assert kept(workspace) == []
    assert len(open_some(workspace).images) == COUNT
    assert len(kept(workspace)) == 1


def test_folders_that_change_meanwhile_are_tried_again(
    workspace: Workspace, paths: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def changing(paths: list[Path], *others: object) -> decoding.Decoded:
        made = decoding.decode(paths, *others)
        shutil.copy(paths[0], workspace.dataset("some") / "late.png")
        return made

    with monkeypatch.context() as patches:
        patches.setattr(cache, "decode", changing)
        assert len(open_some(workspace).images) == COUNT
    assert kept(workspace) == []
    assert len(open_some(workspace).images) == COUNT + 1


@pytest.mark.parametrize("fraction", [0, 1])
@pytest.mark.usefixtures("paths")
def test_files_that_may_change_unseen_are_not_kept(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, fraction: int
) -> None:
    second = 10**9
    changed = 1_000_000 * second + fraction
    monkeypatch.setattr(cache, "_facts", lambda path: (1, changed, changed))
    now = changed + 2 * second - 1
    monkeypatch.setattr(cache, "time", SimpleNamespace(time_ns=lambda: now))
    open_some(workspace)
    assert len(kept(workspace)) == fraction, "times in whole seconds are coarse"
    now += 1
    open_some(workspace)
    assert len(kept(workspace)) == 1


@pytest.mark.usefixtures("paths")
def test_another_pillow_decodes_anew(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, decoded: list[int]
) -> None:
    open_some(workspace)
    monkeypatch.setattr(cache.PIL, "__version__", "0.1")
    open_some(workspace)
    assert decoded == [COUNT, COUNT]


@pytest.mark.usefixtures("paths")
@pytest.mark.parametrize("decoder", ["av", "pillow-heif", "opencv-python-headless"])
def test_another_decoder_decodes_anew(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, decoded: list[int], decoder: str
) -> None:
    def installed(package: str) -> str:
        if package == decoder:
            raise PackageNotFoundError
        return version(package)

    open_some(workspace)
    cache.decoders.cache_clear()
    with monkeypatch.context() as patches:
        patches.setattr(cache, "version", installed)
        assert cache.decoders()[decoder] is None
        open_some(workspace)
    cache.decoders.cache_clear()
    open_some(workspace)
    assert decoded == [COUNT, COUNT]


def test_the_version_of_ffmpeg_counts() -> None:
    assert cache.decoders()["FFmpeg"] == av.library_versions


@pytest.mark.usefixtures("paths")
def test_what_a_package_was_missing_for_is_not_kept(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    register_heif_opener()
    Image.new("RGB", (WIDTH, HEIGHT)).save(workspace.dataset("some") / "phone.heic")
    with monkeypatch.context() as patches:
        patches.setitem(sys.modules, "pillow_heif", None)
        assert len(open_some(workspace).images) == COUNT
        assert kept(workspace) == []
    assert len(open_some(workspace).images) == COUNT + 1
    assert len(kept(workspace)) == 1


@pytest.mark.usefixtures("paths")
def test_more_than_the_memory_is_mapped_for_reading(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, decoded: list[int]
) -> None:
    real = mmap.mmap

    def no_copies(*arguments: int, **options: int) -> mmap.mmap:
        if options.get("access") == mmap.ACCESS_COPY:
            raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))
        return real(*arguments, **options)

    before = open_some(workspace)
    assert before.images.flags.writeable
    monkeypatch.setattr(picture_file.mmap, "mmap", no_copies)
    pictures = open_some(workspace)
    assert_same(pictures, before)
    assert not pictures.images.flags.writeable
    assert decoded == [COUNT]


# --- old files -----------------------------------------------------------------------------------

HOUR = 3600.0


@pytest.fixture
def old_files(workspace: Workspace) -> Callable[..., list[str]]:
    """`old_files(10, 20)`: files of 100 bytes, last used so many hours before 100,000 h."""

    def make(*ages: float) -> list[str]:
        workspace.cache.mkdir(parents=True, exist_ok=True)
        for age in ages:
            path = workspace.cached_pictures(f"{age:04.0f}")
            path.write_bytes(bytes(100))
            os.utime(path, 2 * ((100_000 - age) * HOUR,))
        return listing(workspace.cache)

    return make


def test_files_go_that_nobody_has_used_for_long(
    workspace: Workspace, old_files: Callable[..., list[str]]
) -> None:
    names = old_files(1, 719, 721, 5000)
    cache_folder.make_room(workspace, 10**6, now=100_000 * HOUR)
    assert listing(workspace.cache) == names[:2]


def test_the_oldest_go_where_all_take_too_much(
    workspace: Workspace, old_files: Callable[..., list[str]]
) -> None:
    names = old_files(1, 2, 3, 4)
    cache_folder.make_room(workspace, 250, now=100_000 * HOUR)
    assert listing(workspace.cache) == names[:2]
    cache_folder.make_room(workspace, 0, now=100_000 * HOUR)
    assert listing(workspace.cache) == []


def test_the_oldest_go_where_the_disk_has_no_room(
    workspace: Workspace, old_files: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache_folder, "UNUSED_SECONDS", float("inf"))
    names = old_files(1, 2, 3)
    monkeypatch.setattr(
        cache_folder, "free_bytes", lambda folder: 1000 - 100 * len(listing(workspace.cache))
    )
    cache_folder.require_room(workspace, 300, 590)
    assert listing(workspace.cache) == names[:1]
    with pytest.raises(cache_folder.NoRoom, match="less than 1001 B are free"):
        cache_folder.require_room(workspace, 411, 590)
    assert listing(workspace.cache) == names[:1], "it would not help"


def test_files_that_give_no_room_stay(
    workspace: Workspace, old_files: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache_folder, "UNUSED_SECONDS", float("inf"))
    names = old_files(1, 2, 3)
    monkeypatch.setattr(cache_folder, "free_bytes", lambda folder: 1000)
    with pytest.raises(cache_folder.NoRoom):
        cache_folder.require_room(workspace, 300, 750)
    assert listing(workspace.cache) == names[:2], "all are in use, as the oldest has shown"


@pytest.mark.usefixtures("paths")
def test_what_is_too_large_is_not_kept(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, decoded: list[int]
) -> None:
    monkeypatch.setattr(cache_folder, "MOST_OF_THE_DISK", 0.0)
    assert len(open_some(workspace).images) == COUNT
    assert kept(workspace) == []
    assert decoded == []


@pytest.mark.usefixtures("paths")
def test_whoever_reads_a_file_marks_it_as_used(workspace: Workspace) -> None:
    open_some(workspace)
    [path] = kept(workspace)
    os.utime(path, (0, 0))
    open_some(workspace)
    cache_folder.make_room(workspace, 10**9)
    assert kept(workspace) == [path]


@pytest.mark.usefixtures("paths")
def test_what_a_killed_process_has_left_goes(workspace: Workspace) -> None:
    workspace.cache.mkdir(parents=True)
    (workspace.cache / f"old.h5{PART}").write_bytes(b"half of it")
    open_some(workspace)
    assert len(kept(workspace)) == 1
    assert not kept(workspace)[0].name.endswith(PART)
