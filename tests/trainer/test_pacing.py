from __future__ import annotations

from collections.abc import Callable

from jobs.workspace.jobfile import JobFile
from multitrain.trainer.pacing import BLOCK_BYTES, Pace, ends_timecut, steps_to_pause

MakeJob = Callable[..., JobFile]


def test_pauses_fall_on_the_first_step_that_reaches_a_timecuts_end(make_job: MakeJob) -> None:
    plan = make_job(20, auto_render_period=0.7).plan  # cuts of 7 frames: 7, 14, 20

    ends = [step for step in range(plan.steps_total + 1) if ends_timecut(plan, step)]

    assert ends == [4, 7, 10]
    assert [steps_to_pause(plan, step) for step in (0, 3, 4, 9, 10)] == [4, 1, 3, 1, 0]


def test_one_step_may_end_several_timecuts(make_job: MakeJob) -> None:
    plan = make_job(5, auto_render_period=0.1).plan

    assert [ends_timecut(plan, step) for step in range(4)] == [False, True, True, True]


def test_blocks_grow_towards_half_a_second(make_job: MakeJob) -> None:
    pace = Pace(make_job(600 * 10).plan)
    assert pace.steps_from(0) == 1

    pace.observe(1, seconds=5.0)  # compiled meanwhile
    assert pace.steps_from(1) == 1
    pace.observe(1, seconds=0.01)
    assert pace.steps_from(2) == 4
    for steps in (4, 16, 50):
        pace.observe(steps, seconds=steps * 0.01)
    assert pace.steps_from(100) == 50


def test_blocks_shrink_when_the_device_slows_down(make_job: MakeJob) -> None:
    pace = Pace(make_job(6000).plan)
    for _ in range(5):
        pace.observe(100, seconds=0.5)

    pace.observe(100, seconds=5.0)

    assert pace.steps_from(0) == 10


def test_blocks_hold_a_bounded_number_of_bytes_and_at_least_one_step(make_job: MakeJob) -> None:
    large = make_job(6000).model_copy(update={"image_width": 2000, "image_height": 1000}).plan
    pace = Pace(large)
    for _ in range(9):
        pace.observe(1, seconds=1e-9)

    assert 1 <= pace.steps_from(0) * 2 * large.frame_bytes <= BLOCK_BYTES
    pace.observe(1, seconds=60.0)
    assert pace.steps_from(0) == 1


def test_blocks_never_cross_a_pause(make_job: MakeJob) -> None:
    pace = Pace(make_job(20, auto_render_period=0.7).plan)
    for _ in range(9):
        pace.observe(1, seconds=1e-9)

    assert [pace.steps_from(step) for step in (0, 1, 4, 7)] == [4, 3, 3, 3]
