"""`multitrain dataset convert`: pictures of any kind into a data set."""

from __future__ import annotations

import errno
import json
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from jobs.errors import DatasetError, ExitCode, MultitrainError, UsageError
from jobs.pictures.folders import DatasetFolders
from jobs.settings.preprocess import AS_THEY_ARE, Preprocessing
from jobs.workspace.paths import Workspace
from multitrain.commands.cli import commands
from multitrain.datasets.decoded.dpx import light_of_film, srgb
from multitrain.datasets.drawn import demo
from multitrain.datasets.made.converting import Conversion, Outcome, convert
from tests.datasets.made.conftest import Call, made
from tests.engine.coded import Part, coded, parts_of

if TYPE_CHECKING:
    from tests.conftest import MakePictures


def parts_in(workspace: Workspace, name: str) -> list[Part]:
    return parts_of(np.stack([np.asarray(each) for each in made(workspace, name).values()]))


def test_pictures_of_many_sizes_and_kinds_become_a_data_set_to_train_on(
    workspace: Workspace, make_pictures: MakePictures, call: Call
) -> None:
    source = workspace.root / "in"
    make_pictures(source, 3, (40, 30))
    make_pictures(source / "more", 2, (20, 50), ".jpg")
    Image.new("L", (9, 9), 80).save(source / "grey.bmp")
    (source / "broken.png").write_bytes(b"none")
    (source / "empty.jpg").touch()

    result = call("in", "out", "--preprocess cover --load-size 16x12")

    assert result.exit_code == 0
    assert "out: 6 pictures\nof 16x12 pixels\n" in result.stdout
    assert "broken.png (is not a picture)" in result.stderr
    assert "empty.jpg (is empty)" in result.stderr
    found = made(workspace, "out")
    assert [*found] == [
        "grey.png", "more/picture_000.png", "more/picture_001.png",
        "picture_000.png", "picture_001.png", "picture_002.png",
    ]  # fmt: skip
    assert {(each.size, each.mode) for each in found.values()} == {((16, 12), "RGB")}
    assert DatasetFolders(workspace).look_at(("out",)).size == (16, 12)


def test_the_command_that_a_sheet_advises_mends_its_folders(
    workspace: Workspace, make_pictures: MakePictures
) -> None:
    make_pictures(workspace.dataset("faces"), 3, (16, 12))
    make_pictures(workspace.dataset("my cats"), 2, (30, 30))
    reason = DatasetFolders(workspace).look_at(("faces", "my cats")).reason or ""
    words = shlex.split(reason.split("of one size: ")[1])

    assert CliRunner().invoke(commands, words[1:]).exit_code == 0

    found = DatasetFolders(workspace).look_at((words[words.index("--preprocess") - 1],))
    assert (found.size, found.survey.count, found.reason) == ((16, 12), 5, None)


def test_pictures_of_one_name_do_not_replace_each_other(
    workspace: Workspace, make_pictures: MakePictures, call: Call
) -> None:
    for folder, suffix in [("a", ".png"), ("a", ".jpg"), ("b", ".PNG")]:
        make_pictures(workspace.root / folder, 1, (8, 6), suffix)
    make_pictures(workspace.root / "b", 1).pop().rename(workspace.root / "b" / "Picture_000~2.png")

    assert call("a b", "out").exit_code == 0

    names = [name.casefold() for name in made(workspace, "out")]
    assert len(set(names)) == len(names) == 4


@pytest.mark.parametrize("name", [b"\xff\xfe.png", "é\n😀.png".encode(), b"x" * 251 + b".png"])
def test_hostile_names(
    workspace: Workspace, make_pictures: MakePictures, call: Call, name: bytes
) -> None:
    (picture,) = make_pictures(workspace.root / "in", 1)
    Path(picture).rename(Path.joinpath(picture.parent, name.decode(errors="surrogateescape")))

    assert call("in", "out", "--flip --copies 2").exit_code == 0

    assert len(made(workspace, "out")) == 2


@pytest.fixture
def coded_pictures(workspace: Workspace) -> Path:
    """Four of 40x30 whose pixels tell which they are."""
    folder = workspace.root / "in"
    folder.mkdir()
    for number, picture in enumerate(coded(4, 40, 30)):
        Image.fromarray(picture).save(folder / f"{number}.png")
    return folder


@pytest.mark.usefixtures("coded_pictures")
def test_copies_are_cut_at_places_of_their_own_the_same_for_the_same_seed(
    workspace: Workspace, call: Call
) -> None:
    options = "--preprocess crop --crop-size 12x10 --flip --copies 20"
    for name, seed in [("one", 3), ("again", 3), ("other", 4)]:
        assert call("in", name, f"{options} --seed {seed}").exit_code == 0

    one, again, other = (parts_in(workspace, name) for name in ("one", "again", "other"))

    assert one == again
    assert one != other
    assert [part.picture for part in one] == [number for number in range(4) for _ in range(20)]
    assert len({part[1:] for part in one}) > 60
    assert {part.mirrored for part in one} == {True, False}
    assert [*made(workspace, "one")][:2] == ["0_001.png", "0_002.png"]


@pytest.mark.usefixtures("coded_pictures")
def test_pictures_too_small_for_the_cut_are_left_out(workspace: Workspace, call: Call) -> None:
    Image.new("RGB", (39, 30)).save(workspace.root / "in" / "narrow.png")

    result = call("in", "out", "--preprocess crop --crop-size 40x30 --json")

    (told,) = json.loads(result.stdout)
    assert (told["pictures"], told["sizes"]) == (4, {"40x30": 4})
    (left_out,) = told["left_out"]
    assert left_out["reason"] == "39x30 is too small to cut 40x30 out of it"


def test_the_result_is_told_to_be_of_many_sizes(
    workspace: Workspace, make_pictures: MakePictures, call: Call
) -> None:
    make_pictures(workspace.root / "in" / "a", 2, (20, 10))
    make_pictures(workspace.root / "in" / "b", 1, (10, 20))

    result = call("in", "out", "--preprocess scale_width --load-size 8")

    assert "in 2 sizes (2 of 8x4, 1 of 8x16)" in result.stdout


def test_a_picture_that_is_turned_stays_turned_once(workspace: Workspace, call: Call) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    (workspace.root / "in").mkdir()
    for suffix in ("png", "jpg"):
        Image.new("RGB", (20, 10)).save(workspace.root / "in" / f"{suffix}.{suffix}", exif=exif)

    for kind in ("png", "jpg"):
        assert call("in", kind, f"--format {kind}").exit_code == 0
        for picture in made(workspace, kind).values():
            assert (picture.size, dict(picture.getexif())) == ((10, 20), {})


def test_profiles_of_other_colours_are_not_kept(workspace: Workspace, call: Call) -> None:
    (workspace.root / "in").mkdir()
    Image.new("L", (8, 8)).save(workspace.root / "in" / "grey.png", icc_profile=b"of greys")

    assert call("in", "out").exit_code == 0

    assert "icc_profile" not in made(workspace, "out")["grey.png"].info


@pytest.mark.parametrize(("kind", "mode"), [("png", "RGBA"), ("jpg", "RGB")])
def test_alpha_stays_where_the_format_has_it(
    workspace: Workspace, call: Call, kind: str, mode: str
) -> None:
    (workspace.root / "in").mkdir()
    Image.new("RGBA", (8, 8), (200, 100, 50, 128)).save(workspace.root / "in" / "a.png")

    options = f"--format {kind} --transfer linear --preprocess resize --load-size 4"
    assert call("in", "out", options).exit_code == 0

    (picture,) = made(workspace, "out").values()
    assert picture.mode == mode
    if mode == "RGBA":
        assert picture.getpixel((0, 0))[3] == 128


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("transfer", ["linear", "log"])
def test_light_of_16_bits_keeps_all_levels(
    workspace: Workspace, call: Call, channels: int, transfer: str
) -> None:
    (workspace.root / "in").mkdir()
    ramp = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    values = ramp if channels == 1 else np.stack([ramp] * channels, axis=2)
    cv2.imwrite(str(workspace.root / "in" / "ramp.png"), values)

    assert call("in", "out", f"--transfer {transfer}").exit_code == 0

    lit = np.asarray(made(workspace, "out")["ramp.png"])
    light = ramp / 65535 if transfer == "linear" else light_of_film(ramp / 65535)
    np.testing.assert_array_equal(lit[..., 1], np.rint(srgb(light) * 255))
    if channels == 4:
        np.testing.assert_array_equal(lit[..., 3], np.rint(ramp / 257))


def test_folders_named_like_pictures_are_no_hindrance(
    workspace: Workspace, make_pictures: MakePictures, call: Call
) -> None:
    make_pictures(workspace.root / "in" / "picture_000.PNG", 1)
    make_pictures(workspace.root / "in" / "picture_001_002.png", 1)
    make_pictures(workspace.root / "in", 3, (40, 30), ".jpg")

    for name, options, copies in [("one", "", 1), ("two", "--flip --copies 2", 2)]:
        assert call("in", name, options).exit_code == 0
        assert len(made(workspace, name)) == 5 * copies
    assert "picture_000~2.png" in made(workspace, "one")
    assert "picture_002.png" in made(workspace, "one")


def test_what_is_too_wide_for_jpeg_is_left_out(workspace: Workspace, call: Call) -> None:
    (workspace.root / "in").mkdir()
    for width in (65_500, 65_501):
        Image.new("L", (width, 1)).save(workspace.root / "in" / f"{width}.png")

    result = call("in", "out", "--format jpg --json")

    (told,) = json.loads(result.stdout)
    (left_out,) = told["left_out"]
    assert (told["pictures"], result.exit_code) == (1, 0)
    assert left_out["reason"] == "is 65501x1, and a side of a JPEG has at most 65,500 pixels"
    assert call("in", "png").exit_code == 0
    assert len(made(workspace, "png")) == 2


@pytest.mark.usefixtures("coded_pictures")
def test_half_of_the_copies_are_mirrored(workspace: Workspace, call: Call) -> None:
    options = "--preprocess crop --crop-size 12x10 --flip --copies 100"
    assert call("in", "out", options).exit_code == 0
    mirrored = sum(part.mirrored for part in parts_in(workspace, "out"))
    assert 150 < mirrored < 250, "five deviations from 200"


def test_light_in_proportion_becomes_srgb(workspace: Workspace, call: Call) -> None:
    (workspace.root / "in").mkdir()
    values = np.arange(256, dtype=np.uint8).reshape(1, 256, 1).repeat(3, axis=2)
    Image.fromarray(values).save(workspace.root / "in" / "ramp.png")
    for transfer in ("auto", "srgb", "linear"):
        assert call("in", transfer, f"--transfer {transfer}").exit_code == 0

    lit = np.asarray(made(workspace, "linear")["ramp.png"])[0, :, 1]

    np.testing.assert_allclose(lit / 255, srgb(np.arange(256) / 255), atol=0.5 / 255)
    for kept in ("auto", "srgb"):
        np.testing.assert_array_equal(np.asarray(made(workspace, kept)["ramp.png"]), values)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("--preprocess resize", "--load-size is empty, and preprocess resize needs it"),
        ("--load-size 8", "--load-size is for preprocess with"),
        ("--preprocess crop_and_resize --load-size 8 --crop-size 9", "comes last"),
        ("--preprocess crop --crop-size 0x3", "must be a size such as"),
        ("--copies 2", "--copies would all be the same"),
    ],
)
@pytest.mark.usefixtures("coded_pictures")
def test_calls_that_are_wrong(workspace: Workspace, call: Call, options: str, told: str) -> None:
    result = call("in", "out", options)

    code = getattr(result.exception, "exit_code", result.exit_code)
    assert code == ExitCode.USAGE
    assert told in f"{result.stderr}{result.exception}"
    assert not workspace.data.exists()


def test_a_missing_folder_is_told(workspace: Workspace, call: Call) -> None:
    error = call("in", "out").exception

    assert isinstance(error, UsageError)
    assert str(error) == f"there is no folder {workspace.root / 'in'}"


def test_the_built_in_pictures_are_drawn_first(
    workspace: Workspace, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def draw(folder: Path) -> None:
        Image.new("RGB", (8, 6)).save(folder / "one.png")

    monkeypatch.setattr(demo, "draw_demo", draw)

    assert call("data/demo", "out").exit_code == 0

    assert [*made(workspace, "out")] == ["one.png"]


def test_where_no_picture_is_left_nothing_is_made(workspace: Workspace, call: Call) -> None:
    (workspace.root / "in").mkdir()
    (workspace.root / "in" / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n")

    error = call("in", "out").exception

    assert isinstance(error, DatasetError)
    assert "can be converted: a.png" in str(error)
    assert list(workspace.data.iterdir()) == []


@pytest.mark.usefixtures("coded_pictures")
def test_a_full_disk_leaves_nothing_behind(
    workspace: Workspace, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def save(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", save)

    error = call("in", "out").exception

    assert isinstance(error, MultitrainError)
    assert str(error) == "The pictures cannot be written: no space left on device"
    assert list(workspace.data.iterdir()) == []


@pytest.mark.parametrize("preprocessing", [AS_THEY_ARE, Preprocessing(flip=True)])
def test_an_interruption_leaves_nothing_behind(
    workspace: Workspace, coded_pictures: Path, preprocessing: Preprocessing
) -> None:
    def interrupted(outcomes: Iterable[Outcome], total: int) -> Iterable[Outcome]:
        assert total == 4
        yield next(iter(outcomes))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        convert(workspace, [coded_pictures], "out", Conversion(preprocessing), interrupted)
    assert list(workspace.data.iterdir()) == []
