"""DPX files as FFmpeg writes them, and as film scanners do."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from jobs.pictures.dpx import HEADER_BYTES, Transfer, read_header
from jobs.pictures.finding import UnreadablePicture, open_picture, probe
from jobs.pictures.surveying import survey
from multitrain.datasets.decoded.decoding import upright
from multitrain.datasets.decoded.dpx import decode_dpx
from multitrain.datasets.decoded.folders import load_pictures
from render.encoding.ffmpeg import find

WIDTH, HEIGHT = 61, 37  # rows that end within a word
LAYOUTS = {
    "L": ("gray", "gray16le", "gray16be"),
    "RGB": (
        "rgb24", "rgb48le", "rgb48be", "gbrp10le", "gbrp10be", "gbrp12le", "gbrp12be",
    ),
    "RGBA": ("rgba", "abgr", "rgba64le", "rgba64be"),
}  # fmt: skip
PRINTING_DENSITY, LINEAR, LOG, VIDEO = 1, 2, 3, 5
DATA_AT = 2048


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a source of each mode, and DPX files in every layout that FFmpeg offers."""
    folder = tmp_path_factory.mktemp("dpx")
    pixels = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 4), dtype=np.uint8)
    command = [find(), "-loglevel", "error"]
    for mode, channels in {"L": pixels[..., 0], "RGB": pixels[..., :3], "RGBA": pixels}.items():
        Image.fromarray(channels).save(folder / f"{mode}.png")
        command += ["-i", str(folder / f"{mode}.png")]
    for number, layouts in enumerate(LAYOUTS.values()):
        for layout in layouts:
            command += ["-map", str(number), "-pix_fmt", layout, str(folder / f"{layout}.dpx")]
    subprocess.run(command, check=True)
    return folder


def load(path: Path, transfer: Transfer | None = None) -> np.ndarray:
    with open_picture(path) as image:
        if transfer:
            image.transfer = transfer  # type: ignore[attr-defined]
        return np.asarray(upright(image))


def test_a_process_that_has_just_begun_loads_them(written: Path) -> None:
    """Whatever else it has imported: other tests have registered the decoder here."""
    script = """if True:
        from sys import argv
        from pathlib import Path
        from jobs.pictures.finding import open_picture
        from multitrain.datasets.decoded.decoding import upright
        with open_picture(Path(argv[1])) as image:
            print(*upright(image).size)
    """
    call = [sys.executable, "-c", script, str(written / "gbrp10be.dpx")]
    said = subprocess.run(call, check=True, capture_output=True, text=True).stdout
    assert said.split() == [str(WIDTH), str(HEIGHT)]


@pytest.mark.parametrize(
    ("mode", "layout"), [(mode, layout) for mode in LAYOUTS for layout in LAYOUTS[mode]]
)
def test_every_layout_of_ffmpeg_is_read_within_a_level(
    written: Path, mode: str, layout: str
) -> None:
    path = written / f"{layout}.dpx"
    assert probe(path) == (WIDTH, HEIGHT)
    with open_picture(path) as image, Image.open(written / f"{mode}.png") as source:
        assert image.mode == source.mode
        np.testing.assert_allclose(np.asarray(image, int), np.asarray(source, int), atol=1)


def test_a_job_trains_on_them_as_on_any_others(written: Path) -> None:
    files = sum(map(len, LAYOUTS.values())) + len(LAYOUTS)
    found = survey([written])
    assert (found.size, found.count, found.unreadable) == ((WIDTH, HEIGHT), files, ())
    pictures = load_pictures([written], WIDTH, HEIGHT)
    assert pictures.skipped == ()
    assert len(pictures.images) == files


def write_10_bits(path: Path, codes: np.ndarray, transfer: int) -> Path:
    """RGB code values `(height, width, 3)` in big-endian words, as scanners do."""
    height, width, _ = codes.shape
    red, green, blue = np.moveaxis(codes.astype(np.uint32), 2, 0)
    words = (red << 22 | green << 12 | blue << 2).astype(">u4").tobytes()
    path.write_bytes(header(width, height, transfer, 50, 10, len(words)) + words)
    return path


def header(
    width: int, height: int, transfer: int, descriptor: int, bits: int, data_bytes: int
) -> bytes:
    made = bytearray(DATA_AT)
    struct.pack_into(">4sI8sI", made, 0, b"SDPX", DATA_AT, b"V1.0", DATA_AT + data_bytes)
    struct.pack_into(">I", made, 660, 0xFFFFFFFF)  # not encrypted
    struct.pack_into(">HHII", made, 768, 0, 1, width, height)
    struct.pack_into(">BBBBHHI", made, 800, descriptor, transfer, transfer, bits, 1, 0, DATA_AT)
    return bytes(made)


def display(light: np.ndarray) -> np.ndarray:
    """What an sRGB display is sent for this light, 0..255."""
    return 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


@pytest.fixture
def scene() -> np.ndarray:
    """Light of each channel, 0..1."""
    return np.random.default_rng(1).random((HEIGHT, WIDTH, 3)) ** 2


@pytest.mark.parametrize("transfer", [PRINTING_DENSITY, LOG])
def test_scans_of_film_look_like_the_scene(
    tmp_path: Path, scene: np.ndarray, transfer: int
) -> None:
    black = 10 ** ((95 - 685) * 0.002 / 0.6)
    codes = 685 + np.log10(scene * (1 - black) + black) * 0.6 / 0.002
    path = write_10_bits(tmp_path / "film.dpx", np.rint(codes), transfer)
    np.testing.assert_allclose(load(path), display(scene), atol=2.5)  # 10 bits, in the shadows
    np.testing.assert_allclose(load(path, "display"), np.rint(codes) * 255 / 1023, atol=0.5)


def test_what_is_brighter_than_white_is_white_and_darker_than_black_black(tmp_path: Path) -> None:
    codes = np.repeat(np.array([[0, 95, 685, 1023]])[..., None], 3, axis=2)
    path = write_10_bits(tmp_path / "film.dpx", codes, PRINTING_DENSITY)
    assert load(path)[0, :, 0].tolist() == [0, 0, 255, 255]


def test_light_in_proportion_is_made_fit_for_a_display(tmp_path: Path, scene: np.ndarray) -> None:
    path = write_10_bits(tmp_path / "linear.dpx", np.rint(scene * 1023), LINEAR)
    np.testing.assert_allclose(load(path), display(np.rint(scene * 1023) / 1023), atol=0.5)


@pytest.mark.parametrize("transfer", [0, VIDEO, 255])
def test_what_is_for_displays_already_stays(
    tmp_path: Path, scene: np.ndarray, transfer: int
) -> None:
    codes = np.rint(scene * 1023)
    path = write_10_bits(tmp_path / "video.dpx", codes, transfer)
    np.testing.assert_allclose(load(path), codes * 255 / 1023, atol=0.5)
    assert load(path, "log").mean() > 0
    assert (load(path, "log") != load(path)).any()


def test_alpha_is_no_light(tmp_path: Path) -> None:
    pixels = np.full((HEIGHT, WIDTH, 4), 128, np.uint8)
    path = tmp_path / "a.dpx"
    path.write_bytes(header(WIDTH, HEIGHT, LINEAR, 51, 8, pixels.nbytes) + pixels.tobytes())
    loaded = load(path)
    assert (loaded[..., 3] == 128).all()
    assert (loaded[..., :3] == 188).all()


def test_damaged_files_say_so(tmp_path: Path, scene: np.ndarray) -> None:
    whole = write_10_bits(tmp_path / "a.dpx", np.rint(scene * 1023), VIDEO).read_bytes()
    reasons = {
        whole[:-4]: "is truncated",
        whole[:HEADER_BYTES]: "is truncated",
        whole[: HEADER_BYTES - 1]: "is not a picture",
        b"": "is empty",
        whole[:772] + bytes(4) + whole[776:]: "is not a picture",  # no pixels
        whole[:772] + b"\x7f\xff\xff\xff" + whole[776:]: "is truncated",  # too many
        whole[:800] + b"\x63" + whole[801:]: "is not a picture",  # unknown channels
    }
    for content, reason in reasons.items():
        (tmp_path / "b.dpx").write_bytes(content)
        with pytest.raises(UnreadablePicture, match=reason):
            probe(tmp_path / "b.dpx")


def test_what_ffmpeg_does_not_decode_is_left_out(tmp_path: Path, scene: np.ndarray) -> None:
    path = write_10_bits(tmp_path / "a.dpx", np.rint(scene * 1023), VIDEO)
    content = bytearray(path.read_bytes())
    content[806:808] = b"\0\1"  # run lengths
    path.write_bytes(content)
    write_10_bits(tmp_path / "b.dpx", np.rint(scene * 1023), VIDEO)
    pictures = load_pictures([tmp_path], WIDTH, HEIGHT)
    assert len(pictures.images) == 1
    assert pictures.skipped == ((path, "is damaged, or no DPX that FFmpeg decodes"),)


def test_headers_with_any_byte_changed_are_read_or_refused(
    tmp_path: Path, scene: np.ndarray
) -> None:
    path = write_10_bits(tmp_path / "a.dpx", np.rint(scene * 1023), LOG)
    whole = path.read_bytes()
    random = np.random.default_rng(0)
    read = refused = 0
    for place in [*range(24), *range(768, HEADER_BYTES)]:
        content = bytearray(whole)
        content[place] = random.integers(0, 256)
        path.write_bytes(content)
        try:
            load(path)
            read += 1
        except (UnreadablePicture, OSError):
            refused += 1
    assert read > 5
    assert refused > 5


def test_a_header_is_read_without_ffmpeg(written: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from jobs.pictures.surveying import survey;"
        "print(survey([Path(sys.argv[1])]).count, 'av' in sys.modules, 'numpy' in sys.modules)"
    )
    told = subprocess.run(
        [sys.executable, "-c", code, str(written)], capture_output=True, text=True, check=True
    )
    assert told.stdout.split() == ["17", "False", "False"]


def test_the_header_tells_the_bytes_of_all_pixels() -> None:
    told = read_header(header(100, 50, PRINTING_DENSITY, 50, 16, 0))
    assert told == (100, 50, "RGB", "log", DATA_AT + 100 * 50 * 3 * 2)


def test_files_that_are_no_dpx_are_damaged(tmp_path: Path) -> None:
    (tmp_path / "a.dpx").write_bytes(b"SDPX" + bytes(3000))
    with (tmp_path / "a.dpx").open("rb") as file, pytest.raises(OSError, match="is damaged"):
        decode_dpx(file, "log")
