"""Folders as they come from years of collecting: the good pictures are used, the rest is told."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pillow_heif import register_heif_opener

from jobs.pictures.finding import Unreadable
from jobs.pictures.surveying import survey
from jobs.settings.kinds import Resolution
from jobs.settings.preprocess import Sides
from jobs.workspace.paths import Workspace
from multitrain.datasets.decoded.decoding import Uint8Array
from multitrain.datasets.decoded.folders import load_pictures
from multitrain.datasets.tiles.tiles import TileGrid, TileName
from multitrain.datasets.tiles.tiling import Tiling, tile
from tests.datasets.decoded.test_dpx import write_10_bits

WIDTH, HEIGHT = 64, 48
WALL = 20_000  # pixels of its longer side
GOOD = (
    "animated.png",
    "animated.webp",
    os.fsdecode(b"caf\xe9.png"),
    "jpeg.png",
    "line\nbreak.png",
    "palette.png",
    "phone.jpg",  # HEIC
    "scan.DPX",
    "spaces and 'quotes' %03d \"$HOME\".png",
    "\N{CLAPPER BOARD}.avif",
)
TORN = (
    "torn.avif",
    "torn.bmp",
    "torn.dpx",
    "torn.heic",
    "torn.jpg",
    "torn.png",
    "torn.tif",
    "torn.webp",
)


def noise(seed: int) -> Image.Image:
    return Image.fromarray(
        np.random.default_rng(seed).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    )


@pytest.fixture
def folder(workspace: Workspace) -> Path:
    folder = workspace.dataset("found")
    folder.mkdir(parents=True)
    register_heif_opener()
    for name in GOOD:
        save_good(folder / name)
    for name in TORN:
        path = folder / name
        save_good(path)
        content = path.read_bytes()
        path.write_bytes(content[: len(content) * 2 // 3])
    (folder / "empty.png").touch()
    (folder / "nothing.dpx").touch()
    (folder / "text.jpg").write_text("none of a picture")
    (folder / "film.webp").write_bytes(b"\0\0\0\x20ftypisom" + bytes(900))
    os.mkfifo(folder / "pipe.png")
    (folder / "gone.png").symlink_to("nowhere.png")
    (folder / "itself.png").symlink_to("itself.png")
    (folder / "loop").symlink_to(folder, target_is_directory=True)
    (folder / "folder.png").mkdir()
    Image.new("L", (WALL, HEIGHT)).save(folder / "wall.png")
    return folder


def save_good(path: Path) -> None:
    picture = noise(1)
    if path.name.startswith("animated"):
        picture.save(path, save_all=True, append_images=[noise(2), noise(3)], lossless=True)
    elif path.name == "palette.png":
        picture.convert("P").save(path)
    elif path.name == "phone.jpg":
        picture.save(path, format="HEIF")
    elif path.suffix.casefold() == ".dpx":
        write_10_bits(path, np.asarray(picture) * 4, transfer=5)
    else:
        picture.save(path, format="JPEG" if path.stem == "jpeg" else None)


def assert_all_are_told(left_out: tuple[Unreadable, ...]) -> None:
    reasons = {path.name: reason for path, reason in left_out}
    assert len(reasons) == len(left_out)
    for name in TORN:
        assert reasons.pop(name)
    assert reasons == {
        "empty.png": "is empty",
        "nothing.dpx": "is empty",
        "text.jpg": "is not a picture",
        "film.webp": "is not a picture",
        "pipe.png": "is not a file",
        "gone.png": "is not a file",
        "itself.png": "is not a file",
    }


def test_a_job_loads_the_good_ones(workspace: Workspace, folder: Path) -> None:
    found = survey([folder])
    assert found.size == (WIDTH, HEIGHT)
    assert [(odd.path.name, odd.size) for odd in found.odd] == [("wall.png", (WALL, HEIGHT))]

    pictures = load_pictures([folder], WIDTH, HEIGHT)

    odd = Unreadable(folder / "wall.png", f"is {WALL}x{HEIGHT}, not {WIDTH}x{HEIGHT}")
    assert odd in pictures.skipped
    assert_all_are_told(tuple(each for each in pictures.skipped if each != odd))
    assert len(pictures.images) == len(GOOD)
    for image in pictures.images[:2]:  # of animated ones, the first picture
        np.testing.assert_array_equal(image, noise(1))


def test_the_good_ones_are_tiled(workspace: Workspace, folder: Path) -> None:
    grid = TileGrid(Resolution(WIDTH, HEIGHT), 2, True, False, Sides(0, 0, 0, 0))

    (made,) = tile(workspace, [folder], ["tiles"], Tiling(grid))

    assert_all_are_told(made.left_out)
    tiles = [TileName.parse(path.relative_to(made.folder)) for path in made.folder.iterdir()]
    assert made.pictures == len(tiles)
    counts: dict[str, int] = {}
    for each in tiles:
        assert each is not None
        counts[each.picture.name] = counts.get(each.picture.name, 0) + 1
    stems = {Path(name).stem if "animated" not in name else name for name in GOOD}
    assert counts == dict.fromkeys(stems, 1) | {"wall": WALL // WIDTH}


def first_tile(folder: Path, stem: str) -> Uint8Array:
    (path,) = folder.glob(f"{stem}_*.png")
    with Image.open(path) as image:
        return np.asarray(image)[2:-2, 2:-2]


def test_of_animated_ones_the_first_picture_is_tiled(workspace: Workspace) -> None:
    folder = workspace.root / "in"
    folder.mkdir()
    save_good(folder / "animated.png")
    grid = TileGrid(Resolution(WIDTH, HEIGHT), 2, True, False, Sides(0, 0, 0, 0))
    (made,) = tile(workspace, [folder], ["tiles"], Tiling(grid))
    np.testing.assert_array_equal(first_tile(made.folder, "animated"), noise(1))
