"""CycleGAN's networks, its pools, its losses and its frames, piece by piece."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from random import Random

import numpy as np
import pytest
from keras import ops

from jobs.families.family import Family
from jobs.families.feed import Feed
from jobs.families.layer import Shape, square
from jobs.families.table import FAMILIES
from jobs.families.translation import INPUTS, TARGETS
from jobs.workspace.jobfile import JobFile
from multitrain.engine.adopting import starting_weights
from multitrain.engine.feeds import Feeds, OpenFeed
from multitrain.engine.model import Batch
from multitrain.engine.session import SessionSettings
from multitrain.families import open_session
from multitrain.families.cyclegan.describing import THERE, WAYS, Cycling, describe
from multitrain.families.cyclegan.pool import Pool
from multitrain.families.parts import enlarging
from tests.families.told import Told

MakeJob = Callable[..., JobFile]

WIDTH, HEIGHT = 45, 36
CYCLEGAN: Family = FAMILIES["cyclegan"]


@pytest.fixture
def make_job(tiny_job: MakeJob) -> MakeJob:
    """`make_job(width=45, height=36, **columns)`: a tiny CycleGAN."""

    def make(width: int = WIDTH, height: int = HEIGHT, **columns: object) -> JobFile:
        tiny = {"dataset": None, "inputs": "a", "targets": "b", "blocks": 1, "batch_size": 4}
        return tiny_job(width, height, **{"family": "cyclegan", **tiny} | columns)

    return make


def pictures(channels: int = 3) -> Feeds:
    """More targets than inputs, which nothing pairs."""
    random = np.random.default_rng(0)
    return {
        name: OpenFeed(
            Feed(name, ()), random.integers(0, 256, (count, HEIGHT, WIDTH, channels), np.uint8)
        )
        for name, count in ((TARGETS, 9), (INPUTS, 5))
    }


@pytest.mark.parametrize(("blocks", "parameters"), [(9, 11_378_179), (6, 7_837_699)])
def test_generators_are_as_large_as_the_published_ones(
    make_job: MakeJob, blocks: int, parameters: int
) -> None:
    spec = make_job(gf_dim=64, blocks=blocks).spec
    layers = CYCLEGAN.layers(spec, 256, 256)["generator"]
    assert sum(layer.parameters for layer in layers) == parameters


def test_what_is_halved_and_enlarged_again_stays_where_it_is() -> None:
    """A point at the middle of the pixels that a map's pixel was made of spreads evenly."""
    small, large = Shape(8, 8, 1), Shape(16, 16, 1)
    for kind in ("deconv", "upconv"):
        up = enlarging(square(1, kind, small, large, 3, stride=2), iter(range(9)))
        point = np.zeros((1, 8, 8, 1), np.float32)
        point[0, 4, 4] = 1
        up(point)  # builds its kernel
        layer = up.args[0] if isinstance(up, partial) else up
        layer.set_weights(
            [np.ones_like(each) for each in layer.get_weights()[:1]]
            + [np.zeros_like(each) for each in layer.get_weights()[1:]]
        )
        rows = np.flatnonzero(np.asarray(up(point))[0].sum(axis=(1, 2)))
        # Evenly padded, a map's pixel 4 was made of rows 7 to 9, or lies on rows 8 and 9.
        assert {"deconv": [7, 8, 9], "upconv": [7, 8, 9, 10]}[kind] == rows.tolist()


def test_a_pool_is_not_larger_than_an_array_may_be(make_job: MakeJob) -> None:
    wrong = CYCLEGAN.impossible(make_job(pool=10_000).spec, 512, 512)
    assert wrong["pool"].endswith("are the most; 2730 pictures are")
    assert not CYCLEGAN.impossible(make_job(pool=2730).spec, 512, 512)


def test_a_pool_has_places_for_a_batch() -> None:
    with pytest.raises(AssertionError):
        Pool(3, 8, (2, 2, 1))


def test_the_second_layer_of_a_block_ends_without_an_activation(make_job: MakeJob) -> None:
    layers = CYCLEGAN.layers(make_job(blocks=2).spec, 128, 128)["generator"]
    named = [layer.activation and layer.activation.name for layer in layers]
    assert named == ["relu"] * 3 + ["relu", None] * 2 + ["relu"] * 2 + [None]


def test_there_are_as_many_blocks_as_the_paper_has_for_the_size(make_job: MakeJob) -> None:
    def count(side: int) -> int:
        layers = CYCLEGAN.layers(make_job(blocks=None).spec, side, side)["generator"]
        return (len(layers) - 6) // 2

    assert (count(128), count(256)) == (6, 9)


@pytest.mark.long_on_jax
def test_networks_of_any_size_are_what_was_planned(make_job: MakeJob, long: bool) -> None:
    random = Random(5)
    for number in range(20 if long else 4):
        job = make_job(
            random.randint(40, 90),
            random.randint(40, 90),
            gf_dim=random.randint(1, 4),
            blocks=random.randint(1, 3),
            patch=random.choice(["16", "34", "70"]),
            colour_model=random.choice(["rgb", "hsv", "grey", "rgba"]),
            convolution_g=random.choice(["deconv", "upconv", "upconv-bilinear", "subpixel"]),
            diffaugment=random.choice(["none", "color,translation"]),
        )

        networks = describe(job).networks

        planned = CYCLEGAN.layers(job.spec, job.image_width, job.image_height)
        assert planned.keys() == networks.keys()
        for name, layers in planned.items():
            counted = networks[name].count_params()
            assert sum(layer.parameters for layer in layers) == counted, (number, name, job.spec)
        assert networks["generator"].output_shape == networks["generator"].input_shape


@pytest.mark.long_on_jax
def test_a_pool_is_what_the_paper_says_for_batches_of_one() -> None:
    """Beside the authors' way: until it is full, the new one; then half the time a stored one."""
    random = np.random.default_rng(1)
    size, steps = 4, 60
    pool = Pool(size, 1, (1, 1, 1))
    stored: list[float] = []
    array, count, olds = np.zeros((size, 1, 1, 1), np.float32), np.int32(0), 0
    for step in range(1, steps):
        new = np.full((1, 1, 1, 1), step, np.float32)
        chance = random.uniform(0, 1, (1, 2)).astype(np.float32)
        given = ops.convert_to_tensor(array), ops.convert_to_tensor(count), chance

        seen = float(pool.seen(new, *given)[0, 0, 0, 0])
        array = np.asarray(pool.after(new, *given))
        count = np.asarray(pool.count_after(given[1]))

        if len(stored) < size:
            stored.append(step)
            wanted = step
        elif chance[0, 0] < 0.5:
            place = int(chance[0, 1] * size)
            wanted, stored[place] = stored[place], step
            olds += 1
        else:
            wanted = step
        assert seen == wanted
        assert array.ravel()[: len(stored)].tolist() == stored
        assert count == len(stored)
    assert 15 < olds < 45


def test_a_pool_takes_batches() -> None:
    pool = Pool(5, 2, (1, 1, 1))
    array, count = np.zeros((5, 1, 1, 1), np.float32), np.int32(0)
    never, always = (np.array([[u, 0.99]] * 2, np.float32) for u in (0.9, 0.1))
    for step, chance in enumerate((never, never, never, always), 1):
        new = np.array([10 * step, 10 * step + 1], np.float32).reshape(2, 1, 1, 1)
        given = ops.convert_to_tensor(array), ops.convert_to_tensor(count), chance
        seen = np.asarray(pool.seen(new, *given)).ravel().tolist()
        array, count = np.asarray(pool.after(new, *given)), np.asarray(pool.count_after(given[1]))

    assert seen == [21, 21], "both draw the last one that is there"
    assert array.ravel().tolist() == [10, 11, 20, 41, 0], "the later one has the place"
    assert count == 4


def test_the_losses_by_hand(make_job: MakeJob) -> None:
    job = make_job(losses="cycle*10,identity*5,gan*2", pool=4)
    pair = Cycling(job.spec, Pool(4, 2, (4, 4, 3)))

    def judge(sign: float) -> Callable[[np.ndarray], object]:
        def logits(x: np.ndarray) -> object:
            return sign * x.sum(axis=-1).reshape(2, -1), x[:, 0, 0]

        return logits

    nets = Told(
        generator=lambda x: 0.5 * x,
        generator_back=lambda x: x + 0.25,
        discriminator=judge(1.0),
        discriminator_back=judge(-2.0),
    )
    random = np.random.default_rng(0)
    feeds = {name: random.integers(0, 256, (2, 4, 4, 3), np.uint8) for name in (INPUTS, TARGETS)}
    a, b = (feeds[name].astype(np.float32) / 127.5 - 1 for name in (INPUTS, TARGETS))
    fakes = {TARGETS: 0.5 * a, INPUTS: b + 0.25}
    old = random.uniform(-1, 1, (4, 4, 4, 3)).astype(np.float32)
    chance = np.array([[0.1, 0.6], [0.9, 0.0]], np.float32)  # the third old one, and the new one
    carried = {"pooled": np.int32(4), **{f"pool_of_{way.goal}": old for way in WAYS}}
    batch = Batch(
        feeds, {f"pooling_of_{way.goal}": chance for way in WAYS}, {"fakes": fakes}, carried
    )

    loss_g = float(pair.generator_loss(nets, batch).loss)
    outcome = pair.discriminator_loss(nets, batch)

    def gan(logits: object) -> float:
        return 0.5 * np.square(logits[0] - 1).mean()

    wanted = 2 * (gan(judge(1)(fakes[TARGETS])) + gan(judge(-2)(fakes[INPUTS])))
    wanted += 10 * (np.abs(0.5 * a + 0.25 - a).mean() + np.abs(0.5 * (b + 0.25) - b).mean())
    wanted += 5 * (np.abs(0.5 * b - b).mean() + 0.25)
    assert loss_g == pytest.approx(wanted, rel=1e-5)
    wanted = 0.0
    for real, way, sign in ((b, THERE, 1.0), (a, WAYS[1], -2.0)):
        seen = np.stack([old[2], fakes[way.goal][1]])
        wanted += gan(judge(sign)(real)) + 0.5 * np.square(judge(sign)(seen)[0]).mean()
    assert float(outcome.loss) == pytest.approx(wanted, rel=1e-5)
    after = pair.carry(carried, outcome.kept)
    np.testing.assert_array_equal(after["pool_of_targets"][2], fakes[TARGETS][0])
    np.testing.assert_array_equal(np.asarray(after["pool_of_targets"])[[0, 1, 3]], old[[0, 1, 3]])


@pytest.mark.long_on_jax
def test_frames_show_inputs_what_becomes_of_them_and_what_comes_back(make_job: MakeJob) -> None:
    job = make_job(show="input+output+cycle", learning_rate_g=0.01, pool=8)
    feeds = pictures()
    session = open_session(job, feeds, SessionSettings())

    frame = session.run(2).frames[-1]

    cut = frame.reshape(2, HEIGHT, 3, 3, WIDTH, 3).transpose(0, 2, 3, 1, 4, 5)
    cells = cut.reshape(6, 3, HEIGHT, WIDTH, 3)
    np.testing.assert_array_equal(cells[:, 0], feeds[INPUTS].pictures[np.arange(6) * 5 // 6])
    networks = describe(job).networks
    state = session.state()
    for name in ("generator", "generator_back"):
        for variable in networks[name].variables:
            variable.assign(state[f"{name}/{variable.path}"])
    made = networks["generator"](cells[:, 0].astype(np.float32) / 127.5 - 1, training=False)
    back = networks["generator_back"](made, training=False)
    for shown, drawn in ((cells[:, 1], made), (cells[:, 2], back)):
        assert np.abs(shown - (np.asarray(drawn) + 1) * 127.5).max() <= 2
    assert (cells[:, 1] != cells[:, 2]).any()


@pytest.mark.long_on_jax
def test_all_networks_learn_and_another_job_takes_them_over(make_job: MakeJob) -> None:
    job = make_job(ema=0.9, pool=4, colour_model="rgba", diffaugment="color,cutout")
    session = open_session(job, pictures(4), SessionSettings())
    before = session.state()

    losses = session.run(2).losses

    assert all(np.isfinite(loss) for loss in losses.values())
    after = session.state()
    kernels = [name for name in before if name.endswith("/kernel")]
    assert {name.partition("/")[0] for name in kernels} >= set(CYCLEGAN.networks)
    assert not [name for name in kernels if (before[name] == after[name]).all()]
    heir = open_session(job, pictures(4), SessionSettings())
    weights = starting_weights(after, "cyclegan")
    assert heir.adopt(weights, fitting=False) == []
    name = "generator_back/conv_0/kernel"
    np.testing.assert_array_equal(heir.state()[name], weights[name])
