"""What a discriminator must be able to tell of a picture: the whole, small, and a part of it.

Liu et al. 2021, section 3.2, https://arxiv.org/abs/2101.04775.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from keras import ops

from jobs.families.fastgan.layers import Decoders, Size
from multitrain.families.fastgan.building import Seen, halved
from multitrain.networks.windows import cut


@dataclass(frozen=True)
class Reconstruction:
    """Which pictures the decoders must make of maps.

    `window` is the part of a middle map, in its pixels; each of these is as wide as `scale` pixels
    of the part's picture. The whole is decoded from pictures that are halved `whole` times, the
    part from pictures that are halved `part` times.
    """

    window: Size
    scale: int
    whole: int
    part: int

    @classmethod
    def of(cls, plan: Decoders, picture: int, middle: int, deep: int) -> Reconstruction:
        """`picture`, `middle` and `deep` are the levels of the picture and of the maps."""
        doublings = len(plan.whole.stages)
        return cls(
            plan.window,
            2**doublings,
            picture - deep - doublings,
            picture - middle - doublings,
        )

    def given(self, seen: Seen, places: Any) -> list[Any]:
        """What the decoders are given. `places`, `(n, 2)` in [0, 1), says where the parts lie."""
        return [seen.deep, cut(seen.middle, self._starts(seen, places), self.window)]

    def wanted(self, seen: Seen, places: Any) -> list[Any]:
        """The pictures that they should make, `(n, height, width, channels)` float32."""
        pictures = ops.stop_gradient(seen.pictures)
        fine = halved(pictures, self.part)
        filled = _filled(fine, Size(*(side * self.scale for side in seen.middle.shape[1:3])))
        size = Size(*(side * self.scale for side in self.window))
        starts = self._starts(seen, places) * self.scale
        return [halved(pictures, self.whole), cut(filled, starts, size)]

    def _starts(self, seen: Seen, places: Any) -> Any:
        """The upper left corner of each part, in pixels of the middle map, `(n, 2)` int32."""
        free = [
            side - wide + 1 for side, wide in zip(seen.middle.shape[1:3], self.window, strict=True)
        ]
        return ops.cast(ops.floor(places * ops.convert_to_tensor(free, "float32")), "int32")


def apart(made: Any, wanted: Any) -> Any:
    """How far pictures lie apart: the mean differences of their values, and of their slopes."""
    difference = made - wanted
    slopes = [
        ops.mean(ops.abs(difference[:, 1:] - difference[:, :-1])),
        ops.mean(ops.abs(difference[:, :, 1:] - difference[:, :, :-1])),
    ]
    return ops.mean(ops.abs(difference)) + sum(slopes)


def _filled(pictures: Any, size: Size) -> Any:
    """Pictures of this size: at the bottom and at the right, they go on as they end."""
    for axis, side in enumerate(size, 1):
        missing = side - pictures.shape[axis]
        if missing:
            last = (slice(None),) * axis + (slice(-1, None),)
            more = ops.repeat(pictures[last], missing, axis=axis)
            pictures = ops.concatenate([pictures, more], axis=axis)
    return pictures
