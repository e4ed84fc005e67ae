"""PNG files as programs write them: a transparent value at every depth, and megabytes of text."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin

from jobs.pictures.finding import open_picture
from multitrain.datasets.decoded.decoding import upright

GREY, RGB = 0, 2  # colour types
# By bits and colour type: two pixels, the second of which is clear, and what is seen of the first.
CASES = [
    (1, GREY, b"\x40", (1,), (0,)),
    (2, GREY, b"\x60", (2,), (85,)),
    (4, GREY, b"\x3f", (15,), (51,)),
    (8, GREY, b"\x30\xff", (255,), (0x30,)),
    (16, GREY, b"\x75\x30\x75\x31", (0x7531,), (117,)),
    (8, RGB, b"\x01\x02\x03\x01\x02\x04", (1, 2, 4), (1, 2, 3)),
    (16, RGB, b"\x75\x30\0\0\xff\xff\x75\x31\0\0\xff\xff", (0x7531, 0, 0xFFFF), (117, 0, 255)),
]


def png(bits: int, kind: int, row: bytes, clear: tuple[int, ...]) -> bytes:
    """A PNG of two pixels side by side."""
    header = struct.pack(">IIBBBBB", 2, 1, bits, kind, 0, 0, 0)
    chunks = [
        (b"IHDR", header),
        (b"tRNS", struct.pack(f">{len(clear)}H", *clear)),
        (b"IDAT", zlib.compress(b"\0" + row)),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


@pytest.mark.parametrize(("bits", "kind", "row", "clear", "seen"), CASES)
def test_a_clear_value_is_clear_and_what_is_nearly_so_is_not(
    tmp_path: Path,
    bits: int,
    kind: int,
    row: bytes,
    clear: tuple[int, ...],
    seen: tuple[int, ...],
) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(png(bits, kind, row, clear))
    with open_picture(path) as image:
        shown = np.asarray(upright(image))
    assert shown.shape == (1, 2, 4)
    assert shown[0, :, 3].tolist() == [255, 0]
    assert shown[0, 0, :3].tolist() == list(seen * 3 if kind == GREY else seen)
    with open_picture(path) as image:  # over black
        assert np.asarray(upright(image, with_alpha=False))[0, 1].tolist() == [0, 0, 0]


def test_a_curve_leaves_what_is_clear(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    for case in CASES:
        path.write_bytes(png(*case[:4]))
        with open_picture(path) as image:
            assert np.asarray(upright(image, curve=lambda x: 1 - x))[0, :, 3].tolist() == [255, 0]


@pytest.mark.parametrize("what", ["zTXt", "iTXt", "tEXt", "iCCP", "many"])
def test_pixels_are_whole_beside_any_text(tmp_path: Path, what: str) -> None:
    image = Image.fromarray(np.random.default_rng(1).integers(0, 255, (9, 9, 3), dtype=np.uint8))
    text, told = PngImagePlugin.PngInfo(), {}
    match what:
        case "zTXt":
            text.add_text("workflow", "x" * 3_000_000, zip=True)
        case "iTXt":
            text.add_itxt("workflow", "é" * 3_000_000, zip=True)
        case "tEXt":
            text.add_text("workflow", "x" * 3_000_000)
        case "many":
            for number in range(40):
                text.add_text(f"part {number}", "x" * 2_000_000, zip=True)
        case "iCCP":
            profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
            told = {"icc_profile": profile + bytes(1_300_000)}
    image.save(tmp_path / "a.png", pnginfo=text, **told)
    with open_picture(tmp_path / "a.png") as opened:
        assert np.array_equal(np.asarray(upright(opened)), np.asarray(image))
