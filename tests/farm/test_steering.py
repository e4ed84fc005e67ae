"""Orders about single jobs to a farm at work, in virtual time: paused, cancelled, queued again."""

from __future__ import annotations

from jobs.errors import ExitCode
from jobs.workspace.paths import CheckpointName, Workspace
from multitrain.farm.farm import Habits
from multitrain.farm.submission import submit
from tests.farm.simulation import Outcome, make_job
from tests.farm.steered import LONG


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
    farm.simulation.store.add([("other", 10)])
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
