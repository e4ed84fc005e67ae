"""The outputs of a discriminator."""

from __future__ import annotations

from typing import Any, NamedTuple


class Judgement(NamedTuple):
    """The discriminator's outputs for pictures.

    `logits` are `(n, 1)`; `features`, `(n, k)`, are the inputs of its last layer.
    """

    logits: Any
    features: Any
