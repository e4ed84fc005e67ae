"""FastGAN's networks and losses, piece by piece."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import h5py
import keras
import numpy as np
import pytest
from keras import ops

from jobs.families import vgg16
from jobs.families.fastgan import layers as plans
from jobs.families.table import FAMILIES
from jobs.workspace.jobfile import JobFile
from multitrain.engine.adopting import starting_weights
from multitrain.engine.feeds import only
from multitrain.engine.session import SessionSettings
from multitrain.families import open_session
from multitrain.families.fastgan.building import Seen, build_generator
from multitrain.families.fastgan.describing import describe
from multitrain.families.fastgan.reconstruction import Reconstruction, apart
from multitrain.walking.sampler import Sampler

MakeJob = Callable[..., JobFile]

SIZE = 64, 45


@pytest.fixture
def make_job(tiny_job: MakeJob) -> MakeJob:
    """`make_job(width=64, height=45, **columns)`: a tiny FastGAN."""

    def make(width: int = SIZE[0], height: int = SIZE[1], **columns: object) -> JobFile:
        return tiny_job(width, height, **{"family": "fastgan", "batch_size": 4} | columns)

    return make


@pytest.fixture
def latents() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(3, 5)).astype(np.float32)


def random_job(make_job: MakeJob, random: Random) -> JobFile:
    long, short = random.randint(64, 300), random.randint(5, 300)
    size = (long, short) if random.random() < 0.5 else (short, long)
    return make_job(
        *size,
        gf_dim=random.randint(1, 6),
        df_dim=random.randint(1, 6),
        z_dim=random.randint(1, 9),
        colour_model=random.choice(["rgb", "hsv", "grey", "rgba", "packed24"]),
        batch_norm_g=random.choice([True, False]),
        batch_norm_d=random.choice([True, False]),
        diffaugment=random.choice(["none", "color,translation"]),
        instance_noise=random.choice([0, 0.1]),
    )


@pytest.mark.long_on_jax
def test_networks_of_any_size_are_what_was_planned(make_job: MakeJob, long: bool) -> None:
    random = Random(7)
    for number in range(60 if long else 6):
        job = random_job(make_job, random)
        size = job.image_width, job.image_height
        planned = FAMILIES["fastgan"].layers(job.spec, *size)

        networks = describe(job).networks

        for name, layers in planned.items():
            counted = networks[name].count_params()
            assert sum(layer.parameters for layer in layers) == counted, (number, name, job.spec)
        assert networks["generator"].output_shape[1:3] == (job.image_height, job.image_width)
        decoded = plans.decoders(job.spec, *size)
        for output, decoder in zip(networks["decoder"].output_shape, decoded[:2], strict=True):
            shape = decoder.last.output
            assert output[1:] == (shape.height, shape.width, shape.channels)


@pytest.mark.long_on_jax
def test_a_picture_that_excitations_silence_is_empty(
    make_job: MakeJob, latents: np.ndarray
) -> None:
    """The picture's own map is the excited one; so each of its values passes a gate."""
    network = describe(make_job()).networks["generator"]
    plan = plans.generator(make_job().spec, *SIZE)
    gate = network.get_layer(f"conv_{plan.excitations[len(plan.stages)].gate.number - 1}")
    kernel, *others = gate.get_weights()

    def drawn(bias: float) -> np.ndarray:
        gate.set_weights([np.zeros_like(kernel), np.full_like(others[0], bias), *others[1:]])
        return np.asarray(network(latents, training=True))

    assert np.abs(drawn(0.0)).max() > 1e-4
    np.testing.assert_allclose(drawn(-80.0), 0.0, atol=1e-12)
    np.testing.assert_allclose(np.arctanh(drawn(80.0)) / 2, np.arctanh(drawn(0.0)), rtol=0.05)


@pytest.mark.long_on_jax
def test_noise_is_injected_in_training_alone(make_job: MakeJob, latents: np.ndarray) -> None:
    network = describe(make_job(batch_norm_g=False)).networks["generator"]
    for layer in network.layers:
        if layer.name.startswith("injected"):
            layer.strength.assign(1.0)

    def drawn(training: bool) -> np.ndarray:
        return np.asarray(network(latents, training=training))

    np.testing.assert_array_equal(drawn(False), drawn(False))
    assert (drawn(True) != drawn(True)).mean() > 0.9


def test_weights_come_from_the_seed(make_job: MakeJob) -> None:
    def drawn(seed: int) -> list[np.ndarray]:
        networks = describe(make_job(seed=seed)).networks
        return [array for each in networks.values() for array in each.get_weights()]

    one, same, other = drawn(1), drawn(1), drawn(2)
    assert all((a == b).all() for a, b in zip(one, same, strict=True))
    assert any((a != b).any() for a, b in zip(one, other, strict=True))


def test_frozen_layers_do_not_learn(make_job: MakeJob) -> None:
    free, frozen = (
        describe(make_job(freeze_d=n)).networks["discriminator"].trainable_variables for n in (0, 4)
    )
    left = {each.path for each in free} - {each.path for each in frozen}
    assert {path.partition("/")[0] for path in left} == {
        "conv_0", "conv_1", "norm_1", "conv_2", "norm_2", "conv_3", "norm_3"
    }  # fmt: skip


@pytest.mark.long_on_jax
@pytest.mark.parametrize("size", [(64, 64), (64, 45), (45, 90), (300, 200), (130, 9)])
def test_a_part_is_wanted_where_its_maps_were_cut(size: tuple[int, int], make_job: MakeJob) -> None:
    """Pictures and maps that hold their own coordinates show where each pixel comes from."""
    job = make_job(*size)
    sizes = plans.levels(*size)
    plan = plans.decoders(job.spec, *size)
    rebuilt = Reconstruction.of(plan, len(sizes) - 1, plans.MIDDLE, plans.DEEP)
    height, width = sizes[-1]
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    picture = np.stack([rows, columns], axis=-1)[None].repeat(4, axis=0)
    per_pixel = 2 ** (len(sizes) - 1 - plans.MIDDLE)
    map_rows, map_columns = np.mgrid[: sizes[plans.MIDDLE].height, : sizes[plans.MIDDLE].width]
    middle = np.stack([map_rows, map_columns], axis=-1)[None].repeat(4, axis=0).astype(np.float32)
    seen = Seen(None, None, ops.convert_to_tensor(picture), ops.convert_to_tensor(middle), None)
    places = np.array([[0, 0], [0.999, 0.999], [0.3, 0.7], [0.5, 0.1]], np.float32)

    _, cut = map(_array, rebuilt.given(seen, places))
    whole, part = map(_array, rebuilt.wanted(seen, places))

    assert whole.shape[1:3] == (plan.whole.last.output.height, plan.whole.last.output.width)
    assert part.shape[1:3] == (plan.part.last.output.height, plan.part.last.output.width)
    assert cut[:, 0, 0].max(axis=0).tolist() == [
        side - wide for side, wide in zip(sizes[plans.MIDDLE], plan.window, strict=True)
    ]
    for number in range(4):
        for axis, side in enumerate((height, width)):
            first = cut[number, 0, 0, axis] * per_pixel  # the first picture row of the part
            inside = part[number, :, 0, axis] if axis == 0 else part[number, 0, :, axis]
            step = per_pixel / rebuilt.scale
            wanted = np.minimum(first + (np.arange(len(inside)) + 0.5) * step - 0.5, side - 1)
            np.testing.assert_allclose(inside, wanted, atol=step)


def _array(tensor: Any) -> np.ndarray:
    return np.asarray(tensor) if tensor is not None else np.zeros(0)


def test_pictures_lie_apart_by_their_values_and_their_slopes() -> None:
    random = np.random.default_rng(0)
    one, other = random.normal(size=(2, 2, 5, 6, 3)).astype(np.float32)

    difference = one - other
    wanted = np.abs(difference).mean()
    wanted += (
        np.abs(np.diff(difference, axis=1)).mean() + np.abs(np.diff(difference, axis=2)).mean()
    )
    assert float(apart(one, other)) == pytest.approx(wanted, rel=1e-5)
    assert float(apart(one, one + 0.25)) == pytest.approx(0.25, rel=1e-5)  # no slope differs


@pytest.mark.long_on_jax
@pytest.mark.parametrize(
    "columns",
    [
        {"loss": "wgan-gp", "batch_norm_d": False},
        pytest.param(
            {"loss": "relativistic", "colour_model": "rgba", "feature_matching": 1},
            marks=pytest.mark.long,
        ),
        pytest.param(
            {"loss": "vanilla", "label_smoothing": 0.1, "ema": 0, "diffaugment": "none"},
            marks=pytest.mark.long,
        ),
        {"nbr_d_updates": 2, "nbr_g_updates": 2, "snapshot": "step", "instance_noise": 0.1},
    ],
    ids=["wgan-gp", "relativistic", "vanilla", "updates"],
)
def test_it_learns_with_every_loss(
    columns: dict[str, object], make_job: MakeJob, noise: Callable[..., np.ndarray]
) -> None:
    job = make_job(**columns)
    session = open_session(job, only(noise(job)), SessionSettings())
    before = session.state()

    losses = session.run(2).losses

    assert all(np.isfinite(loss) for loss in losses.values())
    after = session.state()
    for network in ("generator", "discriminator", "decoder"):
        kernels = [n for n in before if n.startswith(f"{network}/") and n.endswith("/kernel")]
        still = [name for name in kernels if (before[name] == after[name]).all()]
        assert kernels
        assert not still, f"{still} have not learnt"


@pytest.mark.long_on_jax
def test_what_it_reconstructs_may_be_looked_at_by_vgg16(
    make_job: MakeJob, noise: Callable[..., np.ndarray], tmp_path: Path
) -> None:
    with h5py.File(tmp_path / "vgg.h5", "w") as file:
        channels, random = 3, np.random.default_rng(0)
        for number, filters in enumerate(f for stage in vgg16.STAGES for f in stage):
            file[f"conv{number}/kernel"] = random.normal(0, 0.1, (3, 3, channels, filters))
            file[f"conv{number}/bias"] = np.zeros(filters)
            channels = filters
    plain = make_job(colour_model="grey", ema=0)
    looked_at = make_job(colour_model="grey", ema=0, perceptual=str(tmp_path / "vgg.h5"))

    losses = [
        open_session(job, only(noise(job)), SessionSettings()).run(1).losses
        for job in (plain, looked_at)
    ]

    assert losses[1]["d"] > losses[0]["d"] + 0.01
    assert losses[1]["g"] == pytest.approx(losses[0]["g"], abs=0.05)
    ratio = FAMILIES["fastgan"].operations
    assert ratio(looked_at.spec, *SIZE) > 2 * ratio(plain.spec, *SIZE)


@pytest.mark.long_on_jax
def test_walks_and_other_jobs_take_over_what_frames_are_drawn_with(
    make_job: MakeJob, noise: Callable[..., np.ndarray]
) -> None:
    job = make_job(learning_rate_g=0.01)
    session = open_session(job, only(noise(job)), SessionSettings())
    frame = session.run(3).frames[-1]
    state = session.state()
    weights = starting_weights(state, "fastgan")

    sampler = Sampler(job, SessionSettings(), job.spec.grid_height, job.spec.grid_width)
    drawn = sampler.draw(sampler.place(weights), np.asarray(state["latents"])[None])[0]
    heir = open_session(job, only(noise(job)), SessionSettings())

    assert len(np.unique(frame)) > 2, "the frame says nothing"
    assert np.abs(drawn.astype(int) - frame).max() <= 1
    assert heir.adopt(weights, fitting=False) == []
    assert (
        heir.state()["decoder/conv_5/kernel"].tobytes()
        == weights["decoder/conv_5/kernel"].tobytes()
    )


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="there, all is compiled anyway")
def test_xla_compiles_a_step(make_job: MakeJob, noise: Callable[..., np.ndarray]) -> None:
    job = make_job(jit="on")
    open_session(job, only(noise(job)), SessionSettings()).run(1)


@pytest.mark.long_on_jax
def test_a_generator_computes_in_bfloat16_and_keeps_float32_weights(
    make_job: MakeJob, latents: np.ndarray
) -> None:
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        network = build_generator(plans.generator(make_job().spec, *SIZE), iter(range(99)))
    finally:
        keras.config.set_dtype_policy(before)

    assert keras.backend.standardize_dtype(network(latents, training=True).dtype) == "float32"
    assert network.get_layer("upconv_1").output.dtype == "bfloat16"
    assert network.get_layer("injected_1").output.dtype == "bfloat16"
    assert {variable.dtype for variable in network.trainable_variables} == {"float32"}
