"""Whether the outputs of a farm can be written, tried before it begins."""

from __future__ import annotations

from pathlib import Path

from jobs.errors import UsageError
from jobs.workspace.disk import means_full
from jobs.workspace.files import PART, write_text

PROBE = " " * 65536  # enough to need room of its own on any file system


def is_full(folder: Path) -> bool:
    """Whether a write to `folder` fails for want of room."""
    try:
        _try(folder)
    except OSError as error:
        return means_full(error)
    return False


def check_writable(folder: Path, *, may_be_full: bool = False) -> None:
    """UsageError where `folder` cannot be written to, or made."""
    try:
        _try(folder)
    except OSError as error:
        if means_full(error) and may_be_full:
            return
        reason = (error.strerror or str(error)).casefold()
        advice = "make room" if means_full(error) else "mend that"
        raise UsageError(
            f"{folder} cannot be written ({reason}); {advice} or choose another --workspace"
        ) from error


def _try(folder: Path) -> None:
    probe = folder / f".probe{PART}"
    write_text(probe, PROBE)
    probe.unlink()
