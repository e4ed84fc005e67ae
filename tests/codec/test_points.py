"""Points of codecs: compared at equal bytes, drawn."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from jobs.errors import MultitrainError
from multitrain.codec.points import Point, curves, plot, psnr_at, require_matplotlib

POINTS = [
    Point("jpeg", "quality 80", 10_000.0, 40.0, 0.99, 0.01),
    Point("tiny", "channels 4", 500.0, 22.0, 0.8, 0.01),
    Point("jpeg", "quality 10", 100.0, 20.0, 0.9, 0.01),
    Point("identity", "", 50_000.0, 88.0, 1.0, 0.01),
]


def test_curves_are_compared_at_equal_bytes_by_their_logarithm() -> None:
    by_codec = curves(POINTS)
    assert [each.bytes for each in by_codec["jpeg"]] == [100.0, 10_000.0]
    assert psnr_at(by_codec["jpeg"], 1000.0) == pytest.approx(30.0)
    assert psnr_at(by_codec["jpeg"], 100.0) == pytest.approx(20.0)
    assert psnr_at(by_codec["jpeg"], 99.0) is None
    assert psnr_at(by_codec["tiny"], 500.0) is None


def test_a_plot_is_a_picture(tmp_path: Path) -> None:
    plot(POINTS, "clip.mp4", path := tmp_path / "curve.png.part")
    with Image.open(path) as image:
        assert image.size == (1210, 550)
        assert len(image.convert("RGB").getcolors(1 << 20) or ()) > 50


def test_without_matplotlib_its_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    require_matplotlib()
    monkeypatch.setattr("multitrain.codec.points.find_spec", lambda _: None)
    with pytest.raises(MultitrainError, match=r"a plot takes matplotlib: .*\[plot\]"):
        require_matplotlib()
