"""The process that receives a stream: `python -m multitrain.codec.receiver FRAME`.

All that it is given is the stream's bytes, on its standard input. It writes the frames from number
FRAME on to its standard output, each behind its number, as soon as it has them; what is lost or
damaged is told on its standard error. It ends when its input does.
"""

from __future__ import annotations

import logging
import os
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from typing import BinaryIO
from weakref import finalize

import numpy as np

from jobs.errors import ExitCode, MultitrainError
from jobs.settings.kinds import Resolution
from multitrain.codec.facts import Facts
from multitrain.codec.receiving import Picture, Receiver, Shown, nothing
from multitrain.codec.stream import (
    CUT_OFF,
    Kind,
    NoStream,
    Packet,
    Readable,
    Trouble,
    read_header,
    read_packets,
)
from multitrain.codec.weights import Weights
from multitrain.startup.safe_path import python_command

NUMBER = struct.Struct(">I")  # before each picture: that of its frame
log = logging.getLogger(__name__)

SILENCE = 300.0  # seconds; frameworks may take a minute to start
PATIENCE = 10.0  # seconds in which it ends when nothing comes any more


class ReceiverProcess:
    """A receiver of pictures of this size, which shows those from number `first` on."""

    def __init__(self, size: Resolution, first: int) -> None:
        command = [*python_command("multitrain.codec.receiver"), str(first)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdin
        assert self._process.stdout
        self._input = self._process.stdin
        self._shown: SimpleQueue[Picture | None] = SimpleQueue()
        # Read at once: while its output is full, it takes no input, and both ends would wait.
        reading = Thread(target=_read, args=(self._process.stdout, size, self._shown), daemon=True)
        reading.start()
        self.close = finalize(self, _end, self._process, reading)

    def write(self, data: bytes) -> None:
        """Hand it the stream's next bytes. MultitrainError where it is gone."""
        try:
            self._input.write(data)
            self._input.flush()
        except BrokenPipeError as error:
            raise self._gone() from error

    def take(self) -> Picture:
        """The next frame that it shows. MultitrainError where it is gone."""
        try:
            picture = self._shown.get(timeout=SILENCE)
        except Empty as error:
            raise MultitrainError(
                f"the receiver of the stream has shown nothing for {SILENCE:g} s"
            ) from error
        if picture is None:
            self._shown.put(None)
            raise self._gone()
        return picture

    def _gone(self) -> MultitrainError:
        return MultitrainError(f"the receiver of the stream has ended, with {self._process.wait()}")


def _read(output: BinaryIO, size: Resolution, shown: SimpleQueue[Picture | None]) -> None:
    """Pictures as they come; None when no more can come."""
    width, height = size
    wanted = NUMBER.size + 3 * width * height
    while len(data := output.read(wanted)) == wanted:
        picture = np.frombuffer(data, np.uint8, offset=NUMBER.size)
        shown.put(picture.reshape(height, width, 3))
    shown.put(None)


def _end(process: subprocess.Popen[bytes], reading: Thread) -> None:
    """Nothing comes any more: it ends by itself, or is ended."""
    assert process.stdin
    assert process.stdout
    with suppress(BrokenPipeError):
        process.stdin.close()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    reading.join()
    process.stdout.close()


def received(stream: Readable, first: int, *, threads: int = 1) -> Iterator[Shown | Trouble]:
    """What is shown, from frame `first` on, and told of a stream; frames before are not decoded.

    NoStream where it is none; MultitrainErrors.
    """
    from multitrain.codec.coding import Coding
    from multitrain.engine.session import SessionSettings
    from multitrain.inference.network import Device

    facts = Facts.read(read_header(stream))
    settings = SessionSettings(deterministic=True, threads=threads)
    coding = Coding(facts, Device(facts.job, settings))
    black = nothing(*facts.size)
    is_wanted = False

    def decode(weights: Weights, model: int, payload: bytes) -> Picture:
        return coding.decoded(weights, model, payload) if is_wanted else black

    receiver = Receiver(coding.shapes, decode, black)
    for packet in read_packets(stream, facts.most_bytes):
        if packet is CUT_OFF:  # whoever sends may go on another time
            return
        if isinstance(packet, Packet) and packet.kind in (Kind.FRAME, Kind.KEY):
            is_wanted = packet.frame + 1 >= first  # the one before may have to be shown again
        for each in receiver.take(packet):
            if isinstance(each, Trouble) or each.frame >= first:
                yield each


def main() -> int:
    """Receive a stream in this process; the exit code."""
    logging.basicConfig(format="%(asctime)s %(levelname)s receiver: %(message)s")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # errors only
    output = sys.stdout.buffer
    try:
        with open(sys.stdin.fileno(), "rb", closefd=False) as stream:
            for each in received(stream, int(sys.argv[1])):
                if isinstance(each, Trouble):
                    log.warning("%s", each.told)
                    continue
                output.write(NUMBER.pack(each.frame) + each.picture.tobytes())
                output.flush()
    except NoStream as error:
        log.error("what comes %s", error)
        return ExitCode.FAILED
    except BrokenPipeError:  # nobody looks any more
        os.dup2(os.open(os.devnull, os.O_WRONLY), output.fileno())  # what is left goes nowhere
    return ExitCode.DONE


if __name__ == "__main__":
    sys.exit(main())
