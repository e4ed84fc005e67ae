from __future__ import annotations

import numpy as np
import pytest

from multitrain.engine.adopting import adoptable, left_out

OWN = {"generator/a": (2, 3), "discriminator/b": (4,), "step": (), "optimizer_g/a": (2, 3)}


def state(**shapes: tuple[int, ...]) -> dict[str, np.ndarray]:
    return {name.replace("__", "/"): np.ones(shape, np.float32) for name, shape in shapes.items()}


def test_networks_are_taken_and_nothing_else() -> None:
    given = state(generator__a=(2, 3), discriminator__b=(4,), optimizer_g__a=(2, 3), step=())

    assert adoptable(OWN, given, fitting=False).keys() == {"generator/a", "discriminator/b"}


def test_counters_within_networks_stay_their_own() -> None:
    own = OWN | {"generator/dropout/seed": (2,)}
    given = state(generator__a=(2, 3), discriminator__b=(4,))
    given["generator/dropout/seed"] = np.zeros(2, np.uint32)

    assert "generator/dropout/seed" not in adoptable(own, given, fitting=True)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (state(generator__a=(2, 3)), "discriminator/b is not in it"),
        (
            state(generator__a=(2, 5), discriminator__b=(4,)),
            "generator/a is 2x5 there, not 2x3",
        ),
        (
            state(generator__a=(2, 3), discriminator__b=(4,), generator__c=(1,)),
            "it has generator/c",
        ),
    ],
)
def test_all_must_fit(given: dict[str, np.ndarray], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        adoptable(OWN, given, fitting=False)


def test_what_fits_is_taken_where_that_is_enough() -> None:
    given = state(generator__a=(2, 5), discriminator__b=(4,), generator__c=(1,))

    taken = adoptable(OWN, given, fitting=True)

    assert taken.keys() == {"discriminator/b"}
    assert left_out(OWN, taken) == ["generator/a"]
