"""Every format that an ffmpeg here makes: from frames, and from a film, and read back."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import av
import numpy as np
import pytest

import multitrain.datasets.decoded.dpx  # noqa: F401  # Pillow loads DPX
from jobs.pictures.finding import open_picture
from jobs.plans.plan import FramePlan
from jobs.plans.timing import Timing
from jobs.settings.spec import JobSpec
from jobs.settings.videos import VIDEOS, WITH_NVENC, EncoderName, FormatName
from render.clips.exporting import export_film, export_name
from render.encoding import ffmpeg
from render.encoding.commands import encode_command
from render.encoding.formats import FORMATS, shown_frames, shown_size
from render.files.merge import join
from render.files.verifying import verify_made

COLOURS = ((128, 128, 128), (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0))
CLOSE = 2  # levels that mid-grey and pure red may be off
SIZE = 51, 33  # of no format's multiples
EDGE = 16  # between no alpha and all; 8 pixels beside it are not looked at
PLAIN = [name for name in VIDEOS if name not in WITH_NVENC.values()]
FOLDERS = [name for name, video in VIDEOS.items() if video.is_folder]
FILE = 1 << 16

# Codec, tag, pixels of frames without and with alpha, as decoders name them.
EXPECTED: dict[FormatName, tuple[str, str, str, str]] = {
    "h264": ("h264", "avc1", "yuv420p", "yuv420p"),
    "h264-intra": ("h264", "avc1", "yuv420p", "yuv420p"),
    "h265": ("hevc", "hvc1", "yuv420p", "yuv420p"),
    "h265-10bit": ("hevc", "hvc1", "yuv420p10le", "yuv420p10le"),
    "hap": ("hap", "Hap1", "rgb0", "rgb0"),
    "hap-alpha": ("hap", "Hap5", "rgba", "rgba"),
    "hap-q": ("hap", "HapY", "rgb0", "rgb0"),
    "dxv": ("dxv", "DXD3", "rgba", "rgba"),
    "prores": ("prores", "apch", "yuv422p10le", "yuv422p10le"),
    "prores-4444": ("prores", "ap4h", "yuva444p12le", "yuva444p12le"),
    "ffv1": ("ffv1", "FFV1", "bgr0", "bgra"),
    "webm": ("vp9", "", "yuv420p", "yuv420p"),
    "gif": ("gif", "", "bgra", "bgra"),
}


def test_every_format_has_a_place_in_each_table() -> None:
    names = get_args(FormatName)
    assert tuple(VIDEOS) == tuple(FORMATS) == names
    assert list(EXPECTED) == [name for name in PLAIN if name not in FOLDERS]
    assert JobSpec.model_fields["format"].default == ("h264",)
    assert get_args(EncoderName) == ("x264", "nvenc")


def frames_of(size: tuple[int, int], channels: int = 3, each: int = 2) -> np.ndarray:
    """`(n, height, width, channels)` uint8: each colour for some frames; no alpha on the left."""
    frames = np.empty((len(COLOURS) * each, size[1], size[0], channels), np.uint8)
    frames[..., :3] = np.repeat(np.array(COLOURS, np.uint8), each, axis=0)[:, None, None]
    if channels == 4:
        frames[..., 3] = np.where(np.arange(size[0]) < EDGE, 0, 255)
    return frames


def make(folder: Path, frames: np.ndarray, name: FormatName, fps: int = 60) -> Path:
    """By ffmpeg, from raw frames."""
    count, height, width, channels = frames.shape
    plan = FramePlan(width, height, width, height, fps, count, Timing(), count, channels)
    raw, film = folder / "frames.rgb", folder / f"film{VIDEOS[name].suffix}"
    frames.tofile(raw)
    if VIDEOS[name].is_folder:
        film.mkdir()
    program = ffmpeg.find(name)
    ffmpeg.run(encode_command(program, raw, plan, [film], crf=17, preset="medium", name=name))
    return film


def shown(film: Path) -> np.ndarray:
    """`(n, height, width, 3)` uint8 as players show them."""
    if film.is_dir():
        return pictures(film)[..., :3]
    with av.open(str(film)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def alpha(film: Path, size: tuple[int, int]) -> np.ndarray:
    """`(n, height, width)` uint8."""
    if film.is_dir():
        return pictures(film)[..., 3]
    raw = film.with_suffix(".raw")
    decoder = ["-c:v", "libvpx-vp9"] if film.suffix == ".webm" else []
    command = [ffmpeg.find("webm"), "-y", "-loglevel", "error", *decoder, "-i", str(film)]
    ffmpeg.run([*command, "-pix_fmt", "rgba", "-f", "rawvideo", str(raw)])
    return np.fromfile(raw, np.uint8).reshape(-1, size[1], size[0], 4)[..., 3]


def pictures(folder: Path) -> np.ndarray:
    found = []
    for path in sorted(folder.iterdir()):
        with open_picture(path) as picture:
            found.append(np.asarray(picture.convert("RGBA")))
    return np.stack(found)


def test_no_frame_of_h264_intra_is_finer_than_the_others(tmp_path: Path) -> None:
    """The first one would be by x264 itself, twice as large, and seen wherever a loop begins."""
    noise = np.random.default_rng(0).normal(0, 8, (128, 192, 1))
    waves = 128 + 90 * np.sin(np.arange(192) / 9 + np.arange(128)[:, None] / 7)[..., None]
    picture = np.clip(waves + noise, 0, 255).astype(np.uint8).repeat(3, axis=2)
    turned = np.stack([np.roll(picture, turn, axis=1) for turn in range(12)])
    film = make(tmp_path, turned, "h264-intra")
    with av.open(str(film)) as container:
        sizes = [packet.size for packet in container.demux(video=0) if packet.size]
    assert max(sizes) < 1.2 * min(sizes)  # the first one has the encoder's name in it, too


def assert_like(name: FormatName, film: Path, frames: np.ndarray, fps: int = 60) -> None:
    """Its size, its frames, its colours: those of `frames`."""
    height, width, channels = frames.shape[1:]
    size = width, height
    verify_made(name, film, len(frames), fps, size, has_alpha=channels == 4)
    found = shown(film)
    assert found.shape[2:0:-1] == shown_size(name, *size)
    assert len(found) == shown_frames(name, len(frames), fps)
    keeps = channels == 4 and VIDEOS[name].has_alpha
    wanted = frames[..., :3].astype(int)
    if channels == 4 and not keeps:
        wanted = wanted * frames[..., 3:] // 255
    numbers = np.rint(np.arange(len(found)) * len(frames) / len(found)).astype(int)
    right = slice(EDGE + 8, width)
    off = np.abs(found[:, :height, right].astype(int) - wanted[numbers][:, :, right])
    off = off.max(axis=(1, 2, 3))
    lossless = FORMATS[name].is_lossless
    assert off[: len(off) // 3].max() <= (0 if lossless else CLOSE), off
    assert off.max() <= (0 if lossless else CLOSE + 1), off
    if keeps:
        kept = alpha(film, shown_size(name, *size))
        assert kept[:, :height, right].min() >= 255 - CLOSE
        assert kept[:, :height, : EDGE - 8].max() <= CLOSE


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("name", PLAIN)
def test_made_of_frames(tmp_path: Path, name: FormatName, channels: int) -> None:
    frames = frames_of(SIZE, channels)
    film = make(tmp_path, frames, name)
    assert_like(name, film, frames)
    if name not in FOLDERS:
        with av.open(str(film)) as container:
            context = container.streams.video[0].codec_context
            tag = context.codec_tag.strip("\0")
            pixels = EXPECTED[name][3 if channels == 4 else 2]
            assert (context.name, tag, context.pix_fmt) == (*EXPECTED[name][:2], pixels)
            frame = next(container.decode(video=0))
            if VIDEOS[name].suffix != ".gif":
                assert (frame.color_primaries, frame.color_trc) == (1, 1)  # ITU-T H.273: BT.709
                assert frame.colorspace == (1 if FORMATS[name].pixels.is_yuv else 0)


@pytest.mark.parametrize("name", PLAIN)
def test_exported_from_a_film(tmp_path: Path, name: FormatName) -> None:
    frames = frames_of(SIZE)
    film = make(tmp_path, frames, "h264")
    output, told = export_name(film, name), []
    export_film(film, name, output, told.append)
    assert told[-1] == len(frames)
    with av.open(str(film)) as container:
        wanted = np.stack([each.to_ndarray(format="rgb24") for each in container.decode(video=0)])
    assert wanted.shape[1:3] == (34, 52)
    verify_made(name, output, len(frames), 60, (52, 34))
    found = shown(output)
    numbers = np.rint(np.arange(len(found)) * len(frames) / len(found)).astype(int)
    off = np.abs(found[:, :34, :52].astype(int) - wanted[numbers]).max(axis=(1, 2, 3))
    assert off.max() <= CLOSE, off
    off = np.abs(found[:, :33, :51].astype(int) - frames[numbers]).max(axis=(1, 2, 3))
    assert off[: len(off) // 3].max() <= CLOSE, off


@pytest.mark.parametrize("name", [name for name, video in VIDEOS.items() if video.is_joinable])
@pytest.mark.parametrize("is_alike", [True, False], ids=["copied", "concatenated"])
def test_pieces_are_joined_exactly(
    tmp_path: Path, name: FormatName, is_alike: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not is_alike:  # as for files of two versions of ffmpeg
        monkeypatch.setattr("render.files.merge.is_copy", lambda *_: False)
    frames = frames_of((64, 48), each=5)
    pieces = []
    for number, part in enumerate(np.split(frames, [7, 8, 23])):
        folder = tmp_path / str(number)
        folder.mkdir()
        pieces.append(make(folder, part, name))
    film = tmp_path / f"film{VIDEOS[name].suffix}.part"
    join([*pieces], film, len(frames))
    assert_like(name, film, frames)
    with av.open(str(film)) as container:
        assert container.streams.video[0].codec_context.codec_tag == EXPECTED[name][1]


@pytest.mark.parametrize("name", [name for name in PLAIN if name not in FOLDERS])
def test_the_same_frames_give_the_same_bytes(tmp_path: Path, name: FormatName) -> None:
    frames = np.random.default_rng(0).integers(0, 256, (8, 48, 64, 3), np.uint8)
    made = []
    for number in range(2):
        folder = tmp_path / str(number)
        folder.mkdir()
        made.append(make(folder, frames, name).read_bytes())
    assert made[0] == made[1]


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (17, 5)])
@pytest.mark.parametrize("name", PLAIN)
def test_the_smallest_sizes(tmp_path: Path, name: FormatName, size: tuple[int, int]) -> None:
    film = make(tmp_path, frames_of(size), name)
    verify_made(name, film, 2 * len(COLOURS), 60, size)


@pytest.mark.parametrize("count", [1, 2, 3, 7, 8, 60, 61])
@pytest.mark.parametrize("fps", [24, 30, 50, 60, 240])
def test_frames_of_a_gif(tmp_path: Path, count: int, fps: int) -> None:
    """All up to 50 a second, those of 50 a second of more."""
    frames = np.zeros((count, 8, 8, 3), np.uint8)
    frames[..., 0] = (np.arange(count) * 4)[:, None, None]
    film = make(tmp_path, frames, "gif", fps)
    verify_made("gif", film, count, fps, (8, 8))
    if fps <= 50:
        assert np.abs(shown(film).astype(int) - frames).max() <= 1
