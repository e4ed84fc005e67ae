"""Pictures cut into tiles, and laid together again."""

from __future__ import annotations

import errno
import json
import os
import threading
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path, PurePath

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from jobs.errors import DatasetError, MultitrainError, UsageError
from jobs.settings.kinds import Resolution
from jobs.workspace.paths import Workspace
from multitrain.commands.cli import commands
from multitrain.datasets.decoded import preprocessing
from multitrain.datasets.tiles import tiling
from multitrain.datasets.tiles.tiles import TileGrid, TileName, Trim
from multitrain.datasets.tiles.tiling import Tiling, best, named, tile
from multitrain.datasets.tiles.untiling import untile

NO_TRIM = Trim(0, 0, 0, 0)


def grid(
    border: int = 2, *, edges: bool = True, jitter: bool = False, trim: Trim = NO_TRIM
) -> TileGrid:
    return TileGrid(Resolution(10, 8), border, edges, jitter, trim)


def save_noise(path: Path, size: tuple[int, int] = (40, 32), channels: int = 3) -> np.ndarray:
    path.parent.mkdir(parents=True, exist_ok=True)
    seed = sum(path.stem.encode())
    pixels = np.random.default_rng(seed).integers(
        20, 256, (size[1], size[0], channels), dtype=np.uint8
    )
    Image.fromarray(pixels).save(path)
    return pixels


def listed(folder: Path) -> list[Path]:
    return sorted(path.relative_to(folder) for path in folder.rglob("*.png"))


def read(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


def header(path: Path) -> Image.Image:
    with Image.open(path) as image:
        return image


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(commands, ["dataset", *map(str, arguments)])


@pytest.fixture
def scans(workspace: Workspace) -> Path:
    folder = workspace.root / "scans"
    save_noise(folder / "a.png")
    save_noise(folder / "reel 2" / "b.tif", (35, 29))
    save_noise(folder / "reel 2" / "c.png", (30, 24), 4)
    return folder


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
    tile(workspace, [scans], ["tiles"], Tiling(grid(trim=Trim(3, 4, 5, 6)), quality=0.5))
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


@pytest.mark.parametrize(
    ("border", "words"),
    [
        (2, "tiles of 20x16 (16x12 and a border of 2 on each side), of 1 pictures"),
        (0, "tiles of 16x12, of 1 pictures"),
    ],
)
def test_the_size_of_a_tile_with_its_border_is_told(
    workspace: Workspace, border: int, words: str
) -> None:
    save_noise(workspace.root / "one" / "a.png", (80, 60))
    result = run(
        "tile", workspace.root / "one", "tiles", "--tile", "16x12", "--border", border,
        "--workspace", workspace.root,
    )  # fmt: skip
    assert words in result.output
    assert header(next(workspace.dataset("tiles").glob("*.png"))).size == (
        16 + 2 * border,
        12 + 2 * border,
    )


def test_borders_are_the_neighbours_pixels_or_black(workspace: Workspace) -> None:
    pixels = save_noise(workspace.root / "in" / "a.png")
    pixels[0, 0] = 7
    Image.fromarray(pixels).save(workspace.root / "in" / "a.png")
    trim = Trim(5, 5, 4, 4)
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
    tile(workspace, [folder], ["t"], Tiling(grid(trim=Trim(1, 1, 1, 1))))
    untile(workspace, "t", workspace.root / "back", originals=folder)
    for name in ("a.png", "a.tif", "a.tif.png"):
        np.testing.assert_array_equal(
            read(workspace.root / "back" / f"{name}.png"), read(folder / name)
        )


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
    monkeypatch.setattr("multitrain.datasets.decoded.parallel.available_cores", lambda: range(4))
    meeting, met, decode = threading.Barrier(2), [], tiling._decode

    def meet(path: Path) -> Image.Image:
        with suppress(threading.BrokenBarrierError):  # nobody came, then or before
            met.append(meeting.wait(timeout=0.05))
        return decode(path)

    monkeypatch.setattr(tiling, "_decode", meet)
    (made,) = tile(workspace, [folder], ["t"], Tiling(grid(), black=0))
    assert made.pictures == 12 * 16
    assert met == []


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


def test_the_commands(workspace: Workspace, scans: Path) -> None:
    at = ("--workspace", workspace.root)
    options = ("--tile", "10x8", "--border", "1", "--edges", "--trim", "0,0,0,0", "--black", "0.5")
    made = run("tile", scans, "in", "--pair", scans, "out", *options, *at, "--json")
    assert made.exit_code == 0, made.output
    told = json.loads(made.stdout)
    assert [each["pictures"] for each in told] == [16 + 9 + 9] * 2
    assert [Path(each["folder"]).name for each in told] == ["in", "out"]
    back = run("untile", "out", workspace.root / "back", "--originals", scans, *at)
    assert back.exit_code == 0, back.output
    assert "back: 3 pictures" in back.output
    np.testing.assert_array_equal(read(workspace.root / "back" / "a.png"), read(scans / "a.png"))


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (("--trim", "1,2,3"), "four numbers of pixels"),
        (("--trim", "-1,2,3,4"), "four numbers of pixels"),
        (("--black", "dark"), "'dark' is not a valid float"),
        (("--black", "2"), "not in the range"),
        (("--tile", "60"), "60"),
        (("--quality", "2"), "not in the range"),
    ],
)
def test_wrong_calls_are_told(
    workspace: Workspace, scans: Path, wrong: tuple[str, str], told: str
) -> None:
    result = run("tile", scans, "t", *wrong, "--workspace", workspace.root)
    assert result.exit_code == 2
    assert told in result.output
    assert not workspace.data.exists()


def test_a_name_that_is_taken_is_told(workspace: Workspace, scans: Path) -> None:
    save_noise(workspace.dataset("t") / "mine.png")
    result = run("tile", scans, "t", "--workspace", workspace.root)
    assert isinstance(result.exception, MultitrainError)
    assert result.exception.exit_code == 2
    assert listed(workspace.dataset("t")) == [Path("mine.png")]
