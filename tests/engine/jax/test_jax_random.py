from __future__ import annotations

from collections.abc import Callable

import jax
import numpy as np
import pytest

from jobs.families.feed import PICTURES
from multitrain.engine.jax import random as jax_random
from multitrain.engine.mixture import Mixture
from multitrain.engine.model import Chance
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


def drawn_for(seed: int, detours: int, step: int, draws: int, count: int, chance: Chance) -> object:
    return jax_random.chances(seed, detours, step, "latents", chance, draws, count)


def indices(detours: int, batches: int, count: int, pictures: int) -> list[int]:
    drawn = [
        jax_random.items_of(0, detours, PICTURES, batch * count, count, one_set(pictures))
        for batch in range(batches)
    ]
    return np.concatenate(drawn).tolist()


def test_every_picture_comes_once_before_any_comes_again() -> None:
    order = indices(0, batches=12, count=5, pictures=20)

    rounds = [order[start : start + 20] for start in range(0, 60, 20)]
    assert all(sorted(each) == list(range(20)) for each in rounds)
    assert rounds[0] != rounds[1] != rounds[2] != list(range(20))


def test_rounds_are_independent() -> None:
    check_independence(
        lambda pictures, number: jax_random.items_of(
            3, 0, PICTURES, number * pictures, pictures, one_set(pictures)
        )
    )


def test_two_feeds_choose_their_sets_together() -> None:
    check_company(lambda feed, mixture: jax_random.items_of(3, 0, feed, 0, 70, mixture).tolist())


def test_so_it_is_beyond_what_is_drawn_at_once() -> None:
    order = indices(0, batches=6000, count=5, pictures=1500)

    rounds = [order[start : start + 1500] for start in range(0, 30_000, 1500)]
    assert all(sorted(each) == list(range(1500)) for each in rounds)
    assert len({tuple(each) for each in rounds}) == 20


def test_a_batch_may_span_rounds_and_hold_pictures_twice() -> None:
    order = indices(0, batches=3, count=7, pictures=3)

    assert [sorted(order[start : start + 3]) for start in range(0, 21, 3)] == [[0, 1, 2]] * 7


def test_many_batches_at_once_are_those_one_by_one() -> None:
    at_once = jax_random.items_of(0, 0, PICTURES, 0, 700, one_set(13))

    assert at_once.tolist() == indices(0, batches=100, count=7, pictures=13)


def test_latents_are_uniform_and_different_for_each_step_update_seed_and_detour() -> None:
    drawn = [
        np.asarray(drawn_for(seed, detours, step, 2, 100, latents(50))[update])
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


def test_draws_that_are_compiled_are_the_same() -> None:
    compiled = jax.jit(lambda step: drawn_for(3, 2, step, 1, 4, latents(6)))

    np.testing.assert_array_equal(compiled(np.uint32(9)), drawn_for(3, 2, 9, 1, 4, latents(6)))


def test_detours_change_the_order_of_pictures() -> None:
    assert indices(0, 1, 20, 20) != indices(1, 1, 20, 20)


def test_the_grid_has_draws_of_its_own() -> None:
    grid = np.asarray(jax_random.samples(5, "latents", 4, latents(3)))

    np.testing.assert_array_equal(grid, jax_random.samples(5, "latents", 4, latents(3)))
    assert (grid != jax_random.samples(6, "latents", 4, latents(3))).all()
    assert (grid != drawn_for(5, 0, 0, 1, 4, latents(3))[0]).all()


def test_latents_may_be_normal() -> None:
    values = np.asarray(drawn_for(0, 0, 0, 2, 500, latents(50, "normal")))

    assert abs(values.mean()) < 0.02
    assert abs(values.std() - 1) < 0.02
    assert 3.5 < np.abs(values).max() < 6


def test_mixing_is_between_0_and_1_and_new_at_each_step_and_update() -> None:
    one, other = (
        np.asarray(jax_random.chances(0, 0, step, "mixing", Chance(), 2, 500)) for step in (0, 1)
    )

    for mixing in (*one, *other):
        assert 0 <= mixing.min() < 0.02 < 0.98 < mixing.max() < 1
    assert len({mixing.tobytes() for mixing in (*one, *other)}) == 4


def mixed(batches: int, count: int) -> list[int]:
    drawn = [
        jax_random.items_of(0, 0, PICTURES, batch * count, count, SETS) for batch in range(batches)
    ]
    return np.concatenate(drawn).tolist()


@pytest.mark.parametrize("check", [check_shares, check_rounds, check_batches])
def test_several_sets_are_mixed_by_their_weights(check: Callable[..., None]) -> None:
    check(mixed)
