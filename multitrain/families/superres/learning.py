"""How a network of super-resolution learns, of pictures or of clips, perhaps while it is judged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

from keras import ops

from jobs.families.enlarging import JUDGED
from jobs.families.superres.plan import GENERATOR, frames_of
from multitrain.engine.model import Batch, Named, Nets, Outcome, Pass
from multitrain.families.enlarging import Enlarging
from multitrain.families.superres.remembering import Remembering


@dataclass(frozen=True)
class Superresolving(Enlarging):
    """A generator, and perhaps a discriminator."""

    @property
    def frames(self) -> int:
        return frames_of(self.spec)

    @cached_property
    def remembering(self) -> Remembering | None:
        """How the network goes on from frame to frame; None: items are pictures, not clips."""
        return Remembering.of(self.spec) if self.frames > 1 else None

    @property
    def making(self) -> Pass:
        """What the generator makes of a batch."""
        return Pass((GENERATOR,), (*self.seen_by_generator, *self.made_of), self.fakes)

    def fakes(self, nets: Nets, feeds: Named, chance: Named) -> Any:
        return self._made(partial(nets, GENERATOR), self.given(feeds, chance))

    def drawn(self, nets: Nets, low: Any) -> Mapping[str, Any]:
        return {"output": self._made(partial(nets, GENERATOR, training=False), low)}

    def _made(self, network: Callable[[Any], Any], low: Any) -> Any:
        """What the network makes of low pictures; of clips, their frames stand one by one."""
        if self.remembering is None:
            return network(low)
        clips = ops.reshape(low, (-1, self.frames, *low.shape[1:]))
        return self._one_by_one(self.remembering.clip(network, clips))

    def distance(self, nets: Nets, batch: Batch) -> Outcome:
        """The loss as far as no discriminator has a say in it."""
        terms = [each for each in self.spec.losses if each.name not in JUDGED]
        return Outcome(self.weighed(nets, batch, batch.passes["fakes"], terms))

    def generator_loss(self, nets: Nets, batch: Batch) -> Outcome:
        return Outcome(self.weighed(nets, batch, batch.passes["fakes"], self.spec.losses))
