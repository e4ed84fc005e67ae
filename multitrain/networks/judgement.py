"""The outputs of a discriminator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple


class Judgement(NamedTuple):
    """The discriminator's outputs for pictures.

    `logits` are `(n, places)`; `features`, `(n, k)`, are the inputs of its last layer. `maps` are
    what its inner layers make, `(n, height, width, channels)`, where it tells them.
    """

    logits: Any
    features: Any
    maps: Sequence[Any] = ()
