"""Makes the frames between those of a film, which stay as they are, bit for bit.

Where the film is cut there is nothing between two frames, nor where these are equal: the nearer one
is repeated. So no frame depends on any but the two around it.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from multitrain.applying.spacing import Spacing
from multitrain.applying.steadying import Memory
from multitrain.applying.tiles import Pictures
from multitrain.datasets.looking.cuts import is_cut, sight_of

if TYPE_CHECKING:  # what computes imports a framework
    from multitrain.applying.translator import Translator
    from multitrain.inference.network import Placed


class Filling:
    """A network between two frames, with the `weights` of each frame that it makes.

    It makes `at_once` frames together; where weights move, that is 1.
    """

    def __init__(
        self,
        translator: Translator,
        weights: Callable[[int], Placed],
        spacing: Spacing,
        at_once: int,
    ) -> None:
        self._translator, self._weights = translator, weights
        self._spacing, self._at_once = spacing, at_once
        self.memory: Memory | None = None  # nothing goes on from frame to frame

    def made(self, first: int, pictures: Pictures, most: int = 1) -> Pictures:
        """So many frames from number `first` on, fewer at the end, of the film's around them."""
        spacing = self._spacing
        numbers = range(first, min(first + most, spacing.made))
        begin = spacing.at(first).frame
        moves = [_moves(*pair) for pair in pairwise(pictures)]
        made = np.empty((len(numbers), *pictures.shape[1:]), pictures.dtype)
        between = []
        for number in numbers:
            place = spacing.at(number)
            if place.share and moves[place.frame - begin]:
                between.append(number)
            else:
                made[number - first] = pictures[place.nearest - begin]
        for begins in range(0, len(between), self._at_once):
            group = between[begins : begins + self._at_once]
            # Always as many: another number is compiled separately.
            filled = [*group, *group[-1:] * (self._at_once - len(group))]
            places = [spacing.at(number) for number in filled]
            shares = np.array([place.share for place in places], np.float32)
            before = np.array([place.frame - begin for place in places])
            done = self._translator.make_between(
                self._weights(group[0]), pictures[before], pictures[before + 1], shares
            )
            made[np.array(group) - first] = done[: len(group)]
        return made


def _moves(one: Pictures, other: Pictures) -> bool:
    """Whether there is anything between two frames in a row."""
    return not (np.array_equal(one, other) or is_cut(sight_of(one), sight_of(other)))
