"""A framework in the process of a command: its environment, its device, and without its chatter."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from multitrain.inference.device import leased_device
from multitrain.startup import environment

STDERR = 2  # its descriptor


@contextmanager
def framework_on(
    gpus: str, tell: Callable[[str], None], load: Callable[[], None]
) -> Iterator[None]:
    """Meanwhile this process computes on the device that `gpus` names, as `leased_device` has it.

    `load` imports the framework, which must not be imported yet.
    """
    environment.clean_up()
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # what matters is raised as well
    for chatty in ("tensorflow", "absl", "h5py"):
        logging.getLogger(chatty).setLevel(logging.ERROR)
    with leased_device(gpus, tell):
        with _hushed():
            load()
        yield


@contextmanager
def _hushed() -> Iterator[None]:
    """Hide what libraries write to stderr meanwhile."""
    try:
        shown = os.dup(STDERR)
    except OSError:  # it is closed
        yield
        return
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, STDERR)
        os.close(nowhere)
        yield
    finally:
        os.dup2(shown, STDERR)
        os.close(shown)
