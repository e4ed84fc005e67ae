"""Checkpoints: all arrays of a session in one HDF5 file that is whole or not there.

`runs/<job>/checkpoints/<step>-<frame>.h5`: an HDF5 data set per array, in groups where names have
slashes; attributes hold the format, family, engine, step, frame and the fingerprint of each feed.
Behind it stands a digest of it, which is checked first: HDF5 hangs or crashes on some damaged
files. Two are kept, so that a damaged one costs a few minutes of training and not the night. A job
that sends backups keeps those within its last timecuts, too: from there, its film can be whole on
another machine.

Other jobs may start from the weights of the networks in it, also on another engine (`init_from`).
Where a job asks for it (`keep_checkpoints`), these weights stay in `runs/<job>/kept/<step>.h5`;
those with which it was measured best (`keep_best`) in `kept/best-<step>.h5`, until better ones are
there and no checkpoint is left of before these.
"""

from __future__ import annotations

import errno
import hashlib
import io
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import h5py

from jobs.errors import CheckpointUnfit, NewerVersion, OriginUnfit
from jobs.settings.words import start_over
from jobs.workspace.files import PART, atomic_write, listing
from jobs.workspace.paths import CheckpointName, JobPaths
from multitrain.datasets.decoded.folders import Fingerprint
from multitrain.engine.adopting import starting_weights
from multitrain.engine.session import State

FORMAT = 5
KEPT = 2
DIGEST_BYTES = 16  # of BLAKE2b over the HDF5 file, right behind it, where HDF5 does not look
DAMAGED = ".damaged"  # replaces .h5 in the name of a damaged one

# What to do where another job's networks do not fit, by the attribute that differs.
_ADVICE = {
    "format": "train it again (--fresh and its name), or start from another one",
    "family": "start from another one",
}

LISTINGS = 5  # tries to list a folder whose files vanish meanwhile

_COUNT = "_count"  # ends the name of an attribute of each fingerprint

log = logging.getLogger(__name__)

Attributes = Mapping[str, int | str]


@dataclass(frozen=True)
class Checkpoint:
    """A training at a step: what is needed to go on, and what it must match."""

    name: CheckpointName
    family: str
    engine: str
    pictures: Mapping[str, Fingerprint]  # by feed
    state: State


class Damaged(Exception):
    """A checkpoint that is not what was written."""


def save(paths: JobPaths, checkpoint: Checkpoint, ends: Sequence[int] = ()) -> None:
    """Write a checkpoint and drop those that are not `worth_keeping`.

    OSError where the disk takes no more.
    """
    image = _image(checkpoint.state, _attributes(checkpoint))
    with atomic_write(paths.checkpoint(checkpoint.name)) as part:
        part.write_bytes(image.getbuffer())
    names = paths.checkpoint_names()
    for old in set(names) - worth_keeping(names, ends):
        paths.checkpoint(old).unlink(missing_ok=True)
    for name in listing(paths.checkpoints):
        if name.endswith(DAMAGED):
            (paths.checkpoints / name).unlink(missing_ok=True)


def worth_keeping(names: Sequence[CheckpointName], ends: Sequence[int]) -> set[CheckpointName]:
    """The newest two of these `names`, oldest first, and the newest within each of the `ends`.

    `ends` are frames where timecuts end.
    """
    within = ([name for name in names if name.frame <= end][-1:] for end in ends)
    return {*names[-KEPT:], *(name for newest in within for name in newest)}


def load_newest(paths: JobPaths, family: str, engine: str) -> Checkpoint | None:
    """The newest undamaged checkpoint, or None. Damaged ones are renamed and logged.

    Raises CheckpointUnfit where it was made by another family, engine or version of this program,
    and OSError where it cannot be read for reasons that do not lie in the file.
    """
    for name in reversed(paths.checkpoint_names()):
        path = paths.checkpoint(name)
        try:
            return load(path, name, family, engine)
        except Damaged as damage:
            # Set aside, not only passed over: its name would claim frames that are made again.
            path.rename(path.with_suffix(DAMAGED))
            log.warning("checkpoint %s is damaged (%s); trying the one before", path, damage)
    return None


def save_weights(path: Path, family: str, weights: State) -> None:
    """Write a file that `load_weights` reads; OSError where the disk takes no more."""
    image = _image(weights, {"format": FORMAT, "family": family})
    with atomic_write(path) as part:
        part.write_bytes(image.getbuffer())


def keep_weights(paths: JobPaths, step: int, family: str, state: State) -> None:
    """Keep the networks' weights of a training's `state` at `step`, for good.

    OSError where the disk takes no more.
    """
    save_weights(paths.kept_weights(step), family, starting_weights(state, family))


def keep_best_weights(paths: JobPaths, step: int, family: str, state: State) -> None:
    """The same as the best ones so far, beside those that were so before. OSError as above."""
    save_weights(paths.best_weights(step), family, starting_weights(state, family))


def drop_surpassed(paths: JobPaths) -> None:
    """Delete best weights that neither this training needs, nor one that goes on from any of the
    checkpoints that there are: to each, those are the best that are not beyond it.
    """
    steps = paths.best_steps()
    seen_from = [name.step for name in paths.checkpoint_names()]
    needed = {max((each for each in steps if each <= step), default=None) for step in seen_from}
    for step in set(steps[:-1]) - needed:
        paths.best_weights(step).unlink(missing_ok=True)


def drop_kept_beyond(paths: JobPaths, step: int) -> None:
    """Delete half-written files, and kept weights that a training from `step` on makes again."""
    half_written = [paths.kept / name for name in listing(paths.kept) if name.endswith(PART)]
    beyond = [paths.kept_weights(each) for each in paths.kept_steps() if each > step]
    beyond += [paths.best_weights(each) for each in paths.best_steps() if each > step]
    for path in half_written + beyond:
        path.unlink(missing_ok=True)


def is_whole(path: Path) -> bool:
    """Whether a file of weights is as it was written."""
    try:
        _undamaged(path)
    except Damaged:
        return False
    return True


def load_weights(path: Path, family: str) -> State:
    """The `starting_weights` in a checkpoint, of any job and either engine.

    Raises Damaged, OriginUnfit where it is of another family or version of this program, and
    OSError where it cannot be read for reasons that do not lie in the file.
    """
    with h5py.File(io.BytesIO(_undamaged(path))) as file:
        for attribute, wanted in (("format", FORMAT), ("family", family)):
            if (found := _plain(file.attrs[attribute])) != wanted:
                difference = f"{path} has {attribute} {found}, not {wanted} as this job"
                raise OriginUnfit(f"{difference}; {_ADVICE[attribute]}")
        return starting_weights(_arrays(file), family)


def load_newest_weights(paths: JobPaths, family: str) -> State | None:
    """As `load_weights`, from the newest undamaged checkpoint of another job; None without one.

    Changes nothing: that job's own trainer may be at work there.
    """
    found = load_first_whole(
        lambda: map(paths.checkpoint, reversed(paths.checkpoint_names())), family
    )
    return found and found[1]


def load_first_whole(
    listed: Callable[[], Iterable[Path]], family: str
) -> tuple[Path, State] | None:
    """As `load_weights`, from the first of these files that is undamaged; None where none is.

    They may vanish meanwhile, because a training goes on: then they are `listed` anew.
    """
    for _ in range(LISTINGS):
        try:
            for path in listed():
                try:
                    return path, load_weights(path, family)
                except Damaged as damage:
                    log.warning("checkpoint %s is damaged (%s)", path, damage)
            return None
        except FileNotFoundError:  # there are newer ones by now
            continue
    return None


def _image(state: State, attributes: Attributes) -> io.BytesIO:
    """The file in memory: HDF5 that finds no room on a disk may crash the whole process."""
    image = io.BytesIO()
    with h5py.File(image, "w") as file:
        for key, array in state.items():
            file.create_dataset(key, data=array)
        file.attrs.update(attributes)
    digest = _digest(image.getbuffer())
    image.seek(0, io.SEEK_END)
    image.write(digest)
    return image


def load(path: Path, name: CheckpointName, family: str, engine: str) -> Checkpoint:
    """A checkpoint, which must have this `name`. Raises Damaged, else as `load_newest`."""
    with h5py.File(io.BytesIO(_undamaged(path))) as file:
        attributes = {key: _plain(value) for key, value in file.attrs.items()}
        for attribute, wanted in (("format", FORMAT), ("family", family), ("engine", engine)):
            if (found := attributes[attribute]) != wanted:
                raise CheckpointUnfit(_unfit(path, attribute, found, wanted))
        checkpoint = Checkpoint(name, family, engine, _fingerprints(attributes), _arrays(file))
    if _attributes(checkpoint) != attributes:
        raise Damaged("it has the name of another")
    return checkpoint


def _unfit(path: Path, attribute: str, found: int | str, wanted: int | str) -> str:
    if attribute == "format" and found > FORMAT:  # type: ignore[operator]
        return str(NewerVersion(path))
    job = path.parent.parent.name
    return f"{path} has {attribute} {found}, not {wanted}; run it with {start_over(job)}"


def _undamaged(path: Path) -> bytes:
    """The file's bytes, its digest included; raises Damaged where they are not as written."""
    try:
        data = path.read_bytes()
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        raise Damaged(str(error)) from error
    written = memoryview(data)
    if _digest(written[:-DIGEST_BYTES]) != written[-DIGEST_BYTES:]:
        raise Damaged("its digest is wrong")
    return data


def _digest(data: memoryview) -> bytes:
    return hashlib.blake2b(data, digest_size=DIGEST_BYTES).digest()


def _plain(value: Any) -> int | str:
    """An attribute as a plain value: HDF5 returns whole numbers as NumPy's."""
    return value if isinstance(value, str) else int(value)


def _arrays(file: h5py.File) -> State:
    state: State = {}

    def collect(key: str, item: h5py.Dataset | h5py.Group) -> None:
        if isinstance(item, h5py.Dataset):
            state[key] = item[()]

    file.visititems(collect)
    return state


def _attributes(checkpoint: Checkpoint) -> dict[str, int | str]:
    return {
        "format": FORMAT,
        "family": checkpoint.family,
        "engine": checkpoint.engine,
        "step": checkpoint.name.step,
        "frame": checkpoint.name.frame,
        **{
            f"{feed}_{key}": value
            for feed, fingerprint in checkpoint.pictures.items()
            for key, value in asdict(fingerprint).items()
        },
    }


def _fingerprints(attributes: Attributes) -> dict[str, Fingerprint]:
    keys = [each.name for each in fields(Fingerprint)]
    feeds = [name.removesuffix(_COUNT) for name in attributes if name.endswith(_COUNT)]
    return {
        feed: Fingerprint(**{key: attributes[f"{feed}_{key}"] for key in keys})  # type: ignore[arg-type]
        for feed in feeds
    }
