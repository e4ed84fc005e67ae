"""Files that change their places together, however often that is cut off."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from jobs.errors import MultitrainError
from jobs.workspace.moves import Move, finish_moves, move_all, names_with_moves
from jobs.workspace.paths import Workspace


class Killed(BaseException):
    pass


@pytest.mark.parametrize("renames", range(6))
def test_a_swap_that_is_cut_off_is_finished_later(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, renames: int
) -> None:
    """Whichever rename comes last: after the next one's turn all is as if nothing had been."""
    paths = workspace.job("a")
    old, new, kept = (workspace.root / name for name in ("film", "next/film", "earlier/film"))
    for path, text in ((old, "old"), (new, "new"), (paths.replaces, "")):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    moves = [Move(old, kept), Move(new, old), Move(workspace.root / "gone", workspace.root / "x")]
    real, left = os.replace, renames

    def count_down(source: Path, target: Path) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise Killed
        real(source, target)

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", count_down)
        try:
            move_all(paths, moves, [paths.replaces])
        except Killed:
            texts = {path.read_text() for path in (old, new, kept) if path.exists()}
            assert texts == {"old", "new"}
    if names_with_moves(workspace.runs):
        assert finish_moves(paths)
    elif renames == 0:
        assert old.read_text() == "old"
        return
    assert (old.read_text(), kept.read_text()) == ("new", "old")
    assert not any(path.exists() for path in (new, paths.replaces, paths.moves))
    assert not finish_moves(paths)


def test_nothing_is_replaced(workspace: Workspace) -> None:
    a, b = workspace.root / "a", workspace.root / "b"
    for path in (a, b):
        path.write_text(path.name)
    with pytest.raises(MultitrainError, match="is in the way of"):
        move_all(workspace.job("x"), [Move(a, b)])
    assert (a.read_text(), b.read_text()) == ("a", "b")


def test_what_is_damaged_is_told(workspace: Workspace) -> None:
    paths = workspace.job("a")
    paths.moves.parent.mkdir()
    paths.moves.write_text("{")
    with pytest.raises(MultitrainError, match="is damaged: it told which files of a"):
        finish_moves(paths)
