"""Which data sets are decoded ahead, and when."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs.errors import MultitrainError
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace
from jobs.workspace.states import State
from multitrain.executors import Launch
from multitrain.farm.active_job import ActiveJob
from multitrain.farm.ahead.pictures_ahead import JOBS, PicturesAhead
from multitrain.farm.ahead.preparation import Prospect
from multitrain.farm.launching import TrainerSettings
from multitrain.farm.stalls_and_retries import Tries
from multitrain.startup.safe_path import python_command
from tests.farm.simulation import make_job

COMMAND = python_command("multitrain.datasets.cached.ahead")


class FakeProcess:
    code: int | None = None

    def poll(self) -> int | None:
        return self.code

    def kill(self) -> None:
        self.code = -9


class FakeExecutor:
    def __init__(self) -> None:
        self.launches: list[Launch] = []
        self.processes: list[FakeProcess] = []
        self.is_broken = False

    def start(self, launch: Launch) -> FakeProcess:
        if self.is_broken:
            raise MultitrainError("no more processes")
        self.launches.append(launch)
        self.processes.append(FakeProcess())
        return self.processes[-1]

    def decoded(self) -> list[tuple[str, ...]]:
        """The jobs of each start."""
        return [launch.command[len(COMMAND) + 1 : -4] for launch in self.launches]


@pytest.fixture
def executor() -> FakeExecutor:
    return FakeExecutor()


@pytest.fixture
def ahead(workspace: Workspace, executor: FakeExecutor) -> PicturesAhead:
    return PicturesAhead(workspace, executor, TrainerSettings(1, 77, lifeline=5))


@pytest.fixture
def job(workspace: Workspace):
    def make(name: str, dataset: str = "demo", **columns: object) -> ActiveJob:
        file = make_job(name, dataset=dataset, **columns)
        return ActiveJob(file, workspace.job(name), Tries(1), State.QUEUED, 0, 0)

    return make


def test_the_next_jobs_pictures_are_decoded_once(
    ahead: PicturesAhead, executor: FakeExecutor, workspace: Workspace, job
) -> None:
    queued = [job("b", "one"), job("c", "one"), job("d", "two"), job("e", "demo")]
    prospect = Prospect([job("a")], queued, is_calm=True)
    ahead.prepare(prospect, 0)
    assert executor.decoded() == [("b", "d")], "a job of each; the one that runs sees to its own"
    command = executor.launches[0].command
    assert command[:-6] == (*COMMAND, str(workspace.root))
    assert command[-4:] == ("--keep-free-bytes", "77", "--lifeline", "5")
    assert executor.launches[0].descriptors == (5,)
    for name in ("b", "d"):
        assert JobFile.load(workspace.job(name)), "where the process reads what to decode"
    assert not workspace.job("e").run.exists()
    executor.processes[0].code = 0
    ahead.prepare(prospect, 1)
    assert len(executor.launches) == 1


def test_with_and_without_alpha_are_two_data_sets(
    ahead: PicturesAhead, executor: FakeExecutor, job
) -> None:
    queued = [job("b"), job("c", colour_model="rgba"), job("d", colour_model="hsv")]
    ahead.prepare(Prospect([job("a")], queued, is_calm=True), 0)
    assert executor.decoded() == [("c",)]


def test_one_process_at_a_time(ahead: PicturesAhead, executor: FakeExecutor, job) -> None:
    ahead.prepare(Prospect([job("a")], [job("b", "one")], is_calm=True), 0)
    later = Prospect([job("b", "one")], [job("c", "two")], is_calm=True)
    ahead.prepare(later, 1)
    assert len(executor.launches) == 1
    executor.processes[0].code = 0
    ahead.prepare(later, 2)
    assert executor.decoded() == [("b",), ("c",)]


def test_not_far_ahead(ahead: PicturesAhead, executor: FakeExecutor, job) -> None:
    queued = [job(f"job{number}", f"set{number}") for number in range(JOBS + 1)]
    ahead.prepare(Prospect([job("a")], queued, is_calm=True), 0)
    assert executor.decoded() == [tuple(each.name for each in queued[:JOBS])]


@pytest.mark.parametrize(("running", "calm"), [(False, True), (True, False)])
def test_a_job_that_is_about_to_start_decodes_its_own(
    ahead: PicturesAhead, executor: FakeExecutor, job, running: bool, calm: bool
) -> None:
    ahead.prepare(Prospect([job("a")] if running else [], [job("b", "one")], calm), 0)
    assert executor.launches == []


def test_failures_are_nobodys_problem(
    ahead: PicturesAhead, executor: FakeExecutor, workspace: Workspace, job
) -> None:
    workspace.runs.mkdir()
    Path(workspace.job("b").run).touch()  # where its folder should be
    ahead.prepare(Prospect([job("a")], [job("b", "one")], is_calm=True), 0)
    assert executor.launches == []
    executor.is_broken = True
    ahead.prepare(Prospect([job("a")], [job("c", "two")], is_calm=True), 1)
    assert ahead.is_idle(1)


def test_it_ends_with_the_farm(ahead: PicturesAhead, executor: FakeExecutor, job) -> None:
    ahead.prepare(Prospect([job("a")], [job("b", "one")], is_calm=True), 0)
    assert not ahead.is_idle(0)
    ahead.end(1)
    assert executor.processes[0].code == -9
    assert ahead.is_idle(1)
