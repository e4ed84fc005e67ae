"""All kinds of networks that prove the engines, by name."""

from __future__ import annotations

from collections.abc import Callable

from tests.engine.proving.adversaries import FrozenEye, Pool, TwoPairs
from tests.engine.proving.feeding import Memory, Translation
from tests.engine.proving.proof import Proof

PROOFS: dict[str, Callable[[], Proof]] = {
    "two pairs": TwoPairs,
    "a frozen network, two phases": FrozenEye,
    "a pool that is carried": Pool,
    "pairs of pictures": Translation,
    "clips that go on": Memory,
}
