"""A network that remembers: what it is given for a frame, and what becomes of what it makes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

from keras import ops

from jobs.families.superres.layers import skip_of
from jobs.families.superres.recurrent import Maps, neighbours
from jobs.settings.spec import JobSpec
from multitrain.networks.upsampling import bilinear, depth_to_space, nearest, space_to_depth


@dataclass(frozen=True)
class Remembering:
    """Frames are `(n, height, width, channels)` values in [-1, 1]; what goes on, of `memory`
    channels, is as large and begins with zeros.
    """

    maps: Maps
    scale: int
    skip: str

    @classmethod
    def of(cls, spec: JobSpec) -> Self:
        return cls(Maps.of(spec), spec.scale, skip_of(spec))

    def begin(self, frame: Any) -> Any:
        """What goes on into a first frame such as this one."""
        return ops.zeros((*ops.shape(frame)[:-1], self.maps.memory))

    def given(self, before: Any, now: Any, after: Any, memory: Any) -> Any:
        """What the network is given for a frame."""
        return ops.concatenate([before, now, after, memory], axis=-1)

    def taken(self, made: Any, now: Any) -> tuple[Any, Any]:
        """The high frame, and what goes on, of what the network has made."""
        squares = made[..., : self.maps.squares]
        if self.skip != "none":
            large = (nearest if self.skip == "nearest" else bilinear)(now, self.scale)
            squares = squares + space_to_depth(large, self.scale)
        kept = ops.tanh(made[..., self.maps.squares :])
        memory = ops.concatenate([squares, kept], axis=-1)
        return depth_to_space(squares, self.scale), memory

    def clip(self, network: Callable[[Any], Any], frames: Any) -> Any:
        """All frames `(n, frames, height, width, channels)` of a clip, high."""
        each = [frames[:, place] for place in range(frames.shape[1])]
        memory, made = self.begin(each[0]), []
        for place, now in enumerate(each):
            before, _, after = (each[other] for other in neighbours(place, len(each)))
            high, memory = self.taken(network(self.given(before, now, after, memory)), now)
            made.append(high)
        return ops.stack(made, axis=1)
