"""A farm that is steered while it works, in virtual time."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from jobs.errors import ExitCode, UsageError
from jobs.workspace import requests
from jobs.workspace.farm_state import read_farm_state
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import CheckpointName, Workspace
from jobs.workspace.requests import Answer, Order, Request
from jobs.workspace.states import State
from multitrain.farm.farm import Habits
from multitrain.farm.submission import submit
from multitrain.slots.cpu import CpuPool
from tests.farm.simulation import Outcome, Simulate, Simulation, make_job

LONG = 1e6  # seconds


class Steered:
    """A simulation and what is asked of it."""

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation

    def ask(self, order: str, *names: str, **what: object) -> Answer:
        """Send a request; one tick later it is answered."""
        path = self.send(order, *names, **what)
        self.simulation.tick()
        answer = requests.read_answer(path)
        assert answer, "it was not answered"
        return answer

    def send(self, order: str, *names: str, **what: object) -> Path:
        request = Request.new(Order(order), names=names, **what)
        return requests.send(self.simulation.workspace, request)

    def submit(self, *jobs: JobFile) -> Answer:
        self.simulation.jobs += jobs
        return self.ask("submit", jobs=jobs)

    def states(self) -> dict[str, str]:
        return self.simulation.states()

    def tick(self, times: int = 2) -> None:
        for _ in range(times):
            self.simulation.tick()


@pytest.fixture
def steer(simulate: Simulate):
    """`steer(*names, slots=1, **seconds)`: a farm at work on jobs that take so long."""

    def begin(*names: str, slots: int = 1, jobs: tuple[JobFile, ...] = ()) -> Steered:
        simulation = simulate([*map(make_job, names), *jobs], CpuPool(slots))
        for job in simulation.jobs:
            simulation.outcomes[job.spec.name] = [Outcome(seconds=LONG)]
        simulation.tick()
        return Steered(simulation)

    return begin


def test_a_paused_job_frees_its_slot_and_goes_on_later(steer) -> None:
    farm = steer("a", "b")
    assert farm.ask("pause", "a").done == ("a stops at a checkpoint and is paused",)
    farm.tick()
    assert farm.states() == {"a": "paused", "b": "running"}
    assert farm.ask("pause", "a").done == ("a is paused already",)
    assert farm.ask("resume", "a").done == ("a is queued again",)
    assert farm.states() == {"a": "queued", "b": "running"}
    farm.ask("cancel", "b")
    farm.tick()
    assert farm.states() == {"a": "running", "b": "cancelled"}
    assert farm.simulation.started() == ["a", "b", "a"]


def test_a_job_that_is_resumed_while_it_stops_starts_when_it_has(steer) -> None:
    farm = steer("a", slots=2)
    (trainer,) = farm.simulation.trainers
    trainer.outcome.drains = False
    farm.ask("pause", "a")
    farm.ask("resume", "a")
    farm.tick()
    assert farm.simulation.started() == ["a"]
    assert farm.states() == {"a": "queued"}
    trainer.signalled = int(ExitCode.DRAINED)
    farm.tick()
    assert farm.simulation.started() == ["a", "a"]
    (row,) = farm.simulation.store.jobs()
    assert row.attempts == 1, "stopping was no failure"


def test_a_job_that_was_trained_before_it_could_stop_gets_its_film(steer) -> None:
    farm = steer("a")
    (trainer,) = farm.simulation.trainers
    trainer.outcome.drains = False
    farm.ask("pause", "a")
    trainer.outcome.seconds = 0
    trainer.outcome.checkpoint = CheckpointName(180, trainer.total)
    farm.simulation.run()
    assert farm.states() == {"a": "done"}


def test_the_farm_stays_while_jobs_are_paused_and_ends_when_they_are_cancelled(steer) -> None:
    farm = steer("a")
    farm.ask("pause", "a")
    farm.tick(5)
    assert not farm.simulation.farm.finished
    farm.ask("cancel", "a")
    farm.simulation.run()
    assert farm.simulation.farm.exit_code == ExitCode.DONE


def test_what_a_user_held_back_stays_so_in_the_next_farm(steer, workspace: Workspace) -> None:
    farm = steer("a", "b")
    farm.ask("pause", "a")
    farm.ask("cancel", "b")
    entries = submit(workspace, farm.simulation.store, farm.simulation.jobs)
    assert [entry.notes for entry in entries] == [
        ("a stays paused; `multitrain resume a` takes it up again",),
        ("b stays cancelled; `multitrain requeue b` takes it up again",),
    ]
    assert farm.states() == {"a": "paused", "b": "cancelled"}


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


def test_a_failed_job_is_queued_again_with_all_its_tries(steer) -> None:
    farm = steer("a")
    failure = {"kind": "diverged", "reason": "NaN"}
    farm.simulation.trainers[0].outcome = Outcome(1, seconds=0, frames=10, failure=failure)
    farm.simulation.farm._habits = Habits(stays=True)
    farm.tick()
    assert farm.states() == {"a": "failed"}
    farm.simulation.outcomes["a"] = [Outcome(seconds=LONG)]
    assert farm.ask("requeue", every="failed").done == ("a is queued",)
    farm.tick(1)
    assert farm.states() == {"a": "running"}
    assert not farm.simulation.workspace.job("a").training_failure.exists()


def test_a_sheet_is_put_into_a_running_farm(steer) -> None:
    farm = steer("a")
    answer = farm.submit(make_job("b"), make_job("c", priority="1"))
    assert answer.done == ("b is queued", "c is queued")
    farm.ask("cancel", "a")
    farm.simulation.run()
    assert farm.simulation.started() == ["a", "c", "b"]
    assert farm.states() == {"a": "cancelled", "b": "done", "c": "done"}


def test_a_farm_at_the_very_end_still_takes_a_sheet(steer) -> None:
    farm = steer("a")
    farm.simulation.slow_films.add("a")
    farm.simulation.trainers[0].outcome.seconds = 0
    farm.tick()
    assert farm.states() == {"a": "rendering"}
    farm.simulation.slow_films.clear()
    farm.send("submit", jobs=(make_job("b"),))
    farm.simulation.jobs.append(make_job("b"))
    farm.simulation.run()
    assert farm.states() == {"a": "done", "b": "done"}


def test_with_stay_a_farm_waits_for_more_and_renders_it(simulate: Simulate) -> None:
    simulation = simulate([make_job("a")], CpuPool(1))
    simulation.farm._habits = Habits(stays=True)
    farm = Steered(simulation)
    while farm.states() != {"a": "done"}:
        farm.tick(1)
    farm.tick(3)
    assert not simulation.farm.finished
    farm.submit(make_job("b"))
    while farm.states()["b"] != "done":
        farm.tick(1)
    assert len(simulation.workers) == 2, "the first one had ended"
    assert farm.ask("drain").done
    assert simulation.farm.finished


def test_the_same_sheet_again_is_nothing_to_do(steer) -> None:
    farm = steer("a", "b")
    jobs = (make_job("a"), make_job("b"))
    assert farm.ask("submit", jobs=jobs).done == ("a is running already", "b is queued")
    assert farm.states() == {"a": "running", "b": "queued"}
    assert farm.simulation.trainers[0].signalled is None


def test_rows_that_changed_are_taken_up_as_far_as_they_may(steer) -> None:
    farm = steer("a", "b")
    farm.simulation.trainers[0].make(4)
    (farm.simulation.workspace.job("a").run / "checkpoints").mkdir()
    # Only the farm reads it; queued jobs are replaced.
    answer = farm.submit(make_job("a", retries="7"), make_job("b", k_w="3"))
    assert answer.done == ("a goes on with the new settings", "b is queued")
    assert farm.simulation.trainers[0].signalled is None
    # The next try reads it.
    answer = farm.submit(make_job("a", retries="7", crf="20"))
    assert answer.done == ("a stops at a checkpoint and goes on with the new settings",)
    farm.tick(1)
    assert farm.states()["a"] == "running"
    saved = JobFile.read(farm.simulation.workspace.job("a"))
    assert saved
    assert saved.spec.crf == 20


def test_a_sheet_with_one_job_that_cannot_change_changes_nothing(steer) -> None:
    farm = steer("a")
    answer = farm.ask("submit", jobs=(make_job("new"), make_job("a", k_w="3")))
    assert answer.is_wrong
    assert answer.refused[0].startswith("a has begun with other settings: k_w was 5, is now 3.")
    assert farm.states() == {"a": "running"}


def test_what_the_farm_cannot_take_is_refused(steer) -> None:
    farm = steer("a")

    def refuse(_: object) -> None:
        raise UsageError("gpus: more are asked for")

    farm.simulation.farm.admit = refuse
    assert farm.ask("submit", jobs=(make_job("b"),)).refused == ("gpus: more are asked for",)


def test_a_forgotten_job_leaves_status_and_its_files_stay(steer) -> None:
    farm = steer("a", "b")
    answer = farm.ask("forget", "a", "b")
    assert answer.refused == ("a is at work on cpu 0; cancel it first",)
    assert [line.partition(";")[0] for line in answer.done] == ["b is forgotten"]
    farm.ask("cancel", "a")
    farm.tick()
    farm.ask("forget", "a")
    assert farm.states() == {}
    assert farm.simulation.workspace.job("a").job_file.exists()
    unknown, advice = farm.ask("resume", "a").refused
    assert unknown == "there is no job 'a' in this workspace"
    assert "submit its sheet" in advice


def test_jobs_of_other_sheets_are_steered_in_the_store(steer, workspace: Workspace) -> None:
    farm = steer("a")
    farm.simulation.store.add("other", 10)
    farm.ask("pause", "other")
    assert farm.states()["other"] == "paused"
    answer = farm.ask("resume", "other")
    assert answer.refused == ("other: its settings are not known any more; submit its sheet",)
    make_job("other").save(workspace.job("other"))
    farm.simulation.jobs.append(make_job("other"))
    assert farm.ask("resume", "other").done == ("other is queued",)
    farm.ask("cancel", "a")
    farm.simulation.run()
    assert farm.states()["other"] == "done"


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


def test_which_frames_stay_is_decided_when_nobody_makes_any_more(steer) -> None:
    jobs = (make_job("a", video_length="1", auto_render_period="2"),)
    farm = steer(jobs=jobs)
    (trainer,) = farm.simulation.trainers
    trainer.outcome.drains = False
    trainer.make(200)
    farm.tick(1)
    answer = farm.submit(make_job("a", video_length="1", auto_render_period="1"))
    assert answer.done == ("a stops at a checkpoint and goes on with the new settings",)
    trainer.make(500)  # what it makes while it stops
    (trainer.run / "checkpoints").mkdir()
    (trainer.run / "checkpoints" / f"{CheckpointName(250, 500)}.h5").touch()
    trainer.signalled = int(ExitCode.DRAINED)
    farm.tick(3)
    saved = JobFile.read(farm.simulation.workspace.job("a"))
    assert saved
    assert [cut.stop for cut in saved.plan.cuts[:6]] == [120, 240, 360, 480, 600, 660]
    assert len(farm.simulation.workers) == 2, "the first one knew the job as it was"
    assert farm.states() == {"a": "running"}


def test_what_was_ordered_last_counts_in_the_store_too(steer) -> None:
    farm = steer("a", "b")
    farm.send("cancel", "b")
    farm.send("requeue", "b")
    farm.tick(1)
    assert farm.states()["b"] == "queued"


def test_a_job_that_never_began_can_be_queued_again(steer) -> None:
    farm = steer("a", "b")
    farm.ask("cancel", "b")
    farm.simulation.farm = farm.simulation.make_farm()
    assert farm.ask("requeue", "b").done == ("b is queued",)


def test_a_job_starts_over_wherever_it_stands(steer) -> None:
    farm = steer("a")
    farm.simulation.trainers[0].make(100)
    farm.tick(1)
    refused = farm.ask("requeue", "a", fresh=True).refused
    assert refused == ("a is at work on cpu 0; cancel it before it starts over",)
    farm.ask("pause", "a")
    farm.tick()
    farm.ask("resume", "a")  # it waits for its slot, or runs again
    farm.ask("cancel", "a")
    farm.tick()
    (line, *_) = farm.ask("requeue", "a", fresh=True).done
    assert line == "a is queued"
    assert farm.simulation.workspace.job("a").run.parent.joinpath(".earlier").exists() or (
        not farm.simulation.workspace.job("a").progress.exists()
    )


def test_nothing_is_moved_while_the_render_worker_has_it_in_hand(steer) -> None:
    farm = steer("a")
    farm.ask("pause", "a")
    farm.tick()
    worker = farm.simulation.workers[-1]
    assert worker.code is None
    farm.ask("requeue", every="all", fresh=True)
    assert worker.code == -9


def test_a_job_that_cannot_be_rendered_fails_although_it_was_paused(steer) -> None:
    farm = steer("a")
    (trainer,) = farm.simulation.trainers
    trainer.outcome.drains = trainer.outcome.dies = False
    trainer.make(trainer.total)
    (trainer.run / "checkpoints").mkdir()
    (trainer.run / "checkpoints" / f"{CheckpointName(9, trainer.total)}.h5").touch()
    farm.simulation.render_failures["a"] = {"kind": "render", "reason": "no codec"}
    farm.tick()
    farm.ask("pause", "a")
    trainer.signalled = -9
    farm.simulation.run()
    assert farm.states() == {"a": "failed"}


def test_room_is_made_only_as_far_as_it_is_missing(steer) -> None:
    farm = steer("a", slots=2, jobs=(make_job("b", after="a"), make_job("c", gpus="2")))
    assert farm.ask("top", "b", now=True).done == ("b is the next",), "b could not start anyway"
    assert farm.ask("top", "c", now=True).done[1:] == (
        "a makes room: it stops at a checkpoint and is queued again",
    )
    assert farm.ask("top", "c", now=True).done[1:] == (), "a stops already"


# --- kills, full disks, strange requests ----------------------------------------------------------


def test_a_request_that_cannot_be_read_holds_up_nobody(
    steer, monkeypatch: pytest.MonkeyPatch
) -> None:
    farm = steer("a", "b")
    strange = farm.send("pause", "a")
    read = requests.read

    def refuse(path: Path) -> Request | None:
        if path == strange:
            raise PermissionError(13, "not yours")
        return read(path)

    monkeypatch.setattr(requests, "read", refuse)
    assert farm.ask("pause", "b").done == ("b is paused",)


def test_no_request_ends_the_night(steer, monkeypatch: pytest.MonkeyPatch) -> None:
    farm = steer("a")
    folder = farm.simulation.workspace.requests
    farm.send("drain").write_text('{"id": "%s", "order": "priority", "names": ["a"]}' % ("0" * 32))
    (folder / "00000000000000000009-x.request.json").mkdir()
    farm.tick(3)

    def break_down(*_: object) -> None:
        raise RuntimeError("a path \udcff")

    monkeypatch.setattr("multitrain.farm.steering.decide", break_down)
    answer = farm.ask("pause", "a")
    assert answer.refused == ("it cannot be carried out: RuntimeError: a path \\udcff",)
    assert farm.states() == {"a": "running"}


def test_a_state_that_cannot_be_told_ends_nobody(steer) -> None:
    farm = steer("a")
    farm.simulation.farm.waiting_for = lambda: {"the disk": "of /tmp/\udcff"}
    farm.tick(3)
    state = read_farm_state(farm.simulation.workspace)
    assert state
    assert state.waiting == {"the disk": "of /tmp/\\udcff"}


def test_a_kill_before_the_answer_leaves_the_request_to_the_next_farm(
    steer, monkeypatch: pytest.MonkeyPatch
) -> None:
    farm = steer("a", "b")
    path = farm.send("pause", "a", "b")
    with monkeypatch.context() as patched, suppress(KeyboardInterrupt):

        def die(*_: object) -> None:
            raise KeyboardInterrupt

        patched.setattr(requests, "answer", die)
        farm.tick(1)
    assert requests.waiting(farm.simulation.workspace) == [path]
    farm.simulation.farm = farm.simulation.make_farm()
    farm.tick(1)
    answer = requests.read_answer(path)
    assert answer
    assert answer.done == ("a is paused already", "b is paused already")


def test_nothing_is_answered_before_it_is_stored(steer) -> None:
    farm = steer("a", "b")
    farm.simulation.store._database.execute("PRAGMA query_only = 1")
    path = farm.send("pause", "b")
    farm.tick(3)
    assert requests.read_answer(path) is None
    farm.simulation.store._database.execute("PRAGMA query_only = 0")
    farm.tick(4)
    answer = requests.read_answer(path)
    assert answer
    assert answer.done == ("b is paused",), "and it was done once"
    assert farm.states()["b"] == "paused"


def test_orders_that_contradict_each_other_are_taken_in_turn(steer) -> None:
    farm = steer("a", "b")
    for order in ("pause", "resume", "cancel", "requeue", "pause", "cancel"):
        farm.send(order, "b")
    farm.tick(1)
    assert farm.states()["b"] == "cancelled"
    assert not requests.waiting(farm.simulation.workspace)


def test_a_drain_that_was_meant_for_the_farm_before_ends_nobody(steer) -> None:
    farm = steer("a")
    path = farm.send("drain")
    farm.simulation.farm = farm.simulation.make_farm()
    farm.tick(1)
    answer = requests.read_answer(path)
    assert answer
    assert answer.refused
    assert farm.states() == {"a": "running"}


def test_no_order_is_lost_in_the_states(steer) -> None:
    """Whatever is asked for whenever, a job has one state and the farm comes to its end."""
    farm = steer("a", "b", "c", slots=2)
    orders = ["pause", "resume", "cancel", "requeue", "top"]
    for number in range(60):
        name, order = "abc"[number % 3], orders[(number * 7 + number // 5) % len(orders)]
        farm.ask(order, name, **({"now": True} if order == "top" and number % 2 else {}))
    farm.ask("resume", every="all")
    farm.ask("requeue", every="all")
    for trainer in farm.simulation.trainers:
        trainer.outcome.seconds = 0
    farm.simulation.outcomes.clear()
    farm.simulation.run()
    assert set(farm.states().values()) == {State.DONE}
