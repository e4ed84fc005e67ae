"""A video as a stream, and back, as a scene."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, cast

import numpy as np

from jobs.settings.kinds import Resolution
from jobs.settings.spec import JobSpec
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace
from multitrain.codec.facts import Facts
from multitrain.codec.files import Decoding, decode, encode, rehearse
from multitrain.codec.receiving import nothing
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


def store_and_show(workspace: Workspace) -> None:
    cells = {"name": "j", "family": "autoencoder", "dataset": "d", "steps": 1}
    spec = JobSpec.model_validate({**cells, "grid_width": 1, "grid_height": 1})
    job = JobFile(spec=spec, image_width=WIDTH, image_height=HEIGHT)
    facts = Facts(job, Resolution(WIDTH, HEIGHT), Fraction(60), 1)
    stream, coding = workspace.root / "film.mtc", cast("Any", NoNetworks(facts))
    source = Film.look(workspace.root / "film.mkv")
    encode(source, facts, coding, {}, stream, _nobody)
    frames = rehearse(stream, Decoding(), has_memory=False)
    decode(stream, coding, Decoding(), frames, workspace.root / "shown.mp4", "h264", _nobody)


def _nobody(_: int) -> None:
    """Is told of the progress."""
