"""What the farm hears of the page beside it."""

from __future__ import annotations

import os

import pytest

from multitrain.commands.run import page


def pipe(*written: str, ends: bool) -> tuple[object, int]:
    """The read end of a pipe with these lines, and its other end."""
    reading, writing = os.pipe()
    os.write(writing, "".join(written).encode())
    if ends:
        os.close(writing)
    return os.fdopen(reading), writing


def test_the_link_is_told_and_the_rest_is_read_away() -> None:
    said, writing = pipe("The page: http://x\n", ends=False)
    assert page._first_line(said) == "The page: http://x"
    for _ in range(64):
        os.write(writing, b"x" * 4096)  # four times what a pipe holds
    os.close(writing)


def test_a_page_that_does_not_begin_stops_no_night(monkeypatch: pytest.MonkeyPatch) -> None:
    said, _ = pipe(ends=True)
    assert page._first_line(said) == "note: the page could not be started"
    monkeypatch.setattr(page, "LINK_SECONDS", 0.01)
    said, writing = pipe(ends=False)
    assert page._first_line(said) == "note: the page has not begun within 0.01 seconds"
    os.close(writing)
