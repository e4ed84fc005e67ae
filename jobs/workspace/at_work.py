"""Whether a farm is at work in a workspace: somebody holds its lock, which the farm takes.

The lock is on two things at once (`multitrain.farm.workspace_lock` says why): the file `farm.lock`
and the folder `runs`.
"""

from __future__ import annotations

import os
from contextlib import suppress

from jobs.workspace import locks
from jobs.workspace.paths import Workspace


def is_held(workspace: Workspace) -> bool:
    """Whether a farm, or a process that it left behind, is at work here."""
    for is_open in (open_folder, _open_file):
        try:
            descriptor = is_open(workspace)
        except OSError:
            continue
        with suppress(OSError):  # no locks there
            try:
                # Shared: two processes that test it do not disturb each other.
                if not locks.lock(descriptor, shared=True):
                    return True
            finally:
                os.close(descriptor)
    return False


def open_folder(workspace: Workspace) -> int:
    """A descriptor of the folder that the lock is on. OSError where it is not there."""
    return os.open(workspace.runs, os.O_RDONLY | os.O_DIRECTORY)


def _open_file(workspace: Workspace) -> int:
    return locks.open_file(workspace.lock, create=False)
