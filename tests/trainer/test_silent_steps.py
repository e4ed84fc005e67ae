"""Steps that make no frame: before a film begins, and between two frames of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import product

import pytest

from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import CheckpointName
from multitrain.trainer.pacing import BLOCK_BYTES, Pace, ends_timecut, steps_to_pause, steps_within
from render.spool.room import Room
from tests.trainer.training_bench import FRAME_BYTES, Bench

LATE = {"snapshot": "every 7 steps", "first_frame_after": 20}
STEPS = 20 + 40 * 7  # of 40 frames


@pytest.mark.usefixtures("_one_step_blocks")
def test_a_training_ends_with_its_last_frame(bench: Callable[..., Bench]) -> None:
    each = bench(40, **LATE)

    assert each.training().run() is True

    assert each.spooled_numbers() == list(range(40))
    assert each.paths.checkpoint_names() == [CheckpointName(STEPS, 40)]
    lines = [json.loads(line) for line in each.paths.progress.read_text().splitlines()]
    told = {line["step"]: line["frame"] for line in lines}
    assert list(told) == list(range(1, STEPS + 1)), "every step is told of, with a frame or without"
    assert [told[step] for step in (1, 26, 27, 28, 33, 34)] == [0, 0, 1, 1, 1, 2]


@pytest.mark.usefixtures("_one_step_blocks")
@pytest.mark.parametrize("stop_at", [3, 22, 27, 30, 200])
def test_a_drain_between_frames_costs_nothing(bench: Callable[..., Bench], stop_at: int) -> None:
    each = bench(40, **LATE)
    training = each.training()
    each.session.before_run = lambda: each.stop.set() if each.session.step >= stop_at else None

    assert training.run() is False

    stopped = each.session.step
    made = each.job.plan.frame_after(stopped)
    assert each.checkpoint_steps()[-1] == stopped
    assert each.spooled_numbers() == list(range(made))

    each.stop.clear()
    assert each.training().run() is True
    assert sum(each.session.runs) == STEPS - stopped
    assert each.spooled_numbers() == list(range(40))


@pytest.mark.usefixtures("_one_step_blocks")
def test_a_crash_costs_what_no_checkpoint_covers(bench: Callable[..., Bench]) -> None:
    each = bench(40, auto_render_period=1.0, **LATE)  # cuts of 10 frames
    training = each.training()

    def crash() -> None:
        if each.session.step >= 140:
            raise RuntimeError("crash")

    each.session.before_run = crash
    with pytest.raises(RuntimeError, match="crash"):
        training.run()
    assert each.checkpoint_steps() == [20 + 10 * 7]

    each.training().run()
    assert sum(each.session.runs) == STEPS - 90
    assert each.spooled_numbers() == list(range(40))


def test_weights_are_kept_of_steps_that_show_nothing(bench: Callable[..., Bench]) -> None:
    each = bench(4, keep_checkpoints=11, **LATE)
    each.training().run()
    assert list(each.paths.kept_steps()) == [0, 11, 22, 33, 44]


def test_steps_that_make_nothing_need_no_room(
    bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the floor, the training waits only where a frame is to be written."""
    each = bench(3, snapshot="every 1000 steps")
    free = 10 * FRAME_BYTES
    room = Room(each.paths, keep_free=free, free=lambda _: free)
    training = each.training(room)
    waited: list[int] = []

    def stop_waiting(_: float) -> bool:
        waited.append(each.session.step)
        each.stop.set()
        return True

    monkeypatch.setattr(each.stop, "wait", stop_waiting)
    training.run()
    assert waited == [999]


def test_pauses_are_the_steps_that_reach_the_ends_of_timecuts(
    make_job: Callable[..., JobFile],
) -> None:
    for every, first, period in product((1, 2, 7), (0, 1, 30), (0.1, 0.7, 5.0)):
        columns = {"snapshot": every, "first_frame_after": first, "auto_render_period": period}
        plan = make_job(20, **columns).plan
        wanted = [first + cut.stop * every for cut in plan.cuts]
        steps = range(plan.steps_total + 1)
        assert [step for step in steps if ends_timecut(plan, step)] == wanted, columns
        assert all(
            step + steps_to_pause(plan, step) == min(end for end in wanted if end > step)
            for step in range(plan.steps_total)
        ), columns


def test_blocks_hold_a_bounded_number_of_frames_and_any_of_steps(
    make_job: Callable[..., JobFile],
) -> None:
    job = make_job(6000, snapshot="every 100 steps", first_frame_after=50_000)
    large = job.replaced(image_width=2000, image_height=1000).plan
    most = BLOCK_BYTES // large.frame_bytes
    pace = Pace(large)
    for _ in range(20):
        pace.observe(1, seconds=1e-9)
    assert 1 < most < 50
    step, widest = 0, 0
    while step < 100_000:
        steps = pace.steps_from(step)
        assert large.frame_after(step + steps) - large.frame_after(step) <= most
        widest = max(widest, steps)
        step += steps
    assert widest > 50_000


def test_so_many_steps_make_so_many_frames(make_job: Callable[..., JobFile]) -> None:
    for snapshot, first, step, frames in product(
        ("update", "step", "every 6 steps"), (0, 5), range(15), range(7)
    ):
        plan = make_job(600, snapshot=snapshot, first_frame_after=first).plan
        count = steps_within(plan, step, frames)
        made = plan.frame_after(step + count) - plan.frame_after(step)
        more = plan.frame_after(step + count + 1) - plan.frame_after(step)
        assert made <= frames < more, (snapshot, first, step)
