"""`dataset convert` as a user calls it, and the pictures that it makes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from jobs.workspace.paths import Workspace
from multitrain.commands.cli import commands

Call = Callable[..., Result]


@pytest.fixture
def call(workspace: Workspace) -> Call:
    """`call("in other", "out", "--flip")`: folders in the workspace, a name, options."""

    def run(sources: str, name: str, options: str = "") -> Result:
        folders = [str(workspace.root / each) for each in sources.split()]
        words = ["dataset", "convert", *folders, name, *options.split()]
        return CliRunner().invoke(commands, [*words, "--workspace", str(workspace.root)])

    return run


def made(workspace: Workspace, name: str) -> dict[str, Image.Image]:
    """The pictures of a data set by their paths in it."""
    folder = workspace.dataset(name)
    found = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        with Image.open(path) as picture:
            picture.load()
        found[str(path.relative_to(folder))] = picture
    return found
