from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from zlib import crc32

import numpy as np
import pytest
import tensorflow as tf

from jobs.families.feed import PICTURES
from multitrain.engine.mixture import Mixture
from multitrain.engine.model import Chance
from multitrain.engine.tensorflow.random import FEW_ITEMS, Draws
from tests.engine.mixtures import (
    SETS,
    check_batches,
    check_company,
    check_independence,
    check_rounds,
    check_shares,
)


def one_set(pictures: int) -> Mixture:
    return Mixture((pictures,), (1,))


def latents(length: int, distribution: str = "uniform") -> Chance:
    return Chance((length,), distribution, -1.0, 1.0)


def indices(draws: Draws, batches: int, count: int, pictures: int) -> list[int]:
    drawn = [
        draws.items(PICTURES, batch, count, one_set(pictures)).numpy() for batch in range(batches)
    ]
    return np.concatenate(drawn).tolist()


def test_every_picture_comes_once_before_any_comes_again() -> None:
    order = indices(Draws(0, 0), batches=12, count=5, pictures=20)

    rounds = [order[start : start + 20] for start in range(0, 60, 20)]
    assert all(sorted(each) == list(range(20)) for each in rounds)
    assert rounds[0] != rounds[1] != rounds[2] != list(range(20))


def test_a_batch_may_span_rounds_and_hold_pictures_twice() -> None:
    order = indices(Draws(0, 0), batches=3, count=7, pictures=3)

    assert [sorted(order[start : start + 3]) for start in range(0, 21, 3)] == [[0, 1, 2]] * 7


def test_rounds_are_independent() -> None:
    check_independence(
        lambda pictures, number: (
            Draws(3, 0).items(PICTURES, number, pictures, one_set(pictures)).numpy()
        )
    )


def test_two_feeds_choose_their_sets_together() -> None:
    check_company(lambda feed, mixture: Draws(3, 0).items(feed, 0, 70, mixture).numpy().tolist())


def test_small_sets_keep_their_order_from_version_to_version() -> None:
    """Trainings go on with it; see `FEW_ITEMS`."""
    assert indices(Draws(7, 1), 1, 14, 7) == [3, 0, 2, 6, 5, 1, 4, 2, 4, 1, 6, 3, 0, 5]
    order = indices(Draws(7, 1), 2, FEW_ITEMS, FEW_ITEMS)
    assert crc32(np.array(order, np.int32)) == 3_947_948_545


def test_cycles_are_in_all_orders_alike_wherever_they_are_begun() -> None:
    draws, thirds = Draws(0, 0), Mixture((1, 1, 1), (1, 1, 1))
    drawn = draws.items(PICTURES, 0, 900, thirds).numpy()
    orders = Counter(map(tuple, drawn.reshape(300, 3).tolist()))
    assert len(orders) == 6
    assert max(orders.values()) < 80
    begun_later = draws.items(PICTURES, 1, 7, thirds, 3).numpy()
    np.testing.assert_array_equal(begun_later, drawn[7:28])


@pytest.mark.parametrize("heavy", [499, 999, 1000])
def test_a_long_cycle_has_its_shares(heavy: int) -> None:
    drawn = Draws(0, 0).items(PICTURES, 0, 3 * (heavy + 1), Mixture((1, 1), (heavy, 1))).numpy()
    light = np.flatnonzero(drawn)
    assert (light // (heavy + 1)).tolist() == [0, 1, 2]
    assert len(set(light % (heavy + 1))) == 3


def test_latents_are_uniform_and_different_for_each_step_update_seed_and_detour() -> None:
    drawn = [
        Draws(seed, detours).chance("latents", latents(50), step, update, 100).numpy()
        for seed, detours, step, update in [
            (0, 0, 0, 0), (1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1),
        ]
    ]  # fmt: skip

    for each in drawn:
        assert -1 <= each.min() < -0.99 < 0.99 < each.max() <= 1
        assert abs(each.mean()) < 0.03
    for number, each in enumerate(drawn):
        for other in drawn[number + 1 :]:
            assert abs(np.corrcoef(each.ravel(), other.ravel())[0, 1]) < 0.06


def test_draws_inside_a_graph_are_the_same() -> None:
    draws = Draws(3, tf.Variable(2, dtype=tf.int64))
    graph = tf.function(lambda step: draws.chance("latents", latents(6), step, 1, 4))

    np.testing.assert_array_equal(
        graph(tf.constant(9, tf.int64)), draws.chance("latents", latents(6), 9, 1, 4)
    )


def test_detours_change_the_order_of_pictures_but_not_the_grid() -> None:
    straight, detoured = Draws(5, 0), Draws(5, 1)

    assert indices(straight, 1, 20, 20) != indices(detoured, 1, 20, 20)
    one, other = (draws.samples("latents", 4, latents(3)) for draws in (straight, detoured))
    np.testing.assert_array_equal(one, other)


def test_latents_may_be_normal() -> None:
    drawn = Draws(0, 0).chance("latents", latents(50, "normal"), 0, 0, 1000).numpy()

    assert abs(drawn.mean()) < 0.02
    assert abs(drawn.std() - 1) < 0.02
    assert 3.5 < np.abs(drawn).max() < 6


def test_mixing_is_between_0_and_1_and_new_at_each_step_and_update() -> None:
    drawn = [
        Draws(0, detours).chance("mixing", Chance(), step, update, 500).numpy()
        for detours, step, update in [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)]
    ]

    for mixing in drawn:
        assert 0 <= mixing.min() < 0.02 < 0.98 < mixing.max() < 1
    assert len({mixing.tobytes() for mixing in drawn}) == 4


def mixed(batches: int, count: int) -> list[int]:
    draws = Draws(0, 0)
    drawn = [draws.items(PICTURES, batch, count, SETS).numpy() for batch in range(batches)]
    return np.concatenate(drawn).tolist()


@pytest.mark.parametrize("check", [check_shares, check_rounds, check_batches])
def test_several_sets_are_mixed_by_their_weights(check: Callable[..., None]) -> None:
    check(mixed)
