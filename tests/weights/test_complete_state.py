"""A checkpoint holds all that a training is: nothing of a network is left to chance or memory."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from jobs.families.feed import PICTURES
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import CheckpointName, JobPaths
from multitrain.datasets.decoded.folders import Fingerprint
from multitrain.engine.feeds import only
from multitrain.engine.session import SessionSettings
from multitrain.engine.tensorflow.session import TensorFlowSession
from multitrain.families import open_session
from multitrain.weights import checkpoints
from multitrain.weights.checkpoints import Checkpoint


@pytest.fixture
def job(tiny_job: Callable[..., JobFile]) -> JobFile:
    """With batch norm in both networks and more than one update each."""
    return tiny_job(
        family="dcgan", batch_norm_g=True, batch_norm_d=True, learning_rate_g=0.03,
        nbr_g_updates=2, nbr_d_updates=2,
    )  # fmt: skip


@pytest.fixture
def fresh(job: JobFile, noise: Callable[..., np.ndarray]) -> Callable[[], TensorFlowSession]:
    """Sessions of one job at step 0."""
    return lambda: open_session(job, only(noise(job)), SessionSettings())


def test_a_fresh_session_goes_on_from_the_file_bit_for_bit(
    job: JobFile,
    fresh: Callable[[], TensorFlowSession],
    noise: Callable[..., np.ndarray],
    paths: JobPaths,
) -> None:
    before, after = fresh(), fresh()
    before.run(5)
    before.detours = 1
    name = CheckpointName(5, job.plan.frame_after(5))
    pictures = {PICTURES: Fingerprint.of(noise(job))}
    checkpoints.save(paths, Checkpoint(name, "dcgan", "tensorflow", pictures, before.state()))

    loaded = checkpoints.load_newest(paths, "dcgan", "tensorflow")
    assert loaded is not None
    assert loaded.pictures == pictures
    after.restore(loaded.state)

    for _ in range(4):
        expected, found = before.run(1), after.run(1)
        np.testing.assert_array_equal(found.frames, expected.frames)
        assert found.losses == expected.losses
        wanted, state = before.state(), after.state()
        assert state.keys() == wanted.keys()
        for key, array in wanted.items():
            np.testing.assert_array_equal(state[key], array, err_msg=key)


def test_the_state_names_all_its_parts(fresh: Callable[[], TensorFlowSession]) -> None:
    names = set(fresh().state())

    assert {"step", "detours", "latents", "optimizer_g/updates", "optimizer_d/updates"} <= names
    for network, optimizer in (("generator", "optimizer_g"), ("discriminator", "optimizer_d")):
        kernels = {name for name in names if name.startswith(network) and "kernel" in name}
        assert kernels
        for kernel in kernels:
            weight = kernel.removeprefix(f"{network}/")
            assert {f"{optimizer}/{weight}/{slot}" for slot in ("momentum", "velocity")} <= names
        for statistic in ("moving_mean", "moving_variance"):
            assert any(name.startswith(network) and statistic in name for name in names)


def test_no_step_touches_a_variable_that_is_not_in_the_state(
    fresh: Callable[[], TensorFlowSession],
) -> None:
    session = fresh()

    touched = session._block().get_concrete_function().graph.variables

    kept = {id(variable) for variable in session._variables.values()}
    assert len(touched) > 20
    assert [variable.name for variable in touched if id(variable) not in kept] == []
