"""What is left of an extraction that is interrupted, or that finds no room."""

from __future__ import annotations

import pytest
from PIL import Image

from multitrain.datasets.video.crops import parse_crops, parse_scale
from multitrain.datasets.video.extracting import Request, extract
from tests.footage import write_video

REQUEST = Request(parse_crops("none"), parse_scale("none"), count=60)


def test_an_interruption_leaves_nothing(workspace, tmp_path):
    video = write_video(tmp_path / "a.mp4", 100)

    def interrupted(results, what, total):
        yield next(iter(results))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        extract(workspace, "some", [str(video)], REQUEST, interrupted)
    assert list(workspace.data.iterdir()) == []


def test_a_full_disk_leaves_nothing_and_is_told(workspace, tmp_path, monkeypatch):
    video = write_video(tmp_path / "a.mp4", 100)

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", full)
    with pytest.raises(OSError, match="No space left"):
        extract(workspace, "some", [str(video)], REQUEST, lambda results, what, total: results)
    assert list(workspace.data.iterdir()) == []
