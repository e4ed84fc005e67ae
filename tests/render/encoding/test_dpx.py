"""DPX as programs of film production read it: the words of its file, by SMPTE 268M."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from jobs.errors import MultitrainError
from render.clips.asked import is_as_asked
from render.encoding.completing import complete
from render.encoding.streaming import RawVideo, encoding
from render.files.verifying import verify_made

NOTE = "multitrain 0123456789abcdef"
WIDTH, HEIGHT, FRAMES = 256, 3, 2
LINEAR = 2


def frame(number: int, folder: Path) -> Path:
    return folder / f"frame_{number:09d}.dpx"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Frames with every level of 8 bits, a column each; red, green and blue differ."""
    levels = np.arange(WIDTH, dtype=np.uint8)
    row = np.stack([levels, levels[::-1], np.roll(levels, 1)], axis=-1)
    with encoding(tmp_path, RawVideo(WIDTH, HEIGHT, 3, 24), "dpx", note=NOTE) as sink:
        sink.write(np.tile(row, (FRAMES, HEIGHT, 1, 1)))
    return tmp_path


def codes(path: Path) -> np.ndarray:
    """`(height, width, 3)`: three components of 10 bits in each word, filled below."""
    data = path.read_bytes()
    (start,) = struct.unpack_from(">I", data, 4)
    words = np.frombuffer(data[start:], ">u4").reshape(HEIGHT, WIDTH)
    return np.stack([words >> shift & 1023 for shift in (22, 12, 2)], axis=-1)


def test_every_level_of_8_bits_is_the_nearest_of_10(folder: Path) -> None:
    for number in range(FRAMES):
        data, found = frame(number, folder).read_bytes(), codes(frame(number, folder))
        assert data[:4] == b"SDPX"
        assert struct.unpack_from(">I", data, 16) == (len(data),)
        assert struct.unpack_from(">II", data, 772) == (WIDTH, HEIGHT)
        assert data[800:804] == bytes([50, 6, 6, 10])  # RGB, ITU-R 709 twice, 10 bits
        assert struct.unpack_from(">HH", data, 804) == (1, 0)  # filled to 32 bits, no RLE
        levels = np.rint(found / 1023 * 255)
        assert np.array_equal(levels[0, :, 0], np.arange(WIDTH))
        assert np.array_equal(levels[0, :, 1], np.arange(WIDTH)[::-1])
        assert (found.min(), found.max()) == (0, 1023), "black is black, and white is white"


def test_frames_that_ffmpeg_calls_linear_are_told_to_be_video(folder: Path) -> None:
    """As older versions do, whatever they are told."""
    before = [codes(frame(number, folder)) for number in range(FRAMES)]
    for number in range(FRAMES):
        with frame(number, folder).open("r+b") as file:
            file.seek(801)
            file.write(bytes([LINEAR, LINEAR]))
    complete("dpx", folder, "multitrain another")
    for number in range(FRAMES):
        assert frame(number, folder).read_bytes()[801:803] == bytes([6, 6])
        assert np.array_equal(codes(frame(number, folder)), before[number])
    assert is_as_asked(folder, "multitrain another")
    assert not is_as_asked(folder, NOTE), "the earlier note is gone"


def test_a_frame_that_is_cut_off_is_found(folder: Path) -> None:
    verify_made("dpx", folder, FRAMES, 24, (WIDTH, HEIGHT))
    last = frame(FRAMES - 1, folder)
    last.write_bytes(last.read_bytes()[:-1])
    with pytest.raises(MultitrainError, match=f"{last.name} was not written whole"):
        verify_made("dpx", folder, FRAMES, 24, (WIDTH, HEIGHT))
