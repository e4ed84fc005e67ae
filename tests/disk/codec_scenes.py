"""A video as a stream, and back, as a scene."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, cast

import numpy as np
import pytest

from jobs.settings.kinds import Resolution
from jobs.settings.spec import JobSpec
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace
from multitrain.codec import line
from multitrain.codec.facts import Facts
from multitrain.codec.files import Decoding, decode, encode, finish, rehearse
from multitrain.codec.line import Line
from multitrain.codec.receiving import nothing
from multitrain.codec.recording import Recorder
from multitrain.codec.sending import Sender
from multitrain.codec.stream import StreamWriter
from multitrain.families.autoencoder.packing import packed
from render.files.film import Film
from tests.disk import clip_scenes
from tests.footage import HEIGHT, WIDTH

film = clip_scenes.film


class NoNetworks:
    """Sends nothing of each frame, and shows black."""

    remembers = False

    def __init__(self, facts: Facts) -> None:
        parameters = sum(each.parameters for each in facts.coding.decoder)
        self.shapes = {"all": (parameters,)}
        sent = facts.sent
        self._nothing = np.zeros((sent.height, sent.width, sent.channels), np.int8)

    def place_encoder(self, weights: object) -> object:
        return weights

    def weights_of_decoder(self, _: object) -> dict[str, Any]:
        return {name: np.ones(shape, np.float32) for name, shape in self.shapes.items()}

    def encoded(self, *_: object) -> bytes:
        return packed(self._nothing)

    def decoded(self, *_: object) -> np.ndarray:
        return nothing(WIDTH, HEIGHT)


def facts() -> Facts:
    cells = {"name": "j", "family": "autoencoder", "dataset": "d", "steps": 1}
    spec = JobSpec.model_validate({**cells, "grid_width": 1, "grid_height": 1})
    job = JobFile(spec=spec, image_width=WIDTH, image_height=HEIGHT)
    return Facts(job, Resolution(WIDTH, HEIGHT), Fraction(60), 1)


def store_and_show(workspace: Workspace) -> None:
    known = facts()
    stream, coding = workspace.root / "film.mtc", cast("Any", NoNetworks(known))
    source = Film.look(workspace.root / "film.mkv")
    encode(source, known, coding, {}, stream, _nobody)
    frames = rehearse(stream, Decoding(), has_memory=False)
    decode(stream, coding, Decoding(), frames, workspace.root / "shown.mp4", "h264", _nobody)


class Deaf:
    """A receiver that is given a stream and shows nothing."""

    def __init__(self, *_: object) -> None:
        """Of pictures of any size."""

    def write(self, data: bytes) -> None:
        """Nothing becomes of it."""

    def close(self) -> None:
        """Nothing is there."""


def send(workspace: Workspace) -> None:
    """A stream goes on behind what was sent before; then it is published."""
    path, size = workspace.root / "live.mtc", Resolution(WIDTH, HEIGHT)
    weights = {"all": np.ones(50, np.float32)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(line, "ReceiverProcess", Deaf)
        first = Line.beginning(path, size)
        try:
            sender = Sender.beginning(StreamWriter(first, facts().written()), weights)
            sender.send_frame(b"frame")
            part = first.flush()
        finally:
            first.close()
        then = Line(path, size, part, first=1)
        try:
            sender.writer = StreamWriter(then, None, sender.writer.packets)
            sender.send_weights(sender.offer({"all": 2 * weights["all"]}))
            sender.send_frame(b"frame")
            then.flush()
        finally:
            then.close()
    finish(path, workspace.root / "published.mtc")


def record(workspace: Workspace) -> None:
    """What came live; what cannot be recorded costs nothing else, so it is tried once more."""
    folder = workspace.root / "recorded"
    for _ in range(2):
        recorder = Recorder(folder, Resolution(WIDTH, HEIGHT), fps=1, most_bytes=1)
        recorder.write(nothing(WIDTH, HEIGHT))
        recorder.close()


def _nobody(_: int) -> None:
    """Is told of the progress."""
