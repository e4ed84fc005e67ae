"""When a spare trainer is kept, for which framework, and that it is only ever a gain."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Sequence

import pytest
from simulation import make_job

from jobs.errors import MultitrainError
from jobs.paths import Workspace
from jobs.states import State
from multitrain.executors import Launch
from multitrain.in_hand import JobInHand
from multitrain.launching import TrainerSettings
from multitrain.patience import Tries
from multitrain.preparation import Prospect
from multitrain.slots import CpuPool
from multitrain.spare import READY
from multitrain.spare_keeper import DEATHS, PAUSE_SECONDS, SpareKeeper

SETTINGS = TrainerSettings(1, 0, lifeline=0)


class FakeProcess:
    def __init__(self, launch: Launch) -> None:
        self.launch = launch
        self.code: int | None = None
        self.is_spare = "--spare" in launch.command
        self.farm = socket.socket(fileno=os.dup(launch.descriptors[0])) if self.is_spare else None

    @property
    def engine(self) -> str:
        return self.launch.environment["KERAS_BACKEND"]

    def poll(self) -> int | None:
        return self.code

    def kill(self) -> None:
        self.code = -9

    def die(self) -> None:
        assert self.farm
        self.code = 1
        self.farm.close()

    def get_warm(self) -> None:
        assert self.farm
        self.farm.sendall(READY)


class FakeExecutor:
    def __init__(self) -> None:
        self.processes: list[FakeProcess] = []
        self.is_broken = False

    def start(self, launch: Launch) -> FakeProcess:
        if self.is_broken:
            raise MultitrainError("no more processes")
        self.processes.append(FakeProcess(launch))
        return self.processes[-1]

    @property
    def spares(self) -> list[FakeProcess]:
        """Those that live."""
        return [each for each in self.processes if each.is_spare and each.code is None]


@pytest.fixture
def executor() -> Iterator[FakeExecutor]:
    executor = FakeExecutor()
    yield executor
    for process in executor.processes:
        if process.farm:
            process.farm.close()


@pytest.fixture
def keeper(executor: FakeExecutor) -> Iterator[SpareKeeper]:
    keeper = SpareKeeper(executor, SETTINGS)
    yield keeper
    keeper.end(0)


@pytest.fixture
def job(workspace: Workspace):
    """`job(name, **columns)` in the farm's hands, queued."""

    def make(name: str = "job", **columns: str) -> JobInHand:
        return JobInHand(
            make_job(name, **columns), workspace.job(name), Tries(1), State.QUEUED, 0, 0
        )

    return make


def launch_of(job: JobInHand) -> Launch:
    lease = CpuPool(1, [0]).acquire(CpuPool(1, [0]).free(0))
    assert lease
    return SETTINGS.launch(job.file, job.paths, lease)


def ahead(*queued: JobInHand, running: Sequence[JobInHand] = (), calm: bool = True) -> Prospect:
    return Prospect(running, queued, calm)


def test_a_warm_spare_takes_the_next_job_and_another_one_gets_warm(
    keeper: SpareKeeper, executor: FakeExecutor, job
) -> None:
    keeper.prepare(ahead(job()), 0)
    (spare,) = executor.spares
    assert spare.launch.command[-2] == "--spare"
    assert spare.launch.log.name == "null"
    assert 0 in spare.launch.descriptors, "the lifeline; no lock"
    assert len(spare.launch.descriptors) == 2
    spare.get_warm()

    process = keeper.start(launch_of(job()))

    assert process is spare
    keeper.prepare(ahead(job("next")), 1)
    assert [each.is_spare for each in executor.processes] == [True, True]


def test_one_that_is_not_warm_waits_for_the_job_after(
    keeper: SpareKeeper, executor: FakeExecutor, job
) -> None:
    keeper.prepare(ahead(job()), 0)
    (spare,) = executor.spares
    assert not keeper.start(launch_of(job())).is_spare
    keeper.prepare(ahead(job("next")), 1)
    assert executor.spares == [spare]
    spare.get_warm()
    assert keeper.start(launch_of(job("next"))) is spare


def test_there_is_none_without_a_queue(keeper: SpareKeeper, executor: FakeExecutor, job) -> None:
    keeper.prepare(ahead(running=[job()]), 0)
    assert executor.processes == []
    keeper.prepare(ahead(job()), 1)
    keeper.prepare(ahead(), 2)
    assert executor.spares == []


def test_a_test_card_needs_no_spare_and_gets_none(
    keeper: SpareKeeper, executor: FakeExecutor, job
) -> None:
    keeper.prepare(ahead(job(family="testcard")), 0)
    assert executor.processes == []
    keeper.prepare(ahead(job(family="testcard"), job("b")), 1)
    (spare,) = executor.spares
    spare.get_warm()
    assert not keeper.start(launch_of(job(family="testcard"))).is_spare
    assert keeper.start(launch_of(job("b"))) is spare


def test_the_next_job_says_which_framework(
    keeper: SpareKeeper, executor: FakeExecutor, job
) -> None:
    keeper.prepare(ahead(job(), job("b", engine="jax")), 0)
    assert [spare.engine for spare in executor.spares] == ["tensorflow"]
    executor.spares[0].get_warm()
    assert not keeper.start(launch_of(job("b", engine="jax"))).is_spare
    keeper.prepare(ahead(job("b", engine="jax")), 1)
    assert [spare.engine for spare in executor.spares] == ["jax"]


def test_nothing_is_imported_while_a_job_is_just_starting(
    keeper: SpareKeeper, executor: FakeExecutor, job
) -> None:
    keeper.prepare(ahead(job(), calm=False), 0)
    assert executor.processes == []
    keeper.prepare(ahead(job()), 1)
    keeper.prepare(ahead(job(), calm=False), 2)
    assert len(executor.spares) == 1, "one that is there stays"


def test_a_spare_that_died_is_a_cold_start_and_another_one_later(
    keeper: SpareKeeper, executor: FakeExecutor, job
) -> None:
    keeper.prepare(ahead(job()), 0)
    executor.spares[0].get_warm()
    executor.spares[0].die()
    assert not keeper.start(launch_of(job())).is_spare
    keeper.prepare(ahead(job()), 1)
    assert executor.spares == []
    keeper.prepare(ahead(job()), 1 + PAUSE_SECONDS)
    assert len(executor.spares) == 1


def test_spares_that_always_die_are_given_up(
    keeper: SpareKeeper, executor: FakeExecutor, job
) -> None:
    for now in range(0, 1000, 10):
        keeper.prepare(ahead(job()), now)
        for spare in executor.spares:
            spare.die()
    assert len(executor.processes) == DEATHS


def test_a_spare_that_cannot_be_started_is_nobodys_problem(
    keeper: SpareKeeper, executor: FakeExecutor, job
) -> None:
    executor.is_broken = True
    keeper.prepare(ahead(job()), 0)
    executor.is_broken = False
    assert not keeper.start(launch_of(job())).is_spare


def test_the_end_of_the_farm_is_the_end_of_the_spare(
    keeper: SpareKeeper, executor: FakeExecutor, job
) -> None:
    keeper.prepare(ahead(job()), 0)
    (spare,) = executor.spares
    assert not keeper.is_idle(0)
    keeper.end(1)
    assert spare.code == -9
    assert keeper.is_idle(1)
