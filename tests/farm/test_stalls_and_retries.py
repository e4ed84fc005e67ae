from __future__ import annotations

from jobs.workspace.paths import CheckpointName
from multitrain.farm.stalls_and_retries import FIRST_STEP, RETRY_SECONDS, StallWatch, Tries


def test_the_first_step_of_a_try_may_take_longer() -> None:
    watch = StallWatch(60, step=100, now=0)
    assert not watch.is_stuck(60 * FIRST_STEP)
    assert watch.is_stuck(60 * FIRST_STEP + 1)
    watch.saw(102, 100)
    assert not watch.is_stuck(160)
    assert watch.is_stuck(161)


def test_going_back_to_a_checkpoint_is_a_sign_of_life_but_no_step() -> None:
    watch = StallWatch(60, step=100, now=0)
    watch.saw(80, 50)
    assert not watch.is_stuck(50 + 60 * FIRST_STEP)
    watch.saw(82, 100)
    assert watch.is_stuck(161)


def test_the_same_step_is_no_sign_of_life() -> None:
    watch = StallWatch(60, step=0, now=0)
    for now in range(0, 200, 10):
        watch.saw(2, now)
    assert watch.is_slow(190)
    assert watch.is_stuck(190)
    watch.excuse(190)
    assert not watch.is_slow(220)
    assert not watch.is_stuck(250)


def test_failures_in_a_row_use_up_the_tries() -> None:
    tries = Tries(retries=2)
    left = []
    for now in (10.0, 20.0, 30.0):
        tries.failed(None, now)
        left.append(tries.left)
    assert left == [2, 1, 0]


def test_a_new_checkpoint_begins_the_count_anew() -> None:
    tries = Tries(retries=1)
    for step in range(1, 50):
        tries.failed(CheckpointName(step, 2 * step), 0.0)
        assert tries.left == 1
    tries.failed(CheckpointName(49, 98), 0.0)
    assert tries.left == 0


def test_the_first_failure_is_retried_at_once_the_next_ones_after_a_pause() -> None:
    tries = Tries(retries=9)
    assert tries.may_start(0)
    tries.failed(None, 100)
    assert tries.may_start(100)
    tries.failed(None, 100)
    assert not tries.may_start(99.9 + RETRY_SECONDS)
    assert tries.may_start(100 + RETRY_SECONDS)
    tries.failed(None, 100)
    assert not tries.may_start(100 + RETRY_SECONDS)
    assert tries.may_start(100 + 2 * RETRY_SECONDS)
