"""Streams as bytes: what is written is read, and what is damaged is told, never more than that."""

from __future__ import annotations

import io
import time
from random import Random

import pytest

from multitrain.codec.stream import (
    HEAD_BYTES,
    MARK,
    Kind,
    NoStream,
    Packet,
    StreamWriter,
    Trouble,
    read_header,
    read_packets,
)

FACTS = {"job": "waves", "size": [16, 12]}
MOST = 6000  # bytes of payload
FRAMES = 12
CPU_SECONDS = 0.05  # of one stream
CUT_OFF = Trouble("the stream is cut off: its end is missing")


def packets() -> list[Packet]:
    random = Random(1)
    made = [Packet(Kind.WEIGHTS, 0, 0, 0, random.randbytes(4000))]
    kinds = [Kind.FRAME if n % 5 else Kind.KEY for n in range(FRAMES)]
    made += [Packet(kind, 0, n + 1, n, random.randbytes(100 + n)) for n, kind in enumerate(kinds)]
    return [*made, Packet(Kind.END, 0, FRAMES + 1, FRAMES)]


@pytest.fixture(scope="module")
def stream() -> bytes:
    file = io.BytesIO()
    writer = StreamWriter(file, FACTS)
    for each in packets():
        writer.write(each.kind, each.model, each.frame, each.payload)
    assert sum(writer.bytes.values()) == len(file.getvalue())
    assert writer.bytes[Kind.END] == HEAD_BYTES
    return file.getvalue()


def read(data: bytes) -> list[Packet | Trouble]:
    file = io.BytesIO(data)
    assert read_header(file) == FACTS
    return list(read_packets(file, MOST))


def test_what_is_written_is_read(stream: bytes) -> None:
    assert read(stream) == packets()


class Trickle(io.BytesIO):
    """Gives few bytes at once, as a pipe may."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(min(size or 0, 7))


def test_bytes_may_come_in_any_portions(stream: bytes) -> None:
    file = Trickle(stream)
    assert read_header(file) == FACTS
    assert list(read_packets(file, MOST)) == packets()


def test_a_damaged_packet_is_passed_over_and_the_next_one_is_found(stream: bytes) -> None:
    begin = len(stream) - len(b"".join(each.written() for each in packets()[5:]))
    in_payload, in_head = bytearray(stream), bytearray(stream)
    in_payload[begin + HEAD_BYTES + 3] ^= 1
    in_head[begin + 6] ^= 1
    whole = [each for each in packets() if each.number != 5]
    for damaged, told in ((in_payload, "packet 5 is damaged"), (in_head, "bytes are damaged")):
        found = read(bytes(damaged))
        assert [each for each in found if isinstance(each, Packet)] == whole
        (trouble,) = (each for each in found if isinstance(each, Trouble))
        assert told in trouble.told


def test_bytes_that_are_missing_in_a_packet_cost_no_other(stream: bytes) -> None:
    begin = len(stream) - len(b"".join(each.written() for each in packets()[5:]))
    cut = stream[: begin + HEAD_BYTES + 3] + stream[begin + HEAD_BYTES + 8 :]
    found = read(cut)
    assert [each for each in found if isinstance(each, Packet)] == [
        each for each in packets() if each.number != 5
    ]
    assert [each for each in found if isinstance(each, Trouble)] == [Trouble("packet 5 is damaged")]


def test_what_is_too_long_is_not_kept(stream: bytes) -> None:
    long = Packet(Kind.FRAME, 0, 0, 0, bytes(MOST + 1)).written()
    found = read(stream[: -len(packets()[-1].written())] + long)
    assert found[-2:] == [Trouble(f"{len(long)} bytes are damaged and were passed over"), CUT_OFF]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "is no stream"),
        (b"RIFF" * 10, "is no stream"),
        (b"mtcodec\x04" + bytes(8), "another version"),
        (b"mtcodec\x03\0\0", "ends within its header"),
        (b"mtcodec\x03\xff\xff\xff\xff" + bytes(100), "damaged header"),
        (b"mtcodec\x03\0\0\0\x02\xdf\xd5\xf2\xa5[]", "damaged header"),
    ],
)
def test_what_is_no_stream_is_told(data: bytes, told: str) -> None:
    with pytest.raises(NoStream, match=told):
        read_header(io.BytesIO(data))


def test_whatever_becomes_of_a_stream_it_is_told_at_once(stream: bytes, cases: int) -> None:
    begin, taken = len(stream) - len(b"".join(each.written() for each in packets())), 0.0
    for number in range(cases):
        data = stream[:begin] + _harmed(stream[begin:], Random(number))
        start = time.process_time()
        found = read(data)
        taken += time.process_time() - start
        assert set(found) - set(packets()) <= {each for each in found if isinstance(each, Trouble)}
        if data != stream:
            assert [each for each in found if isinstance(each, Packet)] != packets() or any(
                isinstance(each, Trouble) for each in found
            ), number
    # In all: whoever collects garbage meanwhile holds up one of them.
    assert taken < CPU_SECONDS * cases


def _harmed(data: bytes, random: Random) -> bytes:
    """Cut off, with bits turned, bytes put in or left out, or nothing but marks from a place on."""
    at, harmed = random.randrange(len(data)), bytearray(data)
    match random.randrange(5):
        case 0:
            del harmed[at:]
        case 1:
            for _ in range(random.randrange(1, 40)):
                harmed[random.randrange(len(data))] ^= 1 << random.randrange(8)
        case 2:
            harmed[at:at] = random.randbytes(random.randrange(1, 3000))
        case 3:
            del harmed[at : random.randrange(at, len(data))]
        case _:
            harmed[at:] = MARK * random.randrange(1, 2000)
    return bytes(harmed)
