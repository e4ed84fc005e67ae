from __future__ import annotations

import pytest

from jobs.errors import DatasetError
from multitrain.engine.mixture import Mixture


def test_without_weights_all_pictures_are_one_set() -> None:
    assert Mixture.of(None, (3, 4), 7) == Mixture((7,), (1,))
    assert Mixture.of((9,), (), 7) == Mixture((7,), (1,))


def test_sets_stand_one_behind_the_other() -> None:
    mixture = Mixture.of((4, 1, 2), (5, 3, 20), 28)

    assert mixture.cycle == 7
    assert mixture.first_pictures == (0, 5, 8)
    assert mixture.first_places == (0, 4, 5)


@pytest.mark.parametrize("counts", [(3, 0), (3,), ()])
def test_a_set_without_pictures_cannot_be_drawn_from(counts: tuple[int, ...]) -> None:
    with pytest.raises(DatasetError, match="Of each folder there must be pictures"):
        Mixture.of((1, 2), counts, 3)
