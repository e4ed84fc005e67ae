"""What `--fast` leaves out, found where it happens: a test that imports a framework or starts a
process is skipped at that moment. So no list of tests has to be kept.
"""

from __future__ import annotations

import platform
import sys

import pytest

FRAMEWORKS = {"jax", "keras", "tensorflow"}
PROCESSES = {"os.fork", "os.forkpty", "os.posix_spawn", "os.system", "subprocess.Popen"}

# Where tests do much before they come to that, or wait for what a process is to do; or where they
# take long by themselves.
SLOW_PLACES = {
    *("disk", "e2e", "engine", "executors", "families", "networks", "scripts", "startup"),
    *("serving", "trainer", "walking", "benchmarks"),
    *("test_demo.py", "test_looping.py", "test_loop_command.py", "test_rewinding.py"),
    *("test_notices.py", "test_farm_processes.py", "test_render_keeper.py", "test_spare.py"),
}


class NoFrameworks:
    """First among the finders of modules."""

    def find_spec(self, name: str, *_: object) -> None:
        if name in FRAMEWORKS:
            pytest.skip(f"--fast: imports {name}", allow_module_level=True)


def watch() -> None:
    """From now on, in this process."""
    platform.platform()  # starts a process, once; whoever asks later must not be skipped for it
    sys.meta_path.insert(0, NoFrameworks())
    sys.addaudithook(_no_processes)


def _no_processes(event: str, arguments: tuple[object, ...]) -> None:
    if event in PROCESSES:
        pytest.skip("--fast: starts a process", allow_module_level=True)
