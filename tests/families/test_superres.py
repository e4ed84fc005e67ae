"""Super-resolution: its networks beside published ones, what they see, and what they learn by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import numpy as np
import pytest
from keras import ops

from jobs.families.enlarging import low_of
from jobs.families.family import Family
from jobs.families.feed import PICTURES, Feed
from jobs.families.superres.layers import generator, parts_of, radius_of
from jobs.families.superres.nets import NETS
from jobs.families.superres.recurrent import Maps
from jobs.families.table import FAMILIES
from jobs.families.translation import INPUTS, TARGETS
from jobs.families.trees import halvings_of
from jobs.settings.colours import CHANNELS
from jobs.settings.kinds import Resolution
from jobs.workspace.jobfile import JobFile
from multitrain.engine.feeds import OpenFeed
from multitrain.engine.model import Batch
from multitrain.engine.session import SessionSettings
from multitrain.families import adversaries, open_session
from multitrain.families.enlarging import TURNS, made_low
from multitrain.families.superres.building import build_generator
from multitrain.families.superres.describing import describe, describe_application
from multitrain.families.superres.learning import Superresolving
from multitrain.inference.network import TrainedNetwork
from multitrain.networks.distances import DISTANCES
from multitrain.networks.metrics import quality
from multitrain.networks.quality import Quality
from multitrain.networks.resizing import resized
from multitrain.networks.upsampling import bilinear, depth_to_space, space_to_depth
from tests.combinations import first_on_jax
from tests.families.told import Told

MakeJob = Callable[..., JobFile]

WIDTH, HEIGHT = 20, 18
SUPERRES: Family = FAMILIES["superres"]
RANDOM = np.random.default_rng(0)


@pytest.fixture
def make_job(tiny_job: MakeJob) -> MakeJob:
    """`make_job(width=20, height=18, **columns)`: a tiny one, of two blocks."""

    def make(width: int = WIDTH, height: int = HEIGHT, **columns: object) -> JobFile:
        tiny = {"family": "superres", "features": 4, "blocks": 2, "batch_size": 3}
        return tiny_job(width, height, **tiny | columns)

    return make


@pytest.mark.parametrize(
    ("net", "parameters", "radius"),
    [
        ("srresnet", 1_517_571, 35),
        ("rrdb", 16_697_987, 349),
        ("pan", 272_419, 36),
        ("compact", 621_424, 18),
    ],
)
def test_networks_are_as_large_as_the_published_ones(
    make_job: MakeJob, net: str, parameters: int, radius: int
) -> None:
    spec = make_job(net=net, scale=4, features=None, blocks=None).spec
    layers = SUPERRES.layers(spec, 256, 256)["generator"]
    assert sum(layer.parameters for layer in layers) == parameters
    assert radius_of(spec) == radius


@pytest.mark.long_on_jax
def test_networks_of_any_size_are_what_was_planned(make_job: MakeJob, long: bool) -> None:
    random = Random(5)
    for number in range(40 if long else 9):
        net = [name for name in NETS if name != "genome"][number % (len(NETS) - 1)]
        job = make_job(
            random.randint(24, 50),
            random.randint(24, 50),
            net=net,
            scale=random.randint(1, 4),
            blocks=random.randint(1, 3) if NETS[net].blocks else None,
            skip=random.choice(["auto", "none", "nearest", "bilinear"]),
            colour_model=random.choice(["rgb", "grey", "rgba", "lab"]),
            losses=random.choice(["l1", "l1,gan*0.1"]),
            patch="16",
        )

        networks = describe(job).networks

        planned = SUPERRES.layers(job.spec, job.image_width, job.image_height)
        assert planned.keys() == networks.keys()
        for name, layers in planned.items():
            counted = networks[name].count_params()
            assert sum(layer.parameters for layer in layers) == counted, (number, name, job.spec)
        low, scale = low_of(job.spec, job.image_width, job.image_height), job.spec.scale
        channels = CHANNELS[job.spec.colour_model].network
        made = (None, low.height * scale, low.width * scale, channels)
        if net == "recurrent":
            made = (None, low.height, low.width, Maps.of(job.spec).memory)
        assert networks["generator"].output_shape == made


@pytest.mark.parametrize("scale", first_on_jax([2, 1, 3, 4]))
@pytest.mark.parametrize("net", first_on_jax(["pan", "srresnet", "compact", "denoise", "vdsr"]))
def test_a_pixel_depends_on_those_within_the_radius(
    make_job: MakeJob, net: str, scale: int
) -> None:
    """And on none beyond."""
    blocks = 2 if NETS[net].blocks else None
    spec = make_job(net=net, scale=scale, blocks=blocks, degrade="blur").spec
    reach, step = radius_of(spec), 1 << halvings_of(parts_of(spec))
    side = -(-(2 * reach + 9) // step) * step
    plan = generator(spec, side * scale, side * scale)
    network = build_generator(replace(plan, gain=1.0), adversaries.seeds(0))
    picture = RANDOM.uniform(-1, 1, (1, side, side, 3)).astype(np.float32)
    middle = side // 2 // step * step
    farthest = 0
    for place in range(middle, middle + step):
        other = picture.copy()
        other[0, place, place] *= -1
        changed = np.abs(np.asarray(network(other)) - np.asarray(network(picture)))[0].max(axis=-1)
        for axis in (0, 1):
            touched = np.nonzero(changed.max(axis=axis))[0] // scale
            farthest = max(farthest, place - touched.min(), touched.max() - place)
    # Of two neighbours that a maximum is taken of, one alone may count.
    assert reach - (net == "denoise") <= farthest <= reach


def test_the_loss_by_hand(make_job: MakeJob) -> None:
    spec = make_job(losses="l1*2,ms-ssim,gan*0.5,feature*3", border=2, patch="16").spec
    size = Resolution(WIDTH, HEIGHT)

    def judge(x: np.ndarray) -> object:
        return x.mean(axis=-1).reshape(3, -1), x[:, 0, 0], [x, 2 * x]

    def double(x: np.ndarray) -> np.ndarray:
        return 0.5 * x.repeat(2, axis=1).repeat(2, axis=2)

    nets: Any = Told(generator=double, discriminator=judge)
    high = RANDOM.integers(0, 256, (3, HEIGHT, WIDTH, 3), np.uint8)
    pair = Superresolving(spec, size)
    made = pair.fakes(nets, {PICTURES: high}, {})
    batch = Batch({PICTURES: high}, {}, {"fakes": made}, {})

    alone, judged = (float(loss(nets, batch).loss) for loss in (pair.distance, pair.generator_loss))

    low = np.asarray(made_low(spec, high)) / 127.5 - 1
    np.testing.assert_allclose(made, double(low), atol=1e-6)
    wanted = high / 127.5 - 1
    inner = [each[:, 2:-2, 2:-2].astype(np.float32) for each in (double(low), wanted)]
    distances = 2 * np.abs(inner[0] - inner[1]).mean() + float(DISTANCES["ms-ssim"](*inner))
    assert alone == pytest.approx(distances, rel=1e-5)
    logits, _, _ = judge(double(low))
    deceived = np.log1p(np.exp(-logits)).mean()
    apart = np.abs(double(low) - wanted).mean()
    assert judged == pytest.approx(distances + 0.5 * deceived + 3 * 3 * apart, rel=1e-4)


@pytest.mark.parametrize("size", [(16, 16), (17, 17), (16, 17)])
def test_pictures_are_turned_by_quarters_the_low_one_with_the_high_one(
    make_job: MakeJob, size: tuple[int, int]
) -> None:
    spec = make_job(turn=True, losses="l1").spec
    high = RANDOM.integers(0, 256, (4, *size, 3), np.uint8)
    shares = np.array([0.0, 0.3, 0.6, 0.9], np.float32)
    pair = Superresolving(spec, Resolution(16, 16))
    whole = high[:, :16, :16]
    wanted = np.stack([np.rot90(each, number) for number, each in enumerate(whole)])

    reals = pair.reals(Batch({PICTURES: high}, {TURNS: shares}, {}, {}))
    nets: Any = Told(generator=lambda x: x)
    low = pair.fakes(nets, {PICTURES: high}, {TURNS: shares})

    np.testing.assert_allclose(np.asarray(reals), wanted / 127.5 - 1, atol=1e-6)
    np.testing.assert_allclose(low, np.asarray(made_low(spec, wanted)) / 127.5 - 1, atol=1e-6)


def pictures(feeds: tuple[Feed, ...], count: int = 7) -> dict[str, OpenFeed]:
    return {
        each.name: OpenFeed(
            each,
            RANDOM.integers(
                0, 256, (count, HEIGHT // each.factor, WIDTH // each.factor, 3), np.uint8
            ),
        )
        for each in feeds
    }


@pytest.mark.long_on_jax
def test_the_first_steps_are_without_the_discriminator(make_job: MakeJob) -> None:
    job = make_job(losses="l1,gan*0.1", pretrain_steps=2, patch="16", degrade="shrink,noise")
    session = open_session(job, pictures(job.feeds), SessionSettings())
    assert [set(session.run(2).losses) for _ in range(2)] == [{"alone"}, {"d", "g"}]


def test_each_update_has_a_batch_and_noise_of_its_own(make_job: MakeJob) -> None:
    """So a step of two is two steps of one."""
    job = make_job(nbr_g_updates=2, degrade="shrink,noise(20)", optimizer_g="sgd")
    model = describe(job)
    assert dict(model.draws) == {PICTURES: 2, "noise_1": 2}
    updates = model.phases[0].updates
    assert [each.given for each in updates] == [
        {PICTURES: number, "noise_1": number} for number in (0, 1)
    ]


@pytest.mark.parametrize("losses", first_on_jax(["l1", "l1,gan*0.1"]))
def test_it_is_measured_by_pictures_that_no_step_sees(make_job: MakeJob, losses: str) -> None:
    """As frames show the network: with the average of its weights."""
    size = {"width": 32, "height": 24}
    job = make_job(**size, validation="unseen", losses=losses, patch="16", ema=0.5)
    feeds = {
        each.name: OpenFeed(each, RANDOM.integers(0, 256, (5, 24, 32, 3), np.uint8))
        for each in job.feeds
    }
    session = open_session(job, feeds, SessionSettings())
    before = session.measured()
    session.run(2)

    found = session.measured()

    assert list(found) == ["psnr", "ssim", "psnr_bicubic", "ssim_bicubic"]
    assert found["psnr_bicubic"] == before["psnr_bicubic"]
    assert found["psnr"] != before["psnr"]
    network = describe_application(job.spec, Resolution(16, 12), "generator", raw=True)
    trained = TrainedNetwork(network.network, "generator", job)
    state = session.state()
    averaged = {
        name.replace("average/", "generator/"): each
        for name, each in state.items()
        if name.startswith("average/")
    }
    weights = trained.place(state | averaged)
    each = []
    for picture in feeds["validation"].pictures[:, None]:
        low = network.lowered(ops.convert_to_tensor(picture))
        made = network.to_levels(trained.answer(weights, network.to_network(low)))
        each.append(
            (
                quality(np.asarray(made), picture, 2),
                quality(np.asarray(resized(low, 24, 32)), picture, 2),
            )
        )
    ours, plain = (Quality.mean(column) for column in zip(*each, strict=True))
    wanted = [ours.psnr_y, ours.ssim, plain.psnr_y, plain.ssim]
    assert list(found.values()) == pytest.approx(wanted, abs=2e-3)


def test_what_remembers_goes_from_frame_to_frame(make_job: MakeJob) -> None:
    """By hand, of a network that adds up what it is given."""
    spec = make_job(net="recurrent", features=2, clip=3, losses="l1").spec
    maps = Maps.of(spec)
    assert maps == (3, 12, 2)
    clips = RANDOM.integers(0, 256, (2, 3, HEIGHT, WIDTH, 3), np.uint8)
    seen: list[np.ndarray] = []

    def network(x: np.ndarray) -> np.ndarray:
        seen.append(x)
        return 0.1 * x[..., :14] + 0.2 * x[..., 9:]

    pair = Superresolving(spec, Resolution(WIDTH, HEIGHT))
    made = np.asarray(pair.fakes(Told(generator=network), {PICTURES: clips}, {}))

    flat = clips.reshape(-1, HEIGHT, WIDTH, 3)
    low = np.asarray(made_low(spec, flat)) / 127.5 - 1
    low = low.reshape(2, 3, HEIGHT // 2, WIDTH // 2, 3).astype(np.float32)
    memory = np.zeros((2, HEIGHT // 2, WIDTH // 2, 14), np.float32)
    for place in range(3):
        before, after = low[:, max(place - 1, 0)], low[:, min(place + 1, 2)]
        given = np.concatenate([before, low[:, place], after, memory], axis=-1)
        np.testing.assert_allclose(seen[place], given, atol=1e-5)
        maps_made = 0.1 * given[..., :14] + 0.2 * given[..., 9:]
        scaled = np.asarray(bilinear(low[:, place], 2))
        high = scaled + np.asarray(depth_to_space(maps_made[..., :12], 2))
        np.testing.assert_allclose(made.reshape(2, 3, *high.shape[1:])[:, place], high, atol=1e-5)
        memory = np.concatenate(
            [np.asarray(space_to_depth(high, 2)), np.tanh(maps_made[..., 12:])], axis=-1
        )
    reals = np.asarray(pair.reals(Batch({PICTURES: clips}, {}, {}, {})))
    np.testing.assert_allclose(reals, flat / 127.5 - 1, atol=1e-6)


@pytest.mark.long_on_jax
def test_pairs_need_not_be_made(make_job: MakeJob) -> None:
    """What frames show of them are the low ones as they are."""
    job = make_job(
        dataset=None, targets="high", inputs="low", scale=2, show="input+output+target",
        grid_width=2, grid_height=1,
    )  # fmt: skip
    assert [(each.name, each.factor) for each in job.feeds] == [(TARGETS, 1), (INPUTS, 2)]
    feeds = pictures(job.feeds)
    frame = open_session(job, feeds, SessionSettings()).run(1).frames[0]
    assert frame.shape == (HEIGHT, 2 * 3 * WIDTH, 3)
    low = feeds[INPUTS].pictures[0]
    np.testing.assert_array_equal(frame[:, :WIDTH], low.repeat(2, axis=0).repeat(2, axis=1))
    np.testing.assert_array_equal(frame[:, 2 * WIDTH : 3 * WIDTH], feeds[TARGETS].pictures[0])


@pytest.mark.long_on_jax
def test_of_pictures_that_the_scale_does_not_divide_the_rest_is_left_out(
    make_job: MakeJob,
) -> None:
    job = make_job(22, 19, scale=4, show="bicubic+output+target", grid_width=1, grid_height=1)
    assert job.cell == (3 * 20, 16)
    noise = RANDOM.integers(0, 256, (5, 19, 22, 3), np.uint8)
    feeds = {PICTURES: OpenFeed(Feed(PICTURES, ()), noise)}
    frame = open_session(job, feeds, SessionSettings()).run(1).frames[0]
    np.testing.assert_array_equal(frame[:, 40:], noise[0, :16, :20])


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"scale": 4}, ("scale", "4 leaves 3x3 of pictures of 12x12")),
        ({"losses": "cycle"}, ("losses", "names cycle, which a superres does not have")),
        ({"losses": "l1,feature"}, ("losses", "names feature, by a discriminator")),
        ({"losses": "perceptual"}, ("losses", "names perceptual, for which")),
        ({"perceptual": "/w.h5"}, ("perceptual", "has no effect without perceptual or")),
        ({"losses": "l1,gan"}, ("patch", "70 is too large for pictures of 20x18")),
        ({"pretrain_steps": 3}, ("pretrain_steps", "are steps without gan")),
        (
            {"losses": "gan", "patch": "16", "pretrain_steps": 3},
            ("losses", "have nothing for pretrain_steps"),
        ),
        ({"scale": 1}, ("scale", "1 has nothing to learn")),
        ({"degrade": "shrink,shrink"}, ("degrade", "shrinks 2 times")),
        ({"scale": 1, "degrade": "shrink,blur"}, ("degrade", "shrinks, and scale 1")),
        ({"turn": True}, ("turn", "needs square pictures, and these are 20x18")),
        ({"border": 6}, ("border", "6 leaves less than 8 pixels a side of pictures of 20x18")),
        ({"patch": "34"}, ("patch", "has no effect without gan")),
        ({"nbr_d_updates": 2}, ("nbr_d_updates", "has no effect without gan")),
        ({"snapshot": "update"}, ("snapshot", "update shows a frame after each network's turn")),
        (
            {"losses": "l1,gan", "patch": "16", "pretrain_steps": 3, "optimizer_g": "ftrl"},
            ("optimizer_g", "ftrl keeps what it has learnt to itself"),
        ),
        ({"net": "genome"}, ("genome", "is empty")),
        ({"net": "genome", "genome": "64k9"}, ("genome", "ends with '64k9'")),
        ({"clip": 3}, ("clip", "has no effect on srresnet, which sees pictures one by one")),
        ({"genome": "64k9 out5"}, ("genome", "has no effect on srresnet")),
        (
            {"net": "genome", "genome": "8k3 out5", "blocks": None},
            ("features", "has no effect on genome"),
        ),
        ({"net": "basicsr", "blocks": 3}, ("blocks", "has no effect on basicsr")),
        ({"show": "input+output+cycle"}, ("show", "shows cycle, which a superres does not have")),
        ({"loss": "wgan-gp", "losses": "l1,gan", "patch": "16"}, ("loss", "wgan-gp has no")),
        (
            {"dataset": None, "targets": "a", "inputs": "b", "sample_from": "c"},
            ("sample_from", "is for dataset"),
        ),
        (
            {"dataset": None, "targets": "a", "inputs": "b", "validation": "c"},
            ("validation", "is for dataset"),
        ),
        ({"keep_best": "ssim"}, ("keep_best", "has no effect without validation")),
    ],
)
def test_what_cannot_be_is_told(
    make_job: MakeJob, columns: dict[str, object], told: tuple[str, str]
) -> None:
    size = (12, 12) if columns.get("scale") == 4 else (WIDTH, HEIGHT)
    if columns.get("net") == "genome" and not columns.get("genome", "").startswith("8k3"):
        columns = {**columns, "features": None, "blocks": None}
    reasons = SUPERRES.impossible(make_job(**columns).spec, *size)
    column, reason = told
    assert reasons.keys() == {column}
    assert reasons[column].startswith(reason)
