"""pix2pix's networks, its losses and its frames, piece by piece."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

import h5py
import keras
import numpy as np
import pytest

from jobs.families.feed import PICTURES, Feed
from jobs.families.table import FAMILIES
from jobs.families.translation import INPUTS, SAMPLES, TARGETS
from jobs.families.vgg16 import STAGES
from jobs.workspace.jobfile import JobFile
from multitrain.engine.adopting import starting_weights
from multitrain.engine.feeds import Feeds, OpenFeed, only
from multitrain.engine.model import EMPTY, Batch
from multitrain.engine.session import SessionSettings
from multitrain.families import open_session
from multitrain.families.pix2pix.describing import Translating, describe
from multitrain.networks.making import made
from tests.families.told import Told

MakeJob = Callable[..., JobFile]

WIDTH, HEIGHT = 45, 36


@pytest.fixture
def make_job(tiny_job: MakeJob) -> MakeJob:
    """`make_job(width=45, height=36, **columns)`: a tiny pix2pix."""

    def make(width: int = WIDTH, height: int = HEIGHT, **columns: object) -> JobFile:
        return tiny_job(width, height, **{"family": "pix2pix", "batch_size": 4} | columns)

    return make


def noise_of(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def pairs(count: int = 7) -> Feeds:
    inputs, targets = (noise_of(count, HEIGHT, WIDTH, 3, seed=seed) for seed in (1, 2))
    return {
        TARGETS: OpenFeed(Feed(TARGETS, ()), targets),
        INPUTS: OpenFeed(Feed(INPUTS, (), pair_of=TARGETS), inputs),
    }


PAIRED = {"dataset": None, "inputs": "a", "targets": "b"}


def random_job(make_job: MakeJob, random: Random) -> JobFile:
    return make_job(
        random.randint(40, 150),
        random.randint(40, 150),
        gf_dim=random.randint(1, 4),
        df_dim=random.randint(1, 4),
        downs=random.choice([None, 1, 3, 6]),
        peel=random.randint(0, 2),
        patch=random.choice(["16", "34", "70"]),
        conditional=random.choice([True, False]),
        colour_model=random.choice(["rgb", "hsv", "grey", "rgba", "packed24"]),
        convolution_g=random.choice(["deconv", "upconv", "upconv-bilinear", "subpixel"]),
        normalization_g=random.choice([None, "instance", "spectral", "none", "batch,instance"]),
        normalization_d=random.choice([None, "instance", "spectral", "layer", "none"]),
        diffaugment=random.choice(["none", "color,translation,cutout"]),
        instance_noise=random.choice([0, 0.1]),
    )


@pytest.mark.long_on_jax
def test_networks_of_any_size_are_what_was_planned(make_job: MakeJob, long: bool) -> None:
    random = Random(3)
    for number in range(40 if long else 8):
        job = random_job(make_job, random)
        size = job.image_width, job.image_height

        networks = describe(job).networks

        for name, layers in FAMILIES["pix2pix"].layers(job.spec, *size).items():
            counted = networks[name].count_params()
            assert sum(layer.parameters for layer in layers) == counted, (number, name, job.spec)
        assert networks["generator"].output_shape == networks["generator"].input_shape
        planned = FAMILIES["pix2pix"].layers(job.spec, *size)["discriminator"][-1].output
        assert networks["discriminator"].output_shape[0] == (None, planned.height * planned.width)


@pytest.mark.long_on_jax
def test_both_networks_have_as_many_parameters_as_the_published_ones(make_job: MakeJob) -> None:
    networks = describe(make_job(256, 256, gf_dim=64, df_dim=64)).networks

    learned = {
        name: sum(int(np.prod(each.shape)) for each in network.trainable_variables)
        for name, network in networks.items()
    }
    assert learned == {"generator": 54_413_955, "discriminator": 2_768_705}


def test_weights_start_as_the_paper_says_and_come_from_the_seed(make_job: MakeJob) -> None:
    def drawn(seed: int) -> dict[str, np.ndarray]:
        network = describe(make_job(64, 64, seed=seed, gf_dim=16)).networks["generator"]
        return {each.path: np.asarray(each) for each in network.trainable_variables}

    one, same, other = drawn(1), drawn(1), drawn(2)

    scales = np.concatenate([each for path, each in one.items() if path.endswith("gamma")])
    kernels = np.concatenate([x.ravel() for path, x in one.items() if path.endswith("kernel")])
    assert (scales.mean(), scales.std()) == pytest.approx((1.0, 0.02), abs=0.002)
    assert (kernels.mean(), kernels.std()) == pytest.approx((0.0, 0.02), abs=0.0002)
    for path, array in one.items():
        np.testing.assert_array_equal(array, same[path])
        if path.endswith("kernel"):
            assert (array != other[path]).any(), path


def test_a_picture_of_an_odd_size_is_padded_by_its_reflection(make_job: MakeJob) -> None:
    """So a network makes the same of it as of the larger picture, cut there."""
    small, large = make_job(41, 37, downs=3), make_job(48, 40, downs=3)
    networks = [describe(job).networks["generator"] for job in (small, large)]
    networks[1].set_weights(networks[0].get_weights())
    picture = np.random.default_rng(0).uniform(-1, 1, (1, 37, 41, 3)).astype(np.float32)
    padded = np.pad(picture, [(0, 0), (1, 2), (3, 4), (0, 0)], "reflect")

    ours, wanted = (
        np.asarray(network(each, training=False))
        for network, each in zip(networks, (picture, padded), strict=True)
    )

    assert wanted.std() > 1e-7
    np.testing.assert_allclose(ours, wanted[:, 1:38, 3:44], atol=1e-6)


def test_frames_are_drawn_without_dropout(make_job: MakeJob) -> None:
    network = describe(make_job(64, 64, normalization_g="instance")).networks["generator"]
    picture = np.random.default_rng(0).uniform(-1, 1, (1, 64, 64, 3)).astype(np.float32)

    def drawn(training: bool) -> np.ndarray:
        return np.asarray(network(picture, training=training))

    np.testing.assert_array_equal(drawn(False), drawn(False))
    assert (drawn(True) != drawn(True)).any()


@pytest.mark.long_on_jax
def test_augmentation_leaves_inputs_and_pictures_where_they_are_to_each_other(
    make_job: MakeJob,
) -> None:
    network = describe(make_job(diffaugment="color,translation")).networks["discriminator"]
    seen = keras.Model(network.input, network.get_layer("diffaugment").output)
    picture = np.random.default_rng(0).uniform(-1, 1, (4, HEIGHT, WIDTH, 3)).astype(np.float32)

    both = np.asarray(seen(np.concatenate([picture, picture], axis=-1), training=True))

    inputs, pictures = both[..., :3], both[..., 3:]
    came_in = (inputs == 0).all(axis=-1)
    assert came_in.any(), "all are moved"
    np.testing.assert_array_equal((pictures == 0).all(axis=-1), came_in)
    kept = np.sort(np.abs(inputs[~came_in]))
    assert np.isin(kept.round(5), np.abs(picture).round(5)).all(), "inputs keep their colours"
    assert not np.allclose(inputs, pictures)


def batch_of(made: np.ndarray) -> Batch:
    feeds = {name: noise_of(2, 4, 4, 3, seed=seed) for name, seed in ((INPUTS, 1), (TARGETS, 2))}
    return Batch(feeds, EMPTY, {"fakes": made}, EMPTY)


@pytest.mark.parametrize("conditional", [True, False])
def test_the_losses_by_hand(make_job: MakeJob, conditional: bool) -> None:
    job = make_job(**PAIRED, losses="l1*10,l2*3,gan*2", conditional=conditional)
    made = np.random.default_rng(3).uniform(-1, 1, (2, 4, 4, 3)).astype(np.float32)
    batch = batch_of(made)

    def judge(x: np.ndarray) -> object:
        """A logit for each pixel, from all that it has."""
        x = np.asarray(x)
        logits = (x * np.linspace(-1, 1, x.shape[-1])).sum(axis=-1).reshape(2, -1)
        return logits.astype(np.float32), logits[:, :1]

    pair, nets = Translating(job.spec), Told(discriminator=judge)
    loss_g = float(pair.generator_loss(nets, batch).loss)
    loss_d = float(pair.discriminator_loss(nets, batch).loss)

    inputs, targets = (batch.feeds[name] / 127.5 - 1 for name in (INPUTS, TARGETS))

    def logits(pictures: np.ndarray) -> np.ndarray:
        seen = np.concatenate([inputs, pictures], axis=-1) if conditional else pictures
        return np.asarray(judge(seen)[0])

    of_fakes, of_reals = logits(made), logits(targets)
    wanted_g = 2 * np.log1p(np.exp(-of_fakes)).mean()
    wanted_g += 10 * np.abs(made - targets).mean() + 3 * np.square(made - targets).mean()
    wanted_d = np.log1p(np.exp(-of_reals)).mean() + np.log1p(np.exp(of_fakes)).mean()
    assert loss_g == pytest.approx(wanted_g, rel=1e-5)
    assert loss_d == pytest.approx(wanted_d, rel=1e-5)


def test_features_of_the_discriminator_and_of_vgg16_by_hand(make_job: MakeJob) -> None:
    job = make_job(**PAIRED, losses="feature*10,perceptual*2,contextual*3")
    made = np.random.default_rng(3).uniform(-1, 1, (2, 4, 4, 3)).astype(np.float32)
    batch = batch_of(made)

    def judge(x: np.ndarray) -> object:
        pictures = np.asarray(x)[..., -3:]
        return np.zeros((2, 1), np.float32), np.zeros((2, 1)), [pictures, 2 * pictures[:, ::2]]

    class Seen:
        distances = {  # noqa: RUF012
            "perceptual": lambda one, other: np.abs(one - other).max(),
            "contextual": lambda one, other: np.square(one - other).max(),
        }

    pair = Translating(job.spec, Seen())
    nets = Told(discriminator=judge)
    loss = float(pair.generator_loss(nets, batch).loss)

    assert not any(training for *_, training in nets.calls), "maps are of pictures as they are"
    apart = made - (batch.feeds[TARGETS] / 127.5 - 1)
    wanted = 10 * (np.abs(apart).mean() + 2 * np.abs(apart[:, ::2]).mean())
    assert loss == pytest.approx(wanted + 2 * np.abs(apart).max() + 3 * (apart**2).max(), rel=1e-5)


def test_a_relativistic_discriminator_compares_pictures_of_one_input(make_job: MakeJob) -> None:
    for conditional in (True, False):
        job = make_job(**PAIRED, loss="lsgan(relativistic=True)", conditional=conditional)
        assert Translating(job.spec).losses.by_item is conditional


def test_a_term_of_no_weight_costs_nothing(make_job: MakeJob) -> None:
    job = make_job(**PAIRED, losses="l1,gan*0")
    nets = Told()

    Translating(job.spec).generator_loss(nets, batch_of(np.zeros((2, 4, 4, 3), np.float32)))

    assert nets.calls == []


def cells_of(frame: np.ndarray, job: JobFile) -> np.ndarray:
    """`(cells, pictures, height, width, 3)`."""
    rows, columns = job.spec.grid_height, job.spec.grid_width
    across = frame.shape[1] // columns // WIDTH
    cut = frame.reshape(rows, HEIGHT, columns, across, WIDTH, 3)
    return cut.transpose(0, 2, 3, 1, 4, 5).reshape(-1, across, HEIGHT, WIDTH, 3)


@pytest.mark.long_on_jax
def test_frames_show_inputs_outputs_and_targets(make_job: MakeJob) -> None:
    job = make_job(**PAIRED, show="input+output+target", learning_rate_g=0.01)
    feeds = pairs()

    frames = open_session(job, feeds, SessionSettings()).run(2).frames

    shown = [cells_of(frame, job) for frame in frames]
    numbers = np.arange(6) * 7 // 6
    for cells in shown:
        np.testing.assert_array_equal(cells[:, 0], feeds[INPUTS].pictures[numbers])
        np.testing.assert_array_equal(cells[:, 2], feeds[TARGETS].pictures[numbers])
    assert (shown[0][:, 1] != shown[-1][:, 1]).mean() > 0.5


@pytest.mark.long_on_jax
def test_frames_show_pictures_that_no_step_sees(make_job: MakeJob) -> None:
    """And what is made of them, where inputs are made."""
    job = make_job(input_from="edges", sample_from="others", show="input+output+target")
    name, others = SAMPLES + PICTURES, noise_of(9, HEIGHT, WIDTH, 3, seed=5)
    feeds = only(noise_of(7, HEIGHT, WIDTH, 3))
    shown = {name: OpenFeed(Feed(name, (), is_drawn=False), others)}
    session = open_session(job, {**feeds, **shown}, SessionSettings())

    cells = cells_of(session.run(1).frames[-1], job)

    wanted = others[np.arange(6) * 9 // 6]
    np.testing.assert_array_equal(cells[:, 2], wanted)
    drawn = np.round(np.asarray(made(job.spec.makings, wanted)))
    assert np.abs(cells[:, 0].astype(int) - drawn).max() <= 1


@pytest.mark.long_on_jax
def test_samples_that_move_go_on_from_frame_to_frame(make_job: MakeJob) -> None:
    """From places of their own, and from the last picture to the first one."""
    job = make_job(sample_motion="moving", input_from="grey", show="input+output+target")
    pictures = noise_of(7, HEIGHT, WIDTH, 3)
    session = open_session(job, only(pictures), SessionSettings())

    frames = [*session.run(2).frames, *session.run(3).frames]

    starts = np.arange(6) * 7 // 6
    for number, frame in enumerate(frames):
        cells = cells_of(frame, job)
        np.testing.assert_array_equal(cells[:, 2], pictures[(number + starts) % 7])
    assert len(frames) > 7
    np.testing.assert_array_equal(session.last_frame()[0], frames[-1])


@pytest.mark.long_on_jax
@pytest.mark.parametrize(
    "columns",
    [
        {"loss": "wgan-gp", "normalization_d": "layer"},
        pytest.param(
            {"loss": "relativistic", "colour_model": "rgba", "feature_matching": 1},
            marks=pytest.mark.long,
        ),
        pytest.param(
            {"loss": "lsgan", "label_smoothing": 0.1, "ema": 0.9, "diffaugment": "color,cutout"},
            marks=pytest.mark.long,
        ),
        {"loss": "hinge", "nbr_d_updates": 2, "nbr_g_updates": 2, "instance_noise": 0.1},
        {"conditional": False, "normalization_g": "instance", "convolution_g": "upconv"},
        {"loss": "hinge(relativistic=True)", "losses": "l1*100,gan,feature*10,elastic"},
    ],
    ids=lambda columns: columns.get("loss", "unconditional"),
)
def test_it_learns_with_every_loss(columns: dict[str, object], make_job: MakeJob) -> None:
    job = make_job(**columns)
    session = open_session(
        job, only(noise_of(7, HEIGHT, WIDTH, job.plan.channels)), SessionSettings()
    )
    before = session.state()

    losses = session.run(2).losses

    assert all(np.isfinite(loss) for loss in losses.values())
    after = session.state()
    for network in ("generator", "discriminator"):
        kernels = [n for n in before if n.startswith(f"{network}/") and n.endswith("/kernel")]
        still = [name for name in kernels if (before[name] == after[name]).all()]
        assert kernels
        assert not still, f"{still} have not learnt"


@pytest.mark.long_on_jax
def test_it_learns_by_vgg16(make_job: MakeJob, tmp_path: Path) -> None:
    """Without a discriminator's opinion, which then learns for itself."""
    random, channels = np.random.default_rng(0), 3
    with h5py.File(tmp_path / "vgg.h5", "w") as file:
        for number, filters in enumerate(each for stage in STAGES for each in stage):
            file[f"conv_{number}/kernel"] = random.normal(0, 0.05, (3, 3, channels, filters))
            file[f"conv_{number}/offset"] = np.zeros(filters)
            channels = filters
    terms = {"losses": "perceptual,contextual", "perceptual": str(tmp_path / "vgg.h5")}
    job = make_job(**terms, learning_rate_g=0.01)
    session = open_session(job, only(noise_of(7, HEIGHT, WIDTH, 3)), SessionSettings())

    losses = [session.run(1).losses["g"] for _ in range(6)]

    assert np.isfinite(losses).all()
    assert min(losses[3:]) < losses[0]


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="there, all is compiled anyway")
def test_xla_compiles_a_step(make_job: MakeJob) -> None:
    making = {"input_from": "edges,posterise", "diffaugment": "color,translation"}
    job = make_job(jit="on", downs=2, patch="16", **making)
    open_session(job, only(noise_of(7, HEIGHT, WIDTH, 3)), SessionSettings()).run(1)


@pytest.mark.long_on_jax
def test_another_job_takes_over_what_was_learnt(make_job: MakeJob) -> None:
    job = make_job(learning_rate_g=0.01)
    session = open_session(job, only(noise_of(7, HEIGHT, WIDTH, 3)), SessionSettings())
    session.run(1)
    weights = starting_weights(session.state(), "pix2pix")

    heir = open_session(job, only(noise_of(7, HEIGHT, WIDTH, 3)), SessionSettings())

    assert heir.adopt(weights, fitting=False) == []
    name = "generator/conv_0/kernel"
    np.testing.assert_array_equal(heir.state()[name], weights[name])
