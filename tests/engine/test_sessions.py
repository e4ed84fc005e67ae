"""Sessions of DCGANs, alike on both engines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from jobs.errors import MultitrainError
from jobs.workspace.jobfile import JobFile
from multitrain.engine import open_training, reading
from multitrain.engine.feeds import only
from multitrain.engine.model import Model, Named, Nets
from multitrain.engine.session import Session, SessionSettings
from multitrain.families import open_session
from multitrain.families.dcgan.describing import describe

MakeJob = Callable[..., JobFile]
Open = Callable[..., Session]


@pytest.fixture
def open_tiny(noise: Callable[..., np.ndarray]) -> Open:
    """`open_tiny(job, **settings)`: a session on noise."""

    def make(job: JobFile, **settings: object) -> Session:
        return open_session(job, only(noise(job)), SessionSettings(**settings))

    return make


def test_the_grid_shows_the_fixed_latents_row_by_row(tiny_job: MakeJob, open_tiny: Open) -> None:
    job = tiny_job(learning_rate_g=0.03)
    session = open_tiny(job)

    frame = session.run(5).frames[-1]

    state = session.state()
    generator = describe(job).networks["generator"]
    for variable in generator.variables:
        variable.assign(state[f"generator/{variable.path}"])
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


def test_a_step_without_frames_draws_no_samples(
    tiny_job: MakeJob, noise: Callable[..., np.ndarray]
) -> None:
    """It is a program of its own: samples are drawn in the one that shows them, and only there."""
    job, drawn = tiny_job(snapshot="every 3 steps"), []

    def watched() -> Model:
        model = describe(job)

        def draw(nets: Nets, samples: Named) -> object:
            drawn.append(len(drawn))
            return model.shown.draw(nets, samples)

        return replace(model, shown=replace(model.shown, draw=draw))

    session = open_training(watched, job.spec, only(noise(job)), SessionSettings())
    assert [len(session.run(steps).frames) for steps in (2, 1, 4)] == [0, 1, 1]
    assert drawn == [0], "samples are drawn in one program, which is traced once"


@pytest.mark.parametrize("optimizer", ["adam", pytest.param("sgd", marks=pytest.mark.long_on_jax)])
def test_a_rate_falls_on_a_plateau_without_another_program(
    tiny_job: MakeJob, open_tiny: Open, noise: Callable[..., np.ndarray], optimizer: str
) -> None:
    """After two falls by half, as with a quarter of the rate, also from a checkpoint on."""
    measured = [[{"psnr": 20.0}, {"psnr": 19.0}], [{"psnr": 30.0}, {"psnr": 30.0}]]
    columns = {"snapshot": "step", "optimizer_g": optimizer, "learning_rate_g": 0.04}
    job, traced = tiny_job(**columns, schedule_g="plateau(1)"), []

    def watched() -> Model:
        model = describe(job)

        def draw(nets: Nets, samples: Named) -> object:
            traced.append(job)
            return model.shown.draw(nets, samples)

        return replace(model, shown=replace(model.shown, draw=draw))

    session = open_training(watched, job.spec, only(noise(job)), SessionSettings())
    start = session.state()
    session.run(2)
    session.restore(start)
    session.follow(measured)
    fallen = session.state()
    found = session.run(2).frames
    assert len(traced) == 1

    low = open_tiny(tiny_job(**{**columns, "learning_rate_g": 0.01})).run(2).frames
    np.testing.assert_array_equal(found, low)
    session.restore(start)
    assert (session.run(2).frames != low).any()
    session.restore(fallen)
    np.testing.assert_array_equal(session.run(2).frames, low)


def test_pictures_that_are_read_ahead_train_as_those_in_place(
    tiny_job: MakeJob,
    open_tiny: Open,
    noise: Callable[..., np.ndarray],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    job = tiny_job(nbr_d_updates=2, learning_rate_g=0.03)
    in_place, ahead = (open_tiny(job, pictures_on_device=where) for where in (True, False))
    wanted = in_place.run(7)
    detoured = in_place.state()
    in_place.detours = 1
    wanted_on_detour = in_place.run(2)

    monkeypatch.setattr(reading, "READ_BYTES", 4 * 6 * noise(job)[0].nbytes)  # two steps at once
    found = [ahead.run(1), ahead.run(2), ahead.run(4)]
    ahead.restore(detoured)
    ahead.detours = 1

    np.testing.assert_array_equal(np.concatenate([b.frames for b in found]), wanted.frames)
    mean = sum(b.losses["d"] * steps for b, steps in zip(found, (1, 2, 4), strict=True)) / 7
    assert mean == pytest.approx(wanted.losses["d"])
    np.testing.assert_array_equal(ahead.run(2).frames, wanted_on_detour.frames)


@pytest.mark.parametrize("on_device", [True, False])
def test_pictures_may_be_a_file_that_is_mapped(
    tiny_job: MakeJob, noise: Callable[..., np.ndarray], tmp_path: Path, on_device: bool
) -> None:
    job = tiny_job()
    pictures = noise(job)
    pictures.tofile(tmp_path / "pictures")
    mapped = np.memmap(tmp_path / "pictures", np.uint8, "r", shape=pictures.shape)
    settings = SessionSettings(pictures_on_device=on_device)
    one, other = (
        open_session(job, only(each), settings).run(2).frames for each in (pictures, mapped)
    )
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
    losses = exact.run(3).losses, coarse.run(3).losses
    for name in ("d", "g"):
        assert losses[0][name] == pytest.approx(losses[1][name], rel=0.02)
        assert losses[0][name] != losses[1][name], "both ran at the same precision"
    assert {name: (a.dtype, a.shape) for name, a in exact.state().items()} == {
        name: (a.dtype, a.shape) for name, a in coarse.state().items()
    }


def test_a_batch_that_cannot_be_shared_out_is_told(tiny_job: MakeJob, open_tiny: Open) -> None:
    with pytest.raises(MultitrainError, match="6 pictures cannot be shared out evenly over 4"):
        open_tiny(tiny_job(gpus=4))
