"""A later take replaces an earlier one; nothing that was made is lost meanwhile.

While the later take is made, the earlier film stays where it is: `runs/<job>/replaces.json` makes
outputs of the later one appear in `renders/next/<job>/`. When that is complete, the earlier one
moves to `renders/earlier/`. Only `drop` deletes what somebody may want.

All functions raise OSError where the disk takes no more, and MultitrainError where something lies
in the way. Then nothing has changed, or `jobs.workspace.moves` completes the moves later.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from jobs.workspace.files import PART, link, listing, remove, write_text
from jobs.workspace.moves import Move, finish_moves, move_all
from jobs.workspace.paths import JobPaths
from render.films.earlier import EarlierTake, next_take, outputs_in, replaced_by
from render.films.extent import has_begun

STATE = ("job.yaml", "checkpoints", "kept")  # what a run folder needs for a film to go on


def begin_anew(paths: JobPaths) -> None:
    """Have the job begin with nothing; all that it has made is kept.

    Its films stay in their place until new ones are there. A take in the making is set aside.
    """
    replaced, in_the_making = replaced_by(paths), _in_the_making(paths)
    if replaced and not (in_the_making or has_begun(paths)):
        return
    aside = next_take(paths)
    moves = [Move(paths.run, aside.run), Move(paths.removed, next_take(paths, 2).run)]
    if replaced:
        moves += _into(aside.outputs, in_the_making)
    else:
        # Without `replaces.json`, these are leftovers of no known take.
        moves += _into(next_take(paths, 1).outputs, in_the_making)
        if paths.run.exists() or outputs_in(paths.workspace.renders, paths.name):
            replaced = aside
    with _sweeping(paths):
        if replaced:
            _write_mark(paths, replaced)
            moves.append(Move(paths.beginning_run, paths.run))
        move_all(paths, moves, [aside.run / paths.replaces.name])


def begin_longer(paths: JobPaths, published: Collection[Path], known: Mapping[Path, str]) -> None:
    """Have the job go on beyond the end of its film, which stays in its place until then.

    Its timecuts and PNG frames, the files `published`, become those of the longer film as well;
    `known` are the files of the run folder that tell of them, with their texts. What it takes to go
    on from the earlier film's end is kept with that film. A film that is not in its place, because
    an even earlier one is, is set aside at once.
    """
    replaced, in_the_making, aside = replaced_by(paths), _in_the_making(paths), next_take(paths)
    next_folder = paths.workspace.next / paths.name
    outputs, kept = _half_made(paths)
    with _sweeping(paths):
        for folder in (outputs, kept):
            remove(folder)
            folder.mkdir(parents=True)
        for name in STATE:
            _link_all(paths.run / name, kept / name)
        moves = [Move(kept, aside.run), Move(paths.made_folder, aside.run / paths.made_folder.name)]
        if replaced:
            moves += _into(aside.outputs, [each for each in in_the_making if each not in published])
        else:
            for path in published:
                _link_all(path, outputs / path.name)
            moves += _into(next_take(paths, 1).outputs, in_the_making)
            moves += _into(next_folder, [outputs / path.name for path in published])
            moves.append(Move(_write_mark(paths, aside), paths.replaces))
        for file, text in known.items():
            ready = paths.beginning_run / file.relative_to(paths.run)
            ready.parent.mkdir(parents=True, exist_ok=True)
            ready.write_text(text)
        for folder in {file.parent for file in known}:
            if folder == paths.made_folder or not folder.exists():  # that one has moved by then
                moves.append(Move(paths.beginning_run / folder.name, folder))
        os.sync()
        move_all(paths, moves)


def put_in_place(paths: JobPaths) -> None:
    """Put the new film, which is complete, in the place of the earlier one, which is kept.

    Nothing happens where there is none to replace.
    """
    finish_moves(paths)
    replaced = replaced_by(paths)
    if replaced is None:
        return
    moves = _into(replaced.outputs, outputs_in(paths.workspace.renders, paths.name))
    moves += _into(paths.workspace.renders, _in_the_making(paths))
    move_all(paths, moves, [paths.replaces])
    sweep_beginnings(paths)


def set_aside(paths: JobPaths, files: Iterable[Path], notes: Sequence[Path] = ()) -> None:
    """Move single outputs to where earlier ones are kept: others take their place.

    With them go the `notes` that say that they are made.
    """
    there = [file for file in files if os.path.lexists(file)]
    if there or notes:
        move_all(paths, _into(next_take(paths).outputs, there), notes)


def restore(take: EarlierTake) -> None:
    """Put an earlier take back in its place; what is there now becomes an earlier take itself.

    A take in the making is given up for it, and kept as well.
    """
    paths = take.workspace.job(take.job)
    finish_moves(paths)
    aside, replaced = next_take(paths), replaced_by(paths)
    if not take.is_whole:
        there = [paths.outputs / file.name for file in take.files]
        moves = _into(aside.outputs, [file for file in there if os.path.lexists(file)])
        move_all(paths, moves + _into(paths.outputs, take.files))
    else:
        moves = _into(aside.outputs, outputs_in(paths.outputs, take.job))
        if replaced and replaced != take:
            in_place = outputs_in(take.workspace.renders, take.job)
            moves += _into(replaced.outputs, in_place)
        moves += [Move(paths.run, aside.run), Move(take.run, paths.run)]
        moves += _into(take.workspace.renders, take.files)
        move_all(paths, moves, [aside.run / paths.replaces.name])
    with suppress(OSError):  # something else lies there
        take.outputs.rmdir()
    sweep_beginnings(paths)


def drop(take: EarlierTake) -> None:
    """Delete an earlier take for good; one that is still in its place is left alone."""
    finish_moves(take.workspace.job(take.job))
    if not take.is_in_place:
        for folder in (take.outputs, take.run):
            remove(folder)


def sweep_beginnings(paths: JobPaths) -> None:
    """Remove what was made ready for a take whose beginning was cut off, and empty folders."""
    for folder in (*_half_made(paths), paths.beginning_run):
        if folder.exists():
            remove(folder)
    if not paths.replaces.exists():
        for folder in (paths.workspace.next / paths.name, paths.workspace.next):
            with suppress(OSError):  # something else lies there
                folder.rmdir()


@contextmanager
def _sweeping(paths: JobPaths) -> Iterator[None]:
    """Removes what the block has made ready, where it fails before the first move."""
    try:
        yield
    finally:
        if not paths.moves.exists():
            sweep_beginnings(paths)


def _in_the_making(paths: JobPaths) -> list[Path]:
    return outputs_in(paths.workspace.next / paths.name, paths.name)


def _write_mark(paths: JobPaths, earlier: EarlierTake) -> Path:
    """Write `replaces.json` into the folder that may become the run folder; returns its path."""
    mark = paths.beginning_run / paths.replaces.name
    write_text(mark, json.dumps({"earlier": earlier.name}, ensure_ascii=False) + "\n")
    return mark


def _half_made(paths: JobPaths) -> tuple[Path, Path]:
    """Folders of links to an earlier take: to its outputs, and to what is needed to go on."""
    name = paths.beginning_run.name
    return paths.workspace.next / name, paths.workspace.earlier_runs / name


def _into(folder: Path, files: Iterable[Path]) -> list[Move]:
    return [Move(file, folder / file.name) for file in files]


def _link_all(source: Path, target: Path) -> None:
    """Link a file, or all files of a folder, to `target`; nothing happens where there is none."""
    if source.is_dir():
        target.mkdir()
        for name in listing(source):
            if not name.endswith(PART):
                link(source / name, target / name)
    elif source.exists():
        link(source, target)
