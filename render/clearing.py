"""Clearing up: what was left half-made, and what a job that is done needs no more."""

from __future__ import annotations

import shutil
from pathlib import Path

from jobs.paths import PART, JobPaths, OutputName, listing, part_of
from render.commands import LIST
from render.spool import locked


def clear_up(paths: JobPaths) -> None:
    """Remove what only a job in flight needs: its batches, segments and older checkpoints."""
    with locked(paths):
        shutil.rmtree(paths.spool, ignore_errors=True)
        shutil.rmtree(paths.segments, ignore_errors=True)
        for old in paths.checkpoint_names()[:-1]:
            paths.checkpoint(old).unlink(missing_ok=True)


def sweep(paths: JobPaths) -> None:
    """Remove what a worker left half-made: segments, pictures, and outputs in `renders`."""
    half_made = [part_of(paths.latest), part_of(paths.render_failure)]
    half_made += [paths.segments / name for name in listing(paths.segments) if name.endswith(PART)]
    half_made += [paths.frames / name for name in listing(paths.frames) if name.endswith(PART)]
    renders = paths.workspace.renders
    half_made += [renders / name for name in listing(renders) if _is_half_made(name, paths)]
    for path in half_made:
        remove(path)


def _is_half_made(name: str, paths: JobPaths) -> bool:
    whole = name.removesuffix(PART).removesuffix(LIST)
    output = OutputName.parse(whole)
    mine = whole == paths.manifest.name or (output is not None and output.job == paths.name)
    return mine and whole != name


def remove(path: Path) -> None:
    """Remove a file or a folder with all in it, whether it is there or not."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
