"""A decoder that remembers: a convolutional LSTM over latents, and how others hand its state on.

What it sees is what was sent, so whoever receives it remembers the same. Shi et al. 2015,
https://arxiv.org/abs/1506.04214, without peepholes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from keras import ops

from jobs.families.autoencoder.layers import GATES, Coding

FORGETTING = 1.0  # added to what keeps cells: so they are kept until it has learnt otherwise


def remembering(gates: Callable[[Any], Any], clips: Any, state: Any) -> tuple[Any, Any]:
    """Latents with what is remembered beside them, and the state behind the last frame.

    `clips` are `(n, frames, height, width, channels)`, the `state` `(n, height, width, 2 *
    channels)`; what is returned first, `(n * frames, height, width, 2 * channels)`, stands frame
    by frame.
    """
    _, frames, *map_, channels = clips.shape
    made, cells = state[..., :channels], state[..., channels:]
    seen = []
    for place in range(frames):
        latents = clips[:, place]
        made, cells = _next(gates(ops.concatenate([latents, made], axis=-1)), cells)
        seen.append(ops.concatenate([latents, made], axis=-1))
    whole = ops.reshape(ops.stack(seen, axis=1), (-1, *map_, 2 * channels))
    return whole, ops.concatenate([made, cells], axis=-1)


def _next(gates: Any, cells: Any) -> tuple[Any, Any]:
    """What is made, and the cells, by what the gates say."""
    taken, kept, shown, new = ops.split(gates, GATES, axis=-1)
    cells = ops.sigmoid(kept + FORGETTING) * cells + ops.sigmoid(taken) * ops.tanh(new)
    return ops.sigmoid(shown) * ops.tanh(cells), cells


def begin(plan: Coding, clips: int) -> Any:
    """What goes on into so many clips that follow on nothing."""
    state = plan.state
    return ops.zeros((clips, state.height, state.width, state.channels))


@dataclass(frozen=True)
class FrameByFrame:
    """How a network of encoder and decoder is used on one frame after the other."""

    plan: Coding

    def begin(self, frame: Any) -> Any:
        """What goes on into a first frame such as this one."""
        return begin(self.plan, frame.shape[0])

    def given(self, before: Any, now: Any, after: Any, memory: Any) -> Any:  # noqa: ARG002
        """What the network is given for a frame."""
        return [now, memory]

    def taken(self, made: Any, now: Any) -> tuple[Any, Any]:  # noqa: ARG002
        """The frame, and what goes on, of what the network has made."""
        values, memory = made
        return values, memory
