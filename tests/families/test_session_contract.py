"""What the training loop relies on, for every family."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

import numpy as np
import pytest
from _pytest.mark import ParameterSet

from jobs.families.table import FAMILIES
from jobs.settings.spec import JobSpec
from jobs.workspace.jobfile import JobFile
from multitrain.engine import open_training
from multitrain.engine.feeds import Feeds, OpenFeed, clips
from multitrain.engine.session import Session, SessionSettings
from multitrain.families import MODULES, open_session
from tests.engine.proving.table import PROOFS

OpenSession = Callable[..., Session]

pytestmark = pytest.mark.usefixtures("few_layers")


def smallest(family: str) -> tuple[int, int]:
    """Width and height, not all even, of small pictures that a family takes."""
    sides = FAMILIES[family].sides
    width = sides.least if sides else 12
    return width, width * 7 // 10 | 1


# Of kinds that are a family with other settings than its defaults.
COLUMNS_OF_KINDS: dict[str, dict[str, object]] = {
    "dcgan in bfloat16": {"precision": "bfloat16"},
    "cyclegan": {"blocks": 1, "pool": 16},
    "cartoon": {"blocks": 1, "pretrain_steps": 2},
    "superres": {"blocks": 1, "features": 4, "degrade": "shrink,noise(20)"},
    "superres that remembers": {
        "net": "recurrent",
        "blocks": 1,
        "features": 4,
        "clip": 3,
        "degrade": "shrink,noise(20)",
    },
    "superres that is judged": {
        "net": "pan",
        "blocks": 1,
        "features": 4,
        "losses": "l1,gan*0.1",
        "patch": "16",
        "pretrain_steps": 2,
    },
    "ppon": {"blocks": 1, "features": 4, "ppon_stages": "1/3", "p3_losses": "l1"},
    "autoencoder": {
        "features": 4,
        "latent_channels": 3,
        "variable_rate": True,
        "input_noise": 9,
        "show": "input+output+difference+latent",
        "nbr_g_updates": 2,
    },
    "autoencoder that remembers": {
        "memory": "conv-lstm",
        "clip": 3,
        "features": 4,
        "latent_channels": 3,
        "variable_rate": True,
        "input_noise": 9,
    },
    "inbetween": {"blocks": 1, "features": 4, "clip": 4},
    "pix2pix of pairs": {
        "dataset": None,
        "inputs": "drawings",
        "targets": "photos",
        "show": "input+output+target",
    },
}


def noisy(job: JobFile, noise: Callable[..., np.ndarray]) -> Feeds:
    """Noise for each feed of a job, of which none is smaller than others."""
    feeds = {}
    for place, each in enumerate(job.feeds):
        pictures = noise(job) // (place + 1)
        numbers, _, runs = clips([len(pictures)], each.frames, go_on=each.goes_on)
        feeds[each.name] = OpenFeed(each, pictures, numbers if each.frames > 1 else None, runs=runs)
    return feeds


EVERY = tuple(dict.fromkeys([*MODULES, *COLUMNS_OF_KINDS, *PROOFS]))
# They take long to compile, and what they ask of an engine, the small ones ask, too.
LARGE = (
    "fastgan",
    "pix2pix",
    "pix2pix of pairs",
    "cyclegan",
    "cartoon",
    "superres",
    "superres that is judged",
    "superres that remembers",
    "ppon",
    "autoencoder",
    "autoencoder that remembers",
    "inbetween",
)


def kinds(*names: str) -> list[ParameterSet]:
    """Those that a test is tried with; the large ones with `--long` only."""
    return [pytest.param(name, marks=pytest.mark.long if name in LARGE else ()) for name in names]


def everywhere(*names: str) -> list[ParameterSet]:
    """All of them on TensorFlow; on JAX, the large ones with `--long` only."""
    return [
        pytest.param(name, marks=pytest.mark.long_on_jax if name in LARGE else ()) for name in names
    ]


@pytest.fixture(params=kinds(*EVERY))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def job(kind: str, tiny_job: Callable[..., JobFile]) -> JobFile:
    """Learns so fast that every update shows in the frames."""
    family = kind.split()[0] if kind in COLUMNS_OF_KINDS else kind
    family = family if family in MODULES else "dcgan"
    columns = {"learning_rate_g": 0.03, "batch_size": 8} | COLUMNS_OF_KINDS.get(kind, {})
    return tiny_job(*smallest(family), family=family, **columns)


@pytest.fixture
def fresh(kind: str, noise: Callable[..., np.ndarray]) -> OpenSession:
    """`fresh(job, **settings)`: a session of this kind at step 0."""

    def make(job: JobFile, **settings: object) -> Session:
        how = SessionSettings(**settings)
        if kind in PROOFS:
            proof = PROOFS[kind]()
            return open_training(
                lambda: proof.describe(job), job.spec, proof.feeds(noise(job)), how
            )
        return open_session(job, noisy(job, noise), how)

    return make


def with_columns(job: JobFile, **columns: object) -> JobFile:
    spec = JobSpec.model_validate({**job.spec.model_dump(mode="json"), **columns})
    return job.replaced(spec=spec)


def test_a_block_holds_the_frames_of_its_steps(kind: str, job: JobFile, fresh: OpenSession) -> None:
    session = fresh(job)

    block = session.run(3)

    width, height = job.cell
    if kind in PROOFS:
        width, height = PROOFS[kind]().across * job.image_width, job.image_height
    assert block.frames.shape == (3 * job.spec.frames_per_step, 2 * height, 3 * width, 3)
    assert block.frames.dtype == np.uint8
    assert session.step == 3
    assert all(np.isfinite(loss) for loss in block.losses.values())


@pytest.mark.parametrize("kind", kinds(*MODULES), indirect=True)
def test_one_frame_per_step_where_asked(
    tiny_job: Callable[..., JobFile], kind: str, fresh: OpenSession
) -> None:
    columns = COLUMNS_OF_KINDS.get(kind, {})
    job = tiny_job(*smallest(kind), family=kind, **columns | {"snapshot": "step"})

    assert len(fresh(job).run(2).frames) == 2


@pytest.mark.parametrize("kind", everywhere(*EVERY), indirect=True)
def test_blocks_and_resumes_do_not_change_the_frames(job: JobFile, fresh: OpenSession) -> None:
    uninterrupted, first = fresh(job), fresh(job)
    whole = uninterrupted.run(5).frames
    parts = [first.run(1).frames, first.run(2).frames]
    second = fresh(job)
    second.restore(first.state())
    parts += [second.run(2).frames]

    np.testing.assert_array_equal(np.concatenate(parts), whole)
    for name, array in uninterrupted.state().items():
        np.testing.assert_array_equal(second.state()[name], array, err_msg=name)


@pytest.mark.parametrize("kind", kinds(*MODULES, "a frozen network, two phases"), indirect=True)
def test_steps_without_frames_do_not_change_those_with_some(
    job: JobFile, kind: str, fresh: OpenSession
) -> None:
    """Blocks may hold none, and a resume may come between two."""
    columns = {"snapshot": "every 3 steps"} if kind in MODULES else {}
    job = with_columns(job, **columns, first_frame_after=2)  # frames of steps 5 and 8; or from 3 on
    timing = job.plan.timing
    uninterrupted, first = fresh(job), fresh(job)
    whole = uninterrupted.run(8).frames
    parts = [first.run(1), first.run(3)]
    second = fresh(job)
    second.restore(first.state())
    parts += [second.run(2), second.run(2)]

    assert [len(part.frames) for part in parts] == [
        timing.frames_by(end) - timing.frames_by(begin)
        for begin, end in ((0, 1), (1, 4), (4, 6), (6, 8))
    ]
    assert parts[0].frames.shape == (0, *whole.shape[1:])
    np.testing.assert_array_equal(np.concatenate([part.frames for part in parts]), whole)
    for name, array in uninterrupted.state().items():
        np.testing.assert_array_equal(second.state()[name], array, err_msg=name)
    again = second.last_frame().astype(int)
    assert np.abs(again - whole[-1]).max() <= 2


@pytest.mark.long_on_jax
@pytest.mark.parametrize(
    "kind", kinds(*(name for name in MODULES if FAMILIES[name].trains)), indirect=True
)
def test_frames_that_are_left_out_change_no_training(job: JobFile, fresh: OpenSession) -> None:
    every, some = with_columns(job, snapshot="step"), with_columns(job, snapshot="every 2 steps")
    frames = [fresh(each).run(4).frames.astype(int) for each in (every, some)]

    assert len(frames[1]) == 2
    assert np.abs(frames[0][1::2] - frames[1]).max() <= 2
    assert (frames[1][0] != frames[1][1]).any()


@pytest.mark.parametrize("on_device", [True, False])
def test_warming_up_changes_nothing(job: JobFile, fresh: OpenSession, on_device: bool) -> None:
    cold, warm = (fresh(job, pictures_on_device=on_device) for _ in range(2))

    warm.warm_up()

    assert warm.step == 0
    for name, array in cold.state().items():
        np.testing.assert_array_equal(warm.state()[name], array, err_msg=name)
    for _ in range(2):
        np.testing.assert_array_equal(warm.run(2).frames, cold.run(2).frames)


def test_the_state_survives_a_round_trip(job: JobFile, fresh: OpenSession) -> None:
    session, other = fresh(job), fresh(job)
    session.run(2)
    session.detours = 3
    state = session.state()
    session.run(1)  # must not change the copies

    other.restore(state)

    assert (other.step, other.detours) == (2, 3)
    assert other.state().keys() == state.keys()
    for name, array in other.state().items():
        np.testing.assert_array_equal(array, state[name], err_msg=name)


def test_going_back_in_place_brings_the_same_frames(job: JobFile, fresh: OpenSession) -> None:
    session = fresh(job)
    beginning = session.state()
    first = session.run(2).frames

    session.restore(beginning)

    np.testing.assert_array_equal(session.run(2).frames, first)


def test_a_detour_changes_what_follows(job: JobFile, fresh: OpenSession) -> None:
    """And the way after it is as exact as any: two sessions that took it agree."""
    if not fresh(job).run(1).losses:
        pytest.skip("nothing is trained, so nothing is drawn")
    straight, one, other = (fresh(job) for _ in range(3))
    other.restore(one.state())
    for session in (one, other):
        session.detours = 1
    frames = [one.run(3).frames, np.concatenate([other.run(n).frames for n in (1, 2)])]

    np.testing.assert_array_equal(*frames)
    straight.run(3)
    state = one.state()
    del state["detours"]
    assert any((array != straight.state()[name]).any() for name, array in state.items())


def test_the_last_frame_is_drawn_once_more_from_the_state(job: JobFile, fresh: OpenSession) -> None:
    """Also by another session: a film that goes on may lack it."""
    first, second = fresh(job), fresh(job)
    shown = first.run(3).frames[-1:]
    second.restore(first.state())
    for session in (first, second):
        again = session.last_frame()
        assert again.shape == shown.shape
        assert np.abs(again.astype(int) - shown).max() <= 2


@pytest.mark.parametrize("name", [name for name, family in FAMILIES.items() if family.trains])
def test_a_family_plans_what_it_builds(tiny_job: Callable[..., JobFile], name: str) -> None:
    """So what is known of checkpoints, and told of layers, is true."""
    cells = {"family": name, "ema": 0.9, "nbr_d_updates": 2}
    cells |= COLUMNS_OF_KINDS.get(name, {})
    job, family = tiny_job(*smallest(name), **cells), FAMILIES[name]
    model = import_module(MODULES[name]).describe(job)
    averaged = {each: average.network for each, average in model.averages.items()}
    assert dict(family.averaged) == averaged
    assert set(family.networks) >= set(model.networks), "some it may do without"
    drawn = {each.name for each in job.feeds if each.is_drawn}
    assert {model.draws[each] for each in drawn} == {family.batches(job.spec)}
    planned = family.layers(job.spec, job.image_width, job.image_height)
    for network, layers in planned.items():
        counted = model.networks[network].count_params()
        assert sum(layer.parameters for layer in layers) == counted, network
    assert family.trained(job.spec).keys() == planned.keys() == set(model.networks)
