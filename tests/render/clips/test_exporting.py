"""Exports: which films, what becomes of them, and what is told where one cannot be made."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from jobs.errors import MultitrainError, ProgramFailed, UsageError
from jobs.settings.videos import FormatName
from jobs.workspace.files import listing
from render.clips import exporting
from render.clips.exporting import export_film, export_name
from render.encoding import ffmpeg
from render.files.probe import read_header, verify
from render.files.verifying import verify_made
from tests.footage import HEIGHT, WIDTH, number_of, write_video


def nobody(_: int) -> None: ...


def numbers(film: Path) -> list[int]:
    """What its frames show."""
    with av.open(str(film)) as container:
        return [number_of(frame.to_image()) for frame in container.decode(video=0)]


@pytest.mark.parametrize(
    ("film", "name", "output"),
    [
        ("night.mp4", "hap", "night.hap.mov"),
        ("night_box0001.mp4", "prores", "night_box0001.prores.mov"),
        ("night.hap.mov", "h264", "night.hap.h264.mp4"),
        ("night.mp4", "gif", "night.gif"),
        ("night.mov", "webm", "night.webm"),
        ("night.mp4", "png", "night.png"),
    ],
)
def test_names(film: str, name: FormatName, output: str) -> None:
    assert export_name(Path("/renders", film), name) == Path("/renders", output)


@pytest.mark.parametrize("fps", [1, 25, 240, Fraction(30000, 1001), Fraction(25, 2)])
@pytest.mark.parametrize("name", ["h264", "ffv1", "webm"])
def test_every_frame_at_its_time(tmp_path: Path, name: FormatName, fps: Fraction | int) -> None:
    film = write_video(tmp_path / "film.mp4", 13, fps=fps)
    output = tmp_path / "output"
    export_film(film, name, output, nobody)
    verify_made(name, output, 13, fps, (WIDTH, HEIGHT))
    assert read_header(output).format.fps == pytest.approx(fps, rel=1e-3)
    assert numbers(output) == list(range(13))


@pytest.mark.parametrize("suffix", [".mkv", ".webm", ".mov"])
def test_films_with_coarse_clocks_and_b_frames(tmp_path: Path, suffix: str) -> None:
    codec = "libvpx-vp9" if suffix == ".webm" else "libx264"
    film = write_video(tmp_path / f"film{suffix}", 40, fps=60, codec=codec)
    export_film(film, "h264", tmp_path / "output.mp4", nobody)
    verify(tmp_path / "output.mp4", 40, 60, WIDTH, HEIGHT)
    assert numbers(tmp_path / "output.mp4") == list(range(40))


COLOUR = np.array((200, 60, 80))
WEIGHTS = {"bt709": (0.2126, 0.0722), "smpte170m": (0.299, 0.114)}  # of red and blue in brightness


def as_yuv(matrix: str, *, full: bool) -> np.ndarray:
    """`(3,)` uint8: the colour as the matrix has it."""
    red, blue = WEIGHTS[matrix]
    r, g, b = COLOUR / 255
    y = red * r + (1 - red - blue) * g + blue * b
    levels = np.array((y, (b - y) / 2 / (1 - blue), (r - y) / 2 / (1 - red)))
    scaled = levels * 255 + (0, 128, 128) if full else levels * (219, 224, 224) + (16, 128, 128)
    return np.rint(scaled).astype(np.uint8)


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize(
    ("matrix", "tag", "height"),
    [
        ("bt709", "bt709", 96),
        ("smpte170m", "smpte170m", 720),
        ("smpte170m", "unknown", 96),
        ("bt709", "unknown", 720),
    ],
)
def test_colours_are_taken_as_they_are_tagged(
    tmp_path: Path, matrix: str, tag: str, height: int, full: bool
) -> None:
    """Where they are not, as players do: by the height."""
    raw, film = tmp_path / "raw", tmp_path / "film.mp4"
    planes = as_yuv(matrix, full=full)[:, None, None]
    np.tile(np.broadcast_to(planes, (3, height, 96)), (3, 1, 1)).tofile(raw)
    tags = ["-colorspace", tag, "-color_range", "pc" if full else "tv"]
    reading = ["-f", "rawvideo", "-pixel_format", "yuv444p", "-video_size", f"96x{height}"]
    command = [ffmpeg.find(), *reading, *tags, "-i", str(raw), *tags, "-qp", "0", str(film)]
    ffmpeg.run(command)
    export_film(film, "png", tmp_path / "film.png", nobody)
    with Image.open(tmp_path / "film.png" / "frame_000000000.png") as picture:
        off = np.abs(np.asarray(picture).astype(int) - COLOUR)
    assert off.max() <= 2
    export_film(film, "prores-4444", tmp_path / "film.mov", nobody)
    with av.open(str(tmp_path / "film.mov")) as container:
        shown = next(container.decode(video=0))
        off = np.abs(shown.to_ndarray(format="rgb24").astype(int) - COLOUR)
    assert off.max() <= 3


def test_a_folder_of_pictures_is_replaced_whole(tmp_path: Path) -> None:
    output = tmp_path / "film.png"
    for count in (5, 3):
        export_film(write_video(tmp_path / "film.mp4", count), "png", output, nobody)
        assert listing(output) == [f"frame_{number:09d}.png" for number in range(count)]
    assert listing(tmp_path) == ["film.mp4", "film.png"]


def test_alpha_goes_from_format_to_format(tmp_path: Path) -> None:
    """ProRes to VP9, which ffmpeg's own decoder would read without it, to HAP."""
    command = [ffmpeg.find("prores-4444"), "-y", "-f", "lavfi"]
    command += ["-i", "color=0x8040c0@0.5:s=64x48:r=25:d=0.2,format=yuva444p10le"]
    film = tmp_path / "film.mov"
    ffmpeg.run([*command, "-c:v", "prores_ks", "-profile:v", "4444", str(film)])
    for name in ("webm", "hap-alpha", "png"):
        film, before = export_name(film, name), film
        export_film(before, name, film, nobody)
    with Image.open(film / "frame_000000002.png") as picture:
        off = np.abs(np.asarray(picture).astype(int) - (0x80, 0x40, 0xC0, 127))
    assert off.max() <= 8  # HAP has six bits for some of them


@pytest.mark.parametrize("keeps", [True, False])
def test_what_fails_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keeps: bool
) -> None:
    film, output = write_video(tmp_path / "film.mp4", 5), tmp_path / "film.hap.mov"
    if keeps:
        output.write_bytes(b"an older one")
    real = ffmpeg.find("hap")
    lossy = tmp_path / "lossy"
    lossy.write_text(f'#!/bin/sh\nexec "{real}" -t 0.1 "$@"\n')  # leaves frames out, ends well
    lossy.chmod(0o755)
    monkeypatch.setattr(ffmpeg, "find", lambda _: str(lossy))
    with pytest.raises(MultitrainError, match="frames instead of 5"):
        export_film(film, "hap", output, nobody)
    assert output.exists() == keeps
    assert [each for each in listing(tmp_path) if each.endswith(".part")] == []


def test_a_damaged_film_is_told(tmp_path: Path) -> None:
    film = write_video(tmp_path / "film.mkv", 60)
    data = bytearray(film.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 200] = bytes(200)
    film.write_bytes(data)
    with pytest.raises(MultitrainError):
        export_film(film, "h264", tmp_path / "output.mp4", nobody)
    assert listing(tmp_path) == ["film.mkv"]


def test_a_film_is_not_replaced_by_itself(tmp_path: Path) -> None:
    film = write_video(tmp_path / "film.mp4", 5)
    with pytest.raises(UsageError, match="its own export"):
        export_film(film, "h264", film, nobody)


def test_frames_that_are_done_are_told(tmp_path: Path) -> None:
    told: list[int] = []
    export_film(write_video(tmp_path / "film.mp4", 30), "h265", tmp_path / "o.mp4", told.append)
    assert told == sorted(told)
    assert told[-1] == 30


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """`tried(*that fail)`: the formats that exports are tried in from now on."""
    names: list[str] = []

    def watch(*failing: str) -> list[str]:
        def export(film: Path, name: str, *_: object) -> None:
            names.append(name)
            if name in failing:
                raise ProgramFailed(["ffmpeg"], 1, "No capable devices found")

        monkeypatch.setattr(exporting, "_export", export)
        return names

    return watch


@pytest.mark.parametrize(
    ("name", "failing", "expected"),
    [
        ("h264", (), ["h264-nvenc"]),
        ("h265", ("h265-nvenc",), ["h265-nvenc", "h265"]),
        ("hap", (), ["hap"]),
    ],
)
def test_nvenc_makes_what_it_can(
    tmp_path: Path,
    tried: Callable[..., list[str]],
    name: FormatName,
    failing: tuple[str, ...],
    expected: list[str],
) -> None:
    names = tried(*failing)
    (tmp_path / "film.mp4").touch()
    export_film(tmp_path / "film.mp4", name, tmp_path / "out", nobody, encoder="nvenc")
    assert names == expected
