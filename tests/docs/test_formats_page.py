"""The page on formats says of each what the tables say."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from jobs.settings.videos import VIDEOS, FormatName, notes_on, notes_on_loop, unfit_film
from jobs.sheets.sheet import read_sheet
from jobs.workspace.paths import Workspace
from multitrain.commands.clips import export, formats
from render.encoding.formats import FORMATS

PAGE = (Path(__file__).parents[2] / "docs" / "formats.md").read_text(encoding="utf-8")


def test_every_format_stands_in_the_table() -> None:
    assert tuple(re.findall(r"(?m)^\| `([\w-]+)` \|", PAGE)) == tuple(VIDEOS)


@pytest.mark.parametrize("name", VIDEOS)
def test_what_is_said_of_a_format(name: FormatName) -> None:
    (row,) = re.findall(rf"(?m)^\| `{name}` \| (.*) \|$", PAGE)
    file, alpha, sizes, _, use = row.split(" | ")
    video = VIDEOS[name]
    assert file.strip("`") == video.suffix + "/" * video.is_folder
    assert (alpha.strip() == "yes") == video.has_alpha
    assert (sizes, use) == (video.sizes, FORMATS[name].use)


def test_which_ones_a_film_cannot_be_made_in() -> None:
    told = re.search(r"can be a film's first format: all but ([^(]+)\(", PAGE)
    assert told
    named = set(re.findall(r"`([\w-]+)`", told[1])) | {"h264-nvenc", "h265-nvenc"}
    assert named == {name for name in VIDEOS if unfit_film(name)}


def test_the_notes_on_the_page_are_real() -> None:
    assert notes_on("hap", 19, 16, 60)[0] in PAGE
    assert notes_on("gif", 64, 64, 60)[0] in PAGE
    assert notes_on_loop("gif", 64, 64, 60)[0] in PAGE


def test_the_sheet_on_the_page_has_no_mistakes(workspace: Workspace, tmp_path: Path) -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    path = tmp_path / "sheet.yaml"
    path.write_text(text, encoding="utf-8")
    (job,) = read_sheet(path, workspace).jobs
    assert job.spec.format == ("h264", "hap", "gif")


def test_commands_and_options_are_there() -> None:
    (call,) = re.findall(r"```sh\n(.*)\n```", PAGE)
    program, command, *_ = shlex.split(call)
    assert (program, command) == ("multitrain", export.command.name)
    params = [*export.command.params, *formats.command.params]
    assert set(re.findall(r"`(--[\w-]+|-o)", PAGE)) <= {opt for p in params for opt in p.opts}
    assert f"multitrain {formats.command.name}" in PAGE
