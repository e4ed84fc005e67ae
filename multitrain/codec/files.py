"""Streams as files: written of a video, read, and made a video again."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from jobs.errors import MultitrainError, UsageError
from jobs.settings.colours import RGB
from jobs.settings.kinds import Resolution
from multitrain.codec.facts import Facts
from multitrain.codec.receiving import Picture, Receiver, Shown, nothing
from multitrain.codec.stream import (
    Kind,
    NoStream,
    Packet,
    Readable,
    StreamWriter,
    Trouble,
    read_header,
    read_packets,
)
from multitrain.codec.weights import Weights, whole
from render.encoding.streaming import RawVideo, encoding
from render.files.claims import making
from render.files.film import Film
from render.files.finished import finished_video
from render.files.reading import FilmReader, frames_in_order

if TYPE_CHECKING:
    from jobs.settings.videos import FormatName
    from multitrain.codec.coding import Coding
    from multitrain.engine.session import State

OnFrames = Callable[[int], None]


@dataclass
class Contents:
    """What is in a stream: packets and their bytes by kind, the header's under None; frames."""

    facts: Facts
    packets: Counter[Kind] = field(default_factory=Counter)
    bytes: Counter[Kind | None] = field(default_factory=Counter)
    models: set[int] = field(default_factory=set)
    troubles: list[str] = field(default_factory=list)

    @property
    def frames(self) -> int:
        return self.packets[Kind.FRAME] + self.packets[Kind.KEY]

    @property
    def bytes_per_frame(self) -> float:
        """Of all that is in the file; 0 where there is no frame."""
        return sum(self.bytes.values()) / self.frames if self.frames else 0.0

    @property
    def ratio(self) -> float:
        """How many times smaller that is than frames as they are; 0 where there is none."""
        size = self.bytes_per_frame
        return self.facts.raw_bytes / size if size else 0.0


def encode(
    film: Film,
    facts: Facts,
    coding: Coding,
    weights: State,
    output: Path,
    on_frames: OnFrames,
    scale: Resolution | None = None,
    key_every: int = 0,
) -> Contents:
    """Write a video as a stream; replaces `output`, which appears whole, or not at all.

    As of `write_frames`. OSError where it cannot be written; MultitrainErrors.
    """
    with making(output) as part, part.open("wb") as file, FilmReader([film], scale=scale) as reader:
        frames = (frame[..., :RGB] for frame in frames_in_order(reader))
        return write_frames(frames, facts, coding, weights, file, on_frames, key_every)


def write_frames(
    frames: Iterable[Picture],
    facts: Facts,
    coding: Coding,
    weights: State,
    file: BinaryIO,
    on_frames: OnFrames,
    key_every: int = 0,
) -> Contents:
    """Write frames, each `(height, width, 3)` uint8, as a stream.

    Each so many frames there is a key frame, with the decoder's weights before it: whoever has lost
    something, or comes late, goes on there. 0: the first frame alone is one.
    """
    encoder, decoder = coding.place_encoder(weights), whole(coding.weights_of_decoder(weights))
    writer, count = StreamWriter(file, facts.written()), 0
    packets: Counter[Kind] = Counter()

    def write(kind: Kind, payload: bytes = b"") -> None:
        writer.write(kind, 0, count, payload)
        packets[kind] += 1

    for frame in frames:
        is_key = count % key_every == 0 if key_every else count == 0
        if is_key:
            write(Kind.WEIGHTS, decoder)
        write(Kind.KEY if is_key else Kind.FRAME, coding.encoded(encoder, frame))
        count += 1
        on_frames(count)
    write(Kind.END)
    return Contents(facts, packets, writer.bytes, {0})


def opened_facts(file: Readable, path: Path | None = None) -> Facts:
    """What the header of an open stream says. UsageError where it is none."""
    try:
        return Facts.read(read_header(file))
    except NoStream as error:
        raise UsageError(f"{path or 'it'} {error}") from error


def look(path: Path) -> Contents:
    """What is in a stream, without decoding it. MultitrainError where it is none; OSError."""
    with path.open("rb") as file:
        contents = Contents(opened_facts(file, path))
        contents.bytes[None] = file.tell()
        expected: int | None = 0  # None: behind damage, which is told
        for each in read_packets(file, contents.facts.most_bytes):
            if isinstance(each, Trouble):
                contents.troubles.append(each.told)
                expected = None
                continue
            if expected not in (None, each.number):
                contents.troubles.append(f"packet {each.number} comes where {expected} should")
            expected = each.number + 1
            contents.packets[each.kind] += 1
            contents.bytes[each.kind] += len(each.written())
            if each.kind in (Kind.WEIGHTS, Kind.CHANGE):
                contents.models.add(each.model)
    return contents


def finish(path: Path, output: Path) -> None:
    """Make a whole stream of one that may go on; replaces `output`, which appears whole.

    MultitrainError where it is none; OSError.
    """
    contents = look(path)
    with making(output) as part:
        shutil.copyfile(path, part)
        with part.open("ab") as file:
            writer = StreamWriter(file, None, contents.packets.total())
            writer.write(Kind.END, 0, contents.frames)


@dataclass(frozen=True)
class Decoding:
    """How a stream is decoded.

    - memory: weights that take the place of those that are sent; None: none do.
    - lose: the share of packets that do not arrive, but for weights and the end; which ones, `seed`
      decides.
    """

    memory: Weights | None = None
    lose: float = 0.0
    seed: int = 0

    def arriving(self, packets: Iterator[Packet | Trouble]) -> Iterator[Packet | Trouble]:
        """Those that are not lost on the way."""
        random, kept = Random(self.seed), (Kind.WEIGHTS, Kind.CHANGE, Kind.END)
        for each in packets:
            is_kept = not isinstance(each, Packet) or each.kind in kept
            if is_kept or random.random() >= self.lose:
                yield each


def shown(file: Readable, facts: Facts, coding: Coding, how: Decoding) -> Iterator[Shown | Trouble]:
    """What a receiver shows, and tells, of the packets behind a header that was read."""
    forget = coding.forget if coding.remembers else None
    receiver = Receiver(coding.shapes, coding.decoded, nothing(*facts.size), how.memory, forget)
    return _received(file, facts, receiver, how)


def _received(
    file: Readable, facts: Facts, receiver: Receiver, how: Decoding
) -> Iterator[Shown | Trouble]:
    for packet in how.arriving(read_packets(file, facts.most_bytes)):
        yield from receiver.take(packet)


def rehearse(path: Path, how: Decoding, *, has_memory: bool) -> int:
    """How many frames decoding will show; nothing is computed for it, so no framework is needed.

    MultitrainError where it is no stream, or where no frame of it can be decoded; OSError.
    """
    with path.open("rb") as file:
        facts = opened_facts(file, path)
        black = nothing(1, 1)

        def fits(_weights: Weights, _model: int, payload: bytes) -> Picture:
            facts.unpacked(payload)
            return black

        memory = {"all": np.zeros(1, np.float32)} if has_memory else None
        receiver = Receiver(facts.flat_shapes, fits, black, memory)
        frames, usable, told = 0, 0, ""
        for each in _received(file, facts, receiver, how):
            if isinstance(each, Shown):
                frames, usable = frames + 1, usable + (not each.is_again)
            else:
                told = told or each.told
    if not usable:
        why = f": {told}" if told else ""
        raise MultitrainError(f"no frame of {path} can be decoded{why}")
    return frames


def decode(
    path: Path,
    coding: Coding,
    how: Decoding,
    frames: int,
    output: Path,
    name: FormatName,
    on_frames: OnFrames,
) -> list[str]:
    """Make a video of a stream; replaces `output`, which appears whole and verified, or not at all.

    `frames` is how many there will be, as `rehearse` tells.
    Returns what was lost or damaged, a sentence each. MultitrainErrors where it is no stream, or
    fewer frames come; OSError.
    """
    troubles: list[str] = []
    with path.open("rb") as file:
        facts = opened_facts(file, path)
        fps = int(facts.fps) if facts.fps.denominator == 1 else facts.fps
        raw = RawVideo(*facts.size, RGB, fps)
        with (
            finished_video(output, name, frames, fps, facts.size, RGB) as part,
            encoding(part, raw, name) as sink,
        ):
            for each in shown(file, facts, coding, how):
                if isinstance(each, Trouble):
                    troubles.append(each.told)
                else:
                    sink.write(each.picture)
                    on_frames(sink.frames)
    return troubles
