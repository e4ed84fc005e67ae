"""Sheets that come while a farm is at work, in virtual time."""

from __future__ import annotations

from jobs.errors import ExitCode, UsageError
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import CheckpointName
from multitrain.farm.farm import Habits
from multitrain.slots.cpu import CpuPool
from tests.farm.simulation import Simulate, make_job
from tests.farm.steered import Steered


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
