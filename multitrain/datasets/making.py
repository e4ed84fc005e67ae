"""A new data set: a folder under `data/` that is there whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from jobs.errors import UsageError
from jobs.kinds import Name
from jobs.paths import Workspace, flush_to_disk
from jobs.pictures import DEMO, Unreadable


@dataclass(frozen=True)
class Made:
    """What became of some input: pictures of a new data set, and what was left out.

    `notes` are sentences for the user, `facts` further figures for machines.
    """

    folder: Path
    pictures: int
    left_out: tuple[Unreadable, ...] = ()
    notes: tuple[str, ...] = ()
    facts: dict[str, object] = field(default_factory=dict)


@contextmanager
def new_data_set(workspace: Workspace, *names: str) -> Iterator[Sequence[Path]]:
    """Empty folders to fill, one for each name; they become `data/<name>` when all went well.

    UsageError, with nothing changed, where a name cannot be one or is taken. Whatever is raised
    meanwhile leaves nothing behind.
    """
    targets = [_target(workspace, name) for name in names]
    parts = [target.with_name(f".{target.name}.part") for target in targets]
    try:
        for part in parts:
            shutil.rmtree(part, ignore_errors=True)  # of one that was killed
            part.mkdir(parents=True)
        yield parts
        for part, target in zip(parts, targets, strict=True):
            os.replace(part, target)
        flush_to_disk(workspace.data)
    finally:
        for part in parts:
            shutil.rmtree(part, ignore_errors=True)


def _target(workspace: Workspace, name: str) -> Path:
    try:
        target = workspace.dataset(TypeAdapter(Name).validate_python(name))
    except ValidationError as error:
        reason = error.errors()[0].get("ctx", {}).get("error", "must be the name of a folder")
        raise UsageError(f"{name!r} cannot name a data set: {reason}") from error
    if name == DEMO:
        raise UsageError(f"{DEMO!r} is the built-in data set; choose another name")
    if target.exists():
        raise UsageError(f"{target} is there already; choose another name, or remove it")
    return target
