from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from jobs.families.feed import PICTURES
from jobs.families.table import FAMILIES
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace
from multitrain.engine.session import SessionSettings, State
from multitrain.families import open_session
from multitrain.protocol.call import Call
from multitrain.trainer import process as trainer
from multitrain.trainer import rehearsal
from multitrain.trainer.rehearsal import Rehearsed, opening_with, rehearse
from multitrain.weights import checkpoints

SETTINGS = SessionSettings(threads=1)


@pytest.fixture
def job(
    tiny_job: Callable[..., JobFile],
    workspace: Workspace,
    make_pictures: Callable[..., list[Path]],
) -> JobFile:
    make_pictures(workspace.dataset("photos"), count=7, size=(12, 9))
    job = tiny_job(dataset=("photos",), family="testcard")
    job.save(workspace.job(job.spec.name))
    return job


@pytest.fixture
def rehearsed(job: JobFile, workspace: Workspace) -> Rehearsed:
    ready = rehearse(job, workspace.job(job.spec.name), SETTINGS, keep_free=0)
    assert ready is not None
    return ready


def test_it_serves_just_what_it_was_made_for(
    rehearsed: Rehearsed, job: JobFile, tiny_job: Callable[..., JobFile]
) -> None:
    told = rehearsed.job, rehearsed.settings, rehearsed.pictures
    assert rehearsed.serves(*told)
    assert not rehearsed.serves(tiny_job(seed=1), *told[1:])
    assert not rehearsed.serves(job, SessionSettings(threads=2), told[2])
    assert not rehearsed.serves(*told[:2], {PICTURES: replace(told[2][PICTURES], digest="other")})


def test_what_comes_live_is_not_rehearsed(
    tiny_job: Callable[..., JobFile], workspace: Workspace
) -> None:
    """The ring that it comes into is the training's own."""
    live = {"family": "autoencoder", "stream": "/dev/video0", "dataset": None, "fifo": 2}
    job = tiny_job(**live, preprocess="cover", load_size="12x9", features=4, latent_channels=2)
    assert rehearse(job, workspace.job(job.spec.name), SETTINGS, keep_free=0) is None


def test_what_fails_is_left_to_the_training(job: JobFile, workspace: Workspace) -> None:
    for picture in workspace.dataset("photos").iterdir():
        picture.unlink()
    assert rehearse(job, workspace.job(job.spec.name), SETTINGS, keep_free=0) is None


def test_many_pictures_that_cannot_be_shared_are_not_held_twice(
    job: JobFile, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of the test are too few for the cache."""
    monkeypatch.setattr(rehearsal, "UNSHARED_BYTES", 100)
    assert rehearse(job, workspace.job(job.spec.name), SETTINGS, keep_free=0) is None


def test_it_is_given_away_once(rehearsed: Rehearsed) -> None:
    others = iter([object(), object()])
    session = rehearsed.session
    opener = opening_with(rehearsed, then=lambda: next(others))  # type: ignore[arg-type, return-value]
    opened = [opener() for _ in range(3)]
    assert opened[0] is session
    assert rehearsed.session is None, "nothing else keeps it alive"
    assert len(set(map(id, opened))) == 3


@pytest.mark.parametrize("threads", [1, 2])
def test_a_training_takes_it_up_where_it_serves(
    rehearsed: Rehearsed,
    workspace: Workspace,
    threads: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened = []

    def open_and_note(*arguments: object) -> object:
        opened.append(open_session(*arguments))  # type: ignore[arg-type]
        return opened[-1]

    monkeypatch.setattr("multitrain.families.open_session", open_and_note)
    call = Call(workspace.root, rehearsed.job.spec.name, tuple(range(threads)))

    session = rehearsed.session
    assert session is not None

    assert trainer.train(call, threading.Event(), rehearsed)

    assert len(opened) == (0 if threads == 1 else 1)
    assert (session.step > 0) == (threads == 1)


def test_a_rehearsed_session_starts_from_elsewhere_at_its_call(
    job: JobFile, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The job that it starts from may still be in training when it is rehearsed."""
    adopted: list[State] = []

    def adopt(_: object, weights: State, *, fitting: bool) -> list[str]:
        adopted.append(weights)
        return []

    monkeypatch.setattr("multitrain.families.testcard.session.TestCard.adopt", adopt)
    with_network = replace(FAMILIES["testcard"], networks=("generator",))
    monkeypatch.setitem(FAMILIES, "testcard", with_network)
    job = job.model_copy(update={"spec": job.spec.model_copy(update={"init_from": "a.h5"})})
    paths = workspace.job(job.spec.name)
    job.save(paths)
    rehearsed = rehearse(job, paths, SETTINGS, keep_free=0)
    assert rehearsed is not None
    assert not adopted
    checkpoints.save_weights(workspace.root / "a.h5", "testcard", {"generator/x": np.array([7.0])})
    session = rehearsed.session
    call = Call(workspace.root, job.spec.name, (0,))

    assert trainer.train(call, threading.Event(), rehearsed)

    assert [weights["generator/x"].tolist() for weights in adopted] == [[7]]
    assert session is not None
    assert session.step > 0, "it is the one that was rehearsed"


def test_a_job_that_is_not_there_is_not_rehearsed(workspace: Workspace) -> None:
    assert trainer._rehearse([str(workspace.root), "nobody"]) is None
