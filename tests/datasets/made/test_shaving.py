"""`dataset convert --shave`: black pillars and bars are cut off before all else."""

from __future__ import annotations

from PIL import Image

from jobs.workspace.paths import Workspace
from tests.datasets.made.conftest import Call, made


def framed(size: tuple[int, int], sides: tuple[int, int, int, int]) -> Image.Image:
    """Red, in a frame of black as a codec has it: left, right, top, bottom."""
    left, right, top, bottom = sides
    picture = Image.new("RGB", size, (8, 3, 12))
    picture.paste((200, 40, 40), (left, top, size[0] - right, size[1] - bottom))
    return picture


def test_sides_are_shaved_before_all_else(workspace: Workspace, call: Call) -> None:
    (workspace.root / "in").mkdir()
    framed((40, 30), (6, 2, 3, 5)).save(workspace.root / "in" / "a.png")
    Image.new("RGB", (8, 30)).save(workspace.root / "in" / "narrow.png")

    result = call("in", "out", "--shave 6,2,3,5 --preprocess resize --load-size 16x11")

    assert "cut off first: 6 left, 2 right, 3 top, 5 bottom" in result.stdout
    assert "narrow.png (is 8x30: cutting off 6,2,3,5 leaves nothing)" in result.stderr
    (only,) = made(workspace, "out").values()
    assert only.getcolors() == [(16 * 11, (200, 40, 40))]


def test_a_black_border_is_what_all_pictures_have(workspace: Workspace, call: Call) -> None:
    (workspace.root / "in").mkdir()
    pictures = {
        "wide": framed((400, 300), (60, 20, 30, 50)),
        "turned": framed((300, 400), (40, 70, 50, 0)),
        "dark": Image.new("RGB", (200, 200), (9, 9, 9)),  # has no border; cut like the others
    }
    pictures["wide"].putpixel((0, 150), (255, 255, 255))  # a speck
    for name, picture in pictures.items():
        picture.save(workspace.root / "in" / f"{name}.png")

    result = call("in", "out", "--shave auto")

    assert "cut off first: 40 left, 20 right, 30 top\n" in result.stdout
    sizes = {name: each.size for name, each in made(workspace, "out").items()}
    assert sizes == {"wide.png": (340, 270), "turned.png": (240, 370), "dark.png": (140, 170)}
    assert "no black border that all have" in call("data/out", "again", "--shave auto").stdout
