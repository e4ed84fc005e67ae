"""Which files count as pictures by their names, and what is passed over with a word."""

from __future__ import annotations

from pathlib import Path, PurePath

import pytest
from PIL import Image
from pillow_heif import register_heif_opener

from jobs.pictures import dpx  # noqa: F401  # adds itself to Pillow's formats
from jobs.pictures.finding import find_all, find_pictures, probe
from jobs.pictures.folders import DatasetFolders
from jobs.pictures.suffixes import is_foreign, is_picture, why_not_read
from jobs.settings.preprocess import AS_THEY_ARE, Preprocessing
from jobs.workspace.paths import Workspace


def test_all_that_pillow_opens_is_used_or_told() -> None:
    Image.init()
    register_heif_opener()
    suffixes = [each for each, kind in Image.registered_extensions().items() if kind in Image.OPEN]
    paths = [PurePath(f"a{each}") for each in suffixes]
    assert len(paths) > 60
    assert [path for path in paths if not is_picture(path) and not why_not_read(path)] == []
    assert [path for path in paths if is_picture(path) and why_not_read(path)] == []


@pytest.mark.parametrize("name", ["a.JFIF", "a.jpe", "a.jpg_large", "a.JPG-Orig", "a.png:small"])
def test_pictures_by_whatever_name(workspace: Workspace, name: str) -> None:
    path = workspace.root / name
    Image.new("RGB", (4, 3)).save(path, format="JPEG")
    assert find_pictures([workspace.root])[0] == [path]
    assert probe(path) == (4, 3)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("e.gif", "is GIF, which is not read; save it as PNG"),
        ("e.NEF", "is NEF, which is not read; save it as PNG"),
        ("e.mp4", "is a video, which `multitrain dataset extract` makes pictures of"),
        ("e.txt", None),
        ("gif", None),
    ],
)
def test_what_a_suffix_passes_over_is_told(workspace: Workspace, name: str, told: str) -> None:
    (workspace.root / name).touch()
    unreadable = find_pictures([workspace.root])[1]
    assert [each.reason for each in unreadable] == ([told] if told else [])


@pytest.mark.parametrize(
    "name", ["@eaDir", ".thumbnails", "__MACOSX", "#recycle", ".AppleDouble", "$RECYCLE.BIN"]
)
def test_folders_of_file_managers_are_passed_over_and_counted(
    workspace: Workspace, name: str
) -> None:
    for path in (Path("a.png"), Path(name, "a.png", "t.jpg"), Path("sub", name, "b.gif")):
        (workspace.root / path).parent.mkdir(parents=True, exist_ok=True)
        (workspace.root / path).touch()
    found = find_all([workspace.root])
    assert found.pictures == [workspace.root / "a.png"]
    assert found.unreadable == []
    assert sorted(found.foreign) == sorted(workspace.root / each / name for each in ("", "sub"))


@pytest.mark.parametrize("name", ["..", "@home", "#night", "MACOSX", "a.b"])
def test_other_folders_are_the_users_own(name: str) -> None:
    assert not is_foreign(name)


def test_a_broken_picture_is_told_once_however_often_its_folder_is_named(
    workspace: Workspace,
) -> None:
    for folder, size in (("a", (8, 8)), ("b", (8, 8))):
        workspace.dataset(folder).mkdir(parents=True)
        Image.new("RGB", size).save(workspace.dataset(folder) / "good.png")
    (workspace.dataset("a") / "broken.png").write_text("none")
    folders = DatasetFolders(workspace)
    flipped = Preprocessing.of("none", None, None, flip=True)
    for names in (("a",), ("a", "b"), ("b", "a"), ("b",)):
        for preprocessing in (AS_THEY_ARE, flipped):
            assert not folders.look_at(names, preprocessing).reason
    assert list(folders.warnings()) == [
        "dataset a: 1 file is left out: a/broken.png (is not a picture)"
    ]
