"""Pictures decoded once: the same ones ever after, whatever happens to the file or around it."""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from jobs.errors import DatasetError
from jobs.settings.colours import RGBA
from jobs.workspace.files import part_of
from jobs.workspace.paths import Workspace
from multitrain.datasets.cached import cache, cache_folder, picture_file
from multitrain.datasets.cached.cache import open_pictures
from multitrain.datasets.decoded.folders import Fingerprint, Pictures, load_pictures
from tests.datasets.cached.some_pictures import (
    COUNT,
    HEIGHT,
    WIDTH,
    assert_same,
    kept,
    open_some,
)

if TYPE_CHECKING:
    from tests.conftest import MakePictures


def test_what_comes_out_is_what_is_decoded(workspace: Workspace, paths: list[Path]) -> None:
    paths[1].write_bytes(paths[1].read_bytes()[:-60])
    (workspace.dataset("some") / "caf\udce9.jpg").touch()
    expected = load_pictures([workspace.dataset("some")], WIDTH, HEIGHT)
    assert len(expected.skipped) == 2
    for _ in range(2):
        pictures = open_some(workspace)
        assert_same(pictures, expected)
        assert pictures.fingerprint == Fingerprint.of(pictures.images)


@pytest.mark.usefixtures("paths")
def test_a_second_start_decodes_nothing_and_maps_the_file(
    workspace: Workspace, decoded: list[int]
) -> None:
    first = open_some(workspace)
    second = open_some(workspace)
    assert decoded == [COUNT]
    assert_same(first, second)
    [path] = kept(workspace)
    inode = path.stat().st_ino
    for pictures in (first, second):
        assert pictures.images.flags.c_contiguous
        address = pictures.images.ctypes.data
        assert address % mmap.PAGESIZE == 0
        assert inode_mapped_at(address) == inode


def inode_mapped_at(address: int) -> int | None:
    """Of the file that this process has mapped there."""
    for line in Path("/proc/self/maps").read_text(encoding="utf-8").splitlines():
        fields = line.split()
        first, last = (int(end, 16) for end in fields[0].split("-"))
        if first <= address < last:
            return int(fields[4])
    return None


@pytest.mark.usefixtures("paths")
def test_other_programs_can_read_it(workspace: Workspace) -> None:
    import h5py

    pictures = open_some(workspace)
    [path] = kept(workspace)
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file["images"][()], pictures.images)
        assert file.attrs["digest"] == pictures.fingerprint.digest


def same_size_and_time(path: Path) -> None:
    """Other pixels in a file that looks the same from outside, as unpacking an archive may do."""
    before = path.stat()
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize(
    "change",
    [
        lambda path: Image.new("RGB", (WIDTH, HEIGHT), "red").save(path),
        lambda path: path.rename(path.with_name("z.png")),
        lambda path: path.unlink(),
        lambda path: shutil.copy(path, path.with_name("more.png")),
        same_size_and_time,
    ],
    ids=["overwritten", "renamed", "deleted", "one more", "same size and time"],
)
def test_changed_folders_are_decoded_anew(
    workspace: Workspace, make_pictures: MakePictures, change: Callable[[Path], None]
) -> None:
    paths = make_pictures(workspace.dataset("some"), COUNT, (WIDTH, HEIGHT), suffix=".bmp")
    before = open_some(workspace)
    change(paths[2])
    after = open_some(workspace)
    assert_same(after, load_pictures([workspace.dataset("some")], WIDTH, HEIGHT))
    assert after.fingerprint != before.fingerprint


@pytest.mark.usefixtures("paths")
def test_other_sizes_and_sets_are_other_files(
    workspace: Workspace, make_pictures: MakePictures, decoded: list[int]
) -> None:
    make_pictures(workspace.dataset("others"), 3, (WIDTH, HEIGHT))
    make_pictures(workspace.dataset("some") / "wide", 4, (2 * WIDTH, HEIGHT))
    for _ in range(2):
        assert len(open_some(workspace).images) == COUNT
        assert len(open_pictures(workspace, ["some"], 2 * WIDTH, HEIGHT).images) == 4
        assert len(open_pictures(workspace, ["some", "others"], WIDTH, HEIGHT).images) == COUNT + 3
    assert len(decoded) == len(kept(workspace)) == 3


@pytest.mark.usefixtures("paths")
@pytest.mark.usefixtures("paths")
def test_with_and_without_alpha_are_two_files(workspace: Workspace, decoded: list[int]) -> None:
    for _ in range(2):
        plain, clear = open_some(workspace), open_some(workspace, channels=RGBA)
        assert plain.images.shape == (COUNT, HEIGHT, WIDTH, 3)
        assert clear.images.shape == (COUNT, HEIGHT, WIDTH, 4)
        np.testing.assert_array_equal(clear.images[..., :3], plain.images)
        assert clear.fingerprint == Fingerprint.of(clear.images) != plain.fingerprint
    assert decoded == [COUNT, COUNT]
    assert len(kept(workspace)) == 2


@pytest.mark.usefixtures("paths")
def test_a_workspace_may_be_moved(workspace: Workspace, decoded: list[int]) -> None:
    (workspace.dataset("some") / "z.jpg").touch()
    open_some(workspace)
    moved = Workspace(workspace.root.with_name("moved"))
    workspace.root.rename(moved.root)
    pictures = open_some(moved)
    assert decoded == [COUNT + 1]
    assert [each.path for each in pictures.skipped] == [moved.dataset("some") / "z.jpg"]


def test_none_left_is_the_error_that_it_was(workspace: Workspace, paths: list[Path]) -> None:
    for _ in range(2):
        with pytest.raises(DatasetError, match=r"No picture of 99x99 in .*is 32x24, not 99x99"):
            open_pictures(workspace, ["some"], 99, 99)
    assert kept(workspace) == []
    with pytest.raises(DatasetError, match="no such file or directory"):
        open_pictures(workspace, ["gone"], WIDTH, HEIGHT)


def test_what_is_smaller_than_a_page_is_not_kept(
    workspace: Workspace, make_pictures: MakePictures
) -> None:
    make_pictures(workspace.dataset("some"), 1, (8, 6))
    assert len(open_pictures(workspace, ["some"], 8, 6).images) == 1
    assert not workspace.cache.exists()


# --- damage --------------------------------------------------------------------------------------

DAMAGES = {
    "empty": lambda data: b"",
    "cut off in the middle": lambda data: data[: len(data) // 2],
    "cut off by a byte": lambda data: data[:-1],
    "longer by a byte": lambda data: data + b"\0",
    "zeros": lambda data: bytes(len(data)),
    "its front is gone": lambda data: bytes(2048) + data[2048:],
    "text": lambda data: b"no pictures at all",
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.usefixtures("paths")
def test_a_damaged_file_is_made_anew(
    workspace: Workspace,
    decoded: list[int],
    damage: Callable[[bytes], bytes],
    caplog: pytest.LogCaptureFixture,
) -> None:
    before = open_some(workspace)
    expected = before.images.copy()
    [path] = kept(workspace)
    whole = path.read_bytes()
    del before
    path.write_bytes(damage(whole))
    np.testing.assert_array_equal(open_some(workspace).images, expected)
    assert f"{path.name} is damaged" in caplog.text
    assert path.read_bytes() == whole
    open_some(workspace)
    assert decoded == [COUNT, COUNT]


@pytest.mark.usefixtures("paths")
def test_every_bit_that_is_not_of_a_pixel_is_guarded(workspace: Workspace) -> None:
    pixels = open_some(workspace).images.nbytes
    [path] = kept(workspace)
    whole = path.read_bytes()
    behind = picture_file.PIXELS_AT + pixels
    used = [place for place in range(picture_file.PIXELS_AT) if whole[place]]
    random = np.random.default_rng(0)
    places = [*random.choice(used, 100), *random.integers(behind, len(whole), 100)]
    places += range(len(whole) - picture_file.SEAL.size, len(whole))
    for place in places:
        damaged = bytearray(whole)
        damaged[place] ^= 1 << random.integers(8)
        path.write_bytes(damaged)
        with path.open("rb") as file, pytest.raises(picture_file.DamagedFile):
            picture_file.read(file)


def test_a_file_under_the_name_of_another_is_made_anew(
    workspace: Workspace, make_pictures: MakePictures, paths: list[Path], decoded: list[int]
) -> None:
    make_pictures(workspace.dataset("others"), 3, (WIDTH, HEIGHT))
    open_some(workspace)
    [one] = kept(workspace)
    open_pictures(workspace, ["others"], WIDTH, HEIGHT)
    [other] = set(kept(workspace)) - {one}
    shutil.copy(other, one)
    assert len(open_some(workspace).images) == COUNT
    assert decoded == [COUNT, 3, COUNT]


# --- several at once -----------------------------------------------------------------------------


@pytest.fixture
def two_at_once(
    workspace: Workspace, paths: list[Path], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[Pictures, Pictures]]:
    """`two_at_once()`: what two get, of whom the second comes while the first decodes.

    With `fails`, the first one's disk is full. The first one is done by the second one's look at
    the lock after so many `looks`.
    """
    begun, go_on, done = threading.Event(), threading.Event(), threading.Event()
    make = cache._make

    def open_twice(*, fails: bool = False, looks: int = 1) -> tuple[Pictures, Pictures]:
        def wait(seconds: float) -> None:
            nonlocal looks
            looks -= 1
            if not looks:
                go_on.set()
                assert done.wait(60)

        def slowly(*arguments: object) -> Pictures:
            is_first = not begun.is_set()
            begun.set()
            assert go_on.wait(60)
            if is_first and fails:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return make(*arguments)

        monkeypatch.setattr(cache, "_make", slowly)
        clock = SimpleNamespace(monotonic=time.monotonic, time=time.time, sleep=wait)
        monkeypatch.setattr(cache_folder, "time", clock)
        with ThreadPoolExecutor(2) as pool:
            first = pool.submit(open_some, workspace)
            first.add_done_callback(lambda _: done.set())
            assert begun.wait(60)
            second = pool.submit(open_some, workspace)
            return first.result(60), second.result(60)

    return open_twice


def test_the_second_waits_and_reads(
    workspace: Workspace,
    decoded: list[int],
    two_at_once: Callable[..., tuple[Pictures, Pictures]],
) -> None:
    assert_same(*two_at_once())
    assert decoded == [COUNT]
    assert [path.suffix for path in kept(workspace)] == [".h5"]


def test_the_second_goes_on_where_the_first_gives_up(
    workspace: Workspace,
    decoded: list[int],
    two_at_once: Callable[..., tuple[Pictures, Pictures]],
) -> None:
    assert_same(*two_at_once(fails=True))
    assert [path.suffix for path in kept(workspace)] == [".h5"]
    open_some(workspace)
    assert decoded == [COUNT]


@pytest.mark.parametrize("fails", [False, True])
def test_who_has_waited_for_long_does_not_begin_anew(
    workspace: Workspace,
    decoded: list[int],
    two_at_once: Callable[..., tuple[Pictures, Pictures]],
    fails: bool,
) -> None:
    assert_same(*two_at_once(fails=fails, looks=2))
    assert len(kept(workspace)) == (not fails)
    assert decoded == ([] if fails else [COUNT]), "else each decodes into memory"


def test_who_gets_on_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, now = tmp_path / "some.h5", 0.0

    def wait(seconds: float) -> None:
        nonlocal now
        now += seconds
        if now < 100:
            other.write(b"x")

    clock = SimpleNamespace(monotonic=lambda: now, sleep=wait)
    monkeypatch.setattr(cache_folder, "time", clock)
    with part_of(path).open("wb", buffering=0) as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        told = pytest.raises(cache_folder.NoRoom, match="does not get on")
        with told, cache_folder.claimed(path):
            pytest.fail("it is locked")
    assert 99 < now - cache_folder.STILL_SECONDS < 101
    assert part_of(path).exists(), "it belongs to somebody"


@pytest.mark.usefixtures("paths")
def test_a_file_system_without_locks_keeps_nothing(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(descriptor: int, how: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(cache_folder.fcntl, "flock", refuse)
    assert len(open_some(workspace).images) == COUNT
    assert kept(workspace) == []


HOLDER = """
import os, sys
from pathlib import Path
from multitrain.datasets.cached.cache_folder import claimed
with claimed(Path(sys.argv[1])) as descriptor:
    os.write(descriptor, b"half of it")
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.mark.usefixtures("paths")
def test_a_process_that_dies_while_it_decodes_is_no_hindrance(
    workspace: Workspace, decoded: list[int]
) -> None:
    found = cache.Listing.of(workspace, [workspace.dataset("some")], WIDTH, HEIGHT, 3)
    path = workspace.cached_pictures(found.key)
    path.parent.mkdir(parents=True)
    with (
        subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as holder,
        ThreadPoolExecutor(1) as pool,
    ):
        assert holder.stdout
        assert holder.stdout.readline() == b"held\n"
        cache_folder.make_room(workspace, 0)
        assert kept(workspace) == [part_of(path)], "it belongs to somebody"
        waiting = pool.submit(open_some, workspace)
        holder.send_signal(signal.SIGKILL)
        assert len(waiting.result(60).images) == COUNT
    assert kept(workspace) == [path]


@pytest.mark.usefixtures("paths")
def test_a_file_that_is_deleted_serves_on_who_has_opened_it(workspace: Workspace) -> None:
    pictures = open_some(workspace)
    shutil.rmtree(workspace.cache)
    assert Fingerprint.of(pictures.images) == pictures.fingerprint
