"""Packets as pictures: late, lost and damaged ones are told, and time goes on."""

from __future__ import annotations

import numpy as np
import pytest

from multitrain.codec.receiving import Receiver, Shown, UnusableFrame, nothing
from multitrain.codec.stream import Kind, Packet, Trouble
from multitrain.codec.weights import (
    DamagedWeights,
    Weights,
    change,
    most_bytes,
    read_change,
    read_whole,
    whole,
)

SHAPES = {"kernel": (3, 2), "bias": (2,), "none": (0, 4)}
PICTURE = (2, 3, 3)


def weights(seed: int) -> Weights:
    random = np.random.default_rng(seed)
    return {name: random.normal(size=size).astype(np.float32) for name, size in SHAPES.items()}


def decode(held: Weights, model: int, payload: bytes) -> np.ndarray:
    """A picture of the payload's first byte and the version, which must fit to the weights."""
    if payload == b"bad":
        raise UnusableFrame("cannot be inflated")
    assert held["bias"][0] == VERSIONS[model]["bias"][0]
    return np.full(PICTURE, 10 * model + payload[0], np.uint8)


VERSIONS = {0: read_whole(whole(weights(0)), SHAPES)}
for number in (1, 2):
    changed = change(VERSIONS[number - 1], weights(number))
    VERSIONS[number] = read_change(changed, VERSIONS[number - 1])


def frame(number: int, frame: int, model: int = 0, payload: bytes | None = None) -> Packet:
    return Packet(
        Kind.FRAME, model, number, frame, bytes([frame % 256]) if payload is None else payload
    )


def all_weights(number: int) -> Packet:
    return Packet(Kind.WEIGHTS, 0, number, 0, whole(weights(0)))


def difference(number: int, model: int) -> Packet:
    return Packet(Kind.CHANGE, model, number, 0, change(VERSIONS[model - 1], weights(model)))


def received(*packets: Packet | Trouble) -> tuple[list[str], list[str]]:
    """What is shown, with a mark where it is shown again, and what is told."""
    receiver = Receiver(SHAPES, decode, nothing(PICTURE[1], PICTURE[0]))
    every = [each for packet in packets for each in receiver.take(packet)]
    shown = [each for each in every if isinstance(each, Shown)]
    assert [each.frame for each in shown] == list(range(len(shown)))
    pictures = [f"{each.picture[0, 0, 0]}{'*' * each.is_again}" for each in shown]
    return pictures, [each.told for each in every if isinstance(each, Trouble)]


def test_frames_are_decoded_with_the_weights_of_their_version() -> None:
    packets = [all_weights(0), frame(1, 0), difference(2, 1), frame(3, 1, 0), frame(4, 2, 1)]
    assert received(*packets) == (["0", "1", "12"], [])


def test_two_versions_are_kept() -> None:
    packets = [all_weights(0), difference(1, 1), difference(2, 2), frame(3, 0, 1), frame(4, 1, 0)]
    told = ["frame 1 needs weights of version 0, which are not here"]
    assert received(*packets) == (["10", "10*"], told)


@pytest.mark.parametrize(
    ("packets", "shown", "told"),
    [
        (
            [frame(1, 0), frame(4, 3)],
            "0 0* 0* 3",
            "frames 1 to 2 were lost",
        ),
        (
            [frame(1, 0), frame(3, 1), frame(2, 1)],
            "0 1",
            "packet 2 was lost; packet 2 came late, and",
        ),
        ([frame(1, 1), frame(2, 0)], "0* 1", "frame 0 was lost; frame 0 came late, and"),
        ([frame(1, 0), Trouble("9 bytes are damaged"), frame(2, 1)], "0 1", "9 bytes are damaged"),
        ([frame(1, 0), frame(2, 1, payload=b"bad")], "0 0*", "frame 1 cannot be inflated"),
        (
            [difference(1, 2), frame(2, 0)],
            "0",
            "weights of version 2 are a difference to those before",
        ),
        (
            [Packet(Kind.WEIGHTS, 1, 1, 0, b"xx"), frame(2, 0)],
            "0",
            "weights of version 1 cannot be inflated: ",
        ),
        ([frame(1, 10**6), frame(2, 0)], "0", "frame 1000000 comes too early to be true"),
        ([frame(1, 0), Packet(Kind.END, 0, 2, 3)], "0 0* 0*", "frames 1 to 2 were lost"),
    ],
)
def test_what_is_lost_late_or_damaged_is_told(
    packets: list[Packet | Trouble], shown: str, told: str
) -> None:
    seen, said = received(all_weights(0), *packets)
    assert seen == shown.split()
    assert "; ".join(said).startswith(told)


class Remembering:
    """Decodes frames as the sum of those since it was told to forget."""

    def __init__(self) -> None:
        self.sum = 0

    def decode(self, held: Weights, model: int, payload: bytes) -> np.ndarray:
        self.sum += int(decode(held, model, payload)[0, 0, 0])
        return np.full(PICTURE, self.sum, np.uint8)

    def forget(self) -> None:
        self.sum = 0


def key(number: int, frame: int) -> list[Packet]:
    weights_before = all_weights(number)._replace(frame=frame)
    return [weights_before, Packet(Kind.KEY, 0, number + 1, frame, bytes([frame]))]


def remembered(*packets: Packet | Trouble) -> tuple[list[tuple[int, int]], list[str]]:
    """Frames and what they show; what is told."""
    memory = Remembering()
    black = nothing(PICTURE[1], PICTURE[0])
    receiver = Receiver(SHAPES, memory.decode, black, forget=memory.forget)
    every = [each for packet in packets for each in receiver.take(packet)]
    shown = [(each.frame, int(each.picture[0, 0, 0])) for each in every if isinstance(each, Shown)]
    return shown, [each.told for each in every if isinstance(each, Trouble)]


def test_all_is_forgotten_at_a_key_frame() -> None:
    shown, told = remembered(*key(0, 0), frame(2, 1), *key(3, 2), frame(5, 3))
    assert shown == [(0, 0), (1, 1), (2, 2), (3, 5)]
    assert not told


def test_what_a_loss_spoils_is_told_once_up_to_the_next_key_frame() -> None:
    later = [frame(3, 2), frame(5, 4), *key(6, 5), frame(8, 6)]
    shown, told = remembered(*key(0, 0), *later)
    assert shown == [(0, 0), (1, 0), (2, 2), (3, 2), (4, 6), (5, 5), (6, 11)]
    assert told == [
        "frame 1 was lost",
        "frame 2 and those behind it are spoilt by what was lost before, up to the next key frame",
        "frame 3 was lost",
    ]
    again = remembered(*key(0, 0), *later, frame(10, 8))[1]
    assert [each[:19] for each in again[3:]] == ["frame 7 was lost", "frame 8 and those b"]
    assert remembered(*key(0, 0), frame(2, 1, payload=b"bad"), frame(3, 2))[1][1:] == [told[1]]


def test_a_loss_spoils_nothing_that_is_not_remembered() -> None:
    assert received(*key(0, 0), frame(3, 2))[1] == ["frame 1 was lost"]


def test_a_stream_that_is_joined_is_shown_from_its_next_key_frame_on() -> None:
    shown, told = remembered(frame(7, 5), frame(8, 6), *key(9, 7), frame(11, 8))
    assert shown == [(7, 7), (8, 15)]
    assert told == [
        "the stream begins with packet 7: what comes before its next key frame is not shown"
    ]
    torn = [Trouble("9 bytes are damaged"), frame(7, 5), *key(8, 6)]
    assert remembered(*torn)[0] == [(6, 6)]
    # Of a stream that is damaged at its beginning, the time goes on.
    damaged = [Trouble("packet 0 is damaged"), Packet(Kind.KEY, 0, 1, 0, b"x"), *key(2, 1)]
    assert remembered(*damaged)[0] == [(0, 0), (1, 1)]


def test_a_memory_takes_the_place_of_all_weights() -> None:
    receiver = Receiver(SHAPES, decode, nothing(PICTURE[1], PICTURE[0]), VERSIONS[0])
    (shown,) = receiver.take(frame(0, 0))
    assert isinstance(shown, Shown)
    assert not shown.is_again


def test_frames_that_are_missing_have_a_limit_in_all() -> None:
    receiver = Receiver(SHAPES, decode, nothing(PICTURE[1], PICTURE[0]))
    leaps = [frame(number, 9000 * (number + 1), payload=b"x") for number in range(3)]
    every = [each for packet in leaps for each in receiver.take(packet)]
    assert sum(isinstance(each, Shown) for each in every) == 9001
    assert sum("too early" in each.told for each in every if isinstance(each, Trouble)) == 2


def test_without_any_weights_there_is_a_black_picture() -> None:
    assert received(frame(0, 0))[0] == ["0*"]


def test_weights_come_within_half_a_step() -> None:
    before, now = weights(0), weights(1)
    half = read_whole(whole(before), SHAPES)
    after = read_change(change(before, now), before)
    for name, array in before.items():
        np.testing.assert_allclose(half[name], array, rtol=1e-3)
        largest = np.abs(now[name] - array).max(initial=0)
        assert np.abs(after[name] - now[name]).max(initial=0) <= largest / 254 + 1e-6
    assert len(whole(before)) < most_bytes(SHAPES)
    same = read_change(change(before, before), before)
    assert all((same[name] == before[name]).all() for name in before)


@pytest.mark.parametrize("payload", [b"", b"abc", whole(weights(0))[:-1], whole(weights(0)) + b"x"])
def test_what_are_no_weights_is_told(payload: bytes) -> None:
    with pytest.raises(DamagedWeights):
        read_whole(payload, SHAPES)
    with pytest.raises(DamagedWeights):
        read_change(payload, weights(0))
    with pytest.raises(DamagedWeights, match="not finite"):
        read_whole(whole({**weights(0), "bias": np.array([np.nan, 0], np.float32)}), SHAPES)
    with pytest.raises(DamagedWeights, match="another network"):
        read_whole(whole(weights(0)), {**SHAPES, "more": (1,)})
