from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from multitrain.slots.process_tree import is_ours

CHILD = """
import subprocess, sys
grandchild = subprocess.Popen([sys.executable, "-c", "input()"], start_new_session=True)
print(grandchild.pid, flush=True)
grandchild.wait()
"""


@pytest.fixture
def family() -> Iterator[tuple[int, int]]:
    """The pids of a child, which leads a session as all that the farm starts, and of its child."""
    with subprocess.Popen(
        [sys.executable, "-c", CHILD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as child:
        assert child.stdout is not None
        yield child.pid, int(child.stdout.readline())


def test_those_that_the_farm_started_are_ours(family: tuple[int, int]) -> None:
    assert [is_ours(pid) for pid in family] == [True, True]


def test_others_are_not(family: tuple[int, int]) -> None:
    """Nor those of another farm that runs beside this one, nor one that has ended."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    module = "multitrain.slots.process_tree"
    ask = f"from {module} import is_ours; print([is_ours(pid) for pid in {family}])"
    other_farm = subprocess.run([sys.executable, "-c", ask], capture_output=True, check=True)
    assert other_farm.stdout.split() == [b"[False,", b"False]"]
    assert [is_ours(pid) for pid in (1, os.getppid(), ended.pid)] == [False] * 3
