"""All that a training was measured at, which a checkpoint keeps: what follows from it is pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from jobs.workspace.measures import Measures, best_of
from multitrain.engine.session import State

_PREFIX = "measured"  # of names in checkpoints; no network is called so
_STEPS = "steps"
_NAMELESS = "-"  # stands for pictures that nothing identifies


@dataclass
class Measured:
    """Every measurement so far. Those by other pictures than `pictures` identifies make no step
    better or worse than others.

    Those at `lost` steps are of no use to `best`: nothing is left of the weights of then.
    """

    pictures: str = ""
    histories: dict[str, list[Measures]] = field(default_factory=dict)  # by pictures, in order
    lost: frozenset[int] = frozenset()

    @property
    def history(self) -> list[Measures]:
        """Those by the present pictures."""
        return self.histories.get(self.pictures, [])

    @property
    def values(self) -> list[list[dict[str, float]]]:
        """What networks came to, by each set of pictures."""
        return [[each.values for each in history] for history in self.histories.values()]

    @property
    def step(self) -> int:
        """The last step that was measured; 0: none was."""
        return self.history[-1].step if self.history else 0

    def add(self, step: int, values: Mapping[str, float]) -> None:
        """Values by the present pictures."""
        self.histories.setdefault(self.pictures, []).append(Measures(step, dict(values)))

    def best(self, by: str) -> int | None:
        """The step that was best by this measure; None where none was measured by it."""
        found = best_of([each for each in self.history if each.step not in self.lost], by)
        return found and found.step

    def keep_to(self, kept: Collection[int]) -> None:
        """From here on, only steps whose weights are `kept`, and those to come, may be the best."""
        self.lost = frozenset(each.step for each in self.history) - {*kept}

    def state(self) -> State:
        """As arrays by their names in a checkpoint: `(measurements,)` each."""
        return {
            f"{_PREFIX}/{pictures or _NAMELESS}/{name}": array
            for pictures, history in self.histories.items()
            for name, array in _arrays(history).items()
        }

    def restore(self, state: State) -> None:
        """Go back, or on, to what a checkpoint says."""
        found: dict[str, dict[str, list[Any]]] = {}
        for name, array in state.items():
            match name.split("/"):
                case [start, pictures, measure] if start == _PREFIX:
                    key = "" if pictures == _NAMELESS else pictures
                    found.setdefault(key, {})[measure] = array.tolist()
        histories = {pictures: _history(lists) for pictures, lists in found.items()}
        self.histories = dict(sorted(histories.items(), key=lambda each: each[1][0].step))
        self.lost = frozenset()


def _arrays(history: Sequence[Measures]) -> State:
    names = sorted({name for each in history for name in each.values})
    return {
        _STEPS: np.array([each.step for each in history], np.int64),
        **{name: np.array([each.values.get(name, np.nan) for each in history]) for name in names},
    }


def _history(lists: Mapping[str, list[Any]]) -> list[Measures]:
    names = [name for name in lists if name != _STEPS]
    return [
        Measures(step, {name: lists[name][place] for name in names})
        for place, step in enumerate(lists[_STEPS])
    ]
