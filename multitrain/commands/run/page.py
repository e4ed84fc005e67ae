"""The page beside a farm (`run --page`): a process of its own that ends with the farm."""

from __future__ import annotations

import os
import queue
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO

from jobs.workspace.paths import Workspace
from multitrain.startup.environment import for_children
from multitrain.startup.safe_path import python_command

LINK_SECONDS = 20.0  # until it has begun; a busy machine takes a few
END_SECONDS = 3.0  # it takes one at most


@contextmanager
def page(workspace: Workspace, tell: Callable[[str], None]) -> Iterator[None]:
    """Serve the page as long as this lasts, whatever ends it; `tell` gets its link.

    A page that cannot be served is told, and stops no night.
    """
    command = (*python_command("multitrain"), "serve", "--ends-with-stdin")
    # In a session of its own, so that Ctrl-C leaves it to watch how the farm drains.
    process = subprocess.Popen(
        [*command, "--workspace", str(workspace.root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=for_children(os.environ),
        start_new_session=True,
    )
    assert process.stdin, "it is a pipe"
    assert process.stdout, "it is a pipe"
    try:
        tell(_first_line(process.stdout))
        yield
    finally:
        process.stdin.close()
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _first_line(said: IO[str]) -> str:
    """The link, or why there is none. All that follows is read, too: a full pipe stops the page."""
    first: queue.SimpleQueue[str] = queue.SimpleQueue()

    def read() -> None:
        with said:
            first.put(said.readline().rstrip() or "note: the page could not be started")
            for _ in said:
                pass

    threading.Thread(target=read, name="page", daemon=True).start()
    try:
        return first.get(timeout=LINK_SECONDS)
    except queue.Empty:
        return f"note: the page has not begun within {LINK_SECONDS:g} seconds"
