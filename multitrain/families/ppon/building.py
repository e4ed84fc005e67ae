"""A job's three networks from their plan (`jobs.families.ppon.layers`), with fresh weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import keras
from keras import ops

from jobs.families.ppon.layers import CONTENT, GAIN, Stage, up_to
from multitrain.families.trees import made

Networks = Mapping[str, Any]  # by the name of the stage


def build_stage(name: str, plan: Stage, seeds: Iterator[int]) -> keras.Model:
    """Maps, or low pictures in [-1, 1], to maps as large, and what they add to the high picture.

    All are `(n, height, width, channels)` float32; nothing keeps values between -1 and 1.
    """
    given = keras.Input((plan.size.height, plan.size.width, plan.given))
    maps = made(plan.maps, given, GAIN, seeds)
    picture = made(plan.picture, maps, GAIN, seeds)
    both = [ops.cast(each, "float32") for each in (maps, picture)]
    return keras.Model(given, both, name=name)


def build_stages(plans: Mapping[str, Stage], seeds: Iterator[int]) -> Networks:
    """All of them, in their order."""
    return {name: build_stage(name, plan, seeds) for name, plan in plans.items()}


def pictures_of(call: Callable[[str, Any], Any], names: Sequence[str], low: Any) -> list[Any]:
    """What these stages make of low pictures; each adds to the picture of the one before.

    `call(name, given)` is what a stage makes.
    """
    maps: Any = low
    pictures: list[Any] = []
    for name in names:
        maps, more = call(name, maps)
        pictures.append(pictures[-1] + more if pictures else more)
    return pictures


def composed(networks: Networks, last: str) -> keras.Model:
    """One network of the stages up to the `last`, from low pictures to high ones."""
    low = keras.Input(networks[CONTENT].input.shape[1:])
    *_, picture = pictures_of(lambda name, given: networks[name](given), up_to(last), low)
    return keras.Model(low, picture, name=last)
