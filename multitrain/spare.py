"""A trainer before it is called: its imports are behind it, and it waits for a job.

It holds no slot, no lock and nothing of a GPU. Frameworks are imported, but none is asked for a
device: what the call says of GPUs, cores and threads counts as for a trainer that starts cold.
"""

from __future__ import annotations

import gc
import json
import os
import queue
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import NoReturn

READY = b"\n"  # what a spare writes once it is warm

_ALWAYS = (
    "h5py",
    "multitrain.completion",
    "multitrain.failures",
    "multitrain.room",
    "multitrain.training",
    "render.clearing",
    # What draws the curves.
    "tensorboard.compat.proto.event_pb2",
    "tensorboard.plugins.scalar.summary_v2",
    "tensorboard.summary.writer.record_writer",
)
_ENGINES = {
    "tensorflow": "multitrain.engine.tensorflow",
    "jax": "multitrain.engine.jax_session",
}

_MOST_BYTES = 65_536
_MOST_DESCRIPTORS = 250  # the kernel takes 253 at once


@dataclass(frozen=True)
class HandedOver:
    """A call as it crosses the socket; the descriptors of the log and of locks come with it."""

    arguments: tuple[str, ...]
    environment: Mapping[str, str]

    def to_bytes(self) -> bytes:
        call = {"arguments": self.arguments, "environment": dict(self.environment)}
        return os.fsencode(json.dumps(call, ensure_ascii=False))

    @classmethod
    def from_bytes(cls, data: bytes) -> HandedOver:
        """ValueError where `data` is not the whole of a call."""
        told = json.loads(os.fsdecode(data))
        return cls(tuple(told["arguments"]), told["environment"])


def wait_for_call(descriptor: int) -> tuple[str, ...]:
    """Get warm, tell so through the socket `descriptor`, and take the call that comes.

    Returns its arguments; log, environment and locks are then those of a trainer that was started
    with them. Does not return where the farm goes before it calls.
    """
    farm = socket.socket(fileno=descriptor)
    calls: queue.SimpleQueue[tuple[HandedOver, list[int]]] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(farm, calls), name="spare", daemon=True).start()
    warm(os.environ["KERAS_BACKEND"])
    gc.collect()
    gc.freeze()  # what is there stays: looking through it again and again slows down what follows
    try:
        farm.sendall(READY)
    except OSError:
        _leave()
    call, (log, *_) = calls.get()  # locks only need to stay open
    for output in (1, 2):
        os.dup2(log, output)
    os.close(log)
    os.environ.update(call.environment)
    return call.arguments


def warm(engine: str) -> None:
    """Import all that a training on `engine` takes, and nothing that looks for a device."""
    from multitrain.families import FAMILIES

    for module in (_ENGINES[engine], *FAMILIES.values(), *_ALWAYS):
        import_module(module)


def _receive(farm: socket.socket, calls: queue.SimpleQueue[tuple[HandedOver, list[int]]]) -> None:
    """Pass the one call on; end the process where there is none, also while it imports."""
    try:
        data, descriptors, _, _ = socket.recv_fds(farm, _MOST_BYTES, _MOST_DESCRIPTORS)
        while more := farm.recv(_MOST_BYTES):
            data += more
        call = HandedOver.from_bytes(data)
    except (OSError, ValueError):
        _leave()
    farm.close()
    calls.put((call, descriptors))


def _leave() -> NoReturn:
    os._exit(0)
