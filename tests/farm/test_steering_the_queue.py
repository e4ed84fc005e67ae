"""Who is next in a farm that is steered: priorities, room that is made, jobs after others."""

from __future__ import annotations

from jobs.errors import ExitCode
from jobs.workspace.paths import Workspace
from multitrain.farm.submission import submit
from tests.farm.simulation import make_job


def test_priorities_come_before_the_order_of_the_sheet(steer) -> None:
    farm = steer("a", "b", "c", jobs=(make_job("d", priority="3"),))
    assert farm.simulation.started() == ["d"]
    farm.ask("priority", "c", priority=1)
    farm.ask("top", "b")
    for name in ("d", "b", "c"):
        assert farm.simulation.started()[-1] == name
        farm.ask("cancel", name)
        farm.tick(1)
    assert farm.simulation.started() == ["d", "b", "c", "a"]


def test_a_priority_that_was_ordered_outlives_the_same_sheet(steer, workspace: Workspace) -> None:
    farm = steer("a", "b")
    farm.ask("priority", "b", priority=5)
    submit(workspace, farm.simulation.store, farm.simulation.jobs)
    assert farm.simulation.store.jobs()[1].priority == 5
    submit(workspace, farm.simulation.store, [make_job("b", priority="2")])
    assert farm.simulation.store.jobs()[1].priority == 2, "the sheet says something new"


def test_the_top_now_has_the_least_important_job_make_room(steer) -> None:
    farm = steer("a", "b", "c", slots=2)
    answer = farm.ask("top", "c", now=True)
    assert answer.done[1:] == ("b makes room: it stops at a checkpoint and is queued again",)
    farm.tick()
    assert farm.states() == {"a": "running", "b": "queued", "c": "running"}


def test_jobs_that_come_after_others_wait_for_them(steer) -> None:
    farm = steer("a", jobs=(make_job("b", after="a"), make_job("c")), slots=3)
    assert farm.simulation.started() == ["a", "c"]
    assert farm.simulation.farm.waiting_for() == {"b": "comes after a, which is running"}
    farm.simulation.trainers[0].outcome.seconds = 0
    while farm.states()["a"] != "done":
        farm.tick(1)
    farm.tick(1)
    assert farm.states()["b"] == "running"


def test_what_waits_for_a_cancelled_job_waits_in_vain_and_says_so(steer) -> None:
    jobs = (make_job("b", init_from="a"), make_job("c", after="b"))
    farm = steer("a", jobs=jobs)
    farm.ask("cancel", "a")
    assert "starts from a, which is cancelled" in farm.simulation.farm.waiting_for()["b"]
    farm.simulation.run()
    assert farm.states() == {"a": "cancelled", "b": "queued", "c": "queued"}
    assert farm.simulation.farm.exit_code == ExitCode.DRAINED


def test_room_is_made_only_as_far_as_it_is_missing(steer) -> None:
    farm = steer("a", slots=2, jobs=(make_job("b", after="a"), make_job("c", gpus="2")))
    assert farm.ask("top", "b", now=True).done == ("b is the next",), "b could not start anyway"
    assert farm.ask("top", "c", now=True).done[1:] == (
        "a makes room: it stops at a checkpoint and is queued again",
    )
    assert farm.ask("top", "c", now=True).done[1:] == (), "a stops already"
