"""A trainer before it is called: its imports are done, and it waits for a job.

It holds no slot, no lock and nothing of a GPU. Frameworks are imported, but none is asked for a
device, unless it rehearses a job for CPU cores (`rehearsal`): what the call says of GPUs, cores and
threads counts as for a trainer that starts cold.
"""

from __future__ import annotations

import gc
import os
import queue
import socket
import threading
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import NoReturn, TypeVar

from multitrain.protocol.messages import READY, Message

_ALWAYS = (
    "h5py",
    "multitrain.weights.init_from",
    "multitrain.trainer.completion",
    "multitrain.trainer.diagnosis",
    "multitrain.trainer.rehearsal",
    "render.spool.room",
    "multitrain.trainer.training",
    "render.films.clearing",
    # For the curves.
    "tensorboard.compat.proto.event_pb2",
    "tensorboard.plugins.scalar.summary_v2",
    "tensorboard.summary.writer.record_writer",
)
_ENGINES = {
    "tensorflow": "multitrain.engine.tensorflow.session",
    "jax": "multitrain.engine.jax.session",
}

T = TypeVar("T")

_MOST_BYTES = 65_536
_MOST_DESCRIPTORS = 250  # the kernel takes 253 at once


def wait_for_call(
    descriptor: int,
    rehearse: Callable[[Sequence[str]], T],
    take_call: Callable[[Sequence[str]], None],
) -> tuple[tuple[str, ...], T | None]:
    """Get warm, report that through the socket `descriptor`, and take the call that comes.

    `rehearse` takes the arguments of a call that may come; `take_call` those of the call, in
    another thread, as soon as it is there. Returns the arguments of the call, and the result of the
    last rehearsal; log, environment and locks are then those of a trainer that was started with
    them. Does not return where the farm ends before it calls.
    """
    farm = socket.socket(fileno=descriptor)
    messages: queue.SimpleQueue[Message] = queue.SimpleQueue()
    threading.Thread(
        target=_receive, args=(farm, messages, take_call), name="spare", daemon=True
    ).start()
    warm(os.environ["KERAS_BACKEND"])
    gc.collect()
    gc.freeze()  # no need to collect what stays: looking through it again and again is slow
    try:
        farm.sendall(READY)
    except OSError:
        _leave()
    rehearsed = None
    while True:
        message = messages.get()
        os.environ.update(message.environment)
        if message.is_call:
            return message.arguments, rehearsed
        rehearsed = rehearse(message.arguments)


def warm(engine: str) -> None:
    """Import all that a training on `engine` takes, and nothing that looks for a device."""
    from multitrain.families import MODULES

    for module in (_ENGINES[engine], *MODULES.values(), *_ALWAYS):
        import_module(module)


def _receive(
    farm: socket.socket,
    messages: queue.SimpleQueue[Message],
    take_call: Callable[[Sequence[str]], None],
) -> None:
    """Pass messages on, up to the call; end the process where none comes, even while it works."""
    data, descriptors = b"", []
    try:
        while True:
            more, new, _, _ = socket.recv_fds(farm, _MOST_BYTES, _MOST_DESCRIPTORS)
            descriptors += new
            *lines, data = (data + more).split(b"\n")
            for message in map(Message.from_bytes, lines):
                if message.is_call:
                    farm.close()
                    _write_to(*descriptors[:1])  # locks only need to stay open
                    take_call(message.arguments)
                messages.put(message)
                if message.is_call:
                    return
            if not more:
                _leave()
    except BaseException:  # without this thread, the process would not notice the farm's end
        _leave()


def _write_to(log: int) -> None:
    for output in (1, 2):
        os.dup2(log, output)
    os.close(log)


def _leave() -> NoReturn:
    os._exit(0)
