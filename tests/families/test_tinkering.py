"""Every setting of a DCGAN, by what it does to a training."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import get_args

import keras
import numpy as np
import pytest

from jobs.families.feed import PICTURES, Feed
from jobs.settings.choices import Activation, Loss, Optimizer
from jobs.settings.kinds import Augmentation, DiscriminatorConvolution, Normalization
from jobs.workspace.jobfile import JobFile
from multitrain.engine.adopting import starting_weights
from multitrain.engine.feeds import OpenFeed, only
from multitrain.engine.session import Session, SessionSettings
from multitrain.families import open_session
from tests.combinations import combinations, covering, first_on_jax

MakeJob = Callable[..., JobFile]
Open = Callable[..., Session]


@pytest.fixture
def open_small(tiny_job: MakeJob, noise: Callable[..., np.ndarray]) -> Open:
    """`open_small(ema=0.9)`: a session of the smallest networks that have all parts."""

    def make(**settings: object) -> Session:
        small = {"gf_dim": 2, "df_dim": 2, "batch_size": 4, "learning_rate_g": 0.01}
        job = tiny_job(8, 8, **(small | settings))
        return open_session(job, only(noise(job)), SessionSettings())

    return make


@pytest.fixture
def without_graphs() -> Iterator[None]:
    """Operations run as they are called: for a few steps that is much quicker than tracing."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.run_functions_eagerly(True)
        yield
        tf.config.run_functions_eagerly(False)
    else:
        yield


# One that keeps an average of the weights, and evaluates at another place than it trains.
OPTIMIZERS = first_on_jax(sorted(Optimizer.TABLE, key=lambda name: name != "schedulefreeadamw"))


def trains(session: Session, steps: int = 5) -> None:
    """Losses and weights stay finite, and both networks learn."""
    before = session.state()

    block = session.run(steps)

    after = session.state()
    assert all(np.isfinite(loss) for loss in block.losses.values())
    assert all(np.isfinite(array).all() for array in after.values())
    for network in ("generator", "discriminator"):
        assert any(
            (after[name] != before[name]).any()
            for name in after
            if name.startswith(network) and name.endswith("kernel")
        ), network


# As graphs: what TensorFlow's optimizer makes of them may lack a kernel.
@pytest.mark.long_on_jax
@pytest.mark.parametrize(
    ("activation", "normalization"), combinations(Activation.TABLE, get_args(Normalization))
)
def test_every_activation_with_every_normalization(
    activation: str, normalization: str, open_small: Open
) -> None:
    both = {f"activation_{network}": activation for network in "gd"}
    both |= {f"normalization_{network}": normalization for network in "gd"}

    trains(open_small(**both))


@pytest.mark.long_on_jax
@pytest.mark.usefixtures("without_graphs")
@pytest.mark.parametrize(("optimizer", "loss"), combinations(Optimizer.TABLE, Loss.TABLE))
def test_every_optimizer_with_every_loss(optimizer: str, loss: str, open_small: Open) -> None:
    trains(open_small(optimizer_g=optimizer, optimizer_d=optimizer, loss=loss))


@pytest.mark.usefixtures("without_graphs")
@pytest.mark.parametrize(
    "parts",
    first_on_jax(
        covering(
            Activation.TABLE,
            get_args(Normalization),
            get_args(DiscriminatorConvolution),
            Optimizer.TABLE,
        )
    ),
    ids="-".join,
)
def test_gradients_are_penalized_of_every_discriminator(
    parts: tuple[str, ...], open_small: Open
) -> None:
    """Which takes second derivatives of all that it is made of; each name is in one of these."""
    activation, normalization, convolution, optimizer = parts
    trains(
        open_small(
            loss="wgan-gp",
            activation_d=activation,
            normalization_d=normalization,
            convolution_d=convolution,
            optimizer_d=optimizer,
        ),
        steps=1,
    )


ALONE = [
    {"schedule_g": "cosine(steps=6)"},
    {"gradient_clip_d": "norm(limit=0.01)", "optimizer_d": "sgd"},
    {"gradient_clip_g": "value(limit=0.0001)", "optimizer_g": "sgd"},
    {"label_smoothing": 0.3},
    {"instance_noise": 0.5},
    {"diffaugment": ",".join(each for each in get_args(Augmentation) if each != "none")},
    {"feature_matching": 5},
    {"dropout_d": 0.5},
    {"dropout_g": 0.5},
    {"noise_d": 0.5},
    {"noise_g": 0.5},
    {"loss": "wgan-gp"},
    {"loss": "relativistic"},
    {"ema": 0.9},
    {"z_distribution": "normal"},
    {"latent_motion": "walk(period=1)"},
    {"freeze_d": 1},
    {"optimizer_g": "adam(beta_2=0.9)"},
    {"optimizer_d": "lion"},
]
APART = {"loss", "freeze_d"}  # a loss would not leave room for the other one
TOGETHER = {name: value for each in ALONE for name, value in each.items() if name not in APART}


@pytest.mark.long_on_jax
def test_settings_together_resume_exactly(open_small: Open) -> None:
    """As graphs, from a state in the middle, where chance has a part in all of them."""
    resumes_exactly(open_small, TOGETHER)


@pytest.fixture(scope="module")
def made_before() -> dict[str, np.ndarray]:
    """Frames that several tests look at."""
    return {}


@pytest.mark.long_on_jax
@pytest.mark.usefixtures("without_graphs")
@pytest.mark.parametrize("settings", ALONE, ids=str)
def test_a_setting_changes_the_frames_and_resumes_exactly(
    settings: dict[str, object], open_small: Open, made_before: dict[str, np.ndarray]
) -> None:
    """Each alone, against the default."""
    if "plain" not in made_before:
        made_before["plain"] = open_small().run(6).frames

    assert (resumes_exactly(open_small, settings) != made_before["plain"]).any()


def resumes_exactly(open_small: Open, settings: dict[str, object]) -> np.ndarray:
    """The frames of six steps, of which the last three were also made by another session."""
    session = open_small(**settings)
    first = session.run(3).frames
    resumed = open_small(**settings)
    resumed.restore(session.state())

    last = session.run(3).frames

    np.testing.assert_array_equal(resumed.run(3).frames, last)
    for name, array in session.state().items():
        np.testing.assert_array_equal(resumed.state()[name], array, err_msg=name)
    return np.concatenate([first, last])


@pytest.mark.usefixtures("without_graphs")
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_training_with_any_optimizer_resumes_exactly(optimizer: str, open_small: Open) -> None:
    """Also in a process where other sessions were opened before: names must not count them."""
    settings = {"optimizer_g": optimizer, "optimizer_d": optimizer}
    session = open_small(**settings)
    session.run(2)
    state = session.state()

    resumed = open_small(**settings)
    resumed.restore(state)

    assert resumed.state().keys() == state.keys()
    np.testing.assert_array_equal(resumed.run(2).frames, session.run(2).frames)
    for name, array in session.state().items():
        np.testing.assert_array_equal(resumed.state()[name], array, err_msg=name)


@pytest.mark.usefixtures("without_graphs")
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_any_optimizer_begins_where_the_weights_are(optimizer: str, open_small: Open) -> None:
    """Its first steps are small at a small rate: from the start, and from weights taken over."""
    source = open_small(seed=1)
    source.run(2)
    others = starting_weights(source.state(), "dcgan")
    settings = {"optimizer_g": optimizer, "optimizer_d": optimizer, "seed": 2}
    settings |= {"learning_rate_g": 1e-6, "learning_rate_d": 1e-6}
    for weights in ({}, others):
        session = open_small(**settings)
        session.adopt(weights, fitting=True)
        start = session.state()

        session.run(2)

        after = session.state()
        for name in ("generator/linear/kernel", "discriminator/conv_0/kernel"):
            np.testing.assert_allclose(after[name], start[name], atol=1e-3, err_msg=name)
            assert (after[name] != start[name]).any()


@pytest.mark.long_on_jax
def test_pixels_that_no_kernel_meets_train_nothing(open_small: Open) -> None:
    """Far more layers than the picture has sizes: most of each kernel lies in the padding."""
    session = open_small(nbr_of_layers_g=9, nbr_of_layers_d=9, gf_dim=1, df_dim=1, k_w=5, k_h=5)
    before = session.state()

    trains(session, steps=20)

    after = session.state()
    for name in ("generator/transposed_1/kernel", "discriminator/conv_7/kernel"):
        changed = (after[name] != before[name]).any(axis=(2, 3))
        assert changed.tolist() == (np.indices((5, 5)) == 2).all(axis=0).tolist(), name


@pytest.mark.long_on_jax
def test_an_average_draws_the_samples(open_small: Open) -> None:
    """At its start it follows closely: with a decay of 0.9 as `(1 + n) / (10 + n)`."""
    session = open_small(ema=0.9)
    name = "linear/kernel"
    begun = session.state()[f"generator/{name}"]

    session.run(1)

    state = session.state()
    kept = 2 / 11
    wanted = begun * kept + state[f"generator/{name}"] * (1 - kept)
    np.testing.assert_allclose(state[f"average/{name}"], wanted, rtol=1e-5, atol=1e-7)


@pytest.mark.long_on_jax
def test_frames_move_with_the_latents_and_come_back(open_small: Open) -> None:
    """Nothing learns, so only the latents move."""
    session = open_small(
        latent_motion="walk(period=0.1)", learning_rate_g=1e-30, batch_norm_g=False, fps=60
    )

    frames = session.run(9).frames

    np.testing.assert_array_equal(frames[:6], frames[6:12])
    assert all((one != other).any() for one, other in pairwise(frames[:7]))


@pytest.mark.long_on_jax
def test_layers_that_are_frozen_do_not_learn(open_small: Open) -> None:
    session = open_small(freeze_d=1)
    before = session.state()

    session.run(3)

    after = session.state()
    still = {name for name, array in after.items() if (array == before[name]).all()}
    kernels = {name for name in after if name.startswith("discriminator") and "kernel" in name}
    assert {name for name in kernels if "conv_0" in name} == kernels & still
    assert not any(name.startswith("optimizer_d/conv_0") for name in after)


@pytest.mark.parametrize(
    "colours", first_on_jax(["rgba", "rgb", "hsv", "hsl", "lab", "grey", "packed24"])
)
def test_every_colour_model_makes_frames(
    colours: str, tiny_job: MakeJob, noise: Callable[..., np.ndarray]
) -> None:
    job = tiny_job(8, 8, colour_model=colours, learning_rate_g=0.03)

    frames = open_session(job, only(noise(job)), SessionSettings()).run(3).frames

    assert frames.shape == (6, 16, 24, 4 if colours == "rgba" else 3)
    assert len(np.unique(frames[-1])) > 10
    if colours == "grey":
        assert (frames[..., 0] == frames[..., 1]).all()
        assert (frames[..., 1] == frames[..., 2]).all()


def test_weights_of_another_training_are_taken_over(open_small: Open) -> None:
    source = open_small(seed=1, dropout_d=0.2)
    source.run(2)
    given = starting_weights(source.state(), "dcgan")
    session = open_small(seed=2, ema=0.9, noise_g=0.1)
    own = session.state()

    assert session.adopt(given, fitting=False) == []

    state = session.state()
    for name in ("generator/linear/kernel", "discriminator/linear/kernel"):
        np.testing.assert_array_equal(state[name], given[name])
    np.testing.assert_array_equal(state["average/linear/kernel"], given["generator/linear/kernel"])
    np.testing.assert_array_equal(state["latents"], own["latents"])
    assert session.step == 0


def test_weights_that_do_not_fit_are_refused_or_left_out(open_small: Open) -> None:
    given = starting_weights(open_small(seed=1).state(), "dcgan")
    wider = open_small(seed=2, df_dim=3)
    before = wider.state()

    with pytest.raises(ValueError, match=r"discriminator/.* is .* there, not "):
        wider.adopt(given, fitting=False)
    for name, array in wider.state().items():
        np.testing.assert_array_equal(array, before[name])

    missing = wider.adopt(given, fitting=True)

    assert "discriminator/conv_0/kernel" in missing
    assert not any(name.startswith("generator") for name in missing)
    np.testing.assert_array_equal(
        wider.state()["generator/linear/kernel"], given["generator/linear/kernel"]
    )


@pytest.mark.long_on_jax
def test_a_schedule_that_has_come_to_its_end_trains_no_more(open_small: Open) -> None:
    session = open_small(
        schedule_g="linear(steps=2)", schedule_d="linear(steps=2)", optimizer_g="sgd"
    )
    session.run(2)
    before = session.state()

    session.run(2)

    after = session.state()
    for name in ("generator/linear/kernel", "discriminator/linear/kernel"):
        np.testing.assert_array_equal(after[name], before[name])


def test_weights_of_folders_change_what_is_trained_on(
    tiny_job: MakeJob, noise: Callable[..., np.ndarray]
) -> None:
    job = tiny_job(8, 8, dataset="a*9,b", learning_rate_d=0.01, learning_rate_g=0.01)
    feed = Feed(PICTURES, job.spec.folders, job.spec.weights)

    mixed, other = (
        open_session(job, {PICTURES: OpenFeed(feed, noise(job), counts=counts)}, SessionSettings())
        .run(4)
        .frames
        for counts in ((2, 5), (6, 1))
    )

    assert (mixed != other).any()
