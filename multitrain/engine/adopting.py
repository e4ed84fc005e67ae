"""Which weights of another training a network can take over, by name and shape."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np

from multitrain.engine.session import State

NETWORKS = ("generator/", "discriminator/")


def adoptable(own: Mapping[str, tuple[int, ...]], given: State, *, fitting: bool) -> State:
    """What of `given` takes the place of `own` weights, named as in checkpoints, by their shapes.

    Only networks' weights and statistics: no counters, which are whole numbers. All must fit, else
    ValueError tells the first that does not; with `fitting`, as many as do.
    """
    wanted = {name: shape for name, shape in own.items() if name.startswith(NETWORKS)}
    offered = {
        name: array
        for name, array in given.items()
        if name.startswith(NETWORKS) and np.issubdtype(array.dtype, np.floating)
    }
    if not fitting:
        _require_all(wanted, offered)
    return {name: array for name, array in offered.items() if array.shape == wanted.get(name)}


def left_out(own: Collection[str], taken: State) -> list[str]:
    """The names of `own` networks' weights that nothing was taken for."""
    return [name for name in own if name.startswith(NETWORKS) and name not in taken]


def _require_all(wanted: Mapping[str, tuple[int, ...]], offered: State) -> None:
    for name, shape in wanted.items():
        if name not in offered:
            raise ValueError(f"{name} is not in it")
        if offered[name].shape != shape:
            raise ValueError(f"{name} is {_size(offered[name].shape)} there, not {_size(shape)}")
    for name in offered:
        if name not in wanted:
            raise ValueError(f"it has {name}, and these networks have none")


def _size(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "one number"
