from __future__ import annotations

import dataclasses
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import jax
import keras
import numpy as np
import pytest

from jobs.errors import MultitrainError, OutOfMemory
from jobs.workspace.jobfile import JobFile
from multitrain.engine import open_adversarial
from multitrain.engine.adversarial import Adversarial
from multitrain.engine.jax import random as jax_random
from multitrain.engine.jax.session import JaxSession
from multitrain.engine.mixture import Mixture
from multitrain.engine.session import SessionSettings, State
from multitrain.families.dcgan.describing import describe
from multitrain.networks.judgement import Judgement
from multitrain.networks.losses import GanLosses

MakeJob = Callable[..., JobFile]
Open = Callable[..., JaxSession]


@pytest.fixture
def open_tiny(noise: Callable[..., np.ndarray]) -> Open:
    def make(job: JobFile, **settings: object) -> JaxSession:
        run = SessionSettings(**settings)
        return open_adversarial(lambda: describe(job), job.spec, noise(job), run)

    return make


def network_of(model: Adversarial, name: str, state: State) -> keras.Model:
    """A network with the weights of a session's state."""
    network = getattr(model, name).network
    for variable in network.variables:
        variable.assign(state[f"{name}/{variable.path}"])
    return network


def with_generator_loss(model: Adversarial, told: Callable[[Judgement], None]) -> Adversarial:
    """`model`, whose generator's loss first tells what it is asked for."""

    class Telling(GanLosses):
        def generator(self, real: Judgement | None, fake: Judgement) -> object:
            told(fake)
            return super().generator(real, fake)

    return dataclasses.replace(model, losses=Telling(model.losses.loss))


def test_the_grid_shows_the_fixed_latents_row_by_row(tiny_job: MakeJob, open_tiny: Open) -> None:
    job = tiny_job(learning_rate_g=0.03)
    session = open_tiny(job)

    frame = session.run(5).frames[-1]

    state = session.state()
    generator = network_of(describe(job), "generator", state)
    samples = np.asarray(generator(state["latents"], training=False))
    pixels = np.clip(np.round((samples + 1) * 127.5), 0, 255)
    for number, wanted in enumerate(pixels):
        row, column = divmod(number, 3)
        cell = frame[row * 9 : row * 9 + 9, column * 12 : column * 12 + 12]
        assert np.abs(cell - wanted).max() <= 1  # rounding may fall either way
    assert len(np.unique(frame)) > 10


def test_the_frame_after_the_discriminators_turn_shows_the_generator_before_its_own(
    tiny_job: MakeJob, open_tiny: Open
) -> None:
    job = tiny_job(batch_norm_g=False, learning_rate_g=0.01)

    frames = open_tiny(job).run(3).frames

    np.testing.assert_array_equal(frames[2], frames[1])
    assert (frames[3] != frames[2]).any()


def test_a_step_is_what_the_plain_recipe_says(
    tiny_job: MakeJob, open_tiny: Open, noise: Callable[..., np.ndarray]
) -> None:
    """Two updates each, every pass made anew, Keras' own optimizer."""
    job = tiny_job(nbr_d_updates=2, nbr_g_updates=2)
    session = open_tiny(job)
    losses = [session.run(1).losses for _ in range(2)]

    every = Mixture((len(noise(job)),), (1,))
    model, pictures = describe(job), noise(job) / np.float32(127.5) - 1
    generator, discriminator = model.generator.network, model.discriminator.network
    adams = [keras.optimizers.Adam(0.0002, 0.5, epsilon=1e-8) for _ in range(2)]
    for step in range(2):
        latents = jax_random.generations(0, 0, step, 3, 6, model.latents)
        told_d, told_g = [], []
        for update in range(2):
            chosen = jax_random.picture_indices(0, 0, (2 * step + update) * 6, 6, every)
            fakes = _pass(generator, latents[update])

            def loss_d(weights: list, fakes: object = fakes, chosen: object = chosen) -> tuple:
                statistics = discriminator.non_trainable_variables
                real, statistics = discriminator.stateless_call(
                    weights, statistics, pictures[chosen], training=True
                )
                fake, statistics = discriminator.stateless_call(
                    weights, statistics, fakes, training=True
                )
                return model.losses.discriminator(Judgement(*real), Judgement(*fake)), statistics

            told_d.append(_descend(adams[0], loss_d, discriminator))
        for update in range(1, 3):
            shared = update == 1  # its pass has moved the statistics already

            def loss_g(weights: list, drawn: object = latents[update]) -> tuple:
                fakes, statistics = generator.stateless_call(
                    weights, generator.non_trainable_variables, drawn, training=True
                )
                judged, seen = discriminator.stateless_call(
                    discriminator.trainable_variables,
                    discriminator.non_trainable_variables,
                    fakes,
                    training=True,
                )
                return model.losses.generator(None, Judgement(*judged)), (statistics, seen)

            told_g.append(_descend(adams[1], loss_g, generator, discriminator, shared))
        assert losses[step]["d"] == pytest.approx(np.mean(told_d), rel=1e-4)
        assert losses[step]["g"] == pytest.approx(np.mean(told_g), rel=1e-4)

    state = session.state()
    for network in (generator, discriminator):
        for variable in network.variables:
            found = state[f"{network.name}/{variable.path}"]
            np.testing.assert_allclose(found, variable.value, atol=1e-4, err_msg=variable.path)


def _pass(generator: keras.Model, latents: object) -> object:
    fakes, statistics = generator.stateless_call(
        generator.trainable_variables, generator.non_trainable_variables, latents, training=True
    )
    _assign(generator.non_trainable_variables, statistics)
    return fakes


def _descend(
    adam: keras.optimizers.Optimizer,
    loss_of: Callable[[list], tuple],
    network: keras.Model,
    judge: keras.Model | None = None,
    keeps_statistics: bool = False,
) -> float:
    variables = network.trainable_variables
    weights = [variable.value for variable in variables]
    (loss, statistics), gradients = jax.value_and_grad(loss_of, has_aux=True)(weights)
    adam.apply(gradients, variables)
    if judge is not None:
        statistics, seen = statistics
        _assign(judge.non_trainable_variables, seen)
    if not keeps_statistics:
        _assign(network.non_trainable_variables, statistics)
    return float(loss)


def _assign(variables: list, values: list) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def test_blocks_of_any_length_are_compiled_once(
    tiny_job: MakeJob, noise: Callable[..., np.ndarray]
) -> None:
    job, traced = tiny_job(), []

    def counting() -> Adversarial:
        return with_generator_loss(describe(job), told=traced.append)

    session = open_adversarial(counting, job.spec, noise(job), SessionSettings())
    for steps in (1, 2, 5):
        session.run(steps)
    session.restore(session.state())
    session.run(1)

    assert len(traced) == 1


@pytest.mark.parametrize("updates", [1, 2])
def test_pictures_that_are_read_ahead_make_the_same_frames(
    tiny_job: MakeJob, open_tiny: Open, updates: int
) -> None:
    job = tiny_job(nbr_d_updates=updates, learning_rate_g=0.03)
    there, handed = (open_tiny(job, pictures_on_device=each) for each in (True, False))
    for session in (there, handed):
        session.run(1)
    np.testing.assert_array_equal(handed.run(4).frames, there.run(4).frames)
    for session in (there, handed):
        session.detours = 1
    np.testing.assert_array_equal(handed.run(2).frames, there.run(2).frames)


def test_other_draws_after_a_detour(tiny_job: MakeJob, open_tiny: Open) -> None:
    session = open_tiny(tiny_job(learning_rate_g=0.03))
    beginning = session.state()
    straight = session.run(3)
    session.restore(beginning)
    session.detours = 1
    assert session.run(3).losses != straight.losses


@pytest.mark.parametrize("on_device", [True, False])
def test_pictures_may_be_a_file_that_is_mapped(
    tiny_job: MakeJob, noise: Callable[..., np.ndarray], tmp_path: Path, on_device: bool
) -> None:
    job = tiny_job()
    pictures = noise(job)
    pictures.tofile(tmp_path / "pictures")
    mapped = np.memmap(tmp_path / "pictures", np.uint8, "r", shape=pictures.shape)
    settings = SessionSettings(pictures_on_device=on_device)
    sessions = [
        open_adversarial(lambda: describe(job), job.spec, each, settings)
        for each in (pictures, mapped)
    ]
    one, other = (session.run(2).frames for session in sessions)
    np.testing.assert_array_equal(one, other)


def test_a_state_of_other_networks_is_refused_and_changes_nothing(
    tiny_job: MakeJob, open_tiny: Open
) -> None:
    session = open_tiny(tiny_job())
    before = session.state()
    with pytest.raises(ValueError, match=r"kernel is \(.*, not \("):
        session.restore(open_tiny(tiny_job(gf_dim=8)).state())
    with pytest.raises(KeyError):
        session.restore(open_tiny(tiny_job(batch_norm_g=False)).state())
    for name, array in session.state().items():
        np.testing.assert_array_equal(array, before[name])


def test_weights_and_what_a_checkpoint_keeps_are_float32(
    tiny_job: MakeJob, open_tiny: Open
) -> None:
    exact = open_tiny(tiny_job(precision="float32"))
    coarse = open_tiny(tiny_job(precision="bfloat16"))
    told = exact.run(3).losses, coarse.run(3).losses
    for name in ("d", "g"):
        assert told[0][name] == pytest.approx(told[1][name], rel=0.02)
        assert told[0][name] != told[1][name], "both ran at the same precision"
    assert {name: (a.dtype, a.shape) for name, a in exact.state().items()} == {
        name: (a.dtype, a.shape) for name, a in coarse.state().items()
    }


def test_a_batch_that_cannot_be_shared_out_is_told(tiny_job: MakeJob, open_tiny: Open) -> None:
    with pytest.raises(MultitrainError, match="6 pictures cannot be shared out evenly over 4"):
        open_tiny(tiny_job(gpus=4))


def test_too_little_memory_for_a_step_is_told(
    tiny_job: MakeJob, noise: Callable[..., np.ndarray]
) -> None:
    job = tiny_job()

    def run_out(fake: Judgement) -> None:
        raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 9 bytes")

    def describe_too_much() -> Adversarial:
        return with_generator_loss(describe(job), told=run_out)

    session = open_adversarial(describe_too_much, job.spec, noise(job), SessionSettings())
    with pytest.raises(OutOfMemory, match="lower batch_size"):
        session.run(1)


REPLICAS = """
import sys
from pathlib import Path
import numpy as np
import jax
from jobs.workspace.jobfile import JobFile
from multitrain.engine.mixture import Mixture
from multitrain.engine.session import SessionSettings
from multitrain.families import open_session

job = JobFile.model_validate_json(Path(sys.argv[1]).read_text())
alone = job.model_copy(update={"spec": job.spec.model_copy(update={"gpus": 1})})
width, height = job.loaded_size
pictures = np.random.default_rng(0).integers(0, 256, (7, height, width, 3), dtype=np.uint8)
settings = [SessionSettings(pictures_on_device=on_device) for on_device in (True, True, False)]
sessions = [open_session(*each) for each in zip((job, alone, job), [pictures] * 3, settings)]
assert len(jax.devices()) == 2
blocks = [session.run(3) for session in sessions]
both, one, handed = [session.state() for session in sessions]
assert both["optimizer_d/000"].item() == 3
for name, array in one.items():
    np.testing.assert_allclose(both[name], array, atol=2e-4, err_msg=name)
    np.testing.assert_allclose(handed[name], array, atol=2e-4, err_msg=name)
for name, loss in blocks[1].losses.items():
    np.testing.assert_allclose(blocks[0].losses[name], loss, rtol=1e-4)
assert np.abs(blocks[0].frames.astype(int) - blocks[1].frames).max() <= 2

def compiled(session):
    feed = next(iter(session._pictures.feeds(0, 1)))
    arguments = session._grid, np.zeros(2, np.uint32), session._pictures.resident, feed
    return session._train.lower(session._carry, *arguments).compile().as_text()

shared_out = ["all-reduce" in compiled(session) for session in sessions]
assert shared_out == [True, False, True], "each device does all the work"

resumed = open_session(job, pictures, SessionSettings())
resumed.restore(both)
assert (resumed.run(2).frames == sessions[0].run(2).frames).all()
"""


@pytest.mark.parametrize(
    "columns",
    [{}, {"preprocess": "crop", "crop_size": "12x9", "flip": True, "loaded": "17x13"}],
    ids=["whole_pictures", "random_crops"],
)
def test_two_devices_train_as_one_and_resume_exactly(
    tiny_job: MakeJob, tmp_path: Path, columns: dict[str, object]
) -> None:
    file = tmp_path / "job.json"
    file.write_text(tiny_job(gpus=2, **columns).model_dump_json())

    done = subprocess.run(
        [sys.executable, "-c", REPLICAS, file], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr[-3000:]
