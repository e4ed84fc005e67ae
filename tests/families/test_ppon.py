"""PPON: three networks beside the published ones, what they learn by, and when."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from jobs.families.family import Family
from jobs.families.feed import PICTURES
from jobs.families.ppon.layers import CONTENT, PERCEPTION, STAGES, STRUCTURE, phases, radius_of
from jobs.families.table import FAMILIES
from jobs.settings.kinds import Resolution
from jobs.workspace.jobfile import JobFile
from multitrain.engine.feeds import OpenFeed
from multitrain.engine.model import Batch
from multitrain.engine.session import Session, SessionSettings
from multitrain.families import open_session
from multitrain.families.enlarging import made_low
from multitrain.families.ppon.describing import describe, describe_application
from multitrain.families.ppon.learning import Progressing
from multitrain.inference.network import TrainedNetwork
from multitrain.networks.distances import DISTANCES
from tests.families.told import Told

MakeJob = Callable[..., JobFile]

WIDTH, HEIGHT = 20, 18
PPON: Family = FAMILIES["ppon"]
RANDOM = np.random.default_rng(0)


@pytest.fixture
def make_job(tiny_job: MakeJob) -> MakeJob:
    """`make_job(width=20, height=18, **columns)`: a tiny one."""

    def make(width: int = WIDTH, height: int = HEIGHT, **columns: object) -> JobFile:
        tiny = {"family": "ppon", "features": 4, "blocks": 1, "scale": 2, "patch": "16"}
        return tiny_job(width, height, **tiny | {"batch_size": 3} | columns)

    return make


def opened(job: JobFile) -> Session:
    size = (5, job.image_height, job.image_width, 3)
    feeds = {
        each.name: OpenFeed(each, RANDOM.integers(0, 256, size, np.uint8)) for each in job.feeds
    }
    return open_session(job, feeds, SessionSettings())


def test_networks_are_as_large_as_the_published_ones(make_job: MakeJob) -> None:
    """Counted layer by layer: 36,928 weights of a convolution of 64 channels, and so on."""
    spec = make_job(scale=4, features=None, blocks=None).spec
    counted = {
        name: sum(layer.parameters for layer in layers)
        for name, layers in PPON.layers(spec, 192, 192).items()
    }
    three = 3 * (36_928 + 8 * 18_464 + 16_448)
    larger = 3 * 36_928 + 1_731
    added = 2 * three + larger
    assert counted[CONTENT] == 1_792 + 24 * three + 36_928 + larger == 14_629_571
    assert counted[STRUCTURE] == counted[PERCEPTION] == added == 1_319_043
    assert radius_of(spec, CONTENT) == 652
    assert radius_of(spec) == 652 + 2 * 2 * 3 * 9


@pytest.mark.long_on_jax
def test_a_pixel_depends_on_those_within_the_radius(make_job: MakeJob) -> None:
    """And on none beyond: what is made of black but for one pixel is black where none sees it."""
    spec = make_job(colour_model="grey").spec
    for name in STAGES:
        reach = radius_of(spec, name)
        width = 2 * reach + 9
        network = describe_application(spec, Resolution(width, 4), name, raw=True).network
        for variable in network.variables:  # nothing cancels out, nor gets too small
            if variable.path.endswith("kernel"):
                variable.assign(np.full(variable.shape, 0.1))
        picture = np.zeros((1, 4, width, 1), np.float32)
        picture[:, :, width // 2] = 1.0
        made = np.asarray(network(picture))
        (touched,) = np.nonzero(made.max(axis=(0, 1, 3)))
        assert (width // 2 - touched.min() // 2, touched.max() // 2 - width // 2) == (reach, reach)


@pytest.mark.parametrize(
    ("stages", "learn"),
    [
        ("50%/75%", {CONTENT: (0, 10), STRUCTURE: (10, 15), PERCEPTION: (15, 20)}),
        ("3/5", {CONTENT: (0, 3), STRUCTURE: (3, 5), PERCEPTION: (5, 20)}),
        ("0/0", {PERCEPTION: (0, 20)}),
        ("0/7", {STRUCTURE: (0, 7), PERCEPTION: (7, 20)}),
        ("4/4", {CONTENT: (0, 4), PERCEPTION: (4, 20)}),
    ],
)
def test_stages_learn_one_after_the_other(
    make_job: MakeJob, stages: str, learn: dict[str, tuple[int, int]]
) -> None:
    spans = phases(make_job(ppon_stages=stages).spec, 20)
    assert {name: (span.start, span.stop) for name, span in spans.items()} == learn


@pytest.mark.parametrize("kind", ["vanilla", "relativistic"])
def test_the_losses_by_hand(make_job: MakeJob, kind: str) -> None:
    """Each stage by its own terms; the discriminator sees and judges the last one alone."""
    spec = make_job(
        p1_losses="l1*2", p2_losses="ms-ssim,l2*3", p3_losses="l1,gan*0.5", loss=kind, border=2
    ).spec

    def larger(x: np.ndarray) -> np.ndarray:
        return x.mean(axis=-1, keepdims=True).repeat(3, axis=-1).repeat(2, axis=1).repeat(2, axis=2)

    nets: Any = Told(
        content=lambda x: [x[..., :2] + 0.1, 0.5 * larger(x)],
        structure=lambda x: [2 * x, 0.2 * larger(x)],
        perception=lambda x: [x, 0.1 * larger(x)],
        discriminator=lambda x: (x.mean(axis=-1).reshape(3, -1), x[:, 0, 0], [x]),
    )
    high = RANDOM.integers(0, 256, (3, HEIGHT, WIDTH, 3), np.uint8)
    learning = Progressing(spec, Resolution(WIDTH, HEIGHT))
    made = {name: each.make(nets, {PICTURES: high}, {}) for name, each in learning.passes.items()}
    batch = Batch({PICTURES: high}, {}, made, {})
    nets.calls.clear()

    losses = [float(learning.loss_of(name, nets, batch).loss) for name in STAGES[:2]]
    assert not nets.calls, "nothing is judged yet"
    losses.append(float(learning.generator_loss(nets, batch).loss))

    low = (np.asarray(made_low(spec, high)) / 127.5 - 1).astype(np.float32)
    maps = low[..., :2] + 0.1
    pictures = [0.5 * larger(low)]
    pictures.append(pictures[0] + 0.2 * larger(maps))
    pictures.append(pictures[1] + 0.1 * larger(2 * maps))
    for name, picture in zip(made, pictures, strict=True):
        np.testing.assert_allclose(made[name], picture, atol=1e-5)
    whole = (high / 127.5 - 1).astype(np.float32)
    inner = [each[:, 2:-2, 2:-2] for each in (*pictures, whole)]
    wanted = inner.pop()
    apart = [np.abs(each - wanted).mean() for each in inner]
    squares = np.square(inner[1] - wanted).mean()
    assert losses[0] == pytest.approx(2 * apart[0], rel=1e-4)
    structural = float(DISTANCES["ms-ssim"](inner[1], wanted))
    assert losses[1] == pytest.approx(structural + 3 * squares, rel=1e-4)
    fake, real = (each.mean(axis=-1) for each in (pictures[2], whole))
    deceived = np.log1p(np.exp(-fake)).mean()
    if kind == "relativistic":
        deceived = np.log1p(np.exp(real.mean() - fake)).mean()
        deceived += np.log1p(np.exp(real - fake.mean())).mean()
    assert losses[2] == pytest.approx(apart[2] + 0.5 * deceived, rel=1e-4)


def networks_in(state: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """All weights of each network, in a row."""
    rows: dict[str, list[np.ndarray]] = {}
    for name, array in sorted(state.items()):
        owner, _, path = name.partition("/")
        if path and owner in PPON.networks:
            rows.setdefault(owner, []).append(np.ravel(array))
    return {name: np.concatenate(each) for name, each in rows.items()}


@pytest.mark.long
@pytest.mark.usefixtures("few_layers")
def test_what_has_learnt_stays_as_it_is(make_job: MakeJob) -> None:
    session = opened(make_job(ppon_stages="2/4", learning_rate_g=0.01))
    before = networks_in(session.state())
    learnt = []
    for _ in range(3):
        block = session.run(2)
        after = networks_in(session.state())
        changed = {name for name in after if (after[name] != before[name]).any()}
        learnt.append((set(block.losses), changed))
        before = after
    assert learnt == [
        ({CONTENT}, {CONTENT}),
        ({STRUCTURE}, {STRUCTURE}),
        ({"d", "g"}, {PERCEPTION, "discriminator"}),
    ]


@pytest.mark.usefixtures("few_layers")
def test_each_stage_learns_by_itself(make_job: MakeJob) -> None:
    """Its schedule goes over its own steps; the discriminator learns in the last one alone."""
    model = describe(make_job(ppon_stages="6/7", steps=10, video_length=None))
    taken = [
        (phase.begins, [(model.turns[each.turn].networks, model.turns[each.turn].learning.steps)
                        for each in phase.updates])
        for phase in model.phases
    ]  # fmt: skip
    assert taken == [
        (0, [((CONTENT,), 6)]),
        (6, [((STRUCTURE,), 1)]),
        (7, [(("discriminator",), 3), ((PERCEPTION,), 3)]),
    ]
    for columns, turns in (({}, {"g", "d"}), ({"p3_losses": "l1", "nbr_g_updates": 2}, {"g"})):
        begun = describe(make_job(ppon_stages="0/0", **columns))
        assert (set(begun.turns), len(begun.phases)) == (turns, 1)


@pytest.mark.long_on_jax
@pytest.mark.usefixtures("few_layers")
def test_a_frame_shows_all_stages_side_by_side(make_job: MakeJob) -> None:
    """As `apply` makes them, up to each stage."""
    job = make_job(show="content+structure+perception+target", grid_width=1, grid_height=1)
    session = opened(job)
    frame = session.run(2).frames[-1]
    assert frame.shape == (HEIGHT, 4 * WIDTH, 3)
    content, structure, perception, target = np.split(frame, 4, axis=1)
    high, half = target[None].astype(np.float32), Resolution(WIDTH // 2, HEIGHT // 2)
    for name, shown in zip(STAGES, (content, structure, perception), strict=True):
        applying = describe_application(job.spec, half, name, raw=True)
        trained = TrainedNetwork(applying.network, name, job)
        low = applying.to_network(applying.lowered(high))
        made = applying.to_levels(trained.answer(trained.place(session.state()), low))
        assert np.abs(np.asarray(made)[0] - shown).max() <= 1


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"scale": 4}, ("scale", "4 leaves 3x3 of pictures of 12x12")),
        ({"p1_losses": "l1,gan"}, ("p1_losses", "names gan, by a discriminator that there is in")),
        ({"p2_losses": "feature"}, ("p2_losses", "names feature, by a discriminator that")),
        ({"p2_losses": "tv"}, ("p2_losses", "wants nothing of pictures but that they are flat")),
        ({"p2_losses": "l1,l1"}, ("p2_losses", "names l1 twice")),
        ({"p1_losses": "perceptual"}, ("p1_losses", "names perceptual, for which")),
        ({"p3_losses": "feature"}, ("p3_losses", "names feature, by a discriminator that there")),
        ({"p3_losses": "cycle"}, ("p3_losses", "names cycle, which a ppon does not have")),
        ({"p3_losses": "l1"}, ("patch", "has no effect without gan in p3_losses")),
        ({"perceptual": "/w.h5"}, ("perceptual", "contextual in p1_losses or p2_losses or")),
        ({"patch": "70"}, ("patch", "70 is too large for pictures of 20x18")),
        ({"show": "input+output+cycle"}, ("show", "shows cycle, which a ppon does not have")),
    ],
)
def test_what_cannot_be(
    make_job: MakeJob, columns: dict[str, object], told: tuple[str, str]
) -> None:
    size = (12, 12) if "scale" in columns else (WIDTH, HEIGHT)
    job = make_job(*size, **columns)
    column, reason = told
    assert reason in PPON.impossible(job.spec, *size)[column]


def test_a_last_stage_on_nothing_is_told_of(make_job: MakeJob) -> None:
    (note,) = PPON.notes(make_job(ppon_stages="0/0").spec)
    assert "learnt nothing" in note
    for columns in ({"ppon_stages": "0/0", "init_from": "sharp"}, {"ppon_stages": "0/5"}, {}):
        assert not list(PPON.notes(make_job(**columns).spec))
