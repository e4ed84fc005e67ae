"""Networks that start from others: what is read, what is kept, what does not fit."""

from __future__ import annotations

import logging
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest

from jobs.errors import OriginUnfit
from jobs.families.feed import PICTURES
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import CheckpointName, JobPaths, Workspace
from multitrain.datasets.decoded.folders import Fingerprint
from multitrain.engine.session import State
from multitrain.weights import checkpoints
from multitrain.weights.checkpoints import Checkpoint
from multitrain.weights.init_from import beginning, interpolate, opening_at_origin

FINGERPRINTS = {PICTURES: Fingerprint(count=4, width=4, height=2, digest="")}
KERNEL, BIAS = "generator/kernel", "discriminator/bias"

MakeJob = Callable[..., JobFile]


def weights(value: float, size: int = 3) -> State:
    return {KERNEL: np.full(size, value, np.float32), BIAS: np.array([value], np.float32)}


def train(workspace: Workspace, name: str, step: int, state: State) -> None:
    checkpoint = Checkpoint(CheckpointName(step, step), "dcgan", "jax", FINGERPRINTS, state)
    checkpoints.save(workspace.job(name), checkpoint)


def same(one: State, other: State) -> bool:
    return one.keys() == other.keys() and all(
        one[name].tobytes() == other[name].tobytes() and one[name].dtype == other[name].dtype
        for name in one
    )


class Adopting:
    """A session that takes what it is given, unless it is told otherwise."""

    def __init__(self) -> None:
        self.adopted: list[tuple[State, bool]] = []
        self.refuses = ""
        self.leaves_out: list[str] = []

    def adopt(self, weights: State, *, fitting: bool) -> list[str]:
        if self.refuses:
            raise ValueError(self.refuses)
        self.adopted.append((weights, fitting))
        return self.leaves_out


@pytest.fixture
def session() -> Adopting:
    return Adopting()


@pytest.fixture
def opener(tiny_job: MakeJob, paths: JobPaths, session: Adopting) -> Callable[..., object]:
    """`opener(**columns)`: what opens sessions of a job with these columns."""

    def make(**columns: object) -> object:
        spec = tiny_job(**columns).spec
        return opening_at_origin(spec, paths, lambda: session)  # type: ignore[arg-type, return-value]

    return make


def test_without_an_origin_nothing_is_adopted_or_kept(
    tiny_job: MakeJob, paths: JobPaths, session: Adopting
) -> None:
    opener = SimpleNamespace(open=lambda: session)
    assert opening_at_origin(tiny_job().spec, paths, opener.open) is opener.open
    assert not paths.run.exists()


def test_the_newest_weights_of_another_job_are_adopted_at_every_opening(
    opener: Callable[..., Callable[[], object]], workspace: Workspace, session: Adopting
) -> None:
    for step in (1, 2):
        train(workspace, "a", step, weights(step))
    open_session = opener(init_from="a", init_fitting=True)
    for _ in range(2):
        assert open_session() is session
    for adopted, fitting in session.adopted:
        assert same(adopted, weights(2))
        assert fitting
    assert len(session.adopted) == 2


def test_the_beginning_stays_whatever_becomes_of_its_origin(
    opener: Callable[..., Callable[[], object]], workspace: Workspace, session: Adopting
) -> None:
    train(workspace, "a", 1, weights(1))
    opener(init_from="a")()
    train(workspace, "a", 2, weights(2))
    opener(init_from="a")()
    for name in workspace.job("a").checkpoint_names():
        workspace.job("a").checkpoint(name).unlink()
    opener(init_from="a")()
    assert all(same(adopted, weights(1)) for adopted, _ in session.adopted)
    assert len(session.adopted) == 3


def test_a_damaged_beginning_is_made_again(
    tiny_job: MakeJob, paths: JobPaths, caplog: pytest.LogCaptureFixture
) -> None:
    train(paths.workspace, "a", 1, weights(1))
    spec = tiny_job(init_from="a").spec
    paths.beginning.parent.mkdir(parents=True)
    paths.beginning.write_bytes(b"x" * 100)
    assert same(beginning(spec, paths), weights(1))
    assert "is damaged" in caplog.text
    assert same(checkpoints.load_weights(paths.beginning, "dcgan"), weights(1))


def test_a_job_starts_from_a_file(tiny_job: MakeJob, paths: JobPaths) -> None:
    kept = paths.workspace.root / "kept.h5"
    checkpoints.save_weights(kept, "dcgan", weights(7))
    for number, path in enumerate(("kept.h5", str(kept))):
        spec = tiny_job(init_from=path).spec
        assert same(beginning(spec, paths.workspace.job(f"job{number}")), weights(7))


@pytest.mark.parametrize(
    ("origin", "words"),
    [
        ("nobody", "nobody, which this job starts from, has no whole checkpoint; run that first"),
        ("gone.h5", r"gone\.h5, which this job starts from, is not there any more"),
        ("odd.h5", r"odd\.h5 is damaged, or no checkpoint"),
    ],
)
def test_an_origin_that_is_not_there_is_told(
    opener: Callable[..., Callable[[], object]], paths: JobPaths, origin: str, words: str
) -> None:
    (paths.workspace.root / "odd.h5").write_text("an odd file that is long enough")
    with pytest.raises(OriginUnfit, match=words):
        opener(init_from=origin)()
    assert not paths.beginning.exists()


def test_an_origin_of_another_version_is_told_with_advice(
    tiny_job: MakeJob, paths: JobPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = tiny_job(init_from="a").spec
    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "FORMAT", 4)
        train(paths.workspace, "a", 1, weights(1))
    with pytest.raises(
        OriginUnfit, match=r"has format 4, not \d+ .*; train it again \(--fresh and its name\)"
    ):
        beginning(spec, paths)
    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "FORMAT", 4)
        beginning(spec, paths)
    with pytest.raises(
        OriginUnfit, match=rf"is of another version; run it with --fresh {spec.name}"
    ):
        beginning(spec, paths)


def test_a_misfit_is_one_sentence_with_advice(
    opener: Callable[..., Callable[[], object]], workspace: Workspace, session: Adopting
) -> None:
    train(workspace, "a", 1, weights(1))
    session.refuses = "generator/kernel is 3 there, not 4"
    with pytest.raises(
        OriginUnfit, match=r"a does not fit .*: generator/kernel is 3 .*init_fitting"
    ):
        opener(init_from="a")()


def test_what_was_left_out_is_logged(
    opener: Callable[..., Callable[[], object]],
    workspace: Workspace,
    session: Adopting,
    caplog: pytest.LogCaptureFixture,
) -> None:
    train(workspace, "a", 1, weights(1))
    session.leaves_out = ["generator/kernel", "generator/offset"]
    with caplog.at_level(logging.INFO):
        opener(init_from="a", init_fitting=True)()
    assert "start from a" in caplog.text
    assert "at random: generator/kernel, generator/offset" in caplog.text


@pytest.mark.parametrize(("alpha", "kernel"), [(0.0, 1.0), (0.25, 2.0), (1.0, 5.0)])
def test_a_job_starts_between_two(
    tiny_job: MakeJob, paths: JobPaths, alpha: float, kernel: float
) -> None:
    train(paths.workspace, "a", 1, weights(1))
    train(paths.workspace, "b", 1, weights(5))
    between = {"interpolate_a": "a", "interpolate_b": "b", "interpolate_alpha": alpha}
    began = beginning(tiny_job(**between).spec, paths)
    np.testing.assert_array_equal(began[KERNEL], np.full(3, kernel, np.float32), strict=True)


def test_at_both_ends_it_is_the_one_or_the_other_bit_for_bit() -> None:
    odd = {KERNEL: np.array([-0.0, 1e-45, np.nextafter(1, 2)], np.float32), BIAS: np.array([3.0])}
    other = {KERNEL: np.array([np.inf, -1, 1 / 3], np.float32), BIAS: np.array([4.0])}
    assert same(interpolate(odd, other, 0.0, fitting=False), odd)
    assert same(interpolate(other, odd, 1.0, fitting=False), odd)


def test_between_two_is_what_lies_there() -> None:
    mixed = interpolate(weights(1), weights(5), 0.75, fitting=False)
    for name in (KERNEL, BIAS):
        np.testing.assert_array_equal(mixed[name], weights(4)[name], strict=True)


def test_between_two_of_other_shapes_is_what_both_have() -> None:
    one, other = weights(1, size=3), weights(5, size=4)
    with pytest.raises(OriginUnfit, match=r"generator/kernel: 3 in the first, 4 in the second"):
        interpolate(one, other, 0.5, fitting=False)
    assert list(interpolate(one, other, 0.5, fitting=True)) == [BIAS]
    del other[BIAS]
    with pytest.raises(OriginUnfit, match=r"bias: 1 in the first, missing in the second"):
        interpolate(one, other, 0.5, fitting=False)
    assert not interpolate(one, other, 0.5, fitting=True)
