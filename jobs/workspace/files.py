"""Files that exist only whole: written beside, flushed, renamed; and what lies in folders."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

PART = ".part"  # the ending of a file that is not whole yet
SOME = 200  # names that are looked up one by one: faster than listing a folder of thousands


def listing(folder: Path) -> list[str]:
    """Names in `folder`, sorted; none where it does not exist."""
    try:
        return sorted(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return []


def present(folder: Path, names: Sequence[str]) -> set[str]:
    """The `names` that lie in `folder`.

    A few are looked up one by one, for the folder may hold the files of thousands of jobs.
    """
    if len(names) > SOME:
        return set(listing(folder)).intersection(names)
    found = set()
    for name in names:
        with suppress(FileNotFoundError, NotADirectoryError):
            os.lstat(folder / name)
            found.add(name)
    return found


def modified(path: Path) -> int:
    """When a file was last written to, or a name in a folder came or went, in nanoseconds.

    0 where there is neither.
    """
    try:
        return path.stat().st_mtime_ns
    except (FileNotFoundError, NotADirectoryError):
        return 0


def part_of(path: Path) -> Path:
    """The temporary name under which `path` is written."""
    return path.with_name(path.name + PART)


@contextmanager
def atomic_write(path: Path, *, flush: bool = True, part: Path | None = None) -> Iterator[Path]:
    """Yields a temporary path beside `path`; on success it is flushed and renamed to `path`.

    `part` is another temporary path than usual, where several processes may write `path`. On an
    error the temporary file is removed and `path` stays as it was. Without `flush`, a power cut may
    leave an empty file, or none.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = part or part_of(path)
    try:
        yield part
        if flush:
            publish(part, path)
        else:
            os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def publish(part: Path, path: Path) -> None:
    """Flush the finished file `part` to the disk and give it its final name."""
    flush_to_disk(part)
    os.replace(part, path)
    flush_to_disk(path.parent)


def flush_to_disk(path: Path) -> None:
    """fsync a file or a directory, so that it outlives a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove(path: Path) -> None:
    """Remove a file or a folder with all in it, whether it is there or not."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def write_text(path: Path, text: str, *, flush: bool = True) -> None:
    """Write a small file so that it exists only whole; `flush` as for `atomic_write`.

    The text is written as UTF-8; paths whose bytes are not UTF-8 keep these bytes.
    """
    with atomic_write(path, flush=flush) as part:
        part.write_text(text, encoding="utf-8", errors="surrogateescape")


def link(source: Path, target: Path) -> None:
    """Give a file one more name, its own bytes; on file systems without links, a copy."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
        flush_to_disk(target)
