"""Pictures cut into tiles."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from jobs.errors import DatasetError, UsageError
from jobs.settings.kinds import Resolution
from jobs.settings.preprocess import Sides
from jobs.workspace.paths import Workspace
from multitrain.datasets.decoded import preprocessing
from multitrain.datasets.tiles import tiling
from multitrain.datasets.tiles.tiles import TileName
from multitrain.datasets.tiles.tiling import Tiling, best, tile
from multitrain.datasets.tiles.untiling import untile
from tests.datasets.tiles.scans import grid, header, listed, read, save_noise


def test_borders_are_the_neighbours_pixels_or_black(workspace: Workspace) -> None:
    pixels = save_noise(workspace.root / "in" / "a.png")
    pixels[0, 0] = 7
    Image.fromarray(pixels).save(workspace.root / "in" / "a.png")
    trim = Sides(5, 5, 4, 4)
    (made,) = tile(workspace, [workspace.root / "in"], ["t"], Tiling(grid(2, trim=trim)))
    padded = np.pad(pixels[4:-4, 5:-5], ((2, 2), (2, 2), (0, 0)), constant_values=7)
    assert made.pictures == 9
    for path in listed(made.folder):
        name = TileName.parse(path)
        assert name is not None
        x, y = name.corner[0] - trim.left, name.corner[1] - trim.top
        np.testing.assert_array_equal(read(made.folder / path), padded[y : y + 12, x : x + 14])


@pytest.mark.parametrize(("black", "expected"), [(0.0, 0), (0.5, 128), (1.0, 255), (None, 20)])
def test_black_is_given_or_the_darkest_value_of_the_first_input(
    workspace: Workspace, black: float | None, expected: int
) -> None:
    folders = [workspace.root / "in", workspace.root / "out"]
    for number, folder in enumerate(folders):
        folder.mkdir()
        Image.new("RGBA", (20, 16), (30 - number, 20 - number, 40, 0)).save(folder / "b.png")
        Image.new("RGB", (20, 16), (1, 1, 1)).save(folder / "c.png")
    (folders[0] / "a.png").touch()
    (folders[1] / "a.png").touch()
    inputs, targets = tile(workspace, folders, ["t", "u"], Tiling(grid(1), black=black))
    for made in (inputs, targets):
        tiles = listed(made.folder)
        assert len(tiles) == 8
        for path in tiles:
            border = read(made.folder / path)[:, 0 if "x00000" in path.name else -1, :3]
            assert (border == expected).all()


def test_the_best_tiles_have_most_detail_and_keep_their_order() -> None:
    pixels = np.zeros((8, 40), np.uint8)
    pixels[::2, 10:20] = 255  # rows differ, horizontal neighbours do not
    pixels[:, 20:30:2] = 100
    pixels[:, 30:40:2] = 50
    picture = Image.fromarray(np.repeat(pixels[..., None], 3, axis=2))
    corners = [(0, 0), (10, 0), (20, 0), (30, 0)]
    expected = {1.0: [0, 1, 2, 3], 0.99: [0, 2, 3], 0.5: [2, 3], 0.49: [2], 0.0: [2]}
    for share, places in expected.items():
        kept = best(picture, corners, Resolution(10, 8), share)
        assert kept == [corners[place] for place in places]


def test_no_tiles_stay_none() -> None:
    assert best(Image.new("RGB", (9, 9)), [], Resolution(10, 8), 0.5) == []


def test_quality_is_of_the_target_for_both_of_a_pair_and_never_of_jitter(
    workspace: Workspace,
) -> None:
    inputs, targets = workspace.root / "in", workspace.root / "out"
    save_noise(inputs / "a.png")
    targets.mkdir()
    flat = np.full((32, 40, 3), 90, np.uint8)
    flat[8:16, 20:30:2] = 30
    Image.fromarray(flat).save(targets / "a.tif")
    how = Tiling(grid(jitter=True), quality=0.1)

    alpha, beta = tile(workspace, [inputs, targets], ["alpha", "beta"], how)

    names = listed(alpha.folder)
    assert names == listed(beta.folder)
    corners = {name.corner for path in names if (name := TileName.parse(path))}
    assert corners == {(20, 8), *grid(jitter=True).corners(Resolution(40, 32))[1]}
    assert alpha.pictures == beta.pictures == 1 + 9


def test_pairs_that_do_not_fit_are_left_out(workspace: Workspace) -> None:
    inputs, targets = workspace.root / "in", workspace.root / "out"
    for folder in (inputs, targets):
        save_noise(folder / "good.png")
    save_noise(inputs / "alone.png")
    save_noise(targets / "lonely.png")
    save_noise(inputs / "larger.png")
    save_noise(targets / "larger.png", (80, 64))
    save_noise(inputs / "torn.png")
    (targets / "torn.png").write_bytes((inputs / "torn.png").read_bytes()[:900])

    made, other = tile(workspace, [inputs, targets], ["t", "u"], Tiling(grid()))

    assert made.pictures == other.pictures == 16
    reasons = {path.relative_to(workspace.root).as_posix(): why for path, why in made.left_out}
    assert "truncated" in reasons.pop("out/torn.png")
    assert reasons == {
        "in/alone.png": "has no partner of the same name",
        "out/lonely.png": "has no partner of the same name",
        "in/larger.png": "is 40x32, but its partner 80x64",
    }


def test_pictures_too_small_or_with_too_long_a_name_are_left_out(workspace: Workspace) -> None:
    folder = workspace.root / "in"
    save_noise(folder / "a.png")
    save_noise(folder / "small.png", (19, 40))
    save_noise(folder / f"{'n' * 240}.png")
    (made,) = tile(workspace, [folder], ["t"], Tiling(grid(edges=False)))
    assert made.pictures == 9
    assert sorted(reason for _, reason in made.left_out) == [
        "has 19x40 pixels, too few for these tiles",
        "has too long a name",
    ]


def test_colour_profiles_and_the_like_are_not_repeated_in_each_tile(workspace: Workspace) -> None:
    folder = workspace.root / "in"
    folder.mkdir()
    Image.new("RGB", (20, 16)).save(folder / "a.png", icc_profile=b"profile" * 400)
    (made,) = tile(workspace, [folder], ["t"], Tiling(grid()))
    assert made.pictures == 4
    for path in listed(made.folder):
        assert "icc_profile" not in header(made.folder / path).info


def test_nothing_is_left_where_nothing_could_be_made(workspace: Workspace) -> None:
    folder = workspace.root / "in"
    save_noise(folder / "a.png", (9, 9))
    with pytest.raises(DatasetError, match=r"No picture .* a\.png \(has 9x9 pixels, too few"):
        tile(workspace, [folder], ["t"], Tiling(grid()))
    with pytest.raises(DatasetError, match="there are none"):
        tile(workspace, [workspace.data], ["t"], Tiling(grid()))
    assert os.listdir(workspace.data) == []


def test_two_data_sets_have_two_names(workspace: Workspace, scans: Path) -> None:
    with pytest.raises(UsageError, match="names both"):
        tile(workspace, [scans, scans], ["t", "t"], Tiling(grid()))


def test_a_full_disk_leaves_nothing_half_done(
    workspace: Workspace, scans: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = Image.Image.save

    def save_some(image: Image.Image, path: Path, **options: object) -> None:
        if path.name.startswith("b_"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        save(image, path, **options)

    monkeypatch.setattr(Image.Image, "save", save_some)
    with pytest.raises(DatasetError, match="cannot be written: no space left on device"):
        tile(workspace, [scans], ["t"], Tiling(grid()))
    assert os.listdir(workspace.data) == []


def test_an_interrupted_command_leaves_nothing_half_done(
    workspace: Workspace,
) -> None:
    folder = workspace.root / "in"
    for number in range(60):
        save_noise(folder / f"{number}.png")

    def interrupt(outcomes: Iterable[object], _: int) -> Iterable[object]:
        yield next(iter(outcomes))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tile(workspace, [folder], ["t"], Tiling(grid()), interrupt)
    assert os.listdir(workspace.data) == []

    tile(workspace, [folder], ["t"], Tiling(grid()))
    with pytest.raises(KeyboardInterrupt):
        untile(workspace, "t", workspace.root / "back", None, interrupt)
    assert sorted(os.listdir(workspace.root)) == ["data", "in"]


def test_large_pictures_are_decoded_one_at_a_time(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = workspace.root / "in"
    for number in range(12):
        save_noise(folder / f"{number}.png")
    monkeypatch.setattr(preprocessing, "LARGE_PIXELS", 40 * 32 - 1)
    monkeypatch.setattr("multitrain.datasets.parallel.available_cores", lambda: range(4))
    meeting, met, decode = threading.Barrier(2), [], tiling._decode

    def meet(path: Path) -> Image.Image:
        with suppress(threading.BrokenBarrierError):  # nobody came, then or before
            met.append(meeting.wait(timeout=0.05))
        return decode(path)

    monkeypatch.setattr(tiling, "_decode", meet)
    (made,) = tile(workspace, [folder], ["t"], Tiling(grid(), black=0))
    assert made.pictures == 12 * 16
    assert met == []
