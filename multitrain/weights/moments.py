"""The weights that a network is used with: of one step of a training, or of all that are kept."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from jobs.errors import MultitrainError, UsageError
from jobs.settings.loops import WalkSettings
from jobs.settings.spec import JobSpec
from jobs.workspace.paths import JobPaths
from multitrain.engine.session import State
from multitrain.weights.checkpoints import Damaged, load_first_whole, load_weights

NAMED = 4  # most steps that a message names

BEST: Literal["best"] = "best"
Wanted = int | Literal["best"] | None  # a step; the best by `keep_best`; None: the newest


@dataclass(frozen=True)
class Moments:
    """Steps of a training, in order, and the weights of each."""

    steps: tuple[int, ...]
    load: Callable[[int], State]  # of the moment at this place in `steps`
    files: tuple[Path, ...] = ()  # that the weights come from

    @property
    def told(self) -> str:
        """The moments in words, for people."""
        first, last = self.steps[0], self.steps[-1]
        if first == last:
            return f"step {first}"
        return f"steps {first} to {last}, through {len(self.steps)} kept checkpoints"


def moments_of(paths: JobPaths, spec: JobSpec, how: WalkSettings) -> Moments:
    """The moments that a walk goes through; raises as the two functions below."""
    if how.through_time:
        return through_time(paths, spec.family, spec.first_frame_after)
    return at_step(paths, spec.family, how.checkpoint)


def at_step(paths: JobPaths, family: str, step: Wanted) -> Moments:
    """The weights of that step, loaded; of the best, or the newest, the last that are undamaged.

    UsageError where there are none; MultitrainError where they are damaged or of another version.
    """
    steps: dict[Path, int] = {}

    def listed() -> Iterable[Path]:
        steps.clear()
        steps.update(_wanted(paths, step))
        return steps

    found = load_first_whole(listed, family)
    if found is None:
        raise MultitrainError(f"{', '.join(map(str, steps))}: damaged; name another step")
    path, weights = found
    return Moments((steps[path],), lambda _: weights, (path,))


def through_time(paths: JobPaths, family: str, start: int = 0) -> Moments:
    """All moments that `keep_checkpoints` kept from step `start` on, loaded one by one.

    UsageError for fewer than 2.
    """
    steps = tuple(step for step in paths.kept_steps() if step >= start)
    if len(steps) < 2:
        there = f"has only that of step {steps[0]}" if steps else "has none"
        there += f" from step {start} on, where its film begins" if start else ""
        raise UsageError(
            f"to go through time takes two kept checkpoints or more, and {paths.name} {there}; "
            "set its keep_checkpoints, as every 1000 steps, and train it again"
        )

    def load(place: int) -> State:
        try:
            return load_weights(paths.kept_weights(steps[place]), family)
        except (Damaged, FileNotFoundError) as trouble:
            path = paths.kept_weights(steps[place])
            raise MultitrainError(f"{path} cannot be used: {trouble}") from trouble

    return Moments(steps, load, tuple(map(paths.kept_weights, steps)))


def moment_at(number: int, frames: int, steps: Sequence[int]) -> tuple[int, float]:
    """Where in time frame `number` of `frames` is: a place in `steps`, and the share of the way
    from there to the next.

    Frame 0 is at the first one; then it goes to the last one and back, turning gently.
    """
    return between_steps(there_and_back(number, frames), steps)


def there_and_back(number: int, frames: int) -> float:
    """How far a way has been gone at frame `number` of `frames`, there and back, from 0 to 1."""
    return (1.0 - math.cos(2.0 * math.pi * (number % frames) / frames)) / 2.0


def between_steps(gone: float, steps: Sequence[int]) -> tuple[int, float]:
    """Where in time it is when so much of the way from the first step to the last is gone, as of
    `moment_at`.
    """
    step = steps[0] + gone * (steps[-1] - steps[0])
    place = min(bisect_right(steps, step), len(steps) - 1) - 1
    return place, min(1.0, (step - steps[place]) / (steps[place + 1] - steps[place]))


def _wanted(paths: JobPaths, step: Wanted) -> dict[Path, int]:
    """The files with weights of that step, or of all, newest first. UsageError if none."""
    if step == BEST:
        return _best_files(paths)
    there = _files(paths)
    if not there:
        raise UsageError(f"{paths.name} has no checkpoint; train it first")
    if step is None:
        return there
    if step not in there.values():
        raise UsageError(
            f"{paths.name} has no weights of step {step}; there are those of "
            f"{_named(set(there.values()), step)} (keep_checkpoints keeps more of them)"
        )
    return {path: each for path, each in there.items() if each == step}


def _files(paths: JobPaths) -> dict[Path, int]:
    """The step of each file with weights, the newest first; of one step, there may be two."""
    kept = {paths.kept_weights(step): step for step in paths.kept_steps()}
    kept |= {paths.best_weights(step): step for step in paths.best_steps()}
    newest = {paths.checkpoint(name): name.step for name in paths.checkpoint_names()}
    return dict(sorted((kept | newest).items(), key=lambda each: each[1], reverse=True))


def _best_files(paths: JobPaths) -> dict[Path, int]:
    """The step of each file of best weights, the best first. UsageError if there is none."""
    found = {paths.best_weights(step): step for step in reversed(paths.best_steps())}
    if not found:
        raise UsageError(
            f"{paths.name} has no best weights: they are kept of a training that is measured by "
            "validation, from its first measurement on"
        )
    return found


def _named(there: Collection[int], wanted: int) -> str:
    """The steps nearest to the one that is `wanted`."""
    nearest = sorted(sorted(there, key=lambda step: abs(step - wanted))[:NAMED])
    more = len(there) - len(nearest)
    listed = ", ".join(map(str, nearest))
    word = "step" if len(there) == 1 else "steps"
    return f"{word} {listed}" + (f" and {more} others" if more else "")
