"""A spare trainer as the farm sees it: a child that is warm, or soon will be, and waits for a call.

The two are joined by a socket. The child writes READY when it is warm. The farm may have it
rehearse a job, then sends one call with the descriptors that go with it, and closes its end.
Without a call, that end is the child's end too.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from multitrain.executors import Executor, Launch, Process
from multitrain.executors.local import open_log
from multitrain.launching import differ_in_cores_only
from multitrain.spare import READY, Message


class Spare:
    """A child that can become any trainer that needs just this environment to import.

    Once it rehearses a job, it can only become that job's.
    """

    def __init__(
        self,
        executor: Executor,
        command: Sequence[str],
        environment: Mapping[str, str],
        descriptors: Sequence[int],
    ) -> None:
        """`command` is a trainer's without its arguments; `descriptors` keep their numbers.

        MultitrainError where it cannot be started.
        """
        self.environment = environment
        self.rehearses: tuple[str, ...] = ()  # the arguments of a call
        self._command = tuple(command)
        self._ours, theirs = socket.socketpair()
        self._ours.setblocking(False)
        self._is_ready = False
        with theirs:
            launch = Launch(
                command=(*self._command, "--spare", str(theirs.fileno())),
                log=Path(os.devnull),
                environment=environment,
                descriptors=(theirs.fileno(), *descriptors),
            )
            try:
                self._process = executor.start(launch)
            except BaseException:
                self._ours.close()
                raise

    @property
    def is_dead(self) -> bool:
        return self._process.poll() is not None

    @property
    def is_ready(self) -> bool:
        """Whether it is warm, as far as it has told."""
        if not self._is_ready:
            try:
                self._is_ready = self._ours.recv(len(READY)) == READY
            except OSError:  # nothing yet, or it has died
                return False
        return self._is_ready

    def fits(self, launch: Launch) -> bool:
        """Whether it has imported what `launch` needs, and rehearsed nothing else."""
        program, arguments = self._split(launch)
        return (
            program == self._command
            and self.environment.items() <= launch.environment.items()
            and (not self.rehearses or differ_in_cores_only(self.rehearses, arguments))
        )

    def rehearse(self, launch: Launch) -> None:
        """Have it do all that comes before the first step of such a call, but for its slots."""
        _, arguments = self._split(launch)
        self.rehearses = arguments
        message = Message(arguments, launch.environment, is_call=False)
        with suppress(OSError):  # it has just died
            self._ours.sendall(message.to_bytes())

    def take(self, launch: Launch) -> Process | None:
        """The process, which now runs `launch`; None where it cannot: then it is good for nothing.

        Only for one that is ready and fits.
        """
        _, arguments = self._split(launch)
        call = Message(arguments, launch.environment, is_call=True).to_bytes()
        try:
            with self._ours, open_log(launch) as log:
                self._ours.setblocking(True)
                socket.send_fds(self._ours, [call], [log.fileno(), *launch.descriptors])
        except OSError:  # it has just died; or the log cannot be had, which a cold start tells
            return None
        return self._process

    def end(self) -> Process:
        """Have it end at once; it is gone when the process that comes back says so."""
        self._ours.close()
        self._process.kill()
        return self._process

    def _split(self, launch: Launch) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The program and its arguments."""
        length = len(self._command)
        return launch.command[:length], launch.command[length:]
