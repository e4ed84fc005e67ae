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

from jobs.errors import OutOfMemory
from jobs.families.feed import PICTURES
from jobs.workspace.jobfile import JobFile
from multitrain.engine import open_training
from multitrain.engine.feeds import only
from multitrain.engine.jax import random as jax_random
from multitrain.engine.jax.session import JaxSession
from multitrain.engine.mixture import Mixture
from multitrain.engine.model import Batch, Model, Nets, Outcome
from multitrain.engine.motion import Latents
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
        return open_training(lambda: describe(job), job.spec, only(noise(job)), run)

    return make


def network_of(model: Model, name: str, state: State) -> keras.Model:
    """A network with the weights of a session's state."""
    network = model.networks[name]
    for variable in network.variables:
        variable.assign(state[f"{name}/{variable.path}"])
    return network


def with_generator_loss(model: Model, told: Callable[[Batch], None]) -> Model:
    """`model`, whose generator's loss first tells what it is given."""
    turn = model.turns["g"]

    def loss(nets: Nets, batch: Batch) -> Outcome:
        told(batch)
        return turn.loss(nets, batch)

    return dataclasses.replace(
        model, turns={**model.turns, "g": dataclasses.replace(turn, loss=loss)}
    )


def test_a_step_is_what_the_plain_recipe_says(
    tiny_job: MakeJob, open_tiny: Open, noise: Callable[..., np.ndarray]
) -> None:
    """Two updates each, every pass made anew, Keras' own optimizer."""
    job = tiny_job(nbr_d_updates=2, nbr_g_updates=2)
    session = open_tiny(job)
    losses = [session.run(1).losses for _ in range(2)]

    every = Mixture((len(noise(job)),), (1,))
    model, pictures = describe(job), noise(job) / np.float32(127.5) - 1
    generator, discriminator = model.networks.values()
    losses_of, latents_of = GanLosses(job.spec.loss), Latents.of(job.spec).chance
    adams = [keras.optimizers.Adam(0.0002, 0.5, epsilon=1e-8) for _ in range(2)]
    for step in range(2):
        latents = jax_random.chances(0, 0, step, "latents", latents_of, 3, 6)
        told_d, told_g = [], []
        for update in range(2):
            chosen = jax_random.items_of(0, 0, PICTURES, (2 * step + update) * 6, 6, every)
            fakes = _pass(generator, latents[update])

            def loss_d(weights: list, fakes: object = fakes, chosen: object = chosen) -> tuple:
                statistics = discriminator.non_trainable_variables
                real, statistics = discriminator.stateless_call(
                    weights, statistics, pictures[chosen], training=True
                )
                fake, statistics = discriminator.stateless_call(
                    weights, statistics, fakes, training=True
                )
                return losses_of.discriminator(Judgement(*real), Judgement(*fake)), statistics

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
                return losses_of.generator(None, Judgement(*judged)), (statistics, seen)

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

    def counting() -> Model:
        return with_generator_loss(describe(job), told=traced.append)

    session = open_training(counting, job.spec, only(noise(job)), SessionSettings())
    for steps in (1, 2, 5):
        session.run(steps)
    session.restore(session.state())
    session.run(1)

    assert len(traced) == 1


def test_too_little_memory_for_a_step_is_told(
    tiny_job: MakeJob, noise: Callable[..., np.ndarray]
) -> None:
    job = tiny_job()

    def run_out(batch: Batch) -> None:
        raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 9 bytes")

    def describe_too_much() -> Model:
        return with_generator_loss(describe(job), told=run_out)

    session = open_training(describe_too_much, job.spec, only(noise(job)), SessionSettings())
    with pytest.raises(OutOfMemory, match="lower batch_size"):
        session.run(1)


REPLICAS = """
import sys
from pathlib import Path
import numpy as np
import jax
from jobs.workspace.jobfile import JobFile
from multitrain.engine.mixture import Mixture
from multitrain.engine.feeds import only
from multitrain.engine.session import SessionSettings
from multitrain.families import open_session

job = JobFile.model_validate_json(Path(sys.argv[1]).read_text())
alone = job.model_copy(update={"spec": job.spec.model_copy(update={"gpus": 1})})
width, height = job.loaded_size
pictures = np.random.default_rng(0).integers(0, 256, (7, height, width, 3), dtype=np.uint8)
settings = [SessionSettings(pictures_on_device=on_device) for on_device in (True, True, False)]
sessions = [open_session(*each) for each in zip((job, alone, job), [only(pictures)] * 3, settings)]
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
    handed = next(iter(session._feeding.handed(0, 1)))
    arguments = session._samples, np.zeros(2, np.uint32), session._feeding.resident, handed
    step = session._step_of(session._phase, shows=True)
    return step.lower(session._carry, *arguments).compile().as_text()

shared_out = ["all-reduce" in compiled(session) for session in sessions]
assert shared_out == [True, False, True], "each device does all the work"

resumed = open_session(job, only(pictures), SessionSettings())
resumed.restore(both)
assert (resumed.run(2).frames == sessions[0].run(2).frames).all()
"""


@pytest.mark.parametrize(
    "columns",
    [
        pytest.param({}, id="whole_pictures"),
        pytest.param(
            {"preprocess": "crop", "crop_size": "12x9", "flip": True, "loaded": "17x13"},
            id="random_crops",
            marks=pytest.mark.long_on_jax,
        ),
    ],
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
