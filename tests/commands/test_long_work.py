"""How far long work is, where no terminal shows a bar."""

from __future__ import annotations

import pytest

from multitrain.commands import long_work
from multitrain.commands.long_work import Lines, shown_bytes, shown_work


def frames(done: int, total: int | None) -> str:
    return f"{done}/{total} frames"


def test_a_line_every_half_a_minute_with_the_time_left() -> None:
    lines = Lines("night.mp4", 1000.0, frames)
    told = [lines.told(done, 600, 1000.0 + 10 * done) for done in range(1, 8)]
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
    lines = Lines("night.mp4", 0.0, frames)
    assert lines.told(0, 600, 40.0) == "night.mp4: 0/600 frames"
    assert lines.told(300, 600, 100.0) == "night.mp4: 300/600 frames, 0:01:00 left"


def test_without_a_terminal_lines_are_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(long_work, "LINE_SECONDS", 0.0)
    with shown_work("night.mp4", 2, "frames") as told:
        told(2)
    assert capsys.readouterr().err.endswith(" night.mp4: 2/2 frames\n")


def test_a_download_that_goes_on_is_measured_by_what_comes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = iter([0.0, 60.0, 120.0])
    monkeypatch.setattr(long_work.time, "monotonic", lambda: next(now))
    with shown_bytes() as shown:
        fetching = shown("fetching faces")
        fetching(2**30, 2**31)  # had come before
        fetching(2**30 + 2**28, 2**31)
        fetching(2**30, None)  # the server began anew, and does not say how much there is
    first, second = capsys.readouterr().err.splitlines()
    assert first.endswith(" fetching faces: 1.2 GiB of 2.0 GiB, 0:03:00 left")
    assert second.endswith(" fetching faces: 1.0 GiB")
