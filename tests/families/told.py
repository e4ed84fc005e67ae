"""Networks that are functions, for losses that are reckoned by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


class Told:
    """Called as an engine's networks; `calls` are what they were called with."""

    def __init__(self, **networks: Callable[..., object]) -> None:
        self.networks = networks
        self.calls: list[tuple[str, np.ndarray, bool]] = []

    def __call__(self, name: str, inputs: Any, training: bool = True) -> object:
        self.calls.append((name, np.asarray(inputs), training))
        return self.networks[name](np.asarray(inputs))
