"""A spare trainer as the farm sees it: a child that is warm, or soon will be, and waits for a call.

The two are joined by a socket. The child writes READY when it is warm. The farm may have it
rehearse a job, then sends one call with the descriptors that go with it, and closes its end.
Without a call, the child ends once the farm closes its end.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from multitrain.executors import Executor, Launch, Process
from multitrain.executors.local import open_log
from multitrain.farm.launching import TrainerLaunch
from multitrain.protocol.call import Call
from multitrain.protocol.messages import READY, Message


class Spare:
    """A child that can become any trainer that needs just this environment to import.

    Once it rehearses a job, it can only become that job's.
    """

    def __init__(
        self,
        executor: Executor,
        program: Sequence[str],
        environment: Mapping[str, str],
        descriptors: Sequence[int],
    ) -> None:
        """`program` is a trainer's command without its arguments; `descriptors` keep their numbers.

        MultitrainError where it cannot be started.
        """
        self.environment = environment
        self.rehearses: Call | None = None
        self._program = tuple(program)
        self._ours, theirs = socket.socketpair()
        self._ours.setblocking(False)
        self._is_ready = False
        with theirs:
            launch = Launch(
                command=(*self._program, "--spare", str(theirs.fileno())),
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
        """Whether it has reported that it is warm."""
        if not self._is_ready:
            try:
                self._is_ready = self._ours.recv(len(READY)) == READY
            except OSError:  # nothing yet, or it has died
                return False
        return self._is_ready

    def fits(self, launch: TrainerLaunch) -> bool:
        """Whether it has imported what `launch` needs, and rehearsed nothing else."""
        return (
            launch.program == self._program
            and self.environment.items() <= launch.environment.items()
            and (not self.rehearses or self.rehearses.differs_in_cores_only(launch.call))
        )

    def rehearse(self, launch: TrainerLaunch) -> None:
        """Have it do all that comes before this call's first step, except taking its slots."""
        self.rehearses = launch.call
        with suppress(OSError):  # it has just died
            self._ours.sendall(_message(launch, is_call=False))

    def take(self, launch: TrainerLaunch) -> Process | None:
        """The process, which now runs `launch`; None where that fails: then the spare is useless.

        Only for one that is ready and fits.
        """
        try:
            with self._ours, open_log(launch) as log:
                self._ours.setblocking(True)
                descriptors = [log.fileno(), *launch.descriptors]
                socket.send_fds(self._ours, [_message(launch, is_call=True)], descriptors)
        except OSError:  # it has just died; or the log cannot be opened, which a cold start reports
            return None
        return self._process

    def end(self) -> Process:
        """Kill it. Returns its process, which is gone when its `poll` says so."""
        self._ours.close()
        self._process.kill()
        return self._process


def _message(launch: TrainerLaunch, *, is_call: bool) -> bytes:
    return Message(launch.call.arguments(), launch.environment, is_call=is_call).to_bytes()
