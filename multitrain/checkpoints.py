"""Checkpoints: all arrays of a session in one HDF5 file that is whole or not there.

`runs/<job>/checkpoints/<step>-<frame>.h5`: an HDF5 data set per array, in groups where names have
slashes; attributes hold the format, the family, step, frame and a checksum over all of it. Two are
kept, so that a damaged one costs a few minutes of training and not the night.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from jobs.errors import MultitrainError
from jobs.paths import CheckpointName, JobPaths, atomic_write
from multitrain.engine.session import State

FORMAT = 1
KEPT = 2

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Checkpoint:
    """What was found on disk."""

    name: CheckpointName
    state: State


class Damaged(Exception):
    """A checkpoint that is not what was written."""


def save(paths: JobPaths, name: CheckpointName, family: str, state: State) -> None:
    """Write one and drop all but the newest two. OSError where the disk takes no more."""
    with atomic_write(paths.checkpoint(name)) as part, h5py.File(part, "w") as file:
        for key, array in state.items():
            file.create_dataset(key, data=array)
        attributes = _attributes(name, family)
        file.attrs.update(attributes)
        file.attrs["checksum"] = _checksum(attributes, state)
    for old in paths.checkpoint_names()[:-KEPT]:
        paths.checkpoint(old).unlink(missing_ok=True)


def load_newest(paths: JobPaths, family: str) -> Checkpoint | None:
    """The newest whole one, or None. Damaged ones are set aside under another name and logged.

    Raises MultitrainError where it was made by another family or another version of this program.
    """
    for name in reversed(paths.checkpoint_names()):
        path = paths.checkpoint(name)
        try:
            return Checkpoint(name, _load(path, name, family))
        except Damaged as damage:
            # Set aside, not only passed over: its name would claim frames that are made again.
            path.rename(path.with_suffix(".damaged"))
            log.warning("checkpoint %s is damaged (%s); trying the one before", path, damage)
    return None


def _load(path: Path, name: CheckpointName, family: str) -> State:
    try:
        with h5py.File(path) as file:
            attributes = dict(file.attrs)
            state = _arrays(file)
    except (OSError, RuntimeError, KeyError) as error:  # whatever h5py makes of broken files
        raise Damaged(str(error)) from error
    wanted = _attributes(name, family)
    for attribute in ("format", "family"):
        found = attributes.get(attribute)
        if found is not None and found != wanted[attribute]:
            raise MultitrainError(
                f"{path} has {attribute} {found}, not {wanted[attribute]}; run the job with --fresh"
            )
    if attributes.pop("checksum", None) != _checksum(wanted, state):
        raise Damaged("its checksum is wrong")
    return state


def _arrays(file: h5py.File) -> State:
    state: State = {}

    def collect(key: str, item: h5py.Dataset | h5py.Group) -> None:
        if isinstance(item, h5py.Dataset):
            state[key] = item[()]

    file.visititems(collect)
    return state


def _attributes(name: CheckpointName, family: str) -> dict[str, int | str]:
    return {"format": FORMAT, "family": family, "step": name.step, "frame": name.frame}


def _checksum(attributes: Mapping[str, int | str], state: State) -> str:
    digest = hashlib.blake2b(digest_size=16)
    digest.update(repr(sorted(attributes.items())).encode())
    for key, array in sorted(state.items()):
        array = np.asarray(array)
        digest.update(f"{key} {array.dtype.str} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
