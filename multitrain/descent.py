"""Whether a process is one of ours: those that the farm started, and what they have started."""

from __future__ import annotations

import os

import psutil


def is_ours(pid: int) -> bool:
    """Whether this process started the one of this number, or one that did, and so on.

    What outlives the one that started it counts as somebody else's.
    """
    try:
        return any(parent.pid == os.getpid() for parent in psutil.Process(pid).parents())
    except psutil.Error:  # gone; or of another namespace, where the driver tells such numbers
        return False
