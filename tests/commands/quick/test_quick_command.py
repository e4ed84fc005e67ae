"""`multitrain quick` as it is called: wrong calls, questions, and whom it waits for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from shlex import quote

import pytest
from click.testing import CliRunner, Result

from jobs.workspace.paths import Workspace
from multitrain.commands.cli import commands
from multitrain.commands.quick import command as quick
from tests.command_line import frameworks_loaded_by
from tests.footage import write_video


@pytest.fixture(autouse=True)
def place(
    workspace: Workspace,
    make_pictures: Callable[..., list[Path]],
    monkeypatch: pytest.MonkeyPatch,
) -> Workspace:
    """A film, pictures, and things that are called as others want to be."""
    monkeypatch.chdir(workspace.root)
    write_video(workspace.root / "clip.mkv", 6)
    make_pictures(workspace.root / "photos", count=5, size=(64, 36))
    (workspace.root / "nothing").mkdir()
    (workspace.root / "taken.yaml").write_text("jobs: []\n")
    (workspace.root / "seen_contact.png").write_text("mine")
    workspace.dataset("waves").mkdir(parents=True)
    workspace.job("night").run.mkdir(parents=True)
    return workspace


def call(*arguments: str, said: str = "") -> Result:
    return CliRunner().invoke(commands, ["quick", *arguments], input=said)


def told(result: Result) -> str:
    return str(result.exception) if result.exc_info and not result.output else result.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("clap.mkv",), "there is no file or folder 'clap.mkv'"),
        (("photos/000.png",), "is one picture"),
        (("nothing",), "nothing holds no videos and no pictures"),
        ((".",), "where things are made"),
        (("ftp://example.org/a.mp4",), "is no address"),
        (("clip.mkv", "--name", "demo"), "'demo' is the built-in data set"),
        (("clip.mkv", "--name", "a/b"), "cannot name a data set"),
        (("clip.mkv", "--name", "taken"), "taken.yaml is there already"),
        (("clip.mkv", "--name", "seen"), "seen_contact.png is there already"),
        (("clip.mkv", "--name", "waves"), "the data set waves is there already"),
        (("clip.mkv", "--name", "night"), "a job night is here already"),
        (("clip.mkv", "--gpus", "many"), "--gpus must be all, cpu or a list"),
        (("clip.mkv", "--family", "cyclegan"), "--family"),
        (("clip.mkv", "--length", "0"), "--length"),
        (("clip.mkv", "--size", "4"), "--size"),
    ],
)
def test_a_wrong_call_is_told_and_nothing_is_made(arguments: tuple[str, ...], words: str) -> None:
    if arguments[0].startswith("photos/"):
        arguments = (str(next(Path("photos").iterdir())), *arguments[1:])
    before = sorted(Path().rglob("*"))
    result = call(*arguments)
    assert getattr(result.exception, "exit_code", result.exit_code) == 2
    assert words in told(result)
    assert sorted(Path().rglob("*")) == before


def test_a_wrong_call_loads_no_framework() -> None:
    said, loaded = frameworks_loaded_by("multitrain.commands.quick.command", "clap.mkv")
    assert "there is no file or folder" in said
    assert loaded == "[]"


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The steps that were told, and that did nothing."""
    done: list[str] = []
    monkeypatch.setattr(quick._Doing, "_do", lambda _, step: done.append(str(step)))
    return done


def test_on_a_terminal_it_asks_and_waits_for_a_yes(
    steps: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quick, "_has_terminal", lambda: True)
    refused = call("photos", "--length", "2s", said="trip\nupconv\n\nn\n")
    assert refused.exit_code == 75, told(refused)
    assert steps == [
        f"multitrain dataset inspect {quote(str(Path('photos').absolute()))} "
        "--sheet trip_contact.png",
        "multitrain check trip.yaml --measure",
    ]
    assert "quick photos --name trip --frames 400 --size 192 --family upconv --length 2s" in (
        refused.output
    )
    assert "convolution_g: upconv" in Path("trip.yaml").read_text()
    Path("trip_contact.png").touch()

    steps.clear()
    wanted = call("photos", said="trip\ny\n")  # what was answered once is not asked again
    assert wanted.exit_code == 0, told(wanted)
    assert steps == ["multitrain check trip.yaml --measure", "multitrain run trip.yaml"]


def test_without_a_terminal_it_stops_after_all_is_written(steps: list[str]) -> None:
    waiting = call("photos")
    assert waiting.exit_code == 75
    assert [step.split()[1] for step in steps] == ["dataset", "check"]
    (go_on,) = (line for line in waiting.output.splitlines() if line.startswith("Go on with: "))
    steps.clear()
    assert call(*go_on.split()[5:]).exit_code == 0
    assert steps[-1] == "multitrain run photos.yaml"


def test_a_training_that_was_wanted_once_is_gone_on_with(
    place: Workspace, steps: list[str]
) -> None:
    assert call("photos").exit_code == 75
    place.job("photos").run.mkdir()
    assert call("photos").exit_code == 0
    assert steps[-1] == "multitrain run photos.yaml"


def test_an_edited_sheet_stays_as_it_is(steps: list[str]) -> None:
    call("photos")
    sheet = Path("photos.yaml")
    edited = sheet.read_text().replace("grid_width: ", "grid_width: 1 # ")
    sheet.write_text(edited)
    assert call("photos", "--yes").exit_code == 0
    assert sheet.read_text() == edited
    assert steps[-1] == "multitrain run photos.yaml"
