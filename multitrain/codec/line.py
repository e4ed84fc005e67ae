"""A stream on its way: into a file, and to a receiver, which is a process of its own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO, Self
from weakref import finalize

from jobs.settings.kinds import Resolution
from multitrain.codec.receiver import ReceiverProcess

CHUNK = 2**20  # bytes of a stream that goes on, handed over at once


class StreamLost(Exception):
    """A stream that cannot go on: one clause for people."""


class Line:
    """What is written to it is in the file, and with the receiver.

    OSError where the disk takes no more; MultitrainError where the receiver is gone.
    """

    @classmethod
    def beginning(cls, path: Path, size: Resolution) -> Self:
        """One to which nothing was written; the file is replaced."""
        return cls(path, size, length=0, first=0)

    def __init__(self, path: Path, size: Resolution, length: int, first: int) -> None:
        """The file keeps its first `length` bytes, which the receiver is told; it shows what comes
        from frame `first` on. StreamLost where the file has fewer.
        """
        if length and (not path.exists() or path.stat().st_size < length):
            raise StreamLost(f"{path} is gone, or has lost its end")
        self._file = path.open("r+b" if length else "wb")
        self.receiver = ReceiverProcess(size, first)
        self.close = finalize(self, _close, self._file, self.receiver)
        self._file.truncate(length)
        self._file.seek(0)
        left = length
        while left:
            part = self._file.read(min(left, CHUNK))
            self.receiver.write(part)
            left -= len(part)

    def write(self, data: bytes) -> None:
        self._file.write(data)
        self.receiver.write(data)

    def flush(self) -> int:
        """What was written is on the disk; returns how many bytes the file has."""
        self._file.flush()
        os.fsync(self._file.fileno())
        return self._file.tell()


def _close(file: BinaryIO, receiver: ReceiverProcess) -> None:
    receiver.close()
    file.close()
