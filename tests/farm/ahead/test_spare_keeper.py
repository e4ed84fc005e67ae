"""When a spare trainer is kept, for which framework, and that it is only ever a gain."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from jobs.errors import MultitrainError
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace
from jobs.workspace.states import State
from multitrain.driver.driver import Gpu
from multitrain.executors import Launch
from multitrain.farm.active_job import ActiveJob
from multitrain.farm.ahead.preparation import Prospect
from multitrain.farm.ahead.spare_keeper import DEATHS, PAUSE_SECONDS, SpareKeeper
from multitrain.farm.launching import TrainerLaunch, TrainerSettings
from multitrain.farm.stalls_and_retries import Tries
from multitrain.protocol.call import Call
from multitrain.protocol.messages import READY, Message
from multitrain.slots.cpu import CpuPool
from multitrain.slots.gpus import GpuPool
from tests.farm.simulation import FakeDriver, make_job

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

    @property
    def told(self) -> str:
        """What the farm has sent."""
        assert self.farm
        self.farm.setblocking(False)
        with suppress(BlockingIOError):
            return self.farm.recv(65536).decode()
        return ""


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

    def make(name: str = "job", **columns: str) -> ActiveJob:
        return ActiveJob(
            make_job(name, **columns), workspace.job(name), Tries(1), State.QUEUED, 0, 0
        )

    return make


def launch_of(job: ActiveJob) -> TrainerLaunch:
    lease = CpuPool(1, [0]).acquire(CpuPool(1, [0]).free(0))
    assert lease
    return SETTINGS.launch(job.file, job.paths, lease)


def ahead(*queued: ActiveJob, running: Sequence[ActiveJob] = (), calm: bool = True) -> Prospect:
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


# Rehearsing, where all slots are alike


@pytest.fixture
def pool() -> CpuPool:
    return CpuPool(2, [0, 1, 2, 3])


@pytest.fixture
def rehearsing(executor: FakeExecutor, pool: CpuPool) -> Iterator[SpareKeeper]:
    keeper = SpareKeeper(executor, SETTINGS, pool.example())
    yield keeper
    keeper.end(0)


def launch_on(pool: CpuPool, job: ActiveJob, number: int) -> TrainerLaunch:
    lease = pool.acquire([pool.free(0)[number]])
    assert lease
    return SETTINGS.launch(job.file, job.paths, lease)


@pytest.fixture
def rehearsed(rehearsing: SpareKeeper, executor: FakeExecutor, job) -> FakeProcess:
    """A warm spare that was told to rehearse the job `next`."""
    rehearsing.prepare(ahead(job("next"), job("later")), 0)
    (spare,) = executor.spares
    spare.get_warm()
    rehearsing.prepare(ahead(job("next"), job("later")), 1)
    return spare


def test_a_spare_rehearses_the_next_job_for_whichever_slot_gets_free(
    rehearsing: SpareKeeper, rehearsed: FakeProcess, pool: CpuPool, job
) -> None:
    message = Message.from_bytes(rehearsed.told.encode())
    launch = launch_on(pool, job("next"), 1)

    assert not message.is_call
    assert Call.parse(message.arguments) == replace(launch.call, cores=(0, 1))
    assert launch.call.cores == (2, 3)
    assert message.environment["CUDA_VISIBLE_DEVICES"] == "-1"
    assert JobFile.load(job("next").paths) == job("next").file, "what the spare reads"
    rehearsing.prepare(ahead(job("next"), job("later")), 2)
    assert not rehearsed.told, "once is enough"
    assert rehearsing.start(launch) is rehearsed


@pytest.mark.parametrize("other", ["name", "cores", "settings"])
@pytest.mark.usefixtures("rehearsed")
def test_what_was_rehearsed_serves_no_other_call(
    rehearsing: SpareKeeper, pool: CpuPool, job, other: str
) -> None:
    launch = launch_on(pool, job("another" if other == "name" else "next"), 0)
    if other == "cores":
        launch = replace(launch, call=replace(launch.call, cores=(0,)))
    if other == "settings":
        launch = replace(launch, call=replace(launch.call, deterministic=True))

    assert not rehearsing.start(launch).is_spare


def test_where_another_job_is_the_next_a_new_spare_is_made(
    rehearsing: SpareKeeper, rehearsed: FakeProcess, executor: FakeExecutor, job
) -> None:
    rehearsing.prepare(ahead(job("later")), 2)
    (spare,) = executor.spares
    assert spare is not rehearsed


def test_one_that_has_not_rehearsed_yet_serves_any_job(
    rehearsing: SpareKeeper, executor: FakeExecutor, pool: CpuPool, job
) -> None:
    """Where jobs are short, it gets warm for the job after the next."""
    rehearsing.prepare(ahead(job("next"), job("later")), 0)
    (spare,) = executor.spares
    assert not rehearsing.start(launch_on(pool, job("next"), 0)).is_spare
    rehearsing.prepare(ahead(job("later")), 1)
    assert executor.spares == [spare]
    spare.get_warm()
    assert rehearsing.start(launch_on(pool, job("later"), 0)) is spare


def test_a_job_for_several_slots_is_not_rehearsed(
    rehearsing: SpareKeeper, executor: FakeExecutor, job
) -> None:
    """Its devices would have to be divided for it, and then for all that come after."""
    wide = job("wide", gpus="2", batch_size="4")
    for now in (0, 1):
        rehearsing.prepare(ahead(wide), now)
        executor.spares[0].get_warm()
    assert not executor.spares[0].told


def test_gpus_are_not_touched_before_they_are_leased(
    executor: FakeExecutor, job, tmp_path: Path
) -> None:
    driver = FakeDriver([Gpu(0, "GPU-a", "", 8, 8)])
    pool = GpuPool(driver, driver.gpus(), tmp_path)
    keeper = SpareKeeper(executor, SETTINGS, pool.example())
    for now in (0, 1):
        keeper.prepare(ahead(job()), now)
        executor.spares[0].get_warm()
    assert not executor.spares[0].told
    keeper.end(0)


def test_deaths_of_one_engines_spares_do_not_count_for_another(
    keeper: SpareKeeper, executor: FakeExecutor, job
) -> None:
    now = 0.0
    for _ in range(DEATHS):
        keeper.prepare(ahead(job("a", engine="jax")), now)
        executor.spares[0].die()
        keeper.prepare(ahead(job("a", engine="jax")), now)
        now += PAUSE_SECONDS
    keeper.prepare(ahead(job("a", engine="jax")), now)
    assert not executor.spares
    keeper.prepare(ahead(job("b")), now)
    assert [spare.engine for spare in executor.spares] == ["tensorflow"]


def test_a_job_that_waits_after_a_failure_is_not_prepared_for(
    keeper: SpareKeeper, executor: FakeExecutor, job
) -> None:
    failed = job("failed", engine="jax")
    for _ in range(2):
        failed.tries.failed(None, 0)
    keeper.prepare(ahead(failed, job("next")), 0)
    assert [spare.engine for spare in executor.spares] == ["tensorflow"]
