"""Which weights of another training a network can take over, by name and shape."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np

from jobs.families.table import FAMILIES
from multitrain.engine.session import State


def starting_weights(state: State, family: str) -> State:
    """What another training can start from: weights and statistics of the family's networks.

    Whole numbers are left out: they count random draws, which each training does for itself. Where
    an average of its weights drew a network's samples, it takes the place of the weights.
    """
    known = FAMILIES[family]
    weights, averages = {}, {}
    for name, array in state.items():
        owner, _, path = name.partition("/")
        if owner in known.networks and np.issubdtype(array.dtype, np.floating):
            weights[name] = array
        elif owner in known.averaged:
            averages[f"{known.averaged[owner]}/{path}"] = array
    return weights | averages


def adoptable(own: Mapping[str, tuple[int, ...]], offered: State, *, fitting: bool) -> State:
    """Those of the `offered` weights that fit the `own` ones, by name and shape.

    All must fit, else ValueError names the first that does not; with `fitting`, some need not. Of a
    network that only one of both has, nothing need fit; one at least they have in common.
    """
    if not fitting:
        common = {_network(name) for name in own} & {_network(name) for name in offered}
        _require_all(
            {name: shape for name, shape in own.items() if _network(name) in common or not common},
            {name: each for name, each in offered.items() if _network(name) in common},
        )
    return {name: array for name, array in offered.items() if array.shape == own.get(name)}


def require_shapes(own: Mapping[str, tuple[int, ...]], state: State) -> None:
    """KeyError or ValueError where `state` is not that of networks with these arrays."""
    for name, shape in own.items():
        if state[name].shape != shape:
            raise ValueError(f"{name} is {state[name].shape}, not {shape}")


def left_out(own: Collection[str], taken: State) -> list[str]:
    """The names of `own` weights for which nothing was taken."""
    return [name for name in own if name not in taken]


def _require_all(own: Mapping[str, tuple[int, ...]], offered: State) -> None:
    for name, shape in own.items():
        if name not in offered:
            raise ValueError(f"{name} is not in it")
        if offered[name].shape != shape:
            raise ValueError(f"{name} is {_size(offered[name].shape)} there, not {_size(shape)}")
    for name in offered:
        if name not in own:
            raise ValueError(f"it has {name}, and these networks have none")


def _network(name: str) -> str:
    """The first part of a weight's name."""
    return name.partition("/")[0]


def _size(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "one number"
