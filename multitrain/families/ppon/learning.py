"""How stages learn: each by its own terms, of what those before it make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from keras import ops

from jobs.families.ppon.layers import LOSSES, PERCEPTION, STAGES, up_to
from multitrain.engine.model import Batch, Named, Nets, Outcome, Pass
from multitrain.families.enlarging import Enlarging
from multitrain.families.ppon.building import pictures_of

FAKES = "fakes"  # the pass that a discriminator judges


@dataclass(frozen=True)
class Progressing(Enlarging):
    """Three stages, of which the last one is perhaps judged."""

    @property
    def generators(self) -> Mapping[str, str]:
        return {PERCEPTION: "average"}

    @property
    def passes(self) -> Mapping[str, Pass]:
        """What the stages make of a batch, up to each."""
        uses = (*self.seen_by_generator, *self.made_of)
        return {
            pass_of(name): Pass(up_to(name), uses, partial(self._made, name)) for name in STAGES
        }

    def _made(self, last: str, nets: Nets, feeds: Named, chance: Named) -> Any:
        """The picture of a stage, through which no gradients go to those before."""

        def call(name: str, given: Any) -> Any:
            found = nets(name, given)
            return found if name == last else list(map(ops.stop_gradient, found))

        *_, picture = pictures_of(call, up_to(last), self.given(feeds, chance))
        return picture

    def fakes(self, nets: Nets, feeds: Named, chance: Named) -> Any:
        return self._made(PERCEPTION, nets, feeds, chance)

    def drawn(self, nets: Nets, low: Any) -> Mapping[str, Any]:
        each = pictures_of(partial(nets, training=False), STAGES, low)
        return {**(found := dict(zip(STAGES, each, strict=True))), "output": found[PERCEPTION]}

    def loss_of(self, stage: str, nets: Nets, batch: Batch) -> Outcome:
        """How far the picture that the stage has come to is from what its terms want."""
        terms = getattr(self.spec, LOSSES[stage])
        return Outcome(self.weighed(nets, batch, batch.passes[pass_of(stage)], terms))

    def generator_loss(self, nets: Nets, batch: Batch) -> Outcome:
        return self.loss_of(PERCEPTION, nets, batch)


def pass_of(stage: str) -> str:
    """The name of what the stages up to this one make of a batch."""
    return FAKES if stage == PERCEPTION else stage
