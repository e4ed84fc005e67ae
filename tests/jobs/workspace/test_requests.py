"""Requests as files: in order, whole, answered once."""

from __future__ import annotations

import itertools
import json
import os
from pathlib import Path

import pytest

from jobs.workspace import requests
from jobs.workspace.paths import Workspace
from jobs.workspace.requests import Answer, Order, Request
from tests.farm.simulation import make_job

MOMENTS = itertools.count(5)


def send(workspace: Workspace, request: Request) -> Path:
    return requests.send(workspace, request, lambda: next(MOMENTS))


def read(path: Path) -> Request | None:
    """The request of this file, read to its end."""
    steps = requests.reading(path)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def test_requests_come_in_the_order_in_which_they_were_sent(workspace: Workspace) -> None:
    asked = [Request.new(Order.PAUSE, names=[name]) for name in "zam"]
    sent = [send(workspace, request) for request in asked]
    (workspace.requests / ".something").touch()
    (workspace.requests / f"{sent[0].name}.part").touch()
    assert requests.waiting(workspace) == sent
    assert [read(path) for path in sent] == asked
    assert requests.sent_at(sent[1]) == requests.sent_at(sent[0]) + 1


def test_a_request_that_is_sent_twice_is_one(workspace: Workspace) -> None:
    request = Request.new(Order.DRAIN)
    path = send(workspace, request)
    assert send(workspace, request) == path
    requests.answer(path, Answer(done=("it drains",)))
    assert not requests.waiting(workspace)
    assert send(workspace, request) == path, "after its answer, too"
    assert not requests.waiting(workspace)
    assert requests.read_answer(path) == Answer(done=("it drains",))


def test_jobs_come_out_as_they_went_in(workspace: Workspace) -> None:
    # 0 is the default of all families but this one: it must not get lost.
    jobs = (make_job("a", family="fastgan", ema="0", crop_size="64x32", preprocess="crop"),)
    request = Request.new(Order.SUBMIT, jobs=jobs)
    path = send(workspace, request)
    assert read(path) == request
    assert path.stat().st_size < 500, "what all jobs have in common is left out"


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "\0\0", '{"id": "x", "order": "pause"}', '{"order": "pause"}', "[" * 100_000]
    + [json.dumps({"id": "0" * 32, "order": "submit", "jobs": jobs}) for jobs in ({}, [3])],
)
def test_what_is_no_request_is_told_as_such(workspace: Workspace, content: str) -> None:
    path = send(workspace, Request.new(Order.PAUSE, names=["a"]))
    path.write_text(content)
    with pytest.raises(ValueError):  # noqa: PT011 - whatever is wrong with it
        read(path)


def test_an_order_of_a_later_version_is_no_request(workspace: Workspace) -> None:
    path = send(workspace, Request.new(Order.PAUSE, names=["a"]))
    path.write_text(json.dumps({**json.loads(path.read_text()), "gently": True}))
    with pytest.raises(ValueError, match="gently"):
        read(path)


def test_a_damaged_answer_is_an_answer(workspace: Workspace) -> None:
    path = send(workspace, Request.new(Order.DRAIN))
    assert requests.read_answer(path) is None
    requests.answer_of(path).write_text("{")
    found = requests.read_answer(path)
    assert found
    assert found.is_wrong


def test_answers_of_days_before_go_and_requests_stay(workspace: Workspace) -> None:
    old, new = (send(workspace, Request.new(Order.DRAIN)) for _ in range(2))
    waits = send(workspace, Request.new(Order.DRAIN))
    for path in (old, new):
        requests.answer(path, Answer())
    (workspace.requests / "killed.part").touch()
    now = 2_000_000_000.0
    for path, age in ((requests.answer_of(old), 90_000), (requests.answer_of(new), 80_000)):
        os.utime(path, (now - age, now - age))
    for path in (waits, workspace.requests / "killed.part"):
        os.utime(path, (now - 1e6, now - 1e6))
    requests.sweep(workspace, lambda: now)
    assert set(workspace.requests.iterdir()) == {requests.answer_of(new), waits}
