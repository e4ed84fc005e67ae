"""The format of a stream: a header, then packets, each of which can be told from damage. Pure.

    MAGIC     8 bytes, the last of which is the version of the format
    header    a length and a CRC-32, 4 bytes each, then JSON
    packets   a head, then as many bytes as it says

All numbers are big-endian. A head begins with a mark and ends with a CRC-32 of its own, so that
a reader finds the next packet behind bytes that are damaged. Lengths are believed up to limits
that the reader sets: no stream makes it keep more.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections import Counter
from collections.abc import Iterator
from enum import IntEnum
from typing import Any, NamedTuple, Protocol

from jobs.reading import DamagedText, parse_json

MAGIC = b"mtcodec\x03"
MARK = b"\xf5mt\xf5"
LENGTHS = struct.Struct(">II")  # of the header: its length, its CRC
HEAD = struct.Struct(">4sBIIIII")  # mark, kind, model, number, frame, length, CRC of the payload
CHECK = struct.Struct(">I")  # CRC of the head
HEAD_BYTES = HEAD.size + CHECK.size
MOST_HEADER = 2**16  # bytes of JSON
CHUNK = 2**16  # bytes that are read at once behind damage


class Kind(IntEnum):
    """What a packet holds."""

    FRAME = 1  # latents of one frame
    WEIGHTS = 2  # all weights of a decoder
    CHANGE = 3  # the difference of such weights to those of the model before
    END = 4  # nothing: `frame` is how many frames there were
    KEY = 5  # latents of a frame before which nothing is remembered; all weights come before it


_KINDS = frozenset(Kind)


class Packet(NamedTuple):
    """One packet.

    `model` is the version of the decoder's weights that a frame needs, or that weights are;
    `number` counts packets from 0, `frame` is that of the latents, or the one that comes next.
    """

    kind: Kind
    model: int
    number: int
    frame: int
    payload: bytes = b""

    def written(self) -> bytes:
        """Its bytes in a stream."""
        facts = (self.kind, self.model, self.number, self.frame)
        head = HEAD.pack(MARK, *facts, len(self.payload), zlib.crc32(self.payload))
        return head + CHECK.pack(zlib.crc32(head)) + self.payload


class Trouble(NamedTuple):
    """Something that is wrong with a stream: a sentence without a dot."""

    told: str


CUT_OFF = Trouble("the stream is cut off: its end is missing")


class NoStream(ValueError):
    """A file that is no such stream, or one of another version: one clause for people."""


class Sink(Protocol):
    """Where a stream is written to."""

    def write(self, data: bytes, /) -> object:
        """Take these bytes, all of them."""


class Readable(Protocol):
    """Where a stream is read from: a file, or a pipe."""

    def read(self, size: int, /) -> bytes:
        """So many bytes, or all that are left."""

    def read1(self, size: int, /) -> bytes:
        """At most so many bytes, without waiting for more than there are; none at the end."""


class StreamWriter:
    """Writes a stream and counts its `bytes`, those of the header under None, and its `packets`.

    OSError where it cannot be written.
    """

    def __init__(self, file: Sink, facts: dict[str, Any] | None, packets: int = 0) -> None:
        """`facts` are what a receiver has to know before the first packet; None: the stream is
        there, with so many packets, and goes on.
        """
        self._file, self.packets = file, packets
        self.bytes: Counter[Kind | None] = Counter()
        if facts is not None:
            self._begin(facts)

    @property
    def total(self) -> int:
        """Bytes that it has written, heads of packets included."""
        return sum(self.bytes.values())

    def _begin(self, facts: dict[str, Any]) -> None:
        text = json.dumps(facts, separators=(",", ":")).encode()
        if len(text) > MOST_HEADER:
            raise ValueError(f"the header takes {len(text)} bytes")
        header = MAGIC + LENGTHS.pack(len(text), zlib.crc32(text)) + text
        self._file.write(header)
        self.bytes[None] = len(header)

    def write(self, kind: Kind, model: int, frame: int, payload: bytes = b"") -> None:
        """Write a packet."""
        written = Packet(kind, model, self.packets, frame, payload).written()
        self._file.write(written)
        self.bytes[kind] += len(written)
        self.packets += 1


def read_header(file: Readable) -> dict[str, Any]:
    """The facts with which a stream begins. NoStream; OSError where it cannot be read."""
    begin = _exactly(file, len(MAGIC) + LENGTHS.size)
    if begin[: len(MAGIC) - 1] != MAGIC[:-1]:
        raise NoStream("is no stream of `multitrain codec`")
    if begin[: len(MAGIC)] != MAGIC:
        raise NoStream("was written by another version of this program")
    if len(begin) < len(MAGIC) + LENGTHS.size:
        raise NoStream("ends within its header")
    length, check = LENGTHS.unpack_from(begin, len(MAGIC))
    text = _exactly(file, min(length, MOST_HEADER))
    if len(text) < length or zlib.crc32(text) != check:
        raise NoStream("has a damaged header")
    try:
        return parse_json(text, dict)
    except DamagedText as error:
        raise NoStream("has a damaged header") from error


def read_packets(file: Readable, most: int) -> Iterator[Packet | Trouble]:
    """What follows the header: packets of at most so many bytes of payload, and what is wrong.

    OSError where it cannot be read.
    """
    ahead, has_ended = _Ahead(file), False
    while ahead.count(HEAD_BYTES) == HEAD_BYTES:
        head = _head(ahead.peek(HEAD_BYTES), most)
        if head is None:
            passed_over = ahead.pass_damage(most)
            yield Trouble(f"{passed_over} bytes are damaged and were passed over")
            continue
        packet, length, check = head
        ahead.count(HEAD_BYTES + length)
        payload = ahead.peek(HEAD_BYTES + length)[HEAD_BYTES:]
        if len(payload) < length or zlib.crc32(payload) != check:
            yield Trouble(f"packet {packet.number} is damaged")
            ahead.pass_damage(most)  # bytes of it may be missing: the next one begins anywhere
            continue
        ahead.pass_over(HEAD_BYTES + length)
        has_ended |= packet.kind is Kind.END
        yield packet._replace(payload=payload)
    if not has_ended:
        yield CUT_OFF


def _head(begin: bytes, most: int) -> tuple[Packet, int, int] | None:
    """A packet without its payload, whose length and CRC; None where these bytes are no head."""
    if len(begin) < HEAD_BYTES or begin[: len(MARK)] != MARK:
        return None
    _, kind, model, number, frame, length, check = HEAD.unpack_from(begin)
    (check_of_head,) = CHECK.unpack_from(begin, HEAD.size)
    if zlib.crc32(begin[: HEAD.size]) != check_of_head or kind not in _KINDS or length > most:
        return None
    return Packet(Kind(kind), model, number, frame), length, check


class _Ahead:
    """Bytes of a file that were read ahead."""

    def __init__(self, file: Readable) -> None:
        self._file = file
        self._data, self._at = b"", 0

    def count(self, wanted: int) -> int:
        """How many bytes there are: as many as wanted, or all that are left."""
        missing = self._at + wanted - len(self._data)
        if missing > 0:
            self._data = self._data[self._at :] + _exactly(self._file, missing)
            self._at = 0
        return min(wanted, len(self._data) - self._at)

    def _more(self) -> bool:
        """Read what there is, without waiting until it is much; False where nothing comes."""
        part = self._file.read1(CHUNK)
        self._data, self._at = self._data[self._at :] + part, 0
        return bool(part)

    def peek(self, count: int) -> bytes:
        return self._data[self._at : self._at + count]

    def pass_over(self, count: int) -> None:
        self._at += count

    def pass_damage(self, most: int) -> int:
        """Go on to the next head behind this place; how many bytes lay before it."""
        passed, begin = 0, self._at + 1
        while True:
            place = self._data.find(MARK, begin)
            if 0 <= place <= len(self._data) - HEAD_BYTES:
                if _head(self._data[place : place + HEAD_BYTES], most):
                    passed += place - self._at
                    self._at = place
                    return passed
                begin = place + 1
                continue
            # A mark may begin with the last few bytes, or stand before bytes to come.
            kept = place if place >= 0 else max(begin, len(self._data) - len(MARK) + 1)
            passed += kept - self._at
            self._at = kept
            before = len(self._data) - kept
            if not self._more():
                self._at = len(self._data)
                return passed + before
            begin = self._at


def _exactly(file: Readable, count: int) -> bytes:
    """So many bytes, or all that there are: a pipe may give fewer at once."""
    parts: list[bytes] = []
    while count > 0 and (part := file.read(count)):
        parts.append(part)
        count -= len(part)
    return b"".join(parts)
