"""How the network between two frames learns: of clips, whose first and last frame it is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from keras import ops

from jobs.families.feed import PICTURES
from jobs.families.inbetween.plan import GENERATOR
from jobs.families.translation import SAMPLES, VALIDATION, shows
from jobs.settings.spec import JobSpec
from jobs.workspace.jobfile import JobFile
from multitrain.engine.model import (
    EMPTY,
    Batch,
    Chance,
    Measuring,
    Named,
    Nets,
    Outcome,
    Show,
    Shown,
    Update,
)
from multitrain.families.translating import Samples
from multitrain.networks.colours import to_levels, to_network, to_picture
from multitrain.networks.distances import DISTANCES
from multitrain.networks.metrics import measures

BACKWARDS = "backwards"  # chance: half of the clips are played so
MEASURES = ("psnr", "ssim", "psnr_blend", "ssim_blend")


def given(first: Any, last: Any, shares: Any) -> Any:
    """What the network is given of two frames' values `(n, height, width, channels)`, to make the
    frame at these `(n,)` shares of the way from one to the other.
    """
    time = ops.broadcast_to(shares[:, None, None, None], (*ops.shape(first)[:-1], 1))
    return ops.concatenate([first, last, time], axis=-1)


@dataclass(frozen=True)
class Interpolating:
    """Clips are `(n, frames, height, width, 3 or 4)` uint8."""

    spec: JobSpec

    @property
    def chance(self) -> Mapping[str, Chance]:
        return {BACKWARDS: Chance()}

    def program(self, updates: int) -> list[Update | Show]:
        """Each update has a batch of its own."""
        numbered = (
            Update("g", {PICTURES: number}, {BACKWARDS: number}) for number in range(updates)
        )
        return [*numbered, Show()]

    def distance(self, nets: Nets, batch: Batch) -> Outcome:
        """The loss: how far all frames between the ends are from what is made of these."""
        clips = batch.feeds[PICTURES]
        is_forwards = (batch.chance[BACKWARDS] < 0.5)[:, None, None, None, None]
        clips = ops.where(is_forwards, clips, ops.flip(clips, axis=1))
        made, wanted = self._made(partial(nets, GENERATOR), clips), self._between(clips)
        terms = [each for each in self.spec.losses if each["weight"]]
        return Outcome(sum(term["weight"] * DISTANCES[term.name](made, wanted) for term in terms))

    def _made(self, network: Callable[[Any], Any], clips: Any) -> Any:
        """All frames between the ends, `(n * between, height, width, channels)` values."""
        first, last, shares = self._ends(clips)
        return network(given(first, last, shares))

    def _between(self, clips: Any) -> Any:
        """The frames that they should be."""
        return self._values(ops.reshape(clips[:, 1:-1], (-1, *clips.shape[2:])))

    def _ends(self, clips: Any) -> tuple[Any, Any, Any]:
        """Of each frame between them, the values of both, and its share of the way."""
        steps = clips.shape[1] - 1
        first, last = (
            ops.repeat(self._values(clips[:, place]), steps - 1, axis=0) for place in (0, -1)
        )
        numbers = ops.arange(ops.shape(first)[0], dtype="int32") % (steps - 1) + 1
        return first, last, ops.cast(numbers, "float32") / float(steps)

    @property
    def measured(self) -> Measuring | None:
        """How well clips that are not trained on come out, beside blending."""
        if not self.spec.validation:
            return None

        def measure(nets: Nets, seen: Named) -> Any:
            clips = seen[VALIDATION]
            first, last, shares = self._ends(clips)
            made = partial(nets, GENERATOR, training=False)(given(first, last, shares))
            wanted = ops.reshape(clips[:, 1:-1], (-1, *clips.shape[2:]))
            each = [
                measures(to_levels(self.spec.colour_model, values), wanted)
                for values in (made, _blended(first, last, shares))
            ]
            return ops.concatenate(each)

        return Measuring((VALIDATION,), MEASURES, measure)

    def shown(self, job: JobFile) -> Shown:
        """Of each sample the frame in its middle."""
        pictures, samples = shows(self.spec), Samples.of(self.spec)
        feed = (SAMPLES if self.spec.sample_from else "") + PICTURES
        middle = self.spec.clip // 2

        def cells(nets: Nets, seen: Named) -> Any:
            clips = seen[feed]
            first, last = (self._values(clips[:, place]) for place in (0, -1))
            share = ops.full((clips.shape[0],), middle / (self.spec.clip - 1), dtype="float32")
            model, network = self.spec.colour_model, partial(nets, GENERATOR, training=False)
            found = {
                "blend": lambda: to_picture(model, _blended(first, last, share)),
                "output": lambda: to_picture(model, network(given(first, last, share))),
                "target": lambda: clips[:, middle],
            }
            return ops.concatenate([found[name]() for name in pictures], axis=2)

        cell = (job.image_height, len(pictures) * job.image_width, job.plan.channels)
        return Shown(cell, EMPTY, samples.at, cells, (feed,), of_all=samples.move)

    def _values(self, levels: Any) -> Any:
        return to_network(self.spec.colour_model, levels)


def _blended(first: Any, last: Any, shares: Any) -> Any:
    """What fading from one to the other gives."""
    return first + shares[:, None, None, None] * (last - first)
