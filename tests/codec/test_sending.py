"""New weights go out where they are worth their bytes, and both ends have the same ones."""

from __future__ import annotations

import io

import numpy as np
import pytest

from multitrain.codec.receiving import Receiver, Shown, nothing
from multitrain.codec.sending import Gain, Sender, bytes_saved, is_worth
from multitrain.codec.stream import Kind, StreamWriter, read_header, read_packets
from multitrain.codec.weights import Weights

SHAPES = {"kernel": (3, 2), "bias": (2,)}


def weights(seed: int) -> Weights:
    random = np.random.default_rng(seed)
    return {name: random.normal(size=size).astype(np.float32) for name, size in SHAPES.items()}


def test_six_decibels_are_a_bit_of_each_value() -> None:
    assert bytes_saved(6.0206, values=800) == pytest.approx(100, rel=1e-5)


@pytest.mark.parametrize(
    ("newest", "kept", "payload", "is_sent"),
    [
        (6.0206, 7.0, 999, True),  # 100 bytes a frame, for ten frames
        (6.0206, 7.0, 1001, False),
        (7.0, 6.0206, 1001, False),
        (9.0, -0.1, 1, False),
        (-0.1, 9.0, 1, False),
    ],
)
def test_weights_are_worth_what_they_save(
    newest: float, kept: float, payload: int, is_sent: bool
) -> None:
    assert is_worth(Gain(newest, kept), payload, values=800, life=10) == is_sent


def test_receivers_have_the_weights_that_senders_think_they_have() -> None:
    file, held = io.BytesIO(), []
    sender = Sender.beginning(StreamWriter(file, {"of": "a test"}), weights(0))
    believed = [sender.weights]
    for seed in (1, 2, 3):
        sender.send_frame(b"frame")
        sender.send_weights(sender.offer(weights(seed)))
        believed.append(sender.weights)
    sender.send_frame(b"last")
    sender.writer.write(Kind.END, 0, sender.frame)

    def decode(found: Weights, model: int, payload: bytes) -> np.ndarray:
        held.append((model, found, payload))
        return nothing(1, 1)

    file.seek(0)
    read_header(file)
    receiver = Receiver(SHAPES, decode, nothing(1, 1))
    shown = [each for packet in read_packets(file, 2**16) for each in receiver.take(packet)]
    assert [each.frame for each in shown if isinstance(each, Shown)] == [0, 1, 2, 3]
    assert len(shown) == 4, "nothing is told"
    assert [model for model, _, _ in held] == [0, 1, 2, 3]
    for (_, found, _), expected in zip(held, believed, strict=True):
        assert all(np.array_equal(found[name], expected[name]) for name in SHAPES)
    assert sum(sender.writer.bytes.values()) == len(file.getvalue())


def test_whoever_comes_late_goes_on_at_the_next_key_frame() -> None:
    file = io.BytesIO()
    sender = Sender.beginning(StreamWriter(file, {"of": "a test"}), weights(0))
    for frame in range(4):
        if frame == 2:
            sender.send_whole()
        sender.send_frame(bytes([frame]))
    sender.writer.write(Kind.END, 0, sender.frame)
    file.seek(0)
    read_header(file)
    _, *late = read_packets(file, 2**16)
    receiver = Receiver(SHAPES, lambda *_: nothing(1, 1), nothing(1, 1))
    shown = [each for packet in late for each in receiver.take(packet)]
    assert [each.frame for each in shown if isinstance(each, Shown)] == [2, 3]
    assert [each.kind for each in late] == [
        Kind.KEY, Kind.FRAME, Kind.WEIGHTS, Kind.KEY, Kind.FRAME, Kind.END
    ]  # fmt: skip
