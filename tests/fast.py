"""What `--fast` leaves out, found where it happens: a test that imports a framework or starts a
process is skipped at that moment. So no list of tests has to be kept.
"""

from __future__ import annotations

import sys

import pytest

FRAMEWORKS = {"jax", "keras", "tensorflow"}
PROCESSES = {"os.fork", "os.forkpty", "os.posix_spawn", "os.system", "subprocess.Popen"}

# Where a test does much before it comes to that.
SLOW_FOLDERS = {"disk", "e2e", "engine", "families", "networks"}


class NoFrameworks:
    """First among the finders of modules."""

    def find_spec(self, name: str, *_: object) -> None:
        if name in FRAMEWORKS:
            pytest.skip(f"--fast: imports {name}", allow_module_level=True)


def watch() -> None:
    """From now on, in this process."""
    sys.meta_path.insert(0, NoFrameworks())
    sys.addaudithook(_no_processes)


def _no_processes(event: str, arguments: tuple[object, ...]) -> None:
    if event in PROCESSES:
        pytest.skip("--fast: starts a process")
