"""Several files and folders that change their places together: all of them, even after a kill.

The renames are written down first. After a kill, the next process does what is left of them: a
rename is due while its source is there and its target is not. No file is ever replaced.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from jobs.errors import MultitrainError
from jobs.reading import read_json
from jobs.workspace.files import flush_to_disk, listing, write_text
from jobs.workspace.paths import JobPaths


class Move(NamedTuple):
    """A rename, between places below the workspace's root; both lie on one disk."""

    source: Path
    target: Path


def move_all(paths: JobPaths, moves: Sequence[Move], ends: Sequence[Path] = ()) -> None:
    """Do `moves` in their order, then remove the small files `ends`, which say that they are due.

    Those whose source is not there are left out. MultitrainError, with nothing changed, where
    something lies in the way of one; OSError where a move fails: `finish_moves` does the rest.
    """
    root = paths.workspace.root
    # Looked at before the first move: later, something else may lie at one of the sources.
    moves = [move for move in moves if os.path.lexists(move.source)]
    _require_room(moves)
    record = {
        "moves": [[_within(root, move.source), _within(root, move.target)] for move in moves],
        "ends": [_within(root, end) for end in ends],
    }
    write_text(paths.moves, json.dumps(record, indent=2, ensure_ascii=False) + "\n")
    finish_moves(paths)


def finish_moves(paths: JobPaths) -> bool:
    """Do what is left of moves that were begun; whether there were any.

    OSError where one fails, MultitrainError where the record of them is damaged.
    """
    root = paths.workspace.root
    try:
        record = read_json(paths.moves, dict)
        moves = [Move(root / source, root / target) for source, target in record["moves"]]
        ends = [root / end for end in record["ends"]]
    except FileNotFoundError:
        return False
    except (ValueError, KeyError, TypeError) as error:
        raise MultitrainError(
            f"{paths.moves} is damaged: it told which files of {paths.name} were to change their "
            f"places; look for them in {paths.workspace.next} and {paths.workspace.earlier}, and "
            "then delete it"
        ) from error
    for move in moves:
        _rename(move)
    for folder in {folder for move in moves for path in move for folder in path.parents[:2]}:
        if folder.is_dir():
            flush_to_disk(folder)
    for path in (*ends, paths.moves):
        path.unlink(missing_ok=True)
    return True


def names_with_moves(runs: Path) -> list[str]:
    """Names of the jobs whose moves were begun and not ended, by what lies in `runs`."""
    ending = ".moves"
    found = (name for name in listing(runs) if name.startswith(".") and name.endswith(ending))
    return [name[1 : -len(ending)] for name in found]


def _require_room(moves: Sequence[Move]) -> None:
    leaving: set[Path] = set()
    for move in moves:
        if os.path.lexists(move.target) and move.target not in leaving:
            raise MultitrainError(f"{move.target} is in the way of {move.source}; move it away")
        leaving.add(move.source)


def _rename(move: Move) -> None:
    if os.path.lexists(move.source) and not os.path.lexists(move.target):
        move.target.parent.mkdir(parents=True, exist_ok=True)
        flush_to_disk(move.source)
        os.replace(move.source, move.target)


def _within(root: Path, path: Path) -> str:
    return str(path.relative_to(root))
