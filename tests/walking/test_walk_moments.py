"""Which weights a walk draws with, and what is said where there are none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from jobs.errors import MultitrainError, UsageError
from jobs.families.feed import PICTURES
from jobs.workspace.paths import CheckpointName, JobPaths
from multitrain.datasets.decoded.folders import Fingerprint
from multitrain.weights import checkpoints
from multitrain.weights.checkpoints import Checkpoint
from multitrain.weights.moments import at_step, moment_at, through_time


def weights_of(step: int) -> dict[str, np.ndarray]:
    return {"generator/weight": np.array([step], np.float32)}


def keep(paths: JobPaths, *steps: int) -> None:
    for step in steps:
        checkpoints.keep_weights(paths, step, "dcgan", weights_of(step))


def save(paths: JobPaths, step: int) -> Path:
    name = CheckpointName(step, 2 * step)
    pictures = {PICTURES: Fingerprint(7, 12, 9, "")}
    checkpoints.save(paths, Checkpoint(name, "dcgan", "tensorflow", pictures, weights_of(step)))
    return paths.checkpoint(name)


def test_the_newest_is_taken_where_no_step_is_named(paths: JobPaths) -> None:
    keep(paths, 0, 4, 8)
    save(paths, 6)
    save(paths, 9)

    newest = at_step(paths, "dcgan", None)

    assert newest.steps == (9,)
    assert newest.load(0)["generator/weight"] == [9]
    assert newest.told == "step 9"


@pytest.mark.parametrize("step", [0, 4, 6])
def test_a_step_that_is_kept_or_has_a_checkpoint_can_be_named(paths: JobPaths, step: int) -> None:
    keep(paths, 0, 4, 8)
    save(paths, 6)

    assert at_step(paths, "dcgan", step).load(0)["generator/weight"] == [step]


def test_other_steps_are_told_with_those_that_are_near(paths: JobPaths) -> None:
    keep(paths, *range(0, 100, 10))

    with pytest.raises(UsageError) as told:
        at_step(paths, "dcgan", 52)

    assert str(told.value) == (
        "tiny has no weights of step 52; there are those of steps 40, 50, 60, 70 and 6 others "
        "(keep_checkpoints keeps more of them)"
    )


def test_a_job_without_checkpoints_is_told(paths: JobPaths) -> None:
    with pytest.raises(UsageError, match="tiny has no checkpoint; train it first"):
        at_step(paths, "dcgan", None)


def test_a_damaged_newest_one_is_passed_over_but_not_one_that_was_named(paths: JobPaths) -> None:
    save(paths, 6)
    save(paths, 9).write_bytes(b"damaged")

    assert at_step(paths, "dcgan", None).steps == (6,)
    with pytest.raises(MultitrainError, match=r"000000009-000000018\.h5: damaged"):
        at_step(paths, "dcgan", 9)


@pytest.mark.parametrize("named", [8, None])
@pytest.mark.parametrize("damaged", ["kept", "checkpoint"])
def test_one_file_of_a_step_serves_for_the_other(
    paths: JobPaths, named: int | None, damaged: str
) -> None:
    keep(paths, 4, 8)
    checkpoint = save(paths, 8)
    (paths.kept_weights(8) if damaged == "kept" else checkpoint).write_bytes(b"damaged")

    found = at_step(paths, "dcgan", named)

    assert found.steps == (8,)
    assert found.load(0)["generator/weight"] == [8]


def test_one_that_goes_while_it_is_looked_for_costs_nothing(
    paths: JobPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The training goes on meanwhile."""
    old = save(paths, 6)
    listed = paths.checkpoint_names
    names = [listed()]
    save(paths, 9)
    old.unlink()
    monkeypatch.setattr(JobPaths, "checkpoint_names", lambda _: names.pop() if names else listed())

    assert at_step(paths, "dcgan", None).steps == (9,)


def test_time_is_what_is_kept(paths: JobPaths) -> None:
    keep(paths, 8, 0, 4)
    save(paths, 9)

    moments = through_time(paths, "dcgan")

    assert moments.steps == (0, 4, 8)
    assert [moments.load(place)["generator/weight"].item() for place in range(3)] == [0, 4, 8]
    assert moments.told == "steps 0 to 8, through 3 kept checkpoints"


def test_time_begins_where_the_film_does(paths: JobPaths) -> None:
    keep(paths, 0, 4, 8, 12)
    assert through_time(paths, "dcgan", start=5).steps == (8, 12)
    with pytest.raises(UsageError, match="only that of step 12 from step 9 on, where its film"):
        through_time(paths, "dcgan", start=9)


@pytest.mark.parametrize(("kept", "told"), [((), "has none"), ((4,), "has only that of step 4")])
def test_time_takes_two_of_them(paths: JobPaths, kept: tuple[int, ...], told: str) -> None:
    keep(paths, *kept)

    with pytest.raises(UsageError, match=rf"{told}; set its keep_checkpoints"):
        through_time(paths, "dcgan")


def test_a_damaged_one_on_the_way_is_named(paths: JobPaths) -> None:
    keep(paths, 0, 4)
    paths.kept_weights(4).write_bytes(b"damaged")

    moments = through_time(paths, "dcgan")

    with pytest.raises(MultitrainError, match=r"kept/000000004\.h5 cannot be used: its digest"):
        moments.load(1)


@pytest.mark.parametrize("frames", [2, 7, 60])
@pytest.mark.parametrize("steps", [(0, 4, 8), (0, 10), (3, 4, 100)])
def test_time_goes_to_the_last_one_and_back(frames: int, steps: tuple[int, ...]) -> None:
    places = [moment_at(number, frames, steps) for number in range(frames)]
    at = [steps[p] + share * (steps[p + 1] - steps[p]) for p, share in places]

    assert places[0] == (0, 0.0)
    assert moment_at(frames, frames, steps) == places[0]
    assert all(0 <= place < len(steps) - 1 and 0 <= share <= 1 for place, share in places)
    np.testing.assert_allclose(at[1:], at[1:][::-1], atol=1e-6)
    if frames % 2 == 0:
        assert at[frames // 2] == pytest.approx(steps[-1])
    rise = at[: frames // 2 + 1]
    assert rise == sorted(rise)


def test_the_best_are_taken_by_that_name(paths: JobPaths) -> None:
    with pytest.raises(UsageError, match="has no best weights"):
        at_step(paths, "dcgan", "best")
    for step in (4, 6):
        checkpoints.keep_best_weights(paths, step, "dcgan", weights_of(step))
    save(paths, 8)

    assert at_step(paths, "dcgan", "best").load(0)["generator/weight"] == [6]
    paths.best_weights(6).write_bytes(b"damaged")
    assert at_step(paths, "dcgan", "best").steps == (4,)
