"""Tiles laid together again."""

from __future__ import annotations

from pathlib import Path, PurePath

import numpy as np
import pytest

from jobs.errors import DatasetError, UsageError
from jobs.settings.preprocess import Sides
from jobs.workspace.paths import Workspace
from multitrain.datasets.tiles.tiling import Tiling, named, tile
from multitrain.datasets.tiles.untiling import untile
from tests.datasets.tiles.scans import grid, header, listed, read, save_noise


@pytest.mark.parametrize("border", [0, 2, 9])
@pytest.mark.parametrize("jitter", [False, True])
@pytest.mark.parametrize("seed", [None, 3])
def test_what_was_tiled_is_laid_together_as_it_was(
    workspace: Workspace, scans: Path, border: int, jitter: bool, seed: int | None
) -> None:
    how = Tiling(grid(border, jitter=jitter), shuffle_seed=seed)
    (made,) = tile(workspace, [scans], ["tiles"], how)
    back = workspace.root / "back"

    again = untile(workspace, "tiles", back)

    assert made.left_out == again.left_out == ()
    assert again.pictures == 3
    assert {header(path).size for path in made.folder.rglob("*.png")} == {
        (10 + 2 * border, 8 + 2 * border)
    }
    for name in ("a.png", "reel 2/b.tif", "reel 2/c.png"):
        before = read(scans / name)
        height, width = before.shape[0] // 8 * 8, before.shape[1] // 10 * 10
        after = read((back / name).with_suffix(".png"))
        assert after.shape == before.shape
        np.testing.assert_array_equal(after[:height, :width], before[:height, :width])
        colours = after[..., :3]
        assert not colours[height:].any()
        assert not colours[:, width:].any()


def test_originals_fill_what_no_tile_covers(workspace: Workspace, scans: Path) -> None:
    tile(workspace, [scans], ["tiles"], Tiling(grid(trim=Sides(3, 4, 5, 6)), quality=0.5))
    untile(workspace, "tiles", workspace.root / "back", originals=scans)
    for name in ("a.png", "reel 2/b.tif", "reel 2/c.png"):
        after = (workspace.root / "back" / name).with_suffix(".png")
        np.testing.assert_array_equal(read(after), read(scans / name))


def test_originals_of_another_size_are_left_out(workspace: Workspace, scans: Path) -> None:
    tile(workspace, [scans], ["tiles"], Tiling(grid()))
    save_noise(scans / "a.png", (41, 32))
    made = untile(workspace, "tiles", workspace.root / "back", originals=scans)
    assert made.pictures == 3
    assert made.left_out == ((scans / "a.png", "is 41x32, its tiles are of 40x32"),)


def test_pictures_of_one_name_keep_their_suffixes(workspace: Workspace) -> None:
    folder = workspace.root / "in"
    names = ["a.png", "a.tif", "a.tif.png", "b.png"]
    for name in names:
        save_noise(folder / name)
    assert named(folder, [folder / name for name in names]) == {
        PurePath("a.png"): folder / "a.png",
        PurePath("a.tif"): folder / "a.tif",
        PurePath("a.tif.png"): folder / "a.tif.png",
        PurePath("b"): folder / "b.png",
    }
    tile(workspace, [folder], ["t"], Tiling(grid(trim=Sides(1, 1, 1, 1))))
    untile(workspace, "t", workspace.root / "back", originals=folder)
    for name in ("a.png", "a.tif", "a.tif.png"):
        np.testing.assert_array_equal(
            read(workspace.root / "back" / f"{name}.png"), read(folder / name)
        )


def test_tiles_that_cannot_be_laid_are_left_out(workspace: Workspace, scans: Path) -> None:
    (made,) = tile(workspace, [scans], ["t"], Tiling(grid()))
    first = made.folder / listed(made.folder)[0]
    first.write_bytes(first.read_bytes()[:60])
    for name, size in (
        ("a_40x32_y00030_x00000_b2", (14, 12)),  # beyond the bottom
        ("a_40x32_y00000_x00000_b9", (14, 12)),  # no more than a border
        ("a_41x32_y00000_x00000_b2", (14, 12)),
        ("huge_99999x99999_y00000_x00000_b2", (14, 12)),
        ("notes", (14, 12)),
    ):
        save_noise(made.folder / f"{name}.png", size)
    again = untile(workspace, "t", workspace.root / "back")
    assert again.pictures == 3
    reasons = {path.name: reason for path, reason in again.left_out}
    assert reasons.pop(first.name)
    assert reasons == {
        "a_40x32_y00030_x00000_b2.png": "lies outside of its picture",
        "a_40x32_y00000_x00000_b9.png": "is no tile of a picture of 40x32",
        "a_41x32_y00000_x00000_b2.png": "is no tile of a picture of 40x32",
        "huge_99999x99999_y00000_x00000_b2.png": "is of 99999x99999 pixels",
        "notes.png": "is not named like a tile",
    }


def test_untile_takes_data_sets_of_tiles_and_new_folders_only(
    workspace: Workspace, scans: Path
) -> None:
    with pytest.raises(UsageError, match="no data set 'none'"):
        untile(workspace, "none", workspace.root / "back")
    save_noise(workspace.dataset("plain") / "a.png")
    with pytest.raises(DatasetError, match=r"a\.png \(is not named like a tile\)"):
        untile(workspace, "plain", workspace.root / "back")
    with pytest.raises(UsageError, match="is there already"):
        untile(workspace, "plain", scans)
    assert not (workspace.root / "back").exists()
