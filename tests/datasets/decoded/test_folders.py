"""Pictures of every kind into one array of RGB bytes."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from PIL import Image
from pillow_heif import register_heif_opener

from jobs.errors import DatasetError
from jobs.settings.colours import RGBA
from jobs.workspace.paths import Workspace
from multitrain.datasets.decoded.decoding import Uint8Array, to_rgb, to_rgba
from multitrain.datasets.decoded.folders import Fingerprint, load_pictures

if TYPE_CHECKING:
    from tests.conftest import MakePictures

WIDTH, HEIGHT = 8, 6


def ramp(low: float, high: float) -> np.ndarray:
    """Greys from `low` at the top left to `high` at the bottom right."""
    return np.linspace(low, high, WIDTH * HEIGHT).reshape(HEIGHT, WIDTH)


def load_one(path: Path) -> Uint8Array:
    pictures = load_pictures([path.parent], WIDTH, HEIGHT)
    assert pictures.skipped == ()
    return pictures.images[0]


def assert_ramp(image: Uint8Array) -> None:
    expected = np.repeat(ramp(0, 255)[..., None], 3, axis=2)
    np.testing.assert_allclose(image, expected, atol=1)


def test_pictures_come_in_the_order_of_their_listing(
    workspace: Workspace, make_pictures: MakePictures
) -> None:
    paths = make_pictures(workspace.root, 5, (WIDTH, HEIGHT))
    images = load_pictures([workspace.root], WIDTH, HEIGHT).images
    assert images.shape == (5, HEIGHT, WIDTH, 3)
    assert images.dtype == np.uint8
    assert images.flags.c_contiguous
    for image, path in zip(images, paths, strict=True):
        np.testing.assert_array_equal(image, np.asarray(Image.open(path)))


def with_one(values: np.ndarray, highlight: float) -> np.ndarray:
    values[-1, -1] = highlight
    return values


@pytest.mark.parametrize(
    ("values", "name"),
    [
        (ramp(0, 255).astype(np.uint8), "grey.png"),
        (ramp(0, 65535).astype(np.uint16), "deep.png"),
        (ramp(0, 65535).astype(np.uint16), "deep.tif"),
        (ramp(0, 65535).astype(np.int32), "whole.tif"),
        (ramp(0, 1), "unit.tif"),
        (with_one(ramp(0, 1), 1.02), "sharpened.tif"),
        (with_one(ramp(0, 255), 300), "sharpened_bytes.tif"),
        (ramp(0, 255), "bytes.tif"),
        (ramp(0, 65535), "words.tif"),
        (ramp(0, 1e9), "beyond.tif"),
    ],
)
def test_greys_of_any_depth_are_scaled_and_not_clipped(
    workspace: Workspace, values: np.ndarray, name: str
) -> None:
    if values.dtype == np.float64:
        values = values.astype(np.float32)
    Image.fromarray(values).save(workspace.root / name)
    assert_ramp(load_one(workspace.root / name))


@pytest.mark.parametrize("suffix", ["png", "tif"])
@pytest.mark.parametrize("channels", [3, 4])
def test_colours_of_16_bits_are_scaled(workspace: Workspace, suffix: str, channels: int) -> None:
    values = np.random.default_rng(0).integers(0, 65536, (HEIGHT, WIDTH, channels), np.uint16)
    path = workspace.root / f"deep.{suffix}"
    cv2.imwrite(str(path), values[..., [2, 1, 0, 3][:channels]])  # OpenCV takes BGR
    pictures = load_pictures([workspace.root], WIDTH, HEIGHT, channels)
    np.testing.assert_array_equal(pictures.images[0], np.rint(values / 257))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_colours_of_16_bits_are_turned(workspace: Workspace, orientation: int) -> None:
    values = np.random.default_rng(0).integers(0, 65536, (HEIGHT, WIDTH, 3), np.uint16)
    path = workspace.root / "deep.tif"
    cv2.imwrite(str(path), values, [cv2.IMWRITE_TIFF_COMPRESSION, 1])
    orient(path, orientation)
    with Image.open(path) as image:
        expected = np.asarray(image)
    (picture,) = load_pictures([path.parent], *expected.shape[1::-1]).images
    np.testing.assert_allclose(picture, expected, atol=1)


def orient(path: Path, orientation: int) -> None:
    """A TIFF as OpenCV writes it; the tag that goes has its default value."""
    content = bytearray(path.read_bytes())
    at = struct.unpack_from("<I", content, 4)[0] + 2
    count = struct.unpack_from("<H", content, at - 2)[0]
    tags = [struct.unpack_from("<HHII", content, at + 12 * each) for each in range(count)]
    tags = sorted((274, 3, 1, orientation) if tag[0] == 284 else tag for tag in tags)
    for number, tag in enumerate(tags):
        struct.pack_into("<HHII", content, at + 12 * number, *tag)
    path.write_bytes(content)


def test_a_few_highlights_do_not_darken_a_picture() -> None:
    values = with_one(np.linspace(0, 1, 2000, dtype=np.float32).reshape(40, 50), 1000)
    red = np.asarray(to_rgb(Image.fromarray(values)))[..., 0]
    np.testing.assert_array_equal(red, np.rint(values.clip(0, 1) * 255))


def test_what_is_no_number_or_negative_is_black() -> None:
    values = np.array([[np.nan, -5], [-np.inf, 1]], np.float32)
    red = np.asarray(to_rgb(Image.fromarray(values)))[..., 0]
    np.testing.assert_array_equal(red, [[0, 0], [0, 255]])


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "CMYK", "YCbCr", "HSV"])
def test_colour_models_become_rgb(mode: str) -> None:
    red = Image.new("RGB", (WIDTH, HEIGHT), (255, 0, 0)).convert(mode)
    image = np.asarray(to_rgb(red))
    assert image.shape == (HEIGHT, WIDTH, 3)
    expected = {"1": image[0, 0], "L": (76, 76, 76)}.get(mode, (254, 0, 0))
    np.testing.assert_allclose(image[0, 0], expected, atol=1)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA"])
def test_transparent_pictures_lie_over_black(mode: str) -> None:
    half = Image.new("RGBA", (WIDTH, HEIGHT), (200, 200, 200, 128)).convert(mode)
    np.testing.assert_allclose(np.asarray(to_rgb(half)), 100, atol=1)


@pytest.mark.parametrize("mode", ["P", "RGB", "L"])
def test_a_transparent_colour_is_black(workspace: Workspace, mode: str) -> None:
    path = workspace.root / "a.png"
    white = Image.new("L", (WIDTH, HEIGHT), 255).convert(mode)
    colour = {"P": white.getpixel((0, 0)), "RGB": (255, 255, 255), "L": 255}[mode]
    white.save(path, transparency=colour)
    assert load_one(path).max() == 0


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "CMYK", "YCbCr", "HSV", "I;16", "F"])
def test_what_tells_of_no_alpha_is_opaque(mode: str) -> None:
    white = Image.new("RGB", (WIDTH, HEIGHT), (255, 255, 255))
    image = white.convert(mode) if mode[0] != "I" else Image.fromarray(ramp(65535, 65535))
    decoded = np.asarray(to_rgba(image))
    assert decoded.shape == (HEIGHT, WIDTH, 4)
    np.testing.assert_allclose(decoded[..., :3], 255, atol=1)
    assert decoded[..., 3].min() == 255


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA"])
def test_alpha_is_kept_beside_its_colour(mode: str) -> None:
    half = Image.new("RGBA", (WIDTH, HEIGHT), (200, 200, 200, 128)).convert(mode)
    np.testing.assert_array_equal(np.asarray(to_rgba(half))[0, 0], (200, 200, 200, 128))


def test_pictures_with_alpha_are_loaded_with_it_where_that_is_wanted(workspace: Workspace) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 4), dtype=np.uint8)
    Image.fromarray(pixels).save(workspace.root / "a.png")
    Image.fromarray(pixels[..., :3]).save(workspace.root / "b.png")
    images = load_pictures([workspace.root], WIDTH, HEIGHT, RGBA).images
    np.testing.assert_array_equal(images[0], pixels)
    np.testing.assert_array_equal(images[1, ..., :3], pixels[..., :3])
    assert images[1, ..., 3].min() == 255
    assert load_pictures([workspace.root], WIDTH, HEIGHT).images.shape == (2, HEIGHT, WIDTH, 3)


@pytest.mark.parametrize("suffix", ["png", "tif", "webp", "jpg", "avif", "heic"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_turned_as_their_exif_data_says(
    workspace: Workspace, suffix: str, orientation: int
) -> None:
    upright = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    upright[: HEIGHT // 2, : WIDTH // 2] = 255
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.swapaxes(0, 1),
        6: np.rot90(upright),
        7: np.rot90(upright, 2).swapaxes(0, 1),
        8: np.rot90(upright, -1),
    }[orientation]
    path = workspace.root / f"a.{suffix}"
    options = {"quality": 100, "subsampling": 0} if suffix == "jpg" else {"quality": 100}
    options |= {"lossless": True} if suffix == "webp" else {}
    register_heif_opener()
    picture = Image.fromarray(np.ascontiguousarray(stored))
    picture.getexif()[0x0112] = orientation
    # HEIC has fields of its own for it, which are written of a picture that has EXIF data already.
    options |= {} if suffix == "heic" else {"exif": picture.getexif()}
    picture.save(path, **options)
    loaded = load_one(path)
    np.testing.assert_array_equal(loaded > 128, upright > 128)


def test_what_cannot_be_used_is_skipped_with_its_reason(
    workspace: Workspace, make_pictures: MakePictures
) -> None:
    good = make_pictures(workspace.root, 4, (WIDTH, HEIGHT))
    kept = [np.asarray(Image.open(path)) for path in (good[1], good[3])]
    good[0].write_bytes(good[0].read_bytes()[:-60])
    Image.new("RGB", (WIDTH + 1, HEIGHT)).save(good[2])
    (workspace.root / "z.jpg").write_text("none")
    pictures = load_pictures([workspace.root, workspace.root / "gone"], WIDTH, HEIGHT)
    np.testing.assert_array_equal(pictures.images, kept)
    assert pictures.images.flags.c_contiguous
    reasons = {path.name: reason for path, reason in pictures.skipped}
    assert "truncated" in reasons.pop("picture_000.png")
    assert reasons == {
        "gone": "no such file or directory",
        "picture_002.png": "is 9x6, not 8x6",
        "z.jpg": "is not a picture",
    }


def test_none_left_is_an_error_that_says_why(workspace: Workspace) -> None:
    (workspace.root / "a.png").touch()
    with pytest.raises(DatasetError, match=r"No picture of 8x6 in .*: a\.png \(is empty\)"):
        load_pictures([workspace.root], WIDTH, HEIGHT)
    (workspace.root / "a.png").unlink()
    with pytest.raises(DatasetError, match="there are no pictures"):
        load_pictures([workspace.root], WIDTH, HEIGHT)


def test_the_same_pictures_have_the_same_fingerprint(
    workspace: Workspace, make_pictures: MakePictures
) -> None:
    paths = make_pictures(workspace.root, 5, (WIDTH, HEIGHT))
    first = Fingerprint.of(load_pictures([workspace.root], WIDTH, HEIGHT).images)
    for path in paths:  # other files, the same pixels
        Image.open(path).save(path, compress_level=0)
    again = Fingerprint.of(load_pictures([workspace.root], WIDTH, HEIGHT).images)

    assert (first.count, first.width, first.height) == (5, WIDTH, HEIGHT)
    assert again == first
    assert first.difference(again) == ""


def darker(images: Uint8Array) -> Uint8Array:
    images[3, 1, 2, 0] ^= 1
    return images


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (darker, "5 of 8x6 then and now, but not the same ones or not in the same order"),
        (lambda images: images[::-1].copy(), "not in the same order"),
        (lambda images: images[:4], "5 of 8x6 then, 4 of 8x6 now"),
        (lambda images: images.reshape(5, WIDTH, HEIGHT, 3), "5 of 8x6 then, 5 of 6x8 now"),
    ],
)
def test_other_pictures_have_another(change: Callable[[Uint8Array], Uint8Array], told: str) -> None:
    images = np.random.default_rng(0).integers(0, 256, (5, HEIGHT, WIDTH, 3), dtype=np.uint8)
    then = Fingerprint.of(images.copy())

    now = Fingerprint.of(change(images))

    assert then != now
    assert told in then.difference(now)
