"""Defaults that fit the size of this machine."""

from __future__ import annotations

import shutil
from pathlib import Path

from multitrain.machine.cores import available_cores

CORES_PER_ENCODER = 4
LARGEST_SPOOL = 32 * 2**30  # bytes
SPOOL_SHARE = 0.25  # of the free disk
MOST_KEPT_FREE = 2 * 2**30  # bytes: for encoders, logs and everybody else
KEPT_FREE_SHARE = 0.05  # of the whole disk, where that is less


def default_encoders() -> int:
    """How many ffmpeg processes still leave the trainers room."""
    return max(1, len(available_cores()) // CORES_PER_ENCODER)


def default_spool_bytes(folder: Path) -> int:
    """Bytes of the spool of all jobs together, by what is free on the disk that holds `folder`."""
    return min(LARGEST_SPOOL, round(shutil.disk_usage(folder).free * SPOOL_SHARE))


def default_keep_free_bytes(folder: Path) -> int:
    """Bytes of the disk that holds `folder`: with less room than this, trainers wait."""
    return min(MOST_KEPT_FREE, round(shutil.disk_usage(folder).total * KEPT_FREE_SHARE))
