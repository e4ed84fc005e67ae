"""A new data set: a folder under `data/` that is there whole or not at all."""

from __future__ import annotations

import os
import re
import shutil
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from jobs.errors import UsageError
from jobs.pictures.finding import DEMO, Unreadable
from jobs.settings.kinds import Name
from jobs.workspace import locks
from jobs.workspace.files import PART, flush_to_disk, listing
from jobs.workspace.paths import Workspace

LONGEST_NAME = 60  # characters of what is called after a video


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
    targets = [place_for(workspace, name) for name in names]
    with ExitStack() as stack:
        yield [stack.enter_context(new_folder(target)) for target in targets]


class Taken(UsageError):
    """Something has the name that a new folder is to have."""


def _is_free(target: Path) -> bool:
    return not os.path.lexists(target)


@contextmanager
def new_folder(target: Path, is_free: Callable[[Path], bool] = _is_free) -> Iterator[Path]:
    """An empty folder to fill, which becomes `target` when all went well.

    No other command can fill it at the same time, or takes it for what a killed one has left. Taken
    where `target` is there, before or after; UsageError where it is being made; whatever is raised
    leaves nothing behind. `is_free` may allow an empty folder in its place.
    """
    _require_free(target, is_free)
    sweep(target.parent)
    part = target.with_name(f".{target.name}{PART}")
    part.mkdir(parents=True, exist_ok=True)
    lock = _lock(part)
    if lock is None:
        raise UsageError(f"{target} is being made by another command; wait for it")
    try:
        yield part
        os.sync()  # at once for all files: before they have the name that says that they are there
        _require_free(target, is_free)
        os.replace(part, target)
        flush_to_disk(target.parent)
    except OSError as error:
        error.filename = error.filename or str(target)
        raise
    finally:
        shutil.rmtree(part, ignore_errors=True)
        os.close(lock)


def plain_name(text: str) -> str:
    """A name for what is made of `text`, the name of a video, as every system takes it."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9]+", "-", plain).strip("-")[:LONGEST_NAME] or "video"


def place_for(workspace: Workspace, name: str) -> Path:
    """Where a new data set of this name goes. UsageError where a name cannot be one."""
    try:
        target = workspace.dataset(TypeAdapter(Name).validate_python(name))
    except ValidationError as error:
        reason = error.errors()[0].get("ctx", {}).get("error", "it must be UTF-8, and not empty")
        raise UsageError(f"{name!r} cannot name a data set: {reason}") from error
    if "," in name:
        raise UsageError(f"{name!r} cannot name a data set: a sheet could not say it")
    if name == DEMO:
        raise UsageError(f"{DEMO!r} is the built-in data set; choose another name")
    return target


def _require_free(target: Path, is_free: Callable[[Path], bool]) -> None:
    if not is_free(target):
        raise Taken(f"{target} is there already; choose another name, or remove it")


def _lock(part: Path) -> int | None:
    """A descriptor that locks the folder until it is closed; None where another process does."""
    try:
        descriptor = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except FileNotFoundError:  # just renamed
        return None
    if not locks.lock(descriptor):
        os.close(descriptor)
        return None
    return descriptor


def sweep(folder: Path) -> None:
    """Remove what commands that were killed have left here."""
    for name in listing(folder):
        if name.startswith(".") and name.endswith(PART) and (folder / name).is_dir():
            with suppress(OSError):
                lock = _lock(folder / name)
                if lock is not None:
                    shutil.rmtree(folder / name, ignore_errors=True)
                    os.close(lock)
