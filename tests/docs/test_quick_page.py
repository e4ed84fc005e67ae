"""The page on `multitrain quick` says what the command does."""

from __future__ import annotations

import re
from pathlib import Path

from jobs.settings.kinds import Resolution
from multitrain.commands.quick.given import Given, Kind
from multitrain.commands.quick.sheet import Pictures, sheet_text, target_size
from multitrain.commands.quick.steps import Steps
from multitrain.commands.quick.wishes import FAMILIES, Wishes, length_words
from tests.command_line import command_named

PAGE = (Path(__file__).parents[2] / "docs" / "quick.md").read_text(encoding="utf-8")
STEPS = Steps(Given("holiday.mp4", Kind.VIDEOS, ("holiday.mp4",)), Wishes("holiday"))
VIDEO = Resolution(1920, 1080)


def test_the_commands_are_those_that_are_told() -> None:
    size = target_size(VIDEO, STEPS.wishes.size)
    assert re.findall(r"(?m)^\$ (.*)$", PAGE) == [
        str(step)
        for step in (
            STEPS.pictures(VIDEO),
            STEPS.look(),
            STEPS.check(measured=True),
            STEPS.run(),
            STEPS.apply("holiday.mp4", size),
        )
    ]
    assert f"`{STEPS.clip}`" in PAGE
    text = sheet_text(STEPS, Pictures(size, 400), [], [])
    across, down = (int(re.findall(rf"(?m)^  grid_{side}: (\d+)", text)[0]) for side in
                    ("width", "height"))  # fmt: skip
    assert f"{2 * across * size.width}x{down * size.height}" in PAGE


def test_all_options_are_there_with_their_defaults() -> None:
    told = dict(re.findall(r"(?m)^\| `(--\w+)[^`]*` \| (.*?) \|", PAGE))
    options = {name for each in command_named("quick").params for name in each.opts}
    assert set(told) == {name for name in options if name.startswith("--")}
    wishes = STEPS.wishes
    assert told["--frames"] == str(wishes.frames)
    assert told["--size"] == str(wishes.size)
    assert told["--family"] == f"`{wishes.family}`"
    assert told["--length"] == length_words(wishes.length)
    assert all(f"`{family}`" in PAGE for family in FAMILIES)
