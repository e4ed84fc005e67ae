"""PNG files that Pillow is not needed for: what it would say of them is what is said."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image

from jobs.pictures import finding
from jobs.pictures.finding import UnreadablePicture, probe
from jobs.pictures.png import plain_size

SIZE = (7, 3)


def said(path: Path) -> object:
    """The size of a picture, or why there is none."""
    try:
        return probe(path)
    except UnreadablePicture as error:
        return str(error)


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    path = tmp_path / "plain.png"
    Image.new("RGB", SIZE).save(path)
    return path


@pytest.mark.parametrize("mode", ["1", "L", "LA", "I;16", "RGB", "RGBA"])
def test_what_pillow_writes_is_plain(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "x.png"
    Image.new(mode, SIZE).save(path)
    assert plain_size(path) == SIZE


def test_whatever_byte_is_wrong_pillow_agrees(plain: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = plain.read_bytes()
    plain.unlink()
    damaged = [plain.with_name(f"{place}.png") for place in range(41)]
    for place, path in enumerate(damaged):
        path.write_bytes(bytes(byte ^ (at == place) for at, byte in enumerate(content)))
    ours = [said(path) for path in damaged]
    monkeypatch.setattr(finding, "plain_size", lambda _: None)
    assert ours == [said(path) for path in damaged]
    assert ours.count(SIZE) == 4  # only how long the pixels' chunk is, which is seen in decoding


def test_pictures_with_more_in_their_header_are_left_to_pillow(plain: Path) -> None:
    turned = Image.new("RGB", SIZE)
    turned.getexif()[0x0112] = 6
    turned.save(plain, exif=turned.getexif())
    assert plain_size(plain) is None
    assert probe(plain) == SIZE[::-1]


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "folder.png").mkdir()
    for name in ("pipe.png", "folder.png", "missing.png"):
        assert said(tmp_path / name) == "is not a file"
