"""Whether a process is one of ours: those that the farm started, and what they have started."""

from __future__ import annotations

import os

import psutil


def is_ours(pid: int) -> bool:
    """Whether this process started the process `pid`, or one that did, and so on.

    A process that outlives the one that started it does not count as ours.
    """
    try:
        return any(parent.pid == os.getpid() for parent in psutil.Process(pid).parents())
    except psutil.Error:  # gone; or in another namespace, whose numbers the driver may report
        return False
