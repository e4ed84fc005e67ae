"""`multitrain moments`: the best moments of films that are there."""

from __future__ import annotations

from click.testing import CliRunner

from multitrain.commands.cli import commands
from tests.footage import write_video
from tests.serving.stage import a_job


def called(workspace, *arguments):
    call = ["moments", *arguments, "--workspace", str(workspace.root)]
    return CliRunner().invoke(commands, call)


def test_moments_are_told_with_their_stills(workspace):
    for name in ("night", "day"):
        a_job(name).save(workspace.job(name))
    film = workspace.job("night").film()
    film.parent.mkdir(exist_ok=True)
    write_video(film, 100)
    said = called(workspace, "--all")
    assert said.exit_code == 0
    lines = [line.split() for line in said.stdout.splitlines()]
    assert len(lines) == 6
    for name, seconds, unit, still in lines:
        assert (name, unit) == ("night", "s")
        assert still == f"runs/night/moments/{round(float(seconds) * 25):09d}.jpg"
        assert (workspace.root / still).is_file()
    assert called(workspace, "night").stdout == said.stdout


def test_what_cannot_be_told(workspace):
    a_job("night").save(workspace.job("night"))
    for call in ((), ("night",), ("nobody",), ("--all", "night")):
        said = called(workspace, *call)
        assert said.exception
        assert "\n" not in str(said.exception)
    film = workspace.job("night").film()
    film.parent.mkdir(exist_ok=True)
    film.write_bytes(b"no film")
    said = called(workspace, "night")
    assert said.exit_code == 1
    assert said.stderr.startswith("night: ")
