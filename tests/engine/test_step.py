"""One step of any model: what an engine computes, against the same worked out by hand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from jobs.workspace.jobfile import JobFile
from multitrain.engine import open_training
from multitrain.engine.session import Session, SessionSettings, State
from tests.engine.drawn import chance_of, feeds_of
from tests.engine.proving.adversaries import FrozenEye
from tests.engine.proving.proof import Proof, Step, Weights
from tests.engine.proving.table import PROOFS

STEPS = 4


@pytest.fixture(params=PROOFS)
def proof(request: pytest.FixtureRequest) -> Proof:
    return PROOFS[request.param]()


@pytest.fixture
def job(tiny_job: Callable[..., JobFile]) -> JobFile:
    return tiny_job(batch_size=8)


def opened(proof: Proof, job: JobFile, pictures: np.ndarray) -> Session:
    feeds = proof.feeds(pictures)
    return open_training(lambda: proof.describe(job), job.spec, feeds, SessionSettings())


def weights_of(state: State) -> Weights:
    """All that steps change, by network, or by its own name."""
    return {
        name.removeprefix("carried/").partition("/")[0]: array.astype(np.float64)
        for name, array in state.items()
        if name.endswith("/kernel") or name.startswith("carried/")
    }


def test_steps_are_what_they_are_by_hand(
    proof: Proof, job: JobFile, noise: Callable[..., np.ndarray]
) -> None:
    pictures, model = noise(job), proof.describe(job)
    session = opened(proof, job, pictures)
    weights = weights_of(session.state())
    for number in range(STEPS):
        losses = session.run(1).losses

        chance = {
            name: chance_of(job.spec, name, each, number, model.draws[name])
            for name, each in model.chance.items()
        }
        feeds = feeds_of(job.spec, proof.feeds(pictures), number, model.draws)
        wanted = proof.by_hand(weights, Step(number, feeds, chance))

        assert losses == pytest.approx(wanted, abs=1e-5)
        found = weights_of(session.state())
        assert found.keys() == weights.keys()
        for name, array in weights.items():
            np.testing.assert_allclose(found[name], array, atol=1e-5, err_msg=name)


def test_frames_show_the_average_as_it_is_then(
    job: JobFile, noise: Callable[..., np.ndarray]
) -> None:
    session = opened(FrozenEye(), job, noise(job))
    before = session.state()
    first, last = session.run(1).frames
    for frame, state in ((first, before), (last, session.state())):
        colours = state["latents"] @ state["average/matrix/kernel"]
        cells = np.clip((colours + 1) * 127.5, 0, 255).reshape(2, 3, 3)
        shown = frame.reshape(2, 9, 3, 12, 3)
        assert np.abs(shown - cells[:, None, :, None]).max() <= 1
    assert (first != last).any()


def test_phases_are_functions_of_the_step(job: JobFile) -> None:
    model = FrozenEye().describe(job)
    assert [model.phase_at(step).begins for step in (0, 1, 2, 9)] == [0, 0, 2, 2]
    assert [model.steps_until_next_phase(step) for step in (0, 1, 2)] == [2, 1, None]
    assert model.steps_of_turns(1, 4) == {"warm": 1, "d": 3, "g": 3}
    assert model.steps_of_turns(2, 2) == {"warm": 0, "d": 2, "g": 2}
