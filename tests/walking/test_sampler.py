"""Pictures of a walk are those that a film would show of the same weights and latents."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from jobs.errors import OriginUnfit
from jobs.workspace.jobfile import JobFile
from multitrain.engine.adopting import starting_weights
from multitrain.engine.feeds import only
from multitrain.engine.session import SessionSettings
from multitrain.families import open_session
from multitrain.walking.sampler import Sampler
from tests.combinations import first_on_jax

SETTINGS = SessionSettings()

JOBS = {
    "plain": {},
    "average": {"ema": 0.9},
    "alpha": {"colour_model": "rgba"},
    "lab": {"colour_model": "lab"},
    "hsv": {"colour_model": "hsv"},
    "bfloat16": {"precision": "bfloat16"},
    "spectral": {"normalization_g": "spectral", "convolution_g": "subpixel"},
    "dropout": {"dropout_g": 0.5, "noise_g": 0.3, "normalization_g": "instance"},
    "normal": {"z_distribution": "normal", "activation_g": "mish"},
}


@pytest.fixture(params=first_on_jax(JOBS))
def trained(
    request: pytest.FixtureRequest,
    tiny_job: Callable[..., JobFile],
    noise: Callable[..., np.ndarray],
) -> tuple[JobFile, dict[str, np.ndarray], np.ndarray]:
    """A job, its state after some steps and the frame that it shows there."""
    job = tiny_job(learning_rate_g=0.03, **JOBS[request.param])
    session = open_session(job, only(noise(job)), SETTINGS)
    frames = session.run(10).frames
    return job, session.state(), frames[-1]


def test_a_sampler_draws_the_frame_of_the_training(
    trained: tuple[JobFile, dict[str, np.ndarray], np.ndarray],
) -> None:
    job, state, frame = trained
    sampler = Sampler(job, SETTINGS, job.spec.grid_height, job.spec.grid_width)
    latents = np.asarray(state["latents"])
    weights = sampler.place(starting_weights(state, "dcgan"))

    drawn = sampler.draw(weights, np.stack([latents, latents[::-1], latents]))

    assert drawn.shape == (3, *frame.shape)
    assert drawn.dtype == np.uint8
    assert drawn[0].std() > 10, "the frame says nothing"
    levels = 4 if job.spec.precision == "bfloat16" else 1
    for same in (drawn[0], drawn[2]):
        assert np.abs(same.astype(int) - frame).max() <= levels
    assert not np.array_equal(drawn[1], drawn[0])


def test_between_two_trainings_all_weights_go_along(
    tiny_job: Callable[..., JobFile], noise: Callable[..., np.ndarray]
) -> None:
    job = tiny_job(learning_rate_g=0.03, normalization_g="batch")
    session = open_session(job, only(noise(job)), SETTINGS)
    states = []
    for _ in range(2):
        session.run(10)
        states.append(session.state())
    sampler = Sampler(job, SETTINGS, 2, 3)
    latents = np.asarray(states[0]["latents"])[None]
    a, b = (sampler.place(starting_weights(state, "dcgan")) for state in states)
    middle = {
        name: (states[0][name] + states[1][name]) / 2 if array.dtype == np.float32 else array
        for name, array in states[0].items()
    }

    at = {share: sampler.draw_between(a, b, share, latents) for share in (0.0, 0.5, 1.0)}

    np.testing.assert_array_equal(at[0.0], sampler.draw(a, latents))
    np.testing.assert_allclose(at[1.0].astype(int), sampler.draw(b, latents), atol=1)
    mixed = sampler.draw(sampler.place(starting_weights(middle, "dcgan")), latents)
    np.testing.assert_allclose(at[0.5].astype(int), mixed, atol=1)
    assert np.abs(at[0.5].astype(int) - at[0.0]).max() > 10


def test_weights_of_other_networks_are_refused(
    tiny_job: Callable[..., JobFile], noise: Callable[..., np.ndarray]
) -> None:
    job, other = tiny_job(), tiny_job(gf_dim=6)
    state = open_session(other, only(noise(other)), SETTINGS).state()

    with pytest.raises(OriginUnfit, match="do not fit the networks of tiny: generator/"):
        Sampler(job, SETTINGS, 1, 1).place(starting_weights(state, "dcgan"))
