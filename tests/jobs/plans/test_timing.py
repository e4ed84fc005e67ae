"""From steps to frames and back: whatever the settings, both ways agree."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product

import pytest

from jobs.plans.timing import Timing, frames_asked_for
from jobs.settings.parsing import parse_cells
from jobs.settings.spec import JobSpec

STEPS = 60


def timings() -> Iterator[Timing]:
    for first in (0, 1, 2, 7, 20):
        yield Timing(2, 1, first)
        yield from (Timing(1, every, first) for every in (1, 2, 3, 10, 59))


def made_by_hand(timing: Timing) -> list[list[int]]:
    """The frames that each of the first steps makes, counted one by one."""
    made: list[list[int]] = []
    frame = since = 0
    for step in range(1, STEPS + 1):
        since += step > timing.first_frame_after
        shows = since > 0 and since % timing.steps_per_frame == 0
        made.append(list(range(frame, frame + timing.frames_per_step)) if shows else [])
        frame += len(made[-1])
    return made


def test_frames_are_those_that_counting_finds() -> None:
    for timing in timings():
        made = made_by_hand(timing)
        for step in range(STEPS + 1):
            assert timing.frames_by(step) == sum(map(len, made[:step])), (timing, step)
        for step, frames in enumerate(made):
            assert timing.makes_frames(step) == bool(frames), (timing, step)
            for frame in frames:
                assert timing.step_of(frame) == step + 1, (timing, frame)
            if frames:
                assert timing.first_frame(step) == frames[0], (timing, step)
                assert timing.silent_steps(step) == 0, (timing, step)
            silent = timing.silent_steps(step)
            assert not any(made[step : step + silent]), (timing, step)
            assert step + silent >= STEPS or made[step + silent], (timing, step)
        assert timing.has_silent_steps == (not all(made)), timing


def test_a_film_ends_with_the_first_frame_at_which_all_steps_are_done() -> None:
    for timing, steps in product(timings(), range(1, STEPS)):
        frames = timing.frames_until(steps)
        if steps <= timing.first_frame_after:
            assert frames == 0
            continue
        last = timing.step_of(frames - 1)
        assert steps <= last < steps + timing.steps_per_frame, (timing, steps)
        assert timing.frames_by(last) == frames, (timing, steps)


def spec_of(**cells: object) -> JobSpec:
    required = {"name": "a", "dataset": "a", "grid_width": 1, "grid_height": 1, "fps": 10}
    spec, reasons = parse_cells({name: str(value) for name, value in (required | cells).items()})
    assert spec is not None, reasons
    return spec


@pytest.mark.parametrize(
    ("cells", "frames"),
    [
        ({"video_length": 0.5}, 300),
        ({"video_length": 0.5, "snapshot": "every 10 steps", "first_frame_after": 70}, 300),
        ({"steps": 100}, 200),
        ({"steps": 100, "snapshot": "step"}, 100),
        ({"steps": 100, "snapshot": 30}, 4),
        ({"steps": 100, "snapshot": "step", "first_frame_after": 20}, 80),
        ({"steps": 20, "snapshot": "step", "first_frame_after": 20}, 0),
        ({"epochs": 3, "snapshot": "step"}, 38),  # 12.5 steps each: 37.5
        ({"epochs": 0.1, "snapshot": "step"}, 2),
        ({"epochs": 3, "snapshot": "every 5 steps"}, 8),
    ],
)
def test_minutes_steps_and_epochs_say_how_many_frames(
    cells: dict[str, object], frames: int
) -> None:
    assert frames_asked_for(spec_of(**cells), Fraction(25, 2)) == frames


def test_epochs_of_unknown_pictures_are_no_frames() -> None:
    assert frames_asked_for(spec_of(epochs=3), Fraction(0)) == 0


def test_one_step_is_each_step() -> None:
    assert (
        spec_of(steps=1, snapshot="every 1 step").snapshot
        == spec_of(steps=1, snapshot="step").snapshot
    )
    for text in ("every 10 steps", "every 10", "10", "Every 10 Steps", "every(steps=10)", "every"):
        spec = spec_of(steps=1, snapshot=text)
        assert (spec.steps_per_frame, spec.frames_per_step) == (10, 1), text
        assert str(spec.snapshot) == "every 10 steps"
