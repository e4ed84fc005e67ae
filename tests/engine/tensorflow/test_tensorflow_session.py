from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from jobs.errors import MultitrainError, OutOfMemory
from jobs.families.feed import PICTURES, Feed
from jobs.settings.preprocess import AS_THEY_ARE
from jobs.workspace.jobfile import JobFile
from multitrain.engine import open_training
from multitrain.engine.feeds import OpenFeed, only
from multitrain.engine.groups import groups_of
from multitrain.engine.mixture import Mixture
from multitrain.engine.model import Model
from multitrain.engine.motion import Latents
from multitrain.engine.session import SessionSettings, State
from multitrain.engine.step import Drawn
from multitrain.engine.tensorflow.pictures import Feeding
from multitrain.engine.tensorflow.random import Draws
from multitrain.engine.tensorflow.session import TensorFlowSession
from multitrain.families.dcgan.describing import describe
from multitrain.networks.judgement import Judgement
from multitrain.networks.losses import GanLosses

MakeJob = Callable[..., JobFile]


@pytest.fixture
def open_tiny(noise: Callable[..., np.ndarray]) -> Callable[[JobFile], TensorFlowSession]:
    def make(job: JobFile) -> TensorFlowSession:
        return open_training(lambda: describe(job), job.spec, only(noise(job)), SessionSettings())

    return make


def network_of(model: Model, name: str, state: State) -> keras.Model:
    """A network with the weights of a session's state."""
    network = model.networks[name]
    for variable in network.variables:
        variable.assign(state[f"{name}/{variable.path}"])
    return network


def test_a_step_is_what_the_plain_recipe_says(
    tiny_job: MakeJob,
    open_tiny: Callable[[JobFile], TensorFlowSession],
    noise: Callable[..., np.ndarray],
) -> None:
    """Two updates each, every pass made anew, Keras' own optimizer."""
    job = tiny_job(nbr_d_updates=2, nbr_g_updates=2)
    session = open_tiny(job)
    for _ in range(2):
        session.run(1)

    every = Mixture((len(noise(job)),), (1,))
    model, draws, pictures = describe(job), Draws(0, 0), noise(job) / 127.5 - 1
    generator, discriminator = model.networks.values()
    losses, latents = GanLosses(job.spec.loss), Latents.of(job.spec).chance

    def judge(shown: tf.Tensor) -> Judgement:
        return Judgement(*discriminator(shown, training=True))

    adams = [keras.optimizers.Adam(0.0002, 0.5, epsilon=1e-8) for _ in range(2)]
    for step in range(2):
        for update in range(2):
            chosen = draws.items(PICTURES, 2 * step + update, 6, every).numpy()
            with tf.GradientTape() as tape:
                fakes = generator(draws.chance("latents", latents, step, update, 6), training=True)
                loss = losses.discriminator(
                    judge(pictures[chosen].astype(np.float32)), judge(fakes)
                )
            _descend(adams[0], tape, loss, discriminator)
        for update in range(1, 3):
            moving = [w.numpy() for w in generator.non_trainable_variables]
            with tf.GradientTape() as tape:
                fakes = generator(draws.chance("latents", latents, step, update, 6), training=True)
                loss = losses.generator(None, judge(fakes))
            if update == 1:  # the shared pass has moved the statistics once already
                for variable, value in zip(generator.non_trainable_variables, moving, strict=True):
                    variable.assign(value)
            _descend(adams[1], tape, loss, generator)

    state = session.state()
    for network in (generator, discriminator):
        for variable in network.trainable_variables:
            found = state[f"{network.name}/{variable.path}"]
            np.testing.assert_allclose(found, variable, atol=3e-5, err_msg=variable.path)
    for variable in generator.non_trainable_variables:
        found = state[f"generator/{variable.path}"]
        np.testing.assert_allclose(found, variable, atol=1e-4, err_msg=variable.path)


def _descend(
    adam: keras.optimizers.Optimizer, tape: tf.GradientTape, loss: tf.Tensor, network: keras.Model
) -> None:
    variables = network.trainable_variables
    adam.apply(tape.gradient(loss, [variable.value for variable in variables]), variables)


def test_blocks_of_any_length_are_traced_once(
    tiny_job: MakeJob, open_tiny: Callable[[JobFile], TensorFlowSession]
) -> None:
    session = open_tiny(tiny_job())

    for steps in (1, 2, 5):
        session.run(steps)

    assert session._block().experimental_get_tracing_count() == 1


def test_a_data_set_that_does_not_fit_on_the_device_is_read_ahead(
    tiny_job: MakeJob,
    open_tiny: Callable[[JobFile], TensorFlowSession],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert open_tiny(tiny_job())._feeding.spec[PICTURES].shape == (0,), "nothing is handed over"
    monkeypatch.setattr("multitrain.engine.tensorflow.pictures.device_bytes", lambda: 1000)
    assert open_tiny(tiny_job())._feeding.spec[PICTURES].shape[-3:] == (9, 12, 3)


@pytest.mark.parametrize("on_device", [True, False])
def test_the_pictures_of_each_item_are_no_part_of_the_graph(on_device: bool) -> None:
    """It would be as large as the data set has pictures, and is built for each phase and device."""
    count = 50_000
    numbers = np.arange(count, dtype=np.int32)[::-1, None]
    feed = OpenFeed(Feed("targets", ()), np.zeros((count, 1, 1, 3), np.uint8), numbers)
    groups, drawn = groups_of({"targets": feed}, AS_THEY_ARE), {"targets": 1}
    feeding = Feeding(groups, drawn, Draws(0, 0), 4, ["CPU:0"], on_device)

    step = tf.function(lambda handed: feeding.of_step(handed, 0, tf.constant(0, tf.int64)))
    graph = step.get_concrete_function(feeding.handed(0, 1)).graph.as_graph_def()

    size = graph.ByteSize()
    assert size < count


@pytest.mark.parametrize("pictures_on_device", [True, False])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_steps_that_xla_compiles_bring_the_same(
    tiny_job: MakeJob,
    noise: Callable[..., np.ndarray],
    precision: str,
    pictures_on_device: bool,
) -> None:
    settings = SessionSettings(pictures_on_device=pictures_on_device)
    plain, compiled = (
        open_training(lambda job=job: describe(job), job.spec, only(noise(job)), settings)
        for job in (tiny_job(precision=precision, jit=jit) for jit in ("off", "on"))
    )
    tolerance = 1e-4 if precision == "float32" else 0.02
    for _ in range(2):
        one, other = plain.run(2), compiled.run(2)
        for name, loss in one.losses.items():
            assert other.losses[name] == pytest.approx(loss, rel=tolerance)
        away = np.abs(one.frames.astype(int) - other.frames)
        assert away.max() <= 2 if precision == "float32" else away.mean() < 1
    assert "_XlaMustCompile" in str(compiled._block().get_concrete_function().graph.as_graph_def())
    assert "_XlaMustCompile" not in str(plain._block().get_concrete_function().graph.as_graph_def())


def fail_to_compile(monkeypatch: pytest.MonkeyPatch, shown: int = 0) -> None:
    """As where XLA lacks a library: the first step fails, before it has changed anything.

    Of steps that show less than `shown` things, none fails.
    """
    function = tf.function

    def broken(python_function: Callable | None = None, **kw: object) -> Callable:
        if not python_function or not kw.pop("jit_compile", False):
            return function(python_function, **kw)

        def fail(drawn: Drawn) -> object:
            if len(drawn.shown) < shown:
                return python_function(drawn)
            with tf.control_dependencies(
                [tf.debugging.Assert(tf.size(drawn.chance["latents"]) < 0, ["libdevice not found"])]
            ):
                return python_function(drawn)

        return function(fail, **kw)

    monkeypatch.setattr(tf, "function", broken)


def test_a_job_that_xla_cannot_compile_goes_on_without_it(
    tiny_job: MakeJob,
    open_tiny: Callable[[JobFile], TensorFlowSession],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    wanted = open_tiny(tiny_job()).run(2).frames
    monkeypatch.setattr("multitrain.engine.tensorflow.session.compiles_with_xla", lambda *_: True)
    fail_to_compile(monkeypatch)

    session = open_tiny(tiny_job())

    np.testing.assert_array_equal(session.run(2).frames, wanted)
    assert session.step == 2
    assert "goes on without it" in caplog.text


def test_a_step_with_frames_that_xla_cannot_compile_is_done_without_it(
    tiny_job: MakeJob,
    open_tiny: Callable[[JobFile], TensorFlowSession],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Steps before it, in one block with it, are not done twice."""
    job = tiny_job(snapshot="every 3 steps")
    plain = open_tiny(job)
    wanted = plain.run(4).frames
    monkeypatch.setattr("multitrain.engine.tensorflow.session.compiles_with_xla", lambda *_: True)
    fail_to_compile(monkeypatch, shown=1)

    session = open_tiny(job)

    found = session.run(4).frames
    assert "goes on without it" in caplog.text
    assert np.abs(found.astype(int) - wanted).max() <= 2
    for name, array in plain.state().items():
        np.testing.assert_allclose(session.state()[name], array, atol=1e-4, err_msg=name)


def test_a_broken_device_is_not_taken_for_a_failed_compilation(
    tiny_job: MakeJob,
    open_tiny: Callable[[JobFile], TensorFlowSession],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    session = open_tiny(tiny_job(jit="on"))

    def fail(*_: object) -> None:
        raise tf.errors.InternalError(None, None, "CUDA_ERROR_ILLEGAL_ADDRESS: an illegal access")

    monkeypatch.setattr(session, "_block", lambda: fail)
    with pytest.raises(tf.errors.InternalError):
        session.run(1)


def test_where_xla_is_asked_for_and_cannot_compile_the_job_fails(
    tiny_job: MakeJob,
    open_tiny: Callable[[JobFile], TensorFlowSession],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fail_to_compile(monkeypatch)
    with pytest.raises(MultitrainError, match="jit: off"):
        open_tiny(tiny_job(jit="on")).run(1)


def test_too_little_memory_for_the_networks_is_told(tiny_job: MakeJob) -> None:
    def describe_too_much() -> Model:
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating")

    job = tiny_job()
    pictures = np.zeros((1, 9, 12, 3), np.uint8)
    with pytest.raises(OutOfMemory):
        open_training(describe_too_much, job.spec, only(pictures), SessionSettings())


REPLICAS = """
import sys
from pathlib import Path
import numpy as np
from jobs.workspace.jobfile import JobFile
from multitrain.engine.mixture import Mixture
from multitrain.engine.feeds import only
from multitrain.engine.session import SessionSettings
from multitrain.families import open_session

job = JobFile.model_validate_json(Path(sys.argv[1]).read_text())
alone = job.model_copy(update={"spec": job.spec.model_copy(update={"gpus": 1})})
width, height = job.loaded_size
pictures = np.random.default_rng(0).integers(0, 256, (7, height, width, 3), dtype=np.uint8)
sessions = [open_session(each, only(pictures), SessionSettings()) for each in (job, alone)]
resumed = open_session(job, only(pictures), SessionSettings()) if job.spec.batch_norm_g else None
blocks = [session.run(2) for session in sessions]
frames = job.plan.timing.frames_by(2)
assert blocks[0].frames.shape == blocks[1].frames.shape == (frames, 18, 36, 3)
if job.spec.batch_norm_g:
    resumed.restore(sessions[0].state())
    assert (resumed.run(2).frames == sessions[0].run(2).frames).all()
else:
    for name, array in sessions[1].state().items():
        np.testing.assert_allclose(sessions[0].state()[name], array, atol=2e-4, err_msg=name)
    for name, loss in blocks[1].losses.items():
        np.testing.assert_allclose(blocks[0].losses[name], loss, atol=1e-4)
"""


@pytest.mark.parametrize(
    ("batch_norm", "columns"),
    [
        (False, {}),
        (True, {}),
        (False, {"preprocess": "crop", "crop_size": "12x9", "flip": True, "loaded": "17x13"}),
        (False, {"snapshot": "every 2 steps"}),
    ],
    ids=["equal_to_one", "resumed", "on_random_crops", "with_a_silent_step"],
)
def test_two_replicas(
    tiny_job: MakeJob, tmp_path: Path, batch_norm: bool, columns: dict[str, object]
) -> None:
    """Without batch norm two replicas train as one; with it they still resume exactly."""
    job = tiny_job(gpus=2, batch_norm_g=batch_norm, batch_norm_d=batch_norm, **columns)
    file = tmp_path / "job.json"
    file.write_text(job.model_dump_json())

    done = subprocess.run(
        [sys.executable, "-c", REPLICAS, file], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr[-3000:]
