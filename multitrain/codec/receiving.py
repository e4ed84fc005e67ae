"""What a receiver makes of packets: pictures in time, and what was lost told. Pure.

It keeps the last two versions of the decoder's weights. Where a frame is missing, the one before is
shown again, so that what comes later comes at its time. A stream that is joined later is shown from
its next key frame on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from multitrain.codec.stream import Kind, Packet, Trouble
from multitrain.codec.weights import DamagedWeights, Shapes, Weights, read_change, read_whole

Picture = NDArray[Any]  # (height, width, 3) uint8

KEPT = 2  # versions of weights
_OF_FRAMES = (Kind.FRAME, Kind.KEY, Kind.END)  # packets that tell how many frames there were before
MOST_MISSING = 10_000  # frames of a stream: what says that more are missing is not believed


class Shown(NamedTuple):
    """A frame, by its number; `is_again`: one is shown again, in place of one that is missing."""

    frame: int
    picture: Picture
    is_again: bool = False


class UnusableFrame(ValueError):
    """Latents that cannot be decoded: one clause for people."""


Decode = Callable[[Weights, int, bytes], Picture]  # weights, their version, a frame's payload


@dataclass
class Receiver:
    """Takes one packet after the other.

    - shapes: of the decoder's weights.
    - decode: makes a picture. Raises UnusableFrame.
    - blank: what is shown as long as there is no picture.
    - memory: weights that take the place of all that are sent.
    - forget: has `decode` forget the frames before; None: it remembers none.
    """

    shapes: Shapes
    decode: Decode
    blank: Picture
    memory: Weights | None = None
    forget: Callable[[], None] | None = None
    _has_begun: bool = False
    _waits: bool = False  # for a key frame
    _is_broken: bool = False  # a frame is missing since the last key frame
    _is_told_broken: bool = False
    _weights: dict[int, Weights] = field(default_factory=dict)
    _next_packet: int = 0
    _next_frame: int = 0
    _missing: int = 0
    _is_told: bool = False  # that something is wrong since the last packet

    def take(self, given: Packet | Trouble) -> Iterator[Shown | Trouble]:
        """What is to be shown, and told, now."""
        if isinstance(given, Trouble):
            self._is_told = True
            yield given
            return
        yield from self._begin(given)
        if self._waits:
            return
        if given.number < self._next_packet:
            yield Trouble(f"packet {given.number} came late, and is left out")
            return
        misses_frames = given.kind in _OF_FRAMES and given.frame > self._next_frame
        if given.number > self._next_packet and not misses_frames and not self._is_told:
            yield Trouble(_lost(self._next_packet, given.number - 1, "packet"))
        self._next_packet, self._is_told = given.number + 1, False
        match given.kind:
            case Kind.FRAME | Kind.KEY:
                yield from self._frame(given)
            case Kind.WEIGHTS | Kind.CHANGE:
                yield from self._learn(given)
            case Kind.END:
                yield from self._fill(given.frame)

    def _begin(self, packet: Packet) -> Iterator[Trouble]:
        """Find out whether the stream was joined later, and wait for its next key frame then."""
        if not self._has_begun and packet.number > self._is_told:  # damage may have been the first
            self._waits = True
            yield Trouble(
                f"the stream begins with packet {packet.number}: what comes before its next key "
                "frame is not shown"
            )
        self._has_begun = True
        if self._waits and packet.kind is Kind.WEIGHTS:
            self._waits, self._is_told = False, False
            self._next_packet, self._next_frame = packet.number, packet.frame

    def _frame(self, packet: Packet) -> Iterator[Shown | Trouble]:
        if packet.frame < self._next_frame:
            yield Trouble(f"frame {packet.frame} came late, and is left out")
            return
        yield from self._fill(packet.frame)
        if packet.frame != self._next_frame:
            return
        yield from self._remember(packet)
        weights = self.memory or self._weights.get(packet.model)
        picture, is_again = self.blank, True
        if weights is None:
            yield Trouble(
                f"frame {packet.frame} needs weights of version {packet.model}, which are not here"
            )
        else:
            try:
                picture, is_again = self.decode(weights, packet.model, packet.payload), False
            except UnusableFrame as error:
                yield Trouble(f"frame {packet.frame} {error}")
        self.blank = picture
        self._is_broken |= is_again
        self._next_frame += 1
        yield Shown(packet.frame, picture, is_again)

    def _remember(self, packet: Packet) -> Iterator[Trouble]:
        """Begin anew at a key frame; tell once what was lost of what others remember."""
        if packet.kind is Kind.KEY or packet.frame == 0:
            self._is_broken = self._is_told_broken = False
            if self.forget:
                self.forget()
        elif self._is_broken and self.forget and not self._is_told_broken:
            self._is_told_broken = True
            yield Trouble(
                f"frame {packet.frame} and those behind it are spoilt by what was lost before, up "
                "to the next key frame"
            )

    def _fill(self, frame: int) -> Iterator[Shown | Trouble]:
        """Show the last picture until it is time for this frame."""
        self._missing += max(0, missing := frame - self._next_frame)
        if self._missing > MOST_MISSING:
            self._missing -= missing
            yield Trouble(f"frame {frame} comes too early to be true, and is left out")
            return
        if frame > self._next_frame:
            yield Trouble(_lost(self._next_frame, frame - 1, "frame"))
        self._is_broken |= frame > self._next_frame
        while self._next_frame < frame:
            yield Shown(self._next_frame, self.blank, is_again=True)
            self._next_frame += 1

    def _learn(self, packet: Packet) -> Iterator[Trouble]:
        """Take new weights; the older ones of more than two are forgotten."""
        try:
            if packet.kind is Kind.WEIGHTS:
                weights = read_whole(packet.payload, self.shapes)
            elif (before := self._weights.get(packet.model - 1)) is not None:
                weights = read_change(packet.payload, before)
            else:
                yield Trouble(
                    f"weights of version {packet.model} are a difference to those before, which "
                    "are not here"
                )
                return
        except DamagedWeights as error:
            yield Trouble(f"weights of version {packet.model} {error}")
            return
        self._weights[packet.model] = weights
        for version in sorted(self._weights)[:-KEPT]:
            del self._weights[version]


def _lost(first: int, last: int, what: str) -> str:
    if first == last:
        return f"{what} {first} was lost"
    return f"{what}s {first} to {last} were lost"


def nothing(width: int, height: int) -> Picture:
    """A black picture."""
    return np.zeros((height, width, 3), np.uint8)
