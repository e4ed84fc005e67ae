"""ICC profiles: colours of other spaces become sRGB."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms

from jobs.workspace.paths import Workspace
from multitrain.datasets.decoded.decoding import Uint8Array, upright
from multitrain.datasets.decoded.folders import load_pictures

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()

# Columns: red, green, blue of D50-adapted wide primaries, as in Adobe RGB (1998).
WIDE = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))
D50 = (0.9642, 1.0, 0.8249)


def profile(space: bytes, gamma: float, primaries: tuple[tuple[float, ...], ...] = ()) -> bytes:
    """A display's ICC 2.1 profile: curves of one `gamma`, and primaries where it is RGB."""

    def xyz(values: tuple[float, ...]) -> bytes:
        return b"XYZ \0\0\0\0" + b"".join(struct.pack(">i", round(each * 65536)) for each in values)

    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    tags = {b"wtpt": xyz(D50), b"cprt": b"text\0\0\0\0none\0\0\0\0"}
    tags[b"desc"] = b"desc\0\0\0\0" + struct.pack(">I", 2) + b"x\0" + bytes(78)
    kind = b"mntr"
    if space == b"GRAY":
        tags[b"kTRC"] = curve
    elif space == b"CMYK":
        kind, tags[b"A2B0"] = b"prtr", inks()
    else:
        for letter, primary in zip(b"rgb", primaries, strict=True):
            tags[bytes([letter]) + b"XYZ"] = xyz(primary)
            tags[bytes([letter]) + b"TRC"] = curve
    head, body = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for name, content in tags.items():
        head += struct.pack(">4sII", name, start + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    header = bytearray(128)
    struct.pack_into(">I4sI4s4s4s", header, 0, start + len(body), b"\0" * 4, 0x02100000, kind,
                     space, b"Lab " if space == b"CMYK" else b"XYZ ")  # fmt: skip
    header[36:40] = b"acsp"
    struct.pack_into(">3i", header, 68, *(round(each * 65536) for each in D50))
    return bytes(header) + head + body


def inks() -> bytes:
    """The table of a printer whose inks are all grey: each takes a quarter of the lightness."""
    same = bytes(range(256))
    lightness = [100 - 25 * number.bit_count() for number in range(16)]
    corners = b"".join(bytes([round(each * 2.55), 128, 128]) for each in lightness)
    identity = struct.pack(">9i", *(65536 * (place % 4 == 0) for place in range(9)))
    return b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + identity + same * 4 + corners + same * 3


WIDE_RGB = profile(b"RGB ", 563 / 256, WIDE)
LINEAR_GREY = profile(b"GRAY", 1.0)


def seen(image: Image.Image, kind: str = "png", **options: object) -> Uint8Array:
    """What becomes of it once it was saved, as RGB or RGBA."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    with Image.open(file) as opened:
        done = upright(opened)
    assert "icc_profile" not in done.info
    return np.asarray(done)


def patch(colour: object, mode: str = "RGB") -> Image.Image:
    return Image.new(mode, (8, 6), colour)


# By the matrix of linear Adobe RGB (1998) to sRGB: red is 1.398 r - 0.398 g, and so on.
@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ((128, 128, 128), (127, 127, 127)),
        ((150, 100, 100), (166, 100, 100)),
        ((100, 150, 100), (66, 151, 97)),
        ((0, 255, 0), (0, 255, 0)),
        ((0, 0, 0), (0, 0, 0)),
        ((255, 255, 255), (255, 255, 255)),
    ],
)
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
@pytest.mark.parametrize("kind", ["png", "tiff", "webp"])
def test_wide_colours_become_srgb(
    stored: tuple[int, int, int], shown: tuple[int, int, int], mode: str, kind: str
) -> None:
    picture = patch(stored).convert(mode) if mode != "P" else patch(stored).quantize(4)
    if mode == "RGBA":
        picture.putalpha(77)
    options = {"lossless": True, "exact": True} if kind == "webp" else {}
    image = seen(picture, kind, icc_profile=WIDE_RGB, **options)
    np.testing.assert_allclose(image[0, 0, :3], shown, atol=3)
    if mode == "RGBA":
        assert (image[..., 3] == 77).all()


@pytest.mark.parametrize("mode", ["L", "LA"])
def test_greys_become_srgb(mode: str) -> None:
    picture = patch(55, "L")
    if mode == "LA":
        picture.putalpha(77)
    image = seen(picture, icc_profile=LINEAR_GREY)
    np.testing.assert_allclose(image[0, 0, :3], 128, atol=1)
    assert mode == "L" or (image[..., 3] == 77).all()


def test_a_transparent_colour_stays_transparent() -> None:
    image = seen(patch((150, 100, 100)), icc_profile=WIDE_RGB, transparency=(150, 100, 100))
    assert image.shape[2] == 4
    assert image[..., 3].max() == 0


def test_colours_of_16_bits_become_srgb(workspace: Workspace) -> None:
    plain = cv2.imencode(".png", np.full((6, 8, 3), (25700, 25700, 38550), np.uint16))[1].tobytes()
    path = workspace.root / "a.png"
    path.write_bytes(with_profile(plain, WIDE_RGB))
    (image,) = load_pictures([path.parent], 8, 6).images
    np.testing.assert_allclose(image[0, 0], (166, 100, 100), atol=3)


def with_profile(png: bytes, icc: bytes) -> bytes:
    content = b"iCCPx\0\0" + zlib.compress(icc)
    chunk = struct.pack(">I", len(content) - 4) + content + struct.pack(">I", zlib.crc32(content))
    return png[:33] + chunk + png[33:]  # behind the signature and the header


NOISE = np.random.default_rng(0).integers(0, 256, (6, 8, 3), np.uint8)


@pytest.mark.parametrize(
    "icc",
    [SRGB, b"none", WIDE_RGB[:200], WIDE_RGB[:128] + bytes(len(WIDE_RGB) - 128), LINEAR_GREY],
    ids=["srgb", "text", "torn", "empty", "of_greys"],
)
def test_profiles_of_srgb_and_useless_ones_change_nothing(icc: bytes) -> None:
    picture = Image.fromarray(NOISE)
    np.testing.assert_array_equal(seen(picture, icc_profile=icc), NOISE)


@pytest.mark.parametrize("kind", ["tiff", "jpeg"])
@pytest.mark.parametrize(
    ("amounts", "level"), [((0, 0, 0, 0), 255), ((255, 0, 0, 0), 185), ((0, 255, 255, 0), 119)]
)
def test_inks_become_srgb(amounts: tuple[int, ...], level: int, kind: str) -> None:
    # Lightness 75 and 50 of CIELAB are the levels 185 and 119 of sRGB.
    image = seen(patch(amounts, "CMYK"), kind, icc_profile=profile(b"CMYK", 1.0))
    np.testing.assert_allclose(image[0, 0], level, atol=2)


def test_cmyk_without_a_use_for_its_profile_is_as_without() -> None:
    picture = Image.fromarray(NOISE).convert("CMYK")
    plain = seen(picture, "tiff")
    np.testing.assert_array_equal(seen(picture, "tiff", icc_profile=WIDE_RGB), plain)


def test_light_that_is_told_overrules_profiles(tmp_path: Path) -> None:
    Image.fromarray(NOISE).save(tmp_path / "a.png", icc_profile=WIDE_RGB)
    with Image.open(tmp_path / "a.png") as image:
        done = upright(image, curve=lambda values: values)
    np.testing.assert_array_equal(done, NOISE)
