"""White-box cartoonization: its networks, filters, losses and first steps, piece by piece."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import numpy as np
import pytest

from jobs.families.cartoon.layers import radius
from jobs.families.family import Family
from jobs.families.feed import Feed
from jobs.families.table import FAMILIES
from jobs.families.translation import INPUTS, TARGETS
from jobs.settings.kinds import Resolution
from jobs.workspace.jobfile import JobFile
from multitrain.engine.feeds import Feeds, OpenFeed
from multitrain.engine.model import Batch
from multitrain.engine.session import SessionSettings
from multitrain.families import open_session
from multitrain.families.cartoon.describing import (
    MIXING,
    Cartooning,
    describe,
    describe_application,
    mixed_to_grey,
)
from multitrain.networks.distances import DISTANCES
from multitrain.networks.smoothing import flattened, guided, smoothed
from tests.families.told import Told

MakeJob = Callable[..., JobFile]

WIDTH, HEIGHT = 21, 18
CARTOON: Family = FAMILIES["cartoon"]


@pytest.fixture
def make_job(tiny_job: MakeJob) -> MakeJob:
    """`make_job(width=21, height=18, **columns)`: a tiny cartoonization."""

    def make(width: int = WIDTH, height: int = HEIGHT, **columns: object) -> JobFile:
        tiny = {"dataset": None, "inputs": "a", "targets": "b", "blocks": 1, "batch_size": 4}
        return tiny_job(width, height, **{"family": "cartoon", **tiny} | columns)

    return make


def pictures(channels: int = 3) -> Feeds:
    random = np.random.default_rng(0)
    return {
        name: OpenFeed(
            Feed(name, ()), random.integers(0, 256, (count, HEIGHT, WIDTH, channels), np.uint8)
        )
        for name, count in ((TARGETS, 9), (INPUTS, 5))
    }


def test_networks_are_as_large_as_the_published_ones(make_job: MakeJob) -> None:
    """Without the vectors that spectral normalization keeps beside the weights."""
    spec = make_job(gf_dim=32, df_dim=32, blocks=4).spec
    counts = {
        name: sum(layer.weights + layer.filters for layer in layers)
        for name, layers in CARTOON.layers(spec, 256, 256).items()
    }
    assert counts["generator"] == 1_467_075
    assert counts["discriminator_surface"] == 287_137
    assert counts["discriminator_texture"] == 287_137 - 2 * 9 * 32, "which sees one channel"


@pytest.mark.long_on_jax
def test_networks_of_any_size_are_what_was_planned(make_job: MakeJob, long: bool) -> None:
    random = Random(5)
    for number in range(20 if long else 4):
        job = make_job(
            random.randint(16, 50),
            random.randint(16, 50),
            gf_dim=random.randint(1, 4),
            df_dim=random.randint(1, 4),
            blocks=random.randint(1, 3),
            colour_model=random.choice(["rgb", "grey", "rgba"]),
            diffaugment=random.choice(["none", "color,translation"]),
        )

        networks = describe(job).networks

        planned = CARTOON.layers(job.spec, job.image_width, job.image_height)
        assert planned.keys() == networks.keys()
        for name, layers in planned.items():
            counted = networks[name].count_params()
            assert sum(layer.parameters for layer in layers) == counted, (number, name, job.spec)
        assert networks["generator"].output_shape == networks["generator"].input_shape


def test_a_guided_filter_is_what_its_windows_say_at_borders_too() -> None:
    random = np.random.default_rng(0)
    guide, picture = random.uniform(-1, 1, (2, 1, 9, 13, 2))
    radius, eps = 2, 0.1
    lines = np.zeros((2, *guide.shape[1:]))

    def windows() -> list[tuple[int, int, tuple[slice, slice]]]:
        return [
            (y, x, (slice(max(0, y - radius), y + radius + 1), slice(max(0, x - radius), x + 3)))
            for y in range(9)
            for x in range(13)
        ]

    for y, x, within in windows():
        for channel in range(2):
            i, p = guide[0][within][..., channel], picture[0][within][..., channel]
            slope = ((i * p).mean() - i.mean() * p.mean()) / (i.var() + eps)
            lines[:, y, x, channel] = slope, p.mean() - slope * i.mean()
    wanted = np.zeros(guide.shape[1:])
    for y, x, within in windows():
        slopes, offsets = (each[within].mean(axis=(0, 1)) for each in lines)
        wanted[y, x] = slopes * guide[0, y, x] + offsets

    given = guide.astype(np.float32), picture.astype(np.float32)
    np.testing.assert_allclose(np.asarray(guided(*given, radius, eps))[0], wanted, atol=1e-5)


@pytest.mark.long_on_jax
def test_flat_pictures_have_few_levels_and_look_alike_from_afar(make_job: MakeJob) -> None:
    target = make_job(structure_target="posterised(radius=2,eps=0.01,levels=5)").spec
    picture = np.random.default_rng(0).uniform(-0.2, 0.2, (1, 16, 16, 3)).astype(np.float32)
    picture[:, :, 8:] += 0.6
    flat = np.asarray(flattened(target.structure_target, picture))
    assert set(np.unique(flat)) <= {-1.0, -0.5, 0.0, 0.5, 1.0}
    assert abs(flat[:, :, :6].mean() - 0.0) < 0.1
    assert abs(flat[:, :, 10:].mean() - 0.5) < 0.15
    np.testing.assert_array_equal(
        smoothed(make_job(output_filter="none").spec.output_filter, flat), flat
    )


def test_greys_are_mixed_in_another_way_each_time() -> None:
    colours = np.zeros((3, 2, 2, 3), np.float32)
    colours[..., 0] = 1.0
    shift = np.array([[0, 0, 0], [0.1, 0, 0], [0.1, -0.1, 0]], np.float32)
    greys = np.asarray(mixed_to_grey(colours, shift))
    assert greys.shape == (3, 2, 2, 1)
    np.testing.assert_allclose(greys[:, 0, 0, 0], [0.299, 0.399 / 1.1, 0.399], rtol=1e-5)
    white = np.ones((3, 2, 2, 3), np.float32)
    np.testing.assert_allclose(np.asarray(mixed_to_grey(white, shift)), 1.0, rtol=1e-6)


@pytest.mark.long_on_jax
def test_the_losses_by_hand(make_job: MakeJob) -> None:
    job = make_job(
        surface_losses="gan*2,feature*3", surface_scale=0.7, texture_scale=1.5,
        structure_losses="l2*4", structure_scale=2, content_losses="l1", content_scale=6,
        idt_losses="l1*5", reg_losses="tv*0.5", reg_scale=3,
    )  # fmt: skip
    spec = job.spec

    def judge(sign: float) -> Callable[[np.ndarray], object]:
        def judged(x: np.ndarray) -> object:
            return sign * x.mean(axis=-1).reshape(2, -1), x[:, 0, 0], [x, 2 * x]

        return judged

    nets = Told(
        generator=lambda x: 0.5 * x,
        discriminator_surface=judge(1.0),
        discriminator_texture=judge(-2.0),
    )
    random = np.random.default_rng(0)
    feeds = {name: random.integers(0, 256, (2, 12, 12, 3), np.uint8) for name in (INPUTS, TARGETS)}
    photo, cartoon = (feeds[name].astype(np.float32) / 127.5 - 1 for name in (INPUTS, TARGETS))
    made = 0.5 * photo
    shift = random.uniform(-0.1, 0.1, (2, 3)).astype(np.float32)
    batch = Batch(feeds, {MIXING: shift}, {"fakes": made}, {})
    pair = Cartooning(spec)

    loss_g, loss_d = (
        float(loss(nets, batch).loss) for loss in (pair.generator_loss, pair.discriminator_loss)
    )

    surfaces = [np.asarray(smoothed(spec.surface_filter, each)) for each in (made, cartoon)]
    greys = [np.asarray(mixed_to_grey(each, shift)) for each in (made, cartoon)]

    def gan(logits: object, wanted: float) -> float:
        return 0.5 * np.square(logits[0] - wanted).mean()

    apart = np.abs(surfaces[0] - surfaces[1]).mean()
    flat = np.asarray(flattened(spec.structure_target, made))
    wanted = 0.7 * (2 * gan(judge(1)(surfaces[0]), 1) + 3 * (apart + 2 * apart))
    wanted += 1.5 * gan(judge(-2)(greys[0]), 1)
    wanted += 2 * 4 * np.square(made - flat).mean()
    wanted += 6 * np.abs(made - photo).mean() + 5 * np.abs(0.5 * cartoon - cartoon).mean()
    wanted += 3 * 0.5 * float(DISTANCES["tv"](made, made))
    assert loss_g == pytest.approx(wanted, rel=1e-4)
    wanted = sum(
        gan(judge(sign)(fake), 0) + gan(judge(sign)(real), 1)
        for sign, (fake, real) in ((1, surfaces), (-2, greys))
    )
    assert loss_d == pytest.approx(wanted, rel=1e-4)


@pytest.mark.long_on_jax
def test_in_the_first_steps_the_generator_alone_learns(make_job: MakeJob) -> None:
    job = make_job(pretrain_steps=2, learning_rate_g=0.01, ema=0.9)
    session = open_session(job, pictures(), SessionSettings())
    states = [session.state()]
    losses = []
    for _ in range(2):
        block = session.run(2)
        assert block.frames.shape[0] == 4
        losses.append(set(block.losses))
        states.append(session.state())

    def moved(before: dict[str, np.ndarray], after: dict[str, np.ndarray]) -> set[str]:
        kernels = [name for name in before if name.endswith("/kernel")]
        return {name.partition("/")[0] for name in kernels if (before[name] != after[name]).any()}

    assert losses == [{"copying"}, {"d", "g"}]
    networks = set(CARTOON.networks)
    assert moved(states[0], states[1]) & networks == {"generator"}
    assert moved(states[1], states[2]) & networks == networks


@pytest.mark.long_on_jax
def test_a_network_that_has_alpha_and_one_in_grey_learn(make_job: MakeJob) -> None:
    for model, channels in (("rgba", 4), ("grey", 3)):
        job = make_job(pretrain_steps=0, colour_model=model, idt_losses="l1", diffaugment="color")
        block = open_session(job, pictures(channels), SessionSettings()).run(1)
        assert all(np.isfinite(loss) for loss in block.losses.values())


def test_landscapes_go_with_landscapes_and_faces_with_faces(make_job: MakeJob) -> None:
    def feeds(inputs: str, targets: str) -> list[str | None]:
        return [each.sets_of for each in make_job(inputs=inputs, targets=targets).feeds]

    assert feeds("hills*4,faces", "drawn_hills*4,drawn_faces") == [None, TARGETS]
    assert feeds("hills*4,faces", "drawn_hills*3,drawn_faces") == [None, None]


@pytest.mark.long_on_jax
@pytest.mark.parametrize("by", ["none", "guided(radius=2,eps=0.5)"])
def test_a_pixel_depends_on_those_within_the_radius_and_on_none_beyond(
    make_job: MakeJob, by: str
) -> None:
    spec = make_job(gf_dim=4, output_filter=by).spec
    reach = radius(spec)
    side = -(-(2 * reach + 9) // 4) * 4
    network = describe_application(spec, Resolution(side, side), "generator", raw=True).network
    picture = np.random.default_rng(0).uniform(-1, 1, (1, side, side, 3)).astype(np.float32)
    farthest = 0
    for place in range(side // 2, side // 2 + 4):
        other = picture.copy()
        other[0, place, place] *= -1
        changed = np.abs(np.asarray(network(other)) - np.asarray(network(picture)))[0].max(axis=-1)
        touched = np.nonzero(changed.max(axis=0))[0]
        farthest = max(farthest, place - touched.min(), touched.max() - place)
    assert farthest == reach


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"surface_losses": "l1"}, ("surface_losses", "names l1, which is not for these")),
        ({"reg_losses": "tv,tv"}, ("reg_losses", "names tv twice; once is enough")),
        ({"content_scale": 0}, ("content_losses", "want nothing, so that any cartoon would do")),
        ({"content_losses": "perceptual"}, ("content_losses", "names perceptual, for which")),
        ({"colour_model": "hsv"}, ("colour_model", "hsv has no colours that could be mixed")),
        ({"loss": "wgan-gp"}, ("loss", "wgan-gp has no limits")),
        (
            {"optimizer_g": "schedulefreeadamw", "pretrain_steps": 2},
            ("optimizer_g", "schedulefreeadamw keeps what it has learnt to itself"),
        ),
        ({"freeze_d": 7}, ("freeze_d", "leaves none of the discriminators' 7 layers")),
        ({"show": "input+output+target"}, ("show", "shows target, which a cartoon does not have")),
    ],
)
def test_what_cannot_be_is_told(
    make_job: MakeJob, columns: dict[str, object], told: tuple[str, str]
) -> None:
    column, reason = told
    reasons = CARTOON.impossible(make_job(**columns).spec, WIDTH, HEIGHT)
    assert reasons.keys() == {column}
    assert reasons[column].startswith(reason)


def test_it_is_told_where_structure_outweighs_content(make_job: MakeJob) -> None:
    assert list(CARTOON.notes(make_job().spec)) == []
    (note,) = CARTOON.notes(make_job(structure_scale=40).spec)
    assert "structure (weights of 40) outweighs content (15)" in note
