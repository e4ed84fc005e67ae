"""Frames that come live: over a real connection, the newest first, recorded as they are used."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from jobs.errors import MultitrainError
from jobs.settings.kinds import Resolution
from jobs.settings.preprocess import Preprocessing
from multitrain.codec.capture import Capture
from multitrain.codec.recording import Recorder
from render.encoding import ffmpeg
from render.files.film import Film
from render.files.reading import FilmReader, frames_in_order
from tests.footage import HEIGHT, WIDTH, number_of, numbered, write_video

FRAMES = 30


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Where a camera sends each frame of a short film, in its own time, once."""
    film = write_video(tmp_path / "film.mp4", FRAMES)
    name = f"tcp://127.0.0.1:{free_port()}"
    command = [ffmpeg.find(), "-v", "error", "-re", "-i", str(film), "-c", "copy"]
    with subprocess.Popen([*command, "-f", "mpegts", f"{name}?listen=1"]) as camera:
        yield name
        camera.kill()


def test_frames_come_in_their_order_and_in_their_size(address: str) -> None:
    steps = Preprocessing.of("cover", Resolution(WIDTH, HEIGHT), None, flip=False).fixed
    capture = Capture(address, steps)
    numbers = []
    while not numbers or numbers[-1] < FRAMES - 1:
        frame = capture.take()
        assert frame.shape == (HEIGHT, WIDTH, 3)
        numbers.append(number_of_picture(frame))
    capture.close()
    assert numbers == sorted(set(numbers))
    assert capture.left_out + len(numbers) == FRAMES


def number_of_picture(frame: np.ndarray) -> int:
    from PIL import Image

    return number_of(Image.fromarray(frame))


def test_an_address_that_sends_nothing_is_told() -> None:
    name = f"tcp://127.0.0.1:{free_port()}"
    capture = Capture(name, (), patience=0.5)
    with pytest.raises(MultitrainError, match=r"no frame came from tcp://.* for 0.5 s .*refused"):
        capture.take()
    capture.close()


def test_what_is_used_is_recorded_without_loss_as_far_as_there_is_room(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, Resolution(WIDTH, HEIGHT), fps=1, most_bytes=1)
    frames = [numbered(number) for number in range(25)]
    for each in frames:
        recorder.write(each)
    recorder.close()
    (only,) = tmp_path.iterdir()
    with FilmReader([Film.look(only)]) as reader:
        recorded = list(frames_in_order(reader))
    assert len(recorded) == 10, "a piece of ten seconds"
    assert np.array_equal(recorded, frames[:10])
