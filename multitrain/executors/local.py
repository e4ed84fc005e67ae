"""Processes on this machine, each the leader of a session of its own."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from typing import BinaryIO

import psutil

from jobs.errors import MultitrainError
from multitrain.executors import Launch
from multitrain.startup.environment import for_children


class LocalProcess:
    """A child process; its tree is its process group."""

    def __init__(self, popen: subprocess.Popen[bytes]) -> None:
        self._popen = popen
        self._tree_gone = False
        self.pid = popen.pid

    def poll(self) -> int | None:
        code = self._popen.poll()
        if code is None:
            return None
        # The leader is gone; what it left behind must go before its slot is given away. Once gone,
        # the group's number may belong to somebody else: never signal it again.
        self._tree_gone = self._tree_gone or not self._kill_rest()
        return code if self._tree_gone else None

    def say(self, line: str) -> None:
        assert self._popen.stdin is not None, "started without listens=True"
        with suppress(BrokenPipeError):
            self._popen.stdin.write(f"{line}\n".encode())
            self._popen.stdin.flush()

    def hush(self) -> None:
        assert self._popen.stdin is not None, "started without listens=True"
        with suppress(BrokenPipeError):
            self._popen.stdin.close()

    def drain(self) -> None:
        self._popen.send_signal(signal.SIGTERM)  # Popen signals only a process that still lives

    def dump_stack(self) -> None:
        self._popen.send_signal(signal.SIGUSR1)

    def kill(self) -> None:
        if not self._tree_gone:
            self._kill_rest()

    def _kill_rest(self) -> bool:
        """Kill the group; returns whether any living process was in it."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            return False
        return any(_living_member(process, self.pid) for process in psutil.process_iter())


def _living_member(process: psutil.Process, group: int) -> bool:
    # A zombie that nobody reaps, as happens in containers, still answers to signals.
    try:
        return os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE
    except (ProcessLookupError, psutil.NoSuchProcess):
        return False


class LocalExecutor:
    """Starts children of this process."""

    def start(self, launch: Launch) -> LocalProcess:
        try:
            with open_log(launch) as log:
                popen = subprocess.Popen(
                    launch.command,
                    stdin=subprocess.PIPE if launch.listens else subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env={**for_children(os.environ), **launch.environment},
                    pass_fds=launch.descriptors,
                    start_new_session=True,
                )
        except OSError as error:
            raise MultitrainError(f"{launch.command[0]} cannot be started: {error}") from error
        return LocalProcess(popen)


def open_log(launch: Launch) -> BinaryIO:
    """The log of `launch`, opened to append its output. OSError where it cannot be written."""
    launch.log.parent.mkdir(parents=True, exist_ok=True)
    return launch.log.open("ab")
