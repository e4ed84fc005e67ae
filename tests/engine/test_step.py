"""One step of any model: what an engine computes, against the same worked out by hand."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from jobs.workspace.jobfile import JobFile
from multitrain.engine import open_training
from multitrain.engine.session import Session, SessionSettings, State
from tests.engine.drawn import chance_of, feeds_of
from tests.engine.proving import PROOFS, FrozenEye, Proof, Step, Weights

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


TWO_DEVICES = """
import sys
from pathlib import Path
import numpy as np
from jobs.workspace.jobfile import JobFile
from multitrain.engine import open_training
from multitrain.engine.session import SessionSettings
from tests.engine.proving import PROOFS

both = JobFile.model_validate_json(Path(sys.argv[1]).read_text())
alone = both.model_copy(update={"spec": both.spec.model_copy(update={"gpus": 1})})
pictures = np.random.default_rng(0).integers(0, 256, (7, 9, 12, 3), dtype=np.uint8)
proof = PROOFS[sys.argv[2]]()
two, one = (
    open_training(lambda: proof.describe(job), job.spec, proof.feeds(pictures), SessionSettings())
    for job in (both, alone)
)
losses = [session.run(3).losses for session in (two, one)]
for turn, loss in losses[1].items():
    np.testing.assert_allclose(losses[0][turn], loss, atol=1e-5, err_msg=turn)
state = two.state()
for path, array in one.state().items():
    np.testing.assert_allclose(state[path], array, atol=1e-5, err_msg=path)
frames = two.run(2).frames
two.restore(state)
assert (two.run(2).frames == frames).all()
"""


# A process for each: TensorFlow knows exchanges between replicas by their order in a session.
@pytest.mark.parametrize("name", PROOFS)
def test_two_devices_train_as_one_and_resume_exactly(
    name: str, tiny_job: Callable[..., JobFile], tmp_path: Path
) -> None:
    file = tmp_path / "job.json"
    file.write_text(tiny_job(batch_size=8, gpus=2).model_dump_json())

    done = subprocess.run(
        [sys.executable, "-c", TWO_DEVICES, file, name],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr[-3000:]
