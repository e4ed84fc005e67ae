"""How far long work is, where no terminal shows a bar."""

from __future__ import annotations

import pytest

from multitrain.commands import long_work
from multitrain.commands.long_work import Lines, shown_work


def test_a_line_every_half_a_minute_with_the_time_left() -> None:
    lines = Lines("night.mp4", 600, "frames", 1000.0)
    told = [lines.told(done, 1000.0 + 10 * done) for done in range(1, 8)]
    assert told == [
        None,
        None,
        "night.mp4: 3/600 frames, 1:39:30 left",
        None,
        None,
        "night.mp4: 6/600 frames, 1:39:00 left",
        None,
    ]


def test_what_was_done_before_the_first_one_does_not_count() -> None:
    lines = Lines("night.mp4", 600, "frames", 0.0)
    assert lines.told(0, 40.0) == "night.mp4: 0/600 frames"
    assert lines.told(300, 100.0) == "night.mp4: 300/600 frames, 0:01:00 left"


def test_without_a_terminal_lines_are_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(long_work, "LINE_SECONDS", 0.0)
    with shown_work("night.mp4", 2, "frames") as told:
        told(2)
    assert capsys.readouterr().err.endswith(" night.mp4: 2/2 frames\n")
