"""What families have in common that make pictures into pictures: what they are given, and show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, Self

import numpy as np
from keras import ops

from jobs.families.feed import PICTURES
from jobs.families.translation import INPUTS, SAMPLES, TARGETS, shows
from jobs.settings.spec import JobSpec
from jobs.workspace.jobfile import JobFile
from multitrain.engine.model import EMPTY, Applying, Chance, Named, Nets, Shown
from multitrain.families import adversaries
from multitrain.networks.colours import to_levels, to_network, to_picture
from multitrain.networks.making import made


class Samples(NamedTuple):
    """Which pictures the cells of frames show: always the same, or others in each one."""

    cells: int
    move: bool

    @classmethod
    def of(cls, spec: JobSpec) -> Self:
        return cls(spec.samples, spec.sample_motion == "moving")

    def at(self, samples: Named, first: Any, frames: int) -> Named:
        """Of each feed, those of so many frames from number `first` on, `(frames, cells, ...)`."""
        if self.move:
            return {name: self._following(each, first, frames) for name, each in samples.items()}
        return {
            name: ops.broadcast_to(each, (frames, *each.shape)) for name, each in samples.items()
        }

    def _following(self, pictures: Any, first: Any, frames: int) -> Any:
        """From its own place on, each cell shows picture after picture."""
        items = pictures.shape[0]
        places = np.arange(self.cells) * items // self.cells
        numbers = first + np.arange(frames)[:, None] + places
        return ops.take(pictures, ops.mod(numbers, items), axis=0)


@dataclass(frozen=True)
class Translation(adversaries.Pair):
    """Generators that make pictures of pictures, against discriminators."""

    @property
    def translated(self) -> Translated:
        return Translated.of(self.spec)

    @property
    def feeds(self) -> tuple[str, ...]:
        return self.translated.feeds

    @property
    def made_of(self) -> Mapping[str, Chance]:
        return {}


@dataclass(frozen=True)
class Translated:
    """Inputs and targets of steps, and of the frames' samples.

    Both come from feeds of their own, as pairs or not, or inputs are made of the targets.
    """

    spec: JobSpec
    input_feed: str
    target_feed: str

    @classmethod
    def of(cls, spec: JobSpec) -> Self:
        return cls(spec, PICTURES, PICTURES) if spec.makings else cls(spec, INPUTS, TARGETS)

    @property
    def feeds(self) -> tuple[str, ...]:
        """Those that updates are given, by name."""
        return tuple(dict.fromkeys((self.target_feed, self.input_feed)))

    def inputs(self, feeds: Named) -> Any:
        """What the generator is given, `(n, height, width, channels)` in [-1, 1]."""
        return to_network(self.spec.colour_model, self._input_levels(feeds[self.input_feed]))

    def targets(self, feeds: Named) -> Any:
        """What it is to make of these."""
        return to_network(self.spec.colour_model, feeds[self.target_feed])

    def applying(self, network: Any, *, raw: bool) -> Applying:
        """How the network makes pictures of any others; `raw`: they are inputs already."""
        model = self.spec.colour_model

        def given(levels: Any) -> Any:
            return to_network(model, levels if raw else self._input_levels(levels))

        return Applying(network, given, partial(to_levels, model))

    def shown(self, job: JobFile, back: str = "") -> Shown:
        """Cells with what a sheet wants of inputs, outputs and targets, side by side.

        `back` is the network that makes inputs of targets, where there is one.
        """
        pictures = shows(self.spec)
        prefix = SAMPLES if self.spec.sample_from else ""
        inputs, targets = prefix + self.input_feed, prefix + self.target_feed

        showing = Samples.of(self.spec)

        def cells(nets: Nets, samples: Named) -> Any:
            model, seen = self.spec.colour_model, self._input_levels(samples[inputs])
            drawn = nets("generator", to_network(model, seen), training=False)
            found = {
                "input": lambda: ops.cast(seen, "uint8"),
                "output": lambda: to_picture(model, drawn),
                "target": lambda: samples[targets],
                "cycle": lambda: to_picture(model, nets(back, drawn, training=False)),
            }
            return ops.concatenate([found[name]() for name in pictures], axis=2)

        cell = (job.image_height, len(pictures) * job.image_width, job.plan.channels)
        feeds = (inputs, targets) if "target" in pictures else (inputs,)
        names = tuple(dict.fromkeys(feeds))
        return Shown(cell, EMPTY, showing.at, cells, names, of_all=showing.move)

    def _input_levels(self, pictures: Any) -> Any:
        """Levels from 0 to 255, whole ones, as a file would hold them."""
        return ops.round(made(self.spec.makings, pictures)) if self.spec.makings else pictures
