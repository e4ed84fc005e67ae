"""Keeps what goes on from frame to frame, so that a call that was killed goes on there."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from jobs.workspace.files import atomic_write
from multitrain.applying.steadying import Memory

NAME = "memory.npz"  # beside the pieces of a video
FRAMES = "frames"

_DAMAGED = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile)


class Kept(NamedTuple):
    """What the frame after the first so many needs of those before."""

    frames: int
    memory: Memory


def keep(folder: Path, kept: Kept) -> None:
    """Replaces what was kept there. OSError where the disk takes no more."""
    arrays: dict[str, Any] = kept.memory.state | {FRAMES: np.array(kept.frames)}
    with atomic_write(folder / NAME) as part, part.open("wb") as file:
        np.savez(file, **arrays)


def kept_in(folder: Path) -> Kept | None:
    """None where nothing is, or it is damaged: the file has a checksum of each array."""
    try:
        with np.load(folder / NAME) as file:
            state = dict(file)
        return Kept(int(state.pop(FRAMES)), Memory.of(state))
    except _DAMAGED:
        return None
