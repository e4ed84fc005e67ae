"""`multitrain logs`."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from jobs.errors import UsageError
from jobs.workspace.paths import Workspace
from jobs.workspace.store import Store
from multitrain.commands import logs as cli_logs
from multitrain.commands.cli import commands
from multitrain.commands.logs import tail


@pytest.fixture
def log(workspace: Workspace) -> Path:
    store = Store(workspace.store)
    store.add([("waves", 100)])
    store.close()
    path = workspace.job("waves").log
    path.parent.mkdir(parents=True)
    return path


def logs(workspace: Workspace, *arguments: str) -> tuple[int, str]:
    told = CliRunner().invoke(commands, ["logs", *arguments, "--workspace", str(workspace.root)])
    assert told.exception is None or isinstance(told.exception, SystemExit), told.exception
    return told.exit_code, told.output


@pytest.mark.parametrize(
    ("text", "lines", "shown"),
    [
        ("a\nb\nc\n", 2, "b\nc\n"),
        ("a\nb\nc", 2, "b\nc"),
        ("a\n", 2, "a\n"),
        ("", 2, ""),
        ("a\nb\n", 0, ""),
        ("\n\n\n", 2, "\n\n"),
    ],
)
@pytest.mark.parametrize("chunk", [1, 3, 2**16])
def test_the_last_lines(
    log: Path, monkeypatch: pytest.MonkeyPatch, text: str, lines: int, shown: str, chunk: int
) -> None:
    monkeypatch.setattr(cli_logs, "CHUNK", chunk)
    log.write_text(text)
    assert b"".join(tail(log, lines, lambda: False)) == shown.encode()


def followed(log: Path, *happenings: Callable[[], object]) -> bytes:
    """What is shown while one thing after the other happens to the log."""
    coming = iter(happenings)
    left = len(happenings)

    def pause(_: float) -> None:
        nonlocal left
        left -= 1
        next(coming)()

    return b"".join(tail(log, 1, lambda: left > 0, pause))


def add(log: Path, text: str) -> None:
    with log.open("a") as file:
        file.write(text)


def replace(log: Path, text: str) -> None:
    log.with_suffix(".new").write_text(text)
    os.replace(log.with_suffix(".new"), log)


def test_what_comes_later_is_followed(log: Path) -> None:
    shown = followed(log, lambda: log.write_text("one\ntwo\n"), lambda: add(log, "three\n"))
    assert shown == b"one\ntwo\nthree\n"


def test_a_log_that_is_begun_anew_is_followed(log: Path) -> None:
    log.write_text("one\ntwo\n")
    shown = followed(
        log, lambda: replace(log, "three\nfour\nfive\n"), lambda: log.write_text("6\n")
    )
    assert shown == b"two\nthree\nfour\nfive\n6\n"


def test_the_command(workspace: Workspace, log: Path) -> None:
    assert logs(workspace, "waves") == (0, "waves has not begun.\n")
    log.write_text("one\ntwo\n")
    assert logs(workspace, "waves", "-n", "1") == (0, "two\n")


def test_a_job_that_is_not_there(workspace: Workspace, log: Path) -> None:
    with pytest.raises(UsageError, match=r"There is no job 'wave' in .*; did you mean 'waves'\?"):
        CliRunner().invoke(
            commands,
            ["logs", "wave", "--workspace", str(workspace.root)],
            catch_exceptions=False,
            standalone_mode=False,
        )
