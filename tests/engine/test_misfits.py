"""What whoever describes a family is told before anything is trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import keras
import numpy as np
import pytest

from jobs.families.feed import PICTURES, Feed
from jobs.settings.choices import Optimizer
from jobs.workspace.jobfile import JobFile
from multitrain.engine import open_training
from multitrain.engine.feeds import Feeds, OpenFeed, only
from multitrain.engine.misfits import misfits
from multitrain.engine.model import (
    Average,
    Batch,
    Carried,
    Chance,
    Model,
    Named,
    Nets,
    Outcome,
    Phase,
    Show,
    Update,
)
from multitrain.engine.session import SessionSettings
from tests.engine.proving.adversaries import Pool
from tests.engine.proving.feeding import Memory, Translation
from tests.engine.proving.table import PROOFS

GIVEN = {"latents": 0, "choice": 0}
D, G = Update("d", {PICTURES: 0}, GIVEN), Update("g", {}, {"latents": 0})


@pytest.fixture
def job(tiny_job: Callable[..., JobFile]) -> JobFile:
    return tiny_job(batch_size=8)


@pytest.fixture
def model(job: JobFile) -> Model:
    return Pool().describe(job)


BLACK = np.zeros((7, 9, 12, 3), np.uint8)


def told(model: Model, feeds: Feeds | None = None, batch: int = 8, devices: int = 1) -> list[str]:
    return list(misfits(model, feeds or only(BLACK), 2, batch, devices))


@pytest.mark.parametrize("name", PROOFS)
def test_nothing_is_wrong_with_those_that_prove_the_engines(name: str, job: JobFile) -> None:
    proof = PROOFS[name]()
    assert told(proof.describe(job), proof.feeds(BLACK)) == []


def with_program(*program: Update | Show, begins: int = 0) -> dict[str, object]:
    return {"phases": (Phase(begins, program),)}


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        (with_program(D, Show(), G, Show(), begins=1), "phases begin at steps [1], not from 0"),
        ({"phases": ()}, "phases begin at steps [], not from 0"),
        (with_program(D, G, Show()), "a program shows 1 frames per step, and the job 2"),
        (with_program(Show(), Show(), D, G), "a program must end with a frame"),
        (
            with_program(D, Show(), Update("h", {}), Show()),
            "a program names the turn h, which the model does not have",
        ),
        (
            with_program(D, Show(), Update("g", {}), Show()),
            "an update of turn g lacks latents, which pass fakes uses",
        ),
        (
            with_program(D, Show(), D, G, Show()),
            "turn d has 2 updates per step, and learns by 1",
        ),
        (with_program(G, Show(), Show()), "pictures is given to no update"),
        (with_program(G, Show(), Show()), "choice is given to no update"),
        (
            {"averages": {"generator": Average("generator", 0.9)}},
            "two things are called generator in checkpoints",
        ),
        (
            {"averages": {"average": Average("judge", 0.9)}},
            "average average names the network judge, which the model does not have",
        ),
    ],
    ids=lambda each: each[:50] if isinstance(each, str) else "",
)
def test_what_does_not_fit_is_told(model: Model, changes: dict[str, object], wrong: str) -> None:
    found = told(replace(model, **changes))
    assert any(each.startswith(wrong) for each in found), found


def test_names_of_other_draws_cannot_be_taken(model: Model) -> None:
    program = [replace_chance(each) for each in model.phases[0].program]
    chance = {"latents": model.chance["latents"], "windows": Chance()}
    found = told(replace(model, chance=chance, phases=(Phase(0, program),)))
    assert found == ["a chance cannot be called windows, as other draws are"]


def replace_chance(each: Update | Show) -> Update | Show:
    """The same with `windows` in the place of `choice`."""
    if isinstance(each, Show) or "choice" not in each.chance:
        return each
    return each._replace(chance={"latents": 0, "windows": 0})


def test_batches_must_be_cut_evenly(model: Model) -> None:
    assert told(model, batch=18, devices=2) == ["turn d cannot cut 9 pictures into 2 parts"]


@pytest.mark.parametrize("rows", [(4,), (16,), ()])
def test_what_is_carried_by_place_has_the_places_of_a_batch(job: JobFile, rows: tuple) -> None:
    memory = Memory()
    model = memory.describe(job)
    foretold = {"foretold": Carried((*rows, 3), by_place=True)}
    found = told(replace(model, carried=foretold), memory.feeds(BLACK))
    assert found == [f"foretold is carried by place and is {(*rows, 3)}, for batches of 8 places"]


@pytest.mark.parametrize(("name", "clashes"), [("inputs", True), ("latents", False)])
def test_a_sample_cannot_have_the_name_of_a_feed_that_frames_show(
    job: JobFile, name: str, clashes: bool
) -> None:
    pairs = Translation()
    model = pairs.describe(job)
    shown = replace(model.shown, samples={name: Chance()})
    wrong = ["frames show inputs as a sample and as a feed: rename one"]
    assert told(replace(model, shown=shown), pairs.feeds(BLACK)) == (wrong if clashes else [])


@pytest.mark.parametrize(
    ("more", "wrong"),
    [
        (Feed("more", (), pair_of="inputs"), "more is a pair of inputs, which is a pair itself"),
        (Feed("more", (), pair_of="more"), "more is a pair of more, which is a pair itself"),
        (Feed("more", (), pair_of="b"), "more is a pair of b, which the job does not have"),
        (Feed("inputs", ()), "2 feeds are called inputs"),
    ],
    ids=["of a pair", "of itself", "of nothing", "of one name"],
)
def test_what_cannot_be_a_pair_is_told(job: JobFile, more: Feed, wrong: str) -> None:
    pairs = Translation()
    feeds = {**pairs.feeds(BLACK), "more": OpenFeed(more, BLACK)}
    assert told(pairs.describe(job), feeds)[0] == wrong


def test_what_frames_alone_show_is_given_to_no_update(job: JobFile) -> None:
    pairs = Translation()
    model, feeds = pairs.describe(job), pairs.feeds(BLACK)
    samples = OpenFeed(Feed("samples", (), is_drawn=False), BLACK)
    shown = replace(model.shown, pictures=(*model.shown.pictures, "samples"))
    program = [
        each._replace(feeds={**each.feeds, "samples": 0}) if isinstance(each, Update) else each
        for each in model.phases[0].program
    ]
    given = replace(model, shown=shown, phases=(Phase(0, program),))

    assert told(replace(model, shown=shown), {**feeds, "samples": samples}) == []
    assert told(model, {**feeds, "samples": samples}) == [
        "samples is given to no update, shown by no frame, and measured by nothing"
    ]
    assert told(given, {**feeds, "samples": samples}) == [
        "an update is given the feed samples, which frames alone show"
    ]


def test_a_feed_cannot_be_called_what_says_where_clips_begin(job: JobFile) -> None:
    memory = Memory()
    feeds = {**memory.feeds(BLACK), "clips_begins": OpenFeed(Feed("clips_begins", ()), BLACK)}
    assert told(memory.describe(job), feeds)[-1] == (
        "a feed cannot be called clips_begins, which says where clips of clips begin"
    )


def test_an_optimizer_that_keeps_weights_cannot_share_them(model: Model) -> None:
    turn = model.turns["g"]
    learning = replace(turn.learning, optimizer=Optimizer.parse("ftrl"))
    turns = {**model.turns, "g": replace(turn, learning=learning)}
    assert told(replace(model, turns=turns)) == []
    both = {**turns, "d": replace(model.turns["d"], networks=("discriminator", "generator"))}
    (wrong,) = told(replace(model, turns=both))
    assert wrong.startswith("ftrl of turn g keeps the weights itself")


def test_networks_cannot_share_a_layer(model: Model) -> None:
    generator = model.networks["generator"]
    same = keras.Model(generator.input, generator.output, name="discriminator")
    found = told(replace(model, networks={"generator": generator, "discriminator": same}))
    assert found == ["matrix/kernel is in the networks generator and discriminator"]


def opened(model: Model, job: JobFile) -> None:
    open_training(lambda: model, job.spec, only(BLACK), SessionSettings()).run(1)


def test_a_training_of_such_a_model_is_refused(model: Model, job: JobFile) -> None:
    with pytest.raises(ValueError, match="phases begin"):
        opened(replace(model, phases=()), job)


def test_a_pass_is_made_of_what_it_names_alone(model: Model, job: JobFile) -> None:
    def judged(nets: Nets, feeds: Named, chance: Named) -> object:
        return nets("discriminator", nets("generator", chance["latents"]))

    def seen(nets: Nets, feeds: Named, chance: Named) -> object:
        return nets("generator", chance["latents"]) + feeds[PICTURES][:, 0, 0]

    for make, error in ((judged, ValueError), (seen, KeyError)):
        passes = {"fakes": replace(model.passes["fakes"], make=make)}
        with pytest.raises(error, match=r"discriminator, which it does not name|pictures"):
            opened(replace(model, passes=passes), job)


@pytest.mark.parametrize(
    ("carried", "wrong"),
    [
        (lambda pool: {"pool": pool[:4]}, r"pool as float32\(4, 3\), .* float32\(8, 3\)"),
        (lambda pool: {"pol": pool}, "carries pol, which the model does not have"),
    ],
    ids=["another shape", "another name"],
)
def test_what_is_carried_stays_what_it_is(
    model: Model, job: JobFile, carried: Callable[[object], Named], wrong: str
) -> None:
    turn = replace(model.turns["d"], carry=lambda before, kept: carried(before["pool"]))
    with pytest.raises(ValueError, match=wrong):
        opened(replace(model, turns={**model.turns, "d": turn}), job)


def test_a_loss_may_use_a_part_of_a_pass_and_one_tensor_by_two_names(
    model: Model, job: JobFile
) -> None:
    """As often as it is used, it counts."""
    moved = {}
    for name, uses in (("one", "a"), ("two", "ab"), ("half", "aa")):

        def make(nets: Nets, feeds: Named, chance: Named) -> Named:
            made = nets("generator", chance["latents"])
            return {"a": made, "b": made}

        def loss_g(nets: Nets, batch: Batch, uses: str = uses) -> Outcome:
            shares = [nets("discriminator", batch.passes["fakes"][each]) for each in uses]
            return Outcome(keras.ops.mean(sum(shares)) / len(shares))

        def loss_d(nets: Nets, batch: Batch) -> Outcome:
            reals = keras.ops.ones((batch.chance["choice"].shape[0], 3))
            fakes = batch.passes["fakes"]["a"]
            kept = {"fakes": fakes, "chosen": batch.chance["choice"]}
            return Outcome(keras.ops.mean(nets("discriminator", reals)), kept)

        fresh = Pool().describe(job)
        turns = {
            "d": replace(fresh.turns["d"], loss=loss_d),
            "g": replace(fresh.turns["g"], loss=loss_g),
        }
        passes = {"fakes": replace(fresh.passes["fakes"], make=make)}
        session = open_training(
            lambda: replace(fresh, turns=turns, passes=passes),  # noqa: B023 - called at once
            job.spec,
            only(BLACK),
            SessionSettings(),
        )
        before = session.state()["generator/matrix/kernel"]
        session.run(1)
        moved[name] = session.state()["generator/matrix/kernel"] - before
    assert np.abs(moved["one"]).max() > 0
    for name in ("two", "half"):
        np.testing.assert_allclose(moved[name], moved["one"], rtol=1e-5)
