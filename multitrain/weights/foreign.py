"""Convolutions that others have trained with Keras, as the weights of one of our networks.

Read as arrays: nothing of what such a file says of code is followed.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np

from jobs.sheets.origins import KERAS
from jobs.units import by_numbers
from multitrain.engine.session import State

IN_ARCHIVE = "model.weights.h5"  # in a .keras, which is a zip file
OF_OPTIMIZER = "optimizer"  # begins the names of what is no weight of a layer
ORDER = "layer_names"  # an attribute of files of the older kind, whose groups have any names
KERNEL, BIAS = "kernel", "bias"
KERNEL_RANK = 4  # rows, columns, channels, filters
_FOREIGN = "of_keras"  # begins the names of weights that do not have those of ours yet

_DAMAGED = (OSError, RuntimeError, ValueError, TypeError, KeyError, zipfile.BadZipFile)


class NoWeights(ValueError):
    """A file that holds no such weights: one clause for people."""


class Convolutions(NamedTuple):
    """Kernels `(height, width, channels, filters)` and biases `(filters,)`, layer by layer."""

    kernels: list[np.ndarray]
    biases: list[np.ndarray]


def read_layers(path: Path) -> Convolutions:
    """All convolutions of a file, in order, of a decoder behind them too. NoWeights."""
    found: list[tuple[str, np.ndarray]] = []

    def collect(name: str, each: object) -> None:
        if isinstance(each, h5py.Dataset) and not name.startswith(OF_OPTIMIZER):
            found.append((name, np.asarray(each, np.float32)))

    try:
        with h5py.File(_hdf5(path)) as file:
            if "family" in file.attrs:
                raise NoWeights("is a checkpoint, and damaged")
            groups = file.get("model_weights", file)
            order = [f"{name}" for name in groups.attrs.get(ORDER, ())]
            groups.visititems(collect)
    except FileNotFoundError as error:
        raise NoWeights("is not there any more") from error
    except NoWeights:
        raise
    except _DAMAGED as error:
        raise NoWeights(f"is damaged, or holds no weights of Keras ({error})") from error
    places = {name: place for place, name in enumerate(order)}
    found.sort(key=lambda each: (places.get(each[0].split("/")[0], 0), by_numbers(each[0])))
    kernels = [array for _, array in found if array.ndim == KERNEL_RANK]
    return Convolutions(kernels, [array for _, array in found if array.ndim == 1])


def numbered(network: str, layers: Convolutions) -> State:
    """As weights of a network, by names that only `renamed` knows. NoWeights where there are none.

    So they can be kept before the network is built.
    """
    if not layers.kernels:
        raise NoWeights("holds no convolution")
    return {
        f"{network}/{_FOREIGN}_{place}/{kind}": array
        for kind, arrays in ((KERNEL, layers.kernels), (BIAS, layers.biases))
        for place, array in enumerate(arrays)
    }


def renamed(network: str, weights: State, own: State) -> State:
    """Weights such as those by the names that a network's `own` ones have; others as they are.

    The first kernel is that of the first layer, and so on; what is left over belongs to a network
    behind it. NoWeights where shapes differ.
    """
    prefix = f"{network}/{_FOREIGN}_"
    if not any(name.startswith(prefix) for name in weights):
        return weights
    names = sorted((name for name in own if name.startswith(f"{network}/")), key=by_numbers)
    found: State = {}
    for kind in (KERNEL, BIAS):
        for place, name in enumerate(each for each in names if each.endswith(f"/{kind}")):
            array = weights.get(f"{prefix}{place}/{kind}")
            if array is None or array.shape != own[name].shape:
                there = "missing" if array is None else _sides(array.shape)
                raise NoWeights(
                    f"the {kind} of its convolution {place + 1} is {there} there, and "
                    f"{_sides(own[name].shape)} here; give both the same layers"
                )
            found[name] = array
    return found


def _hdf5(path: Path) -> io.BytesIO:
    if path.suffix.casefold() != KERAS:
        return io.BytesIO(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        return io.BytesIO(archive.read(IN_ARCHIVE))


def _sides(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))
