"""Notes in files that ffmpeg cannot write them into: decoders see the same pictures as before."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image, ImageSequence

from jobs.settings.videos import FormatName
from render.clips.asked import is_as_asked
from render.encoding import comments
from render.encoding.comments import add_comment
from tests.footage import numbered, write_video

NOTE = "multitrain 0123456789abcdef"


def pictures(path: Path) -> list[np.ndarray]:
    """As Pillow shows them."""
    shown = []
    for file in sorted(path.iterdir()) if path.is_dir() else [path]:
        with Image.open(file) as image:
            frames = ImageSequence.Iterator(image)
            shown += [np.asarray(frame.convert("RGB")) for frame in frames]
    return shown


def packets(path: Path) -> list[tuple[int | None, int | None]]:
    with av.open(str(path)) as container:
        return [(packet.pts, packet.duration) for packet in container.demux(video=0)]


@pytest.mark.parametrize("colours", [4, 256], ids=["few colours", "many"])
def test_a_gif_shows_what_it_showed(
    tmp_path: Path, colours: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comments, "_CHUNK", 100)
    path = tmp_path / "loop.gif"
    random = np.random.default_rng(0)
    drawn = [Image.fromarray(random.integers(0, colours, (20, 30), np.uint8)) for _ in range(5)]
    drawn[0].save(path, save_all=True, append_images=drawn[1:], duration=40, loop=0)
    before = pictures(path), packets(path)
    add_comment("gif", path, NOTE)
    assert is_as_asked(path, NOTE)
    assert packets(path) == before[1]
    assert np.array_equal(pictures(path), before[0])


def test_so_do_pictures(tmp_path: Path) -> None:
    for number in range(2):
        image = Image.effect_noise((30, 20), 50).convert("RGB")
        image.save(tmp_path / f"frame_{number:09d}.png")
    before = pictures(tmp_path)
    add_comment("png", tmp_path, NOTE)
    assert is_as_asked(tmp_path, NOTE)
    assert np.array_equal(pictures(tmp_path), before)


@pytest.mark.parametrize(("name", "content"), [("gif", b""), ("gif", b"GIF89a"), ("png", b"")])
def test_what_is_not_whole_has_none(tmp_path: Path, name: FormatName, content: bytes) -> None:
    path = tmp_path / "frame_000000000.png" if name == "png" else tmp_path / "loop.gif"
    path.write_bytes(content)
    made = tmp_path if name == "png" else path
    add_comment(name, made, NOTE)
    assert not is_as_asked(made, NOTE)


def test_what_others_have_no_need_of_is_left_as_it_is(tmp_path: Path) -> None:
    film = write_video(tmp_path / "film.mp4", [numbered(number) for number in range(3)])
    before = film.read_bytes()
    add_comment("h264", film, NOTE)
    assert film.read_bytes() == before
