"""Pictures found and measured, in folders as people have them."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from pillow_heif import register_heif_opener

from jobs.pictures.finding import (
    DEMO_COUNT,
    DEMO_SIZE,
    UnreadablePicture,
    demo_is_built_in,
    describe_odd,
    describe_unreadable,
    find_pictures,
    probe,
)
from jobs.pictures.surveying import survey
from jobs.settings.kinds import Resolution
from jobs.workspace.paths import Workspace

if TYPE_CHECKING:
    from tests.conftest import MakePictures


def names(folder: Path, *more: Path) -> list[str]:
    return [str(path.relative_to(folder)) for path in find_pictures([folder, *more])[0]]


def save_turned(path: Path, size: tuple[int, int], orientation: int) -> None:
    register_heif_opener()
    picture = Image.new("RGB", size)
    picture.getexif()[0x0112] = orientation
    # HEIC has fields of its own for it, which are written of a picture that has EXIF data already.
    picture.save(path, **({} if path.suffix == ".heic" else {"exif": picture.getexif()}))


def test_pictures_are_found_below_folders_with_any_suffix_and_case(workspace: Workspace) -> None:
    expected = [
        "a.jpeg", "b.JPG", "c.png", "d.WebP", "e.bmp", "f.tif", "g.DPX", "h.avif", "i.HEIC",
        "j.heif", "sub/x/k.TIFF",
    ]  # fmt: skip
    for name in expected:
        (workspace.root / name).parent.mkdir(parents=True, exist_ok=True)
        (workspace.root / name).touch()
    for name in ("notes.txt", "film.mp4", "png", ".hidden.png"):
        (workspace.root / name).touch()
    (workspace.root / ".thumbnails").mkdir()
    (workspace.root / ".thumbnails" / "t.png").touch()
    assert names(workspace.root) == expected


def test_a_folder_named_like_a_picture_is_a_folder(workspace: Workspace) -> None:
    (workspace.root / "x.png").mkdir()
    (workspace.root / "x.png" / "y.png").touch()
    assert names(workspace.root) == ["x.png/y.png"]


def test_links_that_loop_end_and_nothing_is_found_twice(workspace: Workspace) -> None:
    inner = workspace.root / "inner"
    inner.mkdir()
    (inner / "a.png").touch()
    (inner / "back").symlink_to(workspace.root, target_is_directory=True)
    (inner / "self").symlink_to("self")
    assert names(workspace.root, inner, workspace.root) == ["inner/a.png"]


def test_several_folders_keep_the_order_in_which_they_were_named(workspace: Workspace) -> None:
    for name in ("a/1.png", "b/2.png"):
        (workspace.root / name).parent.mkdir()
        (workspace.root / name).touch()
    found, _ = find_pictures([workspace.root / "b", workspace.root / "a"])
    assert [path.name for path in found] == ["2.png", "1.png"]


def test_folders_that_cannot_be_read_are_reasons(workspace: Workspace) -> None:
    found, unreadable = find_pictures([workspace.root / "none"])
    assert found == []
    assert [each.reason for each in unreadable] == ["no such file or directory"]


def test_a_folder_without_permission_is_a_reason(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = workspace.root / "closed"
    closed.mkdir(mode=0)
    scandir = os.scandir

    def refuse_the_closed(folder: str | Path) -> object:  # also root, whom modes do not stop
        if Path(folder) == closed:
            raise PermissionError(errno.EACCES, "Permission denied", str(folder))
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", refuse_the_closed)
    assert survey([workspace.root]).unreadable == ((closed, "permission denied"),)


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif", "avif", "heic"])
@pytest.mark.parametrize(("orientation", "seen"), [(1, Resolution(8, 4)), (3, (8, 4)), (6, (4, 8))])
def test_sizes_are_those_after_turning(
    workspace: Workspace, suffix: str, orientation: int, seen: Resolution
) -> None:
    path = workspace.root / f"a.{suffix}"
    save_turned(path, (8, 4), orientation)
    assert probe(path) == seen


def test_huge_pictures_are_measured_without_decoding_or_warnings(workspace: Workspace) -> None:
    path = workspace.root / "wall.png"
    Image.new("1", (20_000, 20_000)).save(path)
    assert probe(path) == (20_000, 20_000)


def test_unreadable_files_say_why(workspace: Workspace, make_pictures: MakePictures) -> None:
    make_pictures(workspace.root, 2, (8, 6))
    (workspace.root / "empty.png").touch()
    (workspace.root / "text.jpg").write_text("no picture at all")
    (workspace.root / "gone.png").symlink_to("nowhere.png")
    os.mkfifo(workspace.root / "pipe.png")
    found = survey([workspace.root])
    assert (found.size, found.count) == ((8, 6), 2)
    assert {each.path.name: each.reason for each in found.unreadable} == {
        "empty.png": "is empty",
        "gone.png": "is not a file",
        "pipe.png": "is not a file",
        "text.jpg": "is not a picture",
    }


def test_other_formats_are_not_tried(workspace: Workspace) -> None:
    path = workspace.root / "drawing.png"
    Image.new("RGB", (4, 4)).save(path, format="EPS")
    with pytest.raises(UnreadablePicture, match="is not a picture"):
        probe(path)


def test_heic_is_known_whatever_its_suffix_and_asks_for_its_plug_in(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = workspace.root / "phone.heic"
    save_turned(path, (64, 48), 1)
    path = path.rename(workspace.root / "phone.jpg")
    assert probe(path) == (64, 48)
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(UnreadablePicture, match="takes the package pillow-heif"):
        probe(path)


def test_the_size_of_most_pictures_counts(
    workspace: Workspace, make_pictures: MakePictures
) -> None:
    make_pictures(workspace.root / "b", 3, (8, 6))
    odd = make_pictures(workspace.root / "a", 2, (6, 8))
    found = survey([workspace.root])
    assert (found.size, found.count) == ((8, 6), 3)
    assert [picture.path for picture in found.odd] == odd
    assert {picture.size for picture in found.odd} == {(6, 8)}


def test_no_pictures_have_no_size(workspace: Workspace) -> None:
    found = survey([workspace.root])
    assert (found.size, found.count, found.odd) == (None, 0, ())


def test_the_built_in_pictures_count_without_being_drawn() -> None:
    found = survey([], with_demo=True)
    assert (found.size, found.count) == (DEMO_SIZE, DEMO_COUNT)


def test_demo_is_built_in_until_something_stands_there(workspace: Workspace) -> None:
    demo = workspace.dataset("demo")
    assert demo_is_built_in(demo)
    demo.mkdir(parents=True)
    assert demo_is_built_in(demo)
    (demo / "mine.png").touch()
    assert not demo_is_built_in(demo)
    assert not demo_is_built_in(demo / "mine.png")


def test_descriptions_name_the_first_few(workspace: Workspace, make_pictures: MakePictures) -> None:
    make_pictures(workspace.root / "a", 6, (8, 6))
    make_pictures(workspace.root / "b", 5, (4, 4))
    (workspace.root / "x.png").touch()
    found = survey([workspace.root])
    assert describe_odd(found.odd, workspace.root, 2) == (
        "b/picture_000.png (4x4), b/picture_001.png (4x4) and 3 more"
    )
    assert describe_unreadable(found.unreadable, workspace.root) == "x.png (is empty)"
