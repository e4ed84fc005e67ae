"""The commands of the page on loops are calls that could be made."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.command_line import command_named

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "loops.md").read_text(encoding="utf-8")
CALLS = re.findall(r"(?m)^(?:\$ )?multitrain (.*?)(?: +#.*)?$", PAGE)
LARGEST_PICTURE = 300_000  # bytes


@pytest.mark.parametrize("call", CALLS)
def test_the_calls_of_the_page_are_understood(call: str) -> None:
    name, *words = shlex.split(call)
    command = command_named(name)
    with command.make_context(name, words):
        pass


def test_every_option_of_loop_stands_on_the_page() -> None:
    options = {option.opts[-1] for option in command_named("loop").params} - {"source"}
    told = set(re.findall(r"`?(--[a-z]+(?:-[a-z]+)*)", PAGE)) | {"--output", "--workspace"}
    assert options <= told


def test_its_pictures_are_there_and_small() -> None:
    pictures = re.findall(r"\]\((images/.*?)\)", PAGE)
    assert pictures
    assert all((DOCS / picture).stat().st_size < LARGEST_PICTURE for picture in pictures)
