"""Convolutions that others have trained with Keras, as the weights of one of our networks.

Read as arrays: nothing of what such a file says of code is followed.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np

from jobs.sheets.origins import KERAS
from jobs.units import by_numbers
from multitrain.engine.session import State

IN_ARCHIVE = "model.weights.h5"  # in a .keras, which is a zip file
OF_OPTIMIZER = "optimizer"  # begins the names of what is no weight of a layer
OF_CHANCE = "seed_generator/vars"  # ends the names of groups that hold no weights either
VARS = "vars"  # what layers call the group of theirs
# Attributes of files of the older kind: their groups, which have any names, and arrays, in order.
ORDER, ORDER_WITHIN = "layer_names", "weight_names"
KERNEL, BIAS = "kernel", "bias"
KERNEL_RANK = 4  # rows, columns, channels, filters
NAMED = 3  # most layers that a message names
_FOREIGN = "of_keras"  # begins the names of weights that do not have those of ours yet

_DAMAGED = (OSError, RuntimeError, ValueError, TypeError, KeyError, zipfile.BadZipFile)


class NoWeights(ValueError):
    """A file that holds no such weights: one clause for people."""


class Convolution(NamedTuple):
    """A kernel `(height, width, channels, filters)`, and its bias `(filters,)` where it has one.

    Of a transposed one, filters stand before channels.
    """

    kernel: np.ndarray
    bias: np.ndarray | None


def read_layers(path: Path) -> list[Convolution]:
    """All convolutions of a file, in order, of a decoder behind them too.

    NoWeights, also where it holds other layers: what they do between these would be left out.
    """
    found: list[tuple[str, np.ndarray]] = []

    def collect(name: str, each: object) -> None:
        if isinstance(each, h5py.Dataset) and not name.startswith(OF_OPTIMIZER):
            found.append((name, np.asarray(each, np.float32)))

    try:
        with h5py.File(_hdf5(path)) as file:
            if "family" in file.attrs:
                raise NoWeights("is a checkpoint, and damaged")
            groups = file.get("model_weights", file)
            places = {name: place for place, name in enumerate(_ordered(groups))}
            groups.visititems(collect)
    except FileNotFoundError as error:
        raise NoWeights("is not there any more") from error
    except NoWeights:
        raise
    except _DAMAGED as error:
        raise NoWeights(f"is damaged, or holds no weights of Keras ({error})") from error
    found.sort(key=lambda each: (places.get(each[0], len(places)), by_numbers(each[0])))
    return _convolutions(found)


def _ordered(groups: h5py.Group) -> Iterator[str]:
    """The names of all arrays in order, where attributes tell it."""
    for layer in _words(groups, ORDER):
        for name in _words(groups[layer], ORDER_WITHIN):
            yield f"{layer}/{name}"


def _words(group: h5py.Group, attribute: str) -> list[str]:
    """Of an attribute: Keras 2 has written bytes."""
    words = group.attrs.get(attribute, ())
    return [each.decode() if isinstance(each, bytes) else str(each) for each in words]


def _convolutions(found: list[tuple[str, np.ndarray]]) -> list[Convolution]:
    """The arrays of each group are those of one layer. NoWeights where it is another one."""
    groups: dict[str, list[np.ndarray]] = {}
    for name, array in found:
        group = _group(name)
        if not group.endswith(OF_CHANCE):
            groups.setdefault(group or name, []).append(array)
    layers = {group: _convolution(arrays) for group, arrays in groups.items()}
    others = [_layer_of(group) for group, layer in layers.items() if layer is None]
    if others:
        more = f" and {len(others) - NAMED} more" if len(others) > NAMED else ""
        raise NoWeights(
            f"holds more than convolutions ({', '.join(others[:NAMED])}{more}); name a file that "
            "holds these alone"
        )
    return [layer for layer in layers.values() if layer]


def _convolution(arrays: list[np.ndarray]) -> Convolution | None:
    """A layer of these arrays, in any order; None where it is no convolution."""
    kernel, *others = sorted(arrays, key=lambda each: each.ndim, reverse=True)
    if kernel.ndim != KERNEL_RANK or len(others) > 1:
        return None
    bias = others[0] if others else None
    if bias is not None and (bias.ndim != 1 or bias.size not in kernel.shape[2:]):
        return None
    return Convolution(kernel, bias)


def _layer_of(group: str) -> str:
    """Its name, for people."""
    return group.removesuffix(f"/{VARS}").rpartition("/")[2]


def numbered(network: str, layers: list[Convolution]) -> State:
    """As weights of a network, by names that only `renamed` knows. NoWeights where there are none.

    So they can be kept before the network is built.
    """
    if not layers:
        raise NoWeights("holds no convolution")
    return {
        f"{network}/{_FOREIGN}_{place}/{kind}": array
        for place, layer in enumerate(layers)
        for kind, array in zip((KERNEL, BIAS), layer, strict=True)
        if array is not None
    }


def renamed(network: str, weights: State, own: State) -> State:
    """Weights such as those by the names that a network's `own` ones have; others as they are.

    The first layer is the first one of those, and so on; what is left over belongs to a network
    behind it. NoWeights where shapes differ, or a bias is missing.
    """
    prefix = f"{network}/{_FOREIGN}_"
    if not any(name.startswith(prefix) for name in weights):
        return weights
    names = sorted(
        (name for name in own if name.startswith(f"{network}/")),
        key=lambda name: (by_numbers(_group(name)), not name.endswith(KERNEL)),
    )
    places = {layer: place for place, layer in enumerate(dict.fromkeys(map(_group, names)))}
    found: State = {}
    for name in names:
        place, kind = places[_group(name)], name.rpartition("/")[2]
        array = weights.get(f"{prefix}{place}/{kind}")
        if array is None or array.shape != own[name].shape:
            there = "missing" if array is None else _sides(array.shape)
            raise NoWeights(
                f"the {kind} of its convolution {place + 1} is {there} there, and "
                f"{_sides(own[name].shape)} here; give both the same layers"
            )
        found[name] = array
    return found


def _group(name: str) -> str:
    return name.rpartition("/")[0]


def _hdf5(path: Path) -> io.BytesIO:
    if path.suffix.casefold() != KERAS:
        return io.BytesIO(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        return io.BytesIO(archive.read(IN_ARCHIVE))


def _sides(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))
