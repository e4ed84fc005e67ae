"""Claims on files that are being made: no other process makes or sweeps them meanwhile.

Beside the temporary file `night.gif.part` of `night.gif` lies its claim, `.night.gif.claim.part`:
an empty file that the process which makes `night.gif` holds locked. A claim that nobody holds was
left by a process that was killed: it is removed with its `.part`. Other `.part` files are not ours.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from jobs.errors import MultitrainError
from jobs.workspace import locks
from jobs.workspace.files import PART, listing, part_of, publish, remove
from render.encoding.commands import LIST

CLAIM = f".claim{PART}"
LOOKS, PAUSE = 10, 0.05  # tries, seconds between: a process that sweeps holds claims for a moment

_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL)


class BeingMade(MultitrainError):
    """Another process makes the same file."""


@contextmanager
def making(output: Path) -> Iterator[Path]:
    """A temporary path for a file; left without an exception, it is flushed and becomes `output`.

    BeingMade where another process makes the same.
    """
    with claimed(output) as part:
        yield part
        publish(part, output)


@contextmanager
def claimed(output: Path) -> Iterator[Path]:
    """A temporary path for `output` that no other process uses; what is left of it is removed.

    So is what killed processes have left in the same folder. BeingMade where another process makes
    the same.
    """
    output.parent.mkdir(parents=True, exist_ok=True)
    sweep(output.parent)
    claim = output.with_name(f".{output.name}{CLAIM}")
    lock = _take(claim, output)
    try:
        _remove_half_made(output)
        yield part_of(output)
    finally:
        _remove_half_made(output)
        claim.unlink(missing_ok=True)
        if lock is not None:
            os.close(lock)


def sweep(folder: Path) -> None:
    """Remove what processes that were killed have left half-made in this folder."""
    for name in listing(folder):
        if name.startswith(".") and name.endswith(CLAIM):
            with suppress(OSError):  # swept by somebody else, or on a disk without locks
                _sweep(folder / name, folder / name[1:].removesuffix(CLAIM))


def _sweep(claim: Path, output: Path) -> None:
    descriptor = locks.open_file(claim, create=False)
    try:
        if locks.lock(descriptor) and locks.is_at(claim, descriptor):
            _remove_half_made(output)
            claim.unlink()
    finally:
        os.close(descriptor)


def _take(claim: Path, output: Path) -> int | None:
    """The descriptor of the lock; None where the disk knows no locks."""
    for look in range(LOOKS):
        if look:
            time.sleep(PAUSE)
        try:
            lock = locks.take(claim)
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
            return None
        if lock is not None:
            return lock
    raise BeingMade(f"{output} is being made by another process; wait for it, or name another file")


def _remove_half_made(output: Path) -> None:
    """Remove the temporary file of `output`, and the list of files that ffmpeg is to join."""
    remove(part_of(output))
    remove(part_of(output.with_name(output.name + LIST)))
