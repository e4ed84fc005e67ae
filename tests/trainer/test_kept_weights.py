"""`keep_checkpoints`: the weights of every so-and-so-manyth step, whatever happens in between."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from jobs.settings.parsing import parse_cells
from jobs.workspace.files import part_of
from multitrain.trainer.pacing import Pace
from multitrain.weights import checkpoints
from multitrain.weights.checkpoints import load_weights
from tests.trainer import training_bench
from tests.trainer.training_bench import Bench


@pytest.fixture(autouse=True)
def _weights_of_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """The session's one weight counts as the generator's, and its optimizer has another."""
    plain = training_bench.FakeSession.state

    def state(session: object) -> dict[str, np.ndarray]:
        told = plain(session)
        weight = told["net/weight"]
        return told | {"generator/weight": weight, "optimizer_g/weight": weight}

    monkeypatch.setattr("tests.trainer.training_bench.FakeSession.state", state)


@pytest.fixture
def bench(bench: Callable[..., Bench]) -> Callable[..., Bench]:
    """Of a family that has networks."""
    return lambda frames=20, **columns: bench(frames, **{"family": "dcgan", **columns})


def kept_steps(each: Bench) -> list[int]:
    """Those whose files hold the weights of just that step, and nothing else."""
    for step in each.paths.kept_steps():
        weights = load_weights(each.paths.kept_weights(step), "dcgan")
        assert {name: array.tolist() for name, array in weights.items()} == {
            "generator/weight": [float(step)]
        }
    return each.paths.kept_steps()


def test_weights_of_every_so_manyth_step_are_kept(bench: Callable[..., Bench]) -> None:
    each = bench(200, keep_checkpoints=7)

    assert each.training().run() is True

    assert kept_steps(each) == list(range(0, 101, 7))
    assert each.spooled_numbers() == list(range(200))
    assert max(each.session.runs) == 7, "blocks are as long as they may be"


def test_the_last_step_may_be_one_of_them(bench: Callable[..., Bench]) -> None:
    each = bench(40, keep_checkpoints=10)

    each.training().run()

    assert kept_steps(each) == [0, 10, 20]


def test_without_the_column_nothing_is_kept(bench: Callable[..., Bench]) -> None:
    each = bench(40)

    each.training().run()

    assert not each.paths.kept.exists()


@pytest.mark.usefixtures("_one_step_blocks")
def test_after_a_crash_those_beyond_the_checkpoint_are_made_again(
    bench: Callable[..., Bench],
) -> None:
    each = bench(40, keep_checkpoints=2, auto_render_period=1.0)  # checkpoints at 5, 10, …
    training = each.training()

    def crash() -> None:
        if each.session.step >= 8:
            raise RuntimeError("crash")

    each.session.before_run = crash
    with pytest.raises(RuntimeError, match="crash"):
        training.run()
    assert kept_steps(each) == [0, 2, 4, 6, 8]
    part_of(each.paths.kept_weights(10)).write_bytes(b"half")

    each.training()
    resumed = each.training()
    seen: list[list[int]] = []
    each.session.before_run = lambda: seen.append(each.paths.kept_steps())
    assert resumed.run() is True

    assert seen[0] == [0, 2, 4], "what is made again is not there until it is"
    assert kept_steps(each) == list(range(0, 21, 2))
    assert not part_of(each.paths.kept_weights(10)).exists()


@pytest.mark.usefixtures("_one_step_blocks")
def test_a_drain_at_such_a_step_keeps_its_weights_before_the_checkpoint(
    bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    each = bench(40, keep_checkpoints=4)
    there: list[list[int]] = []
    save = checkpoints.save
    monkeypatch.setattr(
        checkpoints, "save", lambda *given: (there.append(kept_steps(each)), save(*given))
    )
    training = each.training()
    each.session.before_run = lambda: each.stop.set() if each.session.step == 3 else None

    assert training.run() is False

    assert each.checkpoint_steps() == [4]
    assert there == [[0, 4]]


def test_weights_that_are_not_finite_are_not_kept(bench: Callable[..., Bench]) -> None:
    each = bench(40, keep_checkpoints=5)
    training = each.training()
    each.session.weights_broken_at, each.session.mended_by = 8, 2

    assert training.run() is True

    assert kept_steps(each) == [0, 5, 10, 15, 20]


@pytest.mark.parametrize("text", ["every 2000 steps", "2000", "Every 2000", "every  2000  step"])
def test_how_the_column_is_written(text: str) -> None:
    required = {"name": "a", "dataset": "a", "grid_width": "1", "grid_height": "1"}
    spec, reasons = parse_cells(required | {"video_length": "1", "keep_checkpoints": text})

    assert spec is not None, reasons
    assert spec.keep_checkpoints == 2000


@pytest.mark.parametrize("text", ["often", "every 0 steps", "every 2.5 steps", "-1"])
def test_what_the_column_must_be(text: str) -> None:
    required = {"name": "a", "dataset": "a", "grid_width": "1", "grid_height": "1"}
    _, reasons = parse_cells(required | {"video_length": "1", "keep_checkpoints": text})

    assert "must be a whole number of at least 1" in reasons["keep_checkpoints"]


def test_blocks_never_cross_such_a_step(make_job: Callable[..., object]) -> None:
    pace = Pace(make_job(6000).plan, 10)
    for _ in range(9):
        pace.observe(1, seconds=1e-9)

    assert [pace.steps_from(step) for step in (0, 3, 9, 10)] == [10, 7, 1, 10]
