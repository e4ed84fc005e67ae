"""How networks that enlarge learn: what they are given, what they make of it, what frames show.

Pictures come one by one, or as clips of a network that remembers, whose frames then stand one by
one: `(n * frames, height, width, channels)`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
from keras import ops

from jobs.families.enlarging import DISCRIMINATOR, LOW, codec_of, degradations
from jobs.families.feed import PICTURES
from jobs.families.translation import INPUTS, SAMPLES, TARGETS, VALIDATION, shows
from jobs.families.vgg16 import SEEN_BY_VGG16
from jobs.settings.colours import RGB
from jobs.settings.kinds import Resolution
from jobs.settings.preprocess import shrunk
from jobs.settings.spec import JobSpec
from jobs.settings.translation import Term
from jobs.workspace.jobfile import JobFile
from multitrain.engine.model import (
    EMPTY,
    Batch,
    Chance,
    Measuring,
    Named,
    Nets,
    Show,
    Shown,
    Update,
)
from multitrain.families import adversaries
from multitrain.families.translating import Samples
from multitrain.networks.colours import WHITE, to_levels, to_network, to_picture
from multitrain.networks.degrading import degraded, sizes_of_noise
from multitrain.networks.distances import DISTANCES, of_maps
from multitrain.networks.judgement import Judgement
from multitrain.networks.metrics import measures
from multitrain.networks.perception import Perception, as_rgb
from multitrain.networks.resizing import resized
from multitrain.networks.upsampling import nearest

TURNS = "quarter_turns"
NOISE = "noise_"  # before the place of the step that adds it
MEASURES = ("psnr", "ssim", "psnr_bicubic", "ssim_bicubic")


@dataclass(frozen=True)
class Enlarging(adversaries.Pair):
    """Networks that make pictures of this `size`, and perhaps a discriminator that sees these.

    A family says what becomes of low pictures in `drawn`.
    """

    size: Resolution
    perception: Perception | None = None

    @property
    def frames(self) -> int:
        """The pictures of an item."""
        return 1

    def drawn(self, nets: Nets, low: Any) -> Mapping[str, Any]:
        """What networks make of low pictures when they do not train, by the name of what is shown.

        All are values `(n, height, width, channels)`; `output` is what the job is for.
        """
        raise NotImplementedError

    @property
    def feeds(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((self._target_feed, self._input_feed)))

    @property
    def made_of(self) -> Mapping[str, Chance]:
        frames = (self.frames,) if self.frames > 1 else ()
        noises = {
            f"{NOISE}{place}": Chance((*frames, size.height, size.width, RGB), "normal")
            for place, size in self._noises.items()
        }
        return {**noises, TURNS: Chance()} if self.spec.turn else noises

    @property
    def seen_by_generator(self) -> tuple[str, ...]:
        return (self._input_feed,)

    def program(self, turn: str, updates: int) -> list[Update | Show]:
        """Updates of networks that nothing judges, each with a batch and with chance of its own.

        Frames are shown after the last ones.
        """
        program: list[Update | Show] = []
        for number in range(updates):
            feeds, chance = (dict.fromkeys(each, number) for each in (self.feeds, self.made_of))
            program.append(Update(turn, feeds, chance))
            if number >= updates - self.spec.frames_per_step:
                program.append(Show())
        return program

    def given(self, feeds: Named, chance: Named) -> Any:
        """The low pictures of an update, in [-1, 1]."""
        pictures = self._one_by_one(feeds[self._input_feed])
        if self._is_made_low:  # what is turned is square only then
            pictures = self._whole(pictures)
        return self._seen(self._low(self._turned(pictures, chance), chance))

    def reals(self, batch: Batch) -> Any:
        pictures = self._whole(self._one_by_one(batch.feeds[self._target_feed]))
        return self._seen(self._turned(pictures, batch.chance))

    def _one_by_one(self, items: Any) -> Any:
        """The frames of clips `(n, frames, ...)`, `(n * frames, ...)`; pictures stay."""
        return ops.reshape(items, (-1, *items.shape[2:])) if self.frames > 1 else items

    def _last(self, pictures: Any) -> Any:
        """Of the frames of clips, the last of each; pictures stay."""
        return pictures[self.frames - 1 :: self.frames]

    def _turned(self, pictures: Any, chance: Named) -> Any:
        if not self.spec.turn:
            return pictures
        return turned(pictures, ops.repeat(chance[TURNS], self.frames))

    def weighed(self, nets: Nets, batch: Batch, made: Any, terms: Sequence[Term]) -> Any:
        """The loss, by these terms, of pictures that were made of a batch.

        A term that asks the discriminator asks it about the batch's `fakes`.
        """
        whole = made, self.reals(batch)
        inner, wanted = map(self._inside, whole)

        def loss(name: str) -> Any:
            if name == "gan":
                return self.deceiving(nets, batch)
            if name == "feature":
                return of_maps(*(self._maps(nets, each) for each in whole))
            if name in SEEN_BY_VGG16:
                assert self.perception, "`perceptual` names its weights"
                return self.perception.distances[name](as_rgb(inner), as_rgb(wanted))
            return DISTANCES[name](inner, wanted)

        return sum(term["weight"] * loss(term.name) for term in terms if term["weight"])

    def _maps(self, nets: Nets, pictures: Any) -> Any:
        return Judgement(*nets(DISCRIMINATOR, pictures, training=False)).maps

    def _inside(self, pictures: Any) -> Any:
        """Without the border."""
        edge = self.spec.border
        return pictures[:, edge:-edge, edge:-edge] if edge else pictures

    @property
    def measured(self) -> Measuring | None:
        """How well pictures that are not trained on come out, beside bicubic scaling."""
        if not self.spec.validation:
            return None

        feeds = (VALIDATION, LOW[VALIDATION]) if codec_of(self.spec) else (VALIDATION,)

        def measure(nets: Nets, seen: Named) -> Any:
            whole, given = (self._one_by_one(seen[name]) for name in (feeds[0], feeds[-1]))
            high = self._whole(whole)
            low, edge = self._still(given), self.spec.scale
            drawn = self.drawn(nets, self._seen(low))["output"]
            wanted, *made = (
                ops.cast(each, "float32")[:, edge:-edge, edge:-edge]
                for each in (
                    high,
                    to_levels(self.spec.colour_model, drawn),
                    resized(low, *self.size[::-1]),
                )
            )
            return ops.concatenate([measures(each, wanted) for each in made])

        return Measuring(feeds, MEASURES, measure)

    def shown(self, job: JobFile) -> Shown:
        pictures = shows(self.spec)
        prefix = SAMPLES if self.spec.sample_from else ""
        inputs, targets = prefix + self._input_feed, prefix + self._target_feed
        samples = Samples.of(self.spec)

        def cells(nets: Nets, seen: Named) -> Any:
            low = self._still(self._one_by_one(seen[inputs]))
            drawn = self.drawn(nets, self._seen(low))

            def shown(name: str) -> Any:
                return to_picture(self.spec.colour_model, self._last(drawn[name]))

            found: Mapping[str, Callable[[], Any]] = {
                "input": lambda: nearest(self._last(low), self.spec.scale),
                "bicubic": lambda: ops.clip(resized(self._last(low), *self.size[::-1]), 0.0, WHITE),
                **{name: partial(shown, name) for name in drawn},
                "target": lambda: self._whole(self._last(self._one_by_one(seen[targets]))),
            }
            each = [ops.cast(ops.round(found[name]()), "uint8") for name in pictures]
            return ops.concatenate(each, axis=2)

        cell = (self.size.height, len(pictures) * self.size.width, job.plan.channels)
        feeds = (inputs, targets) if "target" in pictures else (inputs,)
        return Shown(
            cell, EMPTY, samples.at, cells, tuple(dict.fromkeys(feeds)), of_all=samples.move
        )

    def _seen(self, levels: Any) -> Any:
        return to_network(self.spec.colour_model, levels)

    def _low(self, levels: Any, noise: Named) -> Any:
        """What the generator is given: low pictures, or what is made of high ones."""
        if self.spec.inputs:
            return ops.cast(levels, "float32")
        noises = {place: self._one_by_one(noise[f"{NOISE}{place}"]) for place in self._noises}
        return degraded(degradations(self.spec), levels, self.spec.scale, noises)

    def _whole(self, pictures: Any) -> Any:
        """As far as `scale` divides them."""
        return pictures[:, : self.size.height, : self.size.width]

    @cached_property
    def _noises(self) -> Mapping[int, Resolution]:
        given = self.size if self._is_made_low else shrunk(self.size, self.spec.scale)
        return sizes_of_noise(degradations(self.spec), given, self.spec.scale)

    def _still(self, levels: Any) -> Any:
        """What frames show the generator on: always the same."""
        if self.spec.inputs:
            return ops.cast(levels, "float32")
        return made_low(self.spec, self._whole(levels) if self._is_made_low else levels)

    @property
    def _is_made_low(self) -> bool:
        """Whether steps are given high pictures alone, and make low ones of them."""
        return not (self.spec.inputs or codec_of(self.spec))

    @property
    def _input_feed(self) -> str:
        return PICTURES if self._is_made_low else INPUTS

    @property
    def _target_feed(self) -> str:
        return TARGETS if self.spec.inputs else PICTURES


def made_low(spec: JobSpec, levels: Any) -> Any:
    """What the network learns to enlarge, made of levels `(n, height, width, 3 or 4)`.

    They are high, or what a video has kept, which is small already.

    The noise is always the same, for pictures of one size.
    """
    steps, size = degradations(spec), Resolution(levels.shape[2], levels.shape[1])
    random = np.random.default_rng(spec.seed)
    noises = {
        place: random.standard_normal((1, each.height, each.width, RGB), np.float32)
        for place, each in sizes_of_noise(steps, size, spec.scale).items()
    }
    return degraded(steps, levels, spec.scale, noises)


def turned(pictures: Any, shares: Any) -> Any:
    """Square pictures `(n, side, side, channels)`, each turned by 0 to 3 quarters by its share."""
    quarters = ops.cast(ops.floor(4.0 * shares), "int32")[:, None, None, None]
    across = ops.transpose(pictures, (0, 2, 1, 3))
    odd = ops.where(quarters == 1, ops.flip(across, 1), ops.flip(across, 2))
    even = ops.where(quarters == 0, pictures, ops.flip(pictures, (1, 2)))
    return ops.where(quarters % 2 == 1, odd, even)
