"""A stream on its way: into a file, and to a receiver, which is a process of its own."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import BinaryIO, NamedTuple, Self
from weakref import finalize

from jobs.settings.kinds import Resolution
from multitrain.codec.receiver import ReceiverProcess

DIGEST_BYTES = 16  # of BLAKE2b
CHUNK = 2**20  # bytes of a stream that goes on, handed over at once


def new_digest() -> hashlib.blake2b:
    """Of a stream in which nothing is."""
    return hashlib.blake2b(digest_size=DIGEST_BYTES)


class Part(NamedTuple):
    """The first bytes of a stream: how many, and their digest."""

    length: int
    digest: bytes


class StreamLost(Exception):
    """A stream that cannot go on: one clause for people."""


class Line:
    """What is written to it is in the file, and with the receiver.

    OSError where the disk takes no more; MultitrainError where the receiver is gone.
    """

    @classmethod
    def beginning(cls, path: Path, size: Resolution) -> Self:
        """One to which nothing was written; the file is replaced."""
        return cls(path, size, Part(0, new_digest().digest()), first=0)

    def __init__(self, path: Path, size: Resolution, part: Part, first: int) -> None:
        """The file keeps this part of it, which the receiver is told; it shows what comes from
        frame `first` on. StreamLost where the file has become another one.
        """
        self._digest = _digest_of(path, part)
        self._file = path.open("r+b" if part.length else "w+b")
        self.receiver = ReceiverProcess(size, first)
        self.close = finalize(self, _close, self._file, self.receiver)
        self._file.truncate(part.length)
        self._file.seek(0)
        while data := self._file.read(CHUNK):
            self.receiver.write(data)

    def write(self, data: bytes) -> None:
        self._file.write(data)
        self._digest.update(data)
        self.receiver.write(data)

    def flush(self) -> Part:
        """What was written is on the disk; returns how much that is."""
        self._file.flush()
        os.fsync(self._file.fileno())
        return Part(self._file.tell(), self._digest.digest())


def _digest_of(path: Path, part: Part) -> hashlib.blake2b:
    """The digest of this part of a file, to go on with. StreamLost where it is another one."""
    digest, left = new_digest(), part.length
    if left:
        try:
            with path.open("rb") as file:
                while left and (data := file.read(min(left, CHUNK))):
                    digest.update(data)
                    left -= len(data)
        except FileNotFoundError as error:
            raise StreamLost(f"{path} is gone") from error
    if left or digest.digest() != part.digest:
        raise StreamLost(f"{path} has been changed")
    return digest


def _close(file: BinaryIO, receiver: ReceiverProcess) -> None:
    receiver.close()
    file.close()
