from __future__ import annotations

import numpy as np
import pytest

from multitrain.engine.adopting import adoptable, left_out, starting_weights
from multitrain.engine.session import State

OWN = {"generator/a": (2, 3), "discriminator/b": (4,)}


def state(**shapes: tuple[int, ...]) -> State:
    return {name.replace("__", "/"): np.ones(shape, np.float32) for name, shape in shapes.items()}


def test_a_training_starts_from_networks_and_nothing_else() -> None:
    whole = state(generator__a=(2, 3), discriminator__b=(4,), optimizer_g__a=(2, 3), latents=(2,))
    whole["step"] = np.array(7)
    whole["generator/dropout/seed"] = np.zeros(2, np.uint32)

    assert starting_weights(whole, "dcgan").keys() == {"generator/a", "discriminator/b"}


def test_what_drew_the_samples_stands_in_the_generators_place() -> None:
    whole = state(generator__a=(2, 3), generator__mean=(3,), average__a=(2, 3))
    whole["average/a"] *= 5

    weights = starting_weights(whole, "dcgan")

    assert weights.keys() == {"generator/a", "generator/mean"}
    assert (weights["generator/a"] == 5).all()


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (state(generator__c=(2, 3), discriminator__b=(4,)), "generator/a is not in it"),
        (state(encoder__a=(2, 3)), "generator/a is not in it"),
        (state(generator__a=(2, 5), discriminator__b=(4,)), "generator/a is 2x5 there, not 2x3"),
        (
            state(generator__a=(2, 3), discriminator__b=(4,), generator__c=(1,)),
            "it has generator/c",
        ),
    ],
)
def test_all_must_fit(given: State, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        adoptable(OWN, given, fitting=False)


@pytest.mark.parametrize(
    "given", [{"generator__a": (2, 3)}, {"generator__a": (2, 3), "judge__b": (1,)}]
)
def test_a_network_that_only_one_of_both_has_is_left_alone(
    given: dict[str, tuple[int, ...]],
) -> None:
    taken = adoptable(OWN, state(**given), fitting=False)

    assert taken.keys() == {"generator/a"}
    assert left_out(OWN, taken) == ["discriminator/b"]


def test_what_fits_is_taken_where_that_is_enough() -> None:
    given = state(generator__a=(2, 5), discriminator__b=(4,), generator__c=(1,))

    taken = adoptable(OWN, given, fitting=True)

    assert taken.keys() == {"discriminator/b"}
    assert left_out(OWN, taken) == ["generator/a"]
