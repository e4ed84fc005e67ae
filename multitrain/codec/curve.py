"""How good frames come back at how many bytes: those of a network, those of plain codecs."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
from keras import ops

from jobs.errors import MultitrainError
from multitrain.codec.baselines import BASELINES, Frames
from multitrain.codec.coding import Coding
from multitrain.codec.facts import Facts
from multitrain.codec.files import Decoding, look, opened_facts, shown, write_frames
from multitrain.codec.points import Point
from multitrain.codec.receiving import Shown
from multitrain.codec.stream import CUT_OFF, Readable
from multitrain.engine.session import State
from multitrain.inference.network import Device
from multitrain.networks.colours import WHITE
from multitrain.networks.metrics import fidelities

RATES = 4  # numbers of channels that a network with a variable rate is measured at


def rates(channels: int, *, is_variable: bool) -> list[int]:
    """Numbers of channels to measure at, the most first: all of them, half of them, and so on."""
    if not is_variable:
        return [channels]
    return list(dict.fromkeys(max(1, channels >> halvings) for halvings in range(RATES)))


class Measure:
    """Measures codecs on frames; `on_point` is called after each."""

    def __init__(self, device: Device, frames: Frames, on_point: Callable[[], None]) -> None:
        self._device, self._frames, self._on_point = device, frames, on_point
        self._measured = device.compiled(fidelities)

    def network(self, facts: Facts, weights: State, channels: Sequence[int]) -> Iterator[Point]:
        """That of a job, by streams that are written and received."""
        for count in channels:
            sent = replace(facts, channels=count)
            coding, file = Coding(sent, self._device), io.BytesIO()
            write_frames(iter(self._frames), sent, coding, weights, file, lambda _: None)
            size = file.tell()
            file.seek(0)
            opened_facts(file)
            made = self._received(file, coding)
            yield self._point(facts.job.spec.name, f"channels {count}", made, size)

    def stream(self, path: Path) -> Point:
        """What a stream shows of these frames, at the bytes that it has for each of all its frames.

        MultitrainError where it is none, or of other frames; OSError.
        """
        contents, (count, height, width, _) = look(path), self._frames.shape
        if told := [each for each in contents.troubles if each != CUT_OFF.told]:
            raise MultitrainError(f"{path} is not whole: {told[0]}")
        sent, size = contents.frames, contents.facts.size
        if size != (width, height) or sent < count:
            raise MultitrainError(
                f"{path} has {sent} frames of {size}, and {count} of {width}x{height} are compared"
            )
        with path.open("rb") as file:
            coding = Coding(opened_facts(file), self._device)
            made = self._received(file, coding)
        return self._point(path.name, "as it was sent", made, contents.bytes_per_frame * count)

    def _received(self, file: Readable, coding: Coding) -> Frames:
        """The first frames of a stream whose header was read."""
        received = shown(file, coding.facts, coding, Decoding())
        made = (each.picture for each in received if isinstance(each, Shown))
        frames = list(islice(made, len(self._frames)))
        if len(frames) < len(self._frames):
            raise MultitrainError(
                f"only {len(frames)} of {len(self._frames)} frames of the stream can be shown"
            )
        return np.stack(frames)

    def baselines(self, facts: Facts) -> Iterator[Point]:
        """Plain codecs at their settings. MultitrainError where there is no ffmpeg."""
        for each in BASELINES:
            for setting in each.settings:
                stored = each.store(self._frames, facts.fps, setting)
                named = f"{each.setting} {setting}" if each.setting else ""
                yield self._point(each.codec, named, stored.frames, stored.bytes)

    def _point(self, codec: str, setting: str, made: Frames, size: float) -> Point:
        found = [
            np.asarray(self._measured(*map(ops.convert_to_tensor, (one[None], other[None]))))
            for one, other in zip(made, self._frames, strict=True)
        ]
        psnr, _, ms_ssim = np.mean(found, axis=0).tolist()
        mae = float(np.mean(np.abs(made.astype(np.float32) - self._frames))) / WHITE
        self._on_point()
        return Point(codec, setting, size / len(self._frames), psnr, ms_ssim, mae)
