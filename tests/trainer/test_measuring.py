"""`validation`: networks are measured at every so-and-so-manyth step, however steps form blocks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from jobs.workspace.measures import Measures, all_measures, measures_in
from multitrain.trainer.measured import Measured
from multitrain.weights.checkpoints import load_weights
from multitrain.weights.moments import at_step
from tests.trainer import training_bench
from tests.trainer.training_bench import Bench

OF_FOUR_STEPS = {
    "family": "superres",
    "validation": "unseen",
    "validate_every": 4,
    "snapshot": "step",
}


@pytest.fixture(autouse=True)
def _weights_of_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """The session's one weight counts as the generator's."""
    plain = training_bench.FakeSession.state

    def state(session: object) -> dict[str, np.ndarray]:
        told = plain(session)
        return told | {"generator/weight": told["net/weight"]}

    monkeypatch.setattr("tests.trainer.training_bench.FakeSession.state", state)


def measure(each: Bench, psnr: dict[int, float]) -> None:
    """The session comes to this much after these steps."""
    each.session.measured = lambda _: {"psnr": psnr[each.session.step], "ssim": 0.5}


def best_steps(each: Bench) -> list[int]:
    """Those whose files hold the weights of just that step."""
    for step in each.paths.best_steps():
        weights = load_weights(each.paths.best_weights(step), "superres")
        assert weights == {"generator/weight": np.array([step], np.float32)}
    return each.paths.best_steps()


def test_measures_stand_beside_the_losses_of_their_steps_and_of_the_last_one(
    bench: Callable[..., Bench],
) -> None:
    each = bench(18, family="superres", validation="unseen", validate_every=4, snapshot="step")
    training = each.training()
    each.session.measured = lambda _: {"psnr": 20.0 + each.session.step}

    assert training.run() is True

    told = list(measures_in(each.paths.progress.read_bytes().splitlines()))
    assert told == [(step, {"psnr": 20.0 + step}) for step in (4, 8, 12, 16, 18)]
    assert set(each.told_steps()) - {4, 8, 12, 16, 18}, "there are blocks without"


def test_a_drain_waits_for_no_measurement(bench: Callable[..., Bench]) -> None:
    each = bench(20, family="superres", validation="unseen", validate_every=4, snapshot="step")
    training = each.training()

    def measured(is_wanted: Callable[[], bool]) -> dict[str, float]:
        assert is_wanted()
        each.stop.set()
        assert not is_wanted()
        return {}

    each.session.measured = measured

    assert training.run() is False
    assert each.session.step == 4


def test_nothing_is_measured_where_nothing_is_asked_for(bench: Callable[..., Bench]) -> None:
    """A session that cannot be measured would fail."""
    assert bench(20, family="superres", snapshot="step").training().run() is True


def test_the_last_measurement_is_made_whatever_comes(bench: Callable[..., Bench]) -> None:
    each = bench(8, **OF_FOUR_STEPS)
    training = each.training()
    each.session.before_run = lambda: each.stop.set() if each.session.step >= 4 else None
    each.session.measured = lambda is_wanted: {"psnr": 20.0} if is_wanted() else {}

    training.run()

    assert [measured.step for measured in all_measures(each.paths.progress)] == [4, 8]


def test_what_a_drain_has_left_out_is_measured_by_the_next_start(
    bench: Callable[..., Bench],
) -> None:
    each = bench(20, **OF_FOUR_STEPS)
    training = each.training()

    def measured(is_wanted: Callable[[], bool]) -> dict[str, float]:
        each.stop.set()
        return {} if not is_wanted() else {"psnr": 1.0}

    each.session.measured = measured
    training.run()
    each.stop.clear()
    resumed = each.training()
    measure(each, {step: 20.0 - step for step in (4, 8, 12, 16, 20)})

    assert resumed.run() is True
    assert [measured.step for measured in all_measures(each.paths.progress)] == [4, 8, 12, 16, 20]
    assert best_steps(each) == [4]


@pytest.mark.parametrize(
    ("columns", "kept"), [({}, [8]), ({"keep_best": "ssim"}, [4]), ({"keep_best": "none"}, [])]
)
def test_the_weights_of_the_best_step_are_kept(
    bench: Callable[..., Bench], columns: dict[str, str], kept: list[int]
) -> None:
    each = bench(20, **OF_FOUR_STEPS, use_checkpoints=False, **columns)
    training = each.training()
    measure(each, {4: 20.0, 8: 23.0, 12: float("nan"), 16: 23.0, 20: 22.0})

    assert training.run() is True

    assert best_steps(each) == kept
    if kept:
        assert at_step(each.paths, "superres", "best").steps == tuple(kept)


@pytest.mark.usefixtures("_one_step_blocks")
def test_what_a_crash_takes_back_costs_no_best_weights(bench: Callable[..., Bench]) -> None:
    """Beyond the checkpoint, others may come out: those before it are needed until then."""
    each = bench(20, **OF_FOUR_STEPS, auto_render_period=1.0)  # checkpoints at 10 and 20
    training = each.training()
    measure(each, {4: 20.0, 8: 23.0, 12: 24.0, 16: 26.0})

    def crash() -> None:
        if each.session.step >= 17:
            raise RuntimeError("crash")

    each.session.before_run = crash
    with pytest.raises(RuntimeError, match="crash"):
        training.run()
    assert best_steps(each) == [8, 16], "one for the checkpoint, and the best"

    resumed = each.training()
    seen: list[list[int]] = []
    each.session.before_run = lambda: seen.append(best_steps(each))
    measure(each, {12: 22.0, 16: 22.5, 20: 22.9})
    assert resumed.run() is True

    assert seen[0] == [8], "what is made again is not there until it is"
    assert best_steps(each) == [8]


def test_where_best_weights_are_lost_the_next_ones_are_kept(bench: Callable[..., Bench]) -> None:
    each = bench(20, **OF_FOUR_STEPS)
    training = each.training()
    psnr = {4: 30.0, 8: 22.0, 12: 21.0, 16: 23.0, 20: 22.0}
    measure(each, psnr)
    each.session.before_run = lambda: each.stop.set() if each.session.step >= 4 else None
    training.run()
    each.paths.best_weights(4).unlink()
    each.stop.clear()
    resumed = each.training()
    measure(each, psnr)

    assert resumed.run() is True

    assert best_steps(each)[-1] == 16


def test_what_is_kept_since_the_best_was_lost_stays_the_best_at_every_start() -> None:
    measured = Measured("these")
    for step, psnr in ((100, 30.0), (200, 25.0)):
        measured.add(step, {"psnr": psnr})
    measured.keep_to([])
    for step, psnr in ((300, 28.0), (400, 27.0)):
        measured.add(step, {"psnr": psnr})
    assert measured.best("psnr") == 300
    again = Measured("these")
    again.restore(measured.state())
    again.keep_to([300])
    again.add(500, {"psnr": 26.0})
    assert again.best("psnr") == 300


def test_what_a_checkpoint_knows_of_other_pictures_does_not_count() -> None:
    measured = Measured("these")
    measured.add(4, {"psnr": 20.5})
    measured.add(8, {"psnr": 19.0, "ssim": 0.5})
    again, others = Measured("these"), Measured("those")
    again.restore(measured.state())
    others.restore(measured.state())

    assert [each.values["psnr"] for each in again.history] == [20.5, 19.0]
    assert again.history[1] == Measures(8, {"psnr": 19.0, "ssim": 0.5})
    assert (again.step, again.best("psnr"), again.best("ssim")) == (8, 4, 8)
    assert others.history == []


def test_the_next_step_learns_as_all_measurements_have_it(bench: Callable[..., Bench]) -> None:
    """Also after a start from a checkpoint, and by other pictures since then."""
    each = bench(20, **OF_FOUR_STEPS)
    training, psnr = each.training(), {4: 20.0, 8: 21.0, 12: 22.0, 16: 23.0, 20: 24.0}
    measure(each, psnr)
    each.session.before_run = lambda: each.stop.set() if each.session.step == 8 else None
    training.run()
    each.stop.clear()
    resumed = replace(each.training(), measured_by="others")
    measure(each, psnr)
    seen: dict[int, list[list[float]]] = {}
    each.session.before_run = lambda: seen.setdefault(
        each.session.step,
        [[values["psnr"] for values in history] for history in each.session.followed],
    )
    each.session.followed = []

    resumed.run()

    assert seen[16] == [[20.0, 21.0, 22.0], [22.0, 23.0]]
