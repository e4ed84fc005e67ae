"""Weights of other networks, which a job may start from instead of random ones.

They are kept in `runs/<job>/beginning.h5` from the first start until the film is there. A job that
has to begin anew, after a kill or NaN before its first checkpoint, begins with the same ones,
whatever has become of where they came from.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from jobs.errors import OriginUnfit
from jobs.settings.spec import JobSpec
from jobs.settings.words import start_over
from jobs.sheets.origins import is_path, origins_of, part_of, path_of
from jobs.workspace.paths import JobPaths, Workspace
from multitrain.engine.session import Session, State
from multitrain.weights.checkpoints import (
    Damaged,
    is_whole,
    load_newest_weights,
    load_weights,
    save_weights,
)
from multitrain.weights.foreign import NoWeights, numbered, read_layers, renamed

ADVICE = "give both the same networks, or set init_fitting: True to start from what fits"

Weight = NDArray[np.generic]

log = logging.getLogger(__name__)


def opening_at_origin(
    spec: JobSpec, paths: JobPaths, open_session: Callable[[], Session]
) -> Callable[[], Session]:
    """A function that opens sessions at step 0 with the weights that the job starts from.

    Always the same weights. The function raises OriginUnfit where they are not there or do not fit,
    and OSError.
    """
    if not origins_of(spec):
        return open_session

    def open_at_origin() -> Session:
        weights = beginning(spec, paths)  # first: what is missing is then reported quickly
        session = open_session()
        _adopt(session, weights, spec)
        return session

    return open_at_origin


def beginning(spec: JobSpec, paths: JobPaths) -> State:
    """The weights by name, `generator/…` and `discriminator/…`; kept in the job's folder."""
    try:
        return load_weights(paths.beginning, spec.family)
    except FileNotFoundError:
        pass
    except OriginUnfit as error:
        reason = f"{paths.beginning} is of another version; run it with {start_over(spec.name)}"
        raise OriginUnfit(reason) from error
    except Damaged as damage:
        log.warning("%s is damaged (%s); it is made again", paths.beginning, damage)
    weights = _gather(spec, paths.workspace)
    save_weights(paths.beginning, spec.family, weights)
    return weights


def interpolate(a: State, b: State, alpha: float, *, fitting: bool) -> State:
    """`(1 - alpha) * a + alpha * b`.

    At 0 and 1 just `a` and `b`, bit for bit. OriginUnfit where they have other names or shapes;
    with `fitting`, these are left out.
    """
    if alpha in (0, 1):
        return b if alpha else a
    differing = [name for name in sorted(a.keys() | b.keys()) if _shape(a, name) != _shape(b, name)]
    if differing and not fitting:
        name = differing[0]
        raise OriginUnfit(
            f"interpolate_a and interpolate_b differ in {name}: {_size(a, name)} in the first, "
            f"{_size(b, name)} in the second; {ADVICE}"
        )
    return {
        name: _between(array, b[name], alpha) for name, array in a.items() if name not in differing
    }


def _between(a: Weight, b: Weight, alpha: float) -> Weight:
    mixed = (1 - alpha) * a.astype(np.float64) + alpha * b.astype(np.float64)
    return mixed.astype(a.dtype)


def _shape(state: State, name: str) -> tuple[int, ...] | None:
    return state[name].shape if name in state else None


def _size(state: State, name: str) -> str:
    shape = _shape(state, name)
    return "missing" if shape is None else "x".join(map(str, shape)) or "a number"


def _gather(spec: JobSpec, workspace: Workspace) -> State:
    """The weights from the jobs or files that the columns name."""
    found = [
        _read(origin, spec.family, workspace, part_of(column))
        for column, origin in origins_of(spec).items()
    ]
    if len(found) == 1:
        return found[0]
    a, b = found
    return interpolate(a, b, spec.interpolate_alpha, fitting=spec.init_fitting)


def _read(origin: str, family: str, workspace: Workspace, part: str) -> State:
    """All weights that there are; or those of the network that is the `part`."""
    if not part:
        return _read_all(origin, family, workspace)
    path = path_of(origin, workspace)
    if is_path(origin) and not (path.exists() and is_whole(path)):
        try:
            return numbered(part, read_layers(path))
        except NoWeights as error:
            raise OriginUnfit(f"{path}, whose {part} this job starts from, {error}") from error
    weights = _read_all(origin, family, workspace)
    return {name: array for name, array in weights.items() if name.startswith(f"{part}/")}


def _read_all(origin: str, family: str, workspace: Workspace) -> State:
    if not is_path(origin):
        weights = load_newest_weights(workspace.job(origin), family)
        if weights is None:
            raise OriginUnfit(
                f"{origin}, which this job starts from, has no whole checkpoint; run that first, "
                f"with {start_over(origin)} where it is done"
            )
        return weights
    path = path_of(origin, workspace)
    try:
        return load_weights(path, family)
    except FileNotFoundError as error:
        raise OriginUnfit(f"{path}, which this job starts from, is not there any more") from error
    except Damaged as damage:
        raise OriginUnfit(f"{path} is damaged, or no checkpoint ({damage})") from damage


def _adopt(session: Session, weights: State, spec: JobSpec) -> None:
    named = origins_of(spec)
    origin, part = " and ".join(named.values()), part_of(next(iter(named)))
    try:
        if part:
            weights = renamed(part, weights, session.state())
        left_out = session.adopt(weights, fitting=spec.init_fitting)
    except NoWeights as error:
        raise OriginUnfit(f"{origin} does not fit this job's {part}: {error}") from error
    except ValueError as error:
        raise OriginUnfit(
            f"{origin} does not fit this job's networks: {error}; {ADVICE}"
        ) from error
    log.info("its %s from %s", f"{part} starts" if part else "networks start", origin)
    left_out = [name for name in left_out if name.startswith(part)]
    if left_out:
        log.warning("nothing there fits these, which start at random: %s", ", ".join(left_out))
