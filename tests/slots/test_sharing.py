"""Several jobs on one GPU."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from multitrain.slots.gpus import SETTLE_SECONDS, GpuPool
from multitrain.slots.slots import Lease
from tests.farm.simulation import GIB, FakeDriver, make_gpus

OURS = range(1000, 2000)  # pids


@pytest.fixture
def driver() -> FakeDriver:
    return FakeDriver(make_gpus(2))


@pytest.fixture
def make_pool(driver: FakeDriver, tmp_path: Path) -> Callable[..., GpuPool]:
    """`make_pool(per_gpu)`: pools of one machine, each of another farm."""

    def make(per_gpu: int, gpus: int = 2) -> GpuPool:
        chosen = driver.gpus()[:gpus]
        return GpuPool(driver, chosen, tmp_path, OURS.__contains__, per_gpu)

    return make


def labels(pool: GpuPool, now: float) -> list[str]:
    return [slot.label for slot in pool.free(now)]


def take(pool: GpuPool, now: float, count: int = 1) -> Lease:
    lease = pool.acquire(pool.free(now)[:count])
    assert lease
    return lease


def test_jobs_come_to_a_gpu_one_after_the_other(make_pool: Callable[..., GpuPool]) -> None:
    pool = make_pool(2)
    assert (pool.size, pool.widest) == (4, 2)
    assert labels(pool, 0) == ["gpu 0/1", "gpu 1/1"]
    first = take(pool, 0)
    assert labels(pool, 10) == ["gpu 1/1"]
    assert "is taking its memory" in pool.busy_reasons()["gpu 0/2"]
    # The emptier GPU comes first.
    assert labels(pool, SETTLE_SECONDS) == ["gpu 1/1", "gpu 0/2"]
    second = pool.acquire([slot for slot in pool.free(40) if slot.label == "gpu 0/2"])
    assert second
    assert labels(pool, 100) == ["gpu 1/1"]
    assert first.environment["CUDA_VISIBLE_DEVICES"] == second.environment["CUDA_VISIBLE_DEVICES"]
    pool.release(first, 100)
    assert labels(pool, 200) == ["gpu 1/1", "gpu 0/1"]


def test_a_job_for_two_gpus_gets_two_gpus(make_pool: Callable[..., GpuPool]) -> None:
    lease = take(make_pool(3), 0, count=2)
    assert lease.environment["CUDA_VISIBLE_DEVICES"] == "GPU-0000,GPU-0001"


def test_memory_says_whether_one_more_fits(
    make_pool: Callable[..., GpuPool], driver: FakeDriver
) -> None:
    pool = make_pool(2, gpus=1)
    take(pool, 0)
    driver.devices[0] = replace(driver.devices[0], memory_free=5 * GIB, processes=(OURS[0],))
    assert labels(pool, 100) == []  # a quarter of 24 GiB has to be free
    assert pool.busy_reasons()["gpu 0/2"] == "its memory is taken: 5.0 GiB are free"
    driver.devices[0] = replace(driver.devices[0], memory_free=7 * GIB)
    assert labels(pool, 200) == ["gpu 0/2"]


def test_a_stranger_keeps_us_away_and_a_driver_that_tells_nothing_too(
    make_pool: Callable[..., GpuPool], driver: FakeDriver
) -> None:
    pool = make_pool(2, gpus=1)
    take(pool, 0)
    driver.devices[0] = replace(driver.devices[0], processes=(OURS[0], 7))
    assert labels(pool, 100) == []
    assert "in use by process 7" in pool.busy_reasons()["gpu 0/2"]
    driver.devices[0] = replace(driver.devices[0], processes=(), tells_processes=False)
    assert labels(pool, 200) == []
    assert "one job at a time" in pool.busy_reasons()["gpu 0/2"]


def test_a_farm_that_wants_the_gpu_alone_waits_for_all(make_pool: Callable[..., GpuPool]) -> None:
    sharing, alone = make_pool(2, gpus=1), make_pool(1, gpus=1)
    leases = [take(sharing, now) for now in (0, 100)]
    for lease in leases:
        assert labels(alone, 200) == []
        sharing.release(lease, 200)
    assert labels(alone, 300) == ["gpu 0"]
    take(alone, 300)
    assert labels(sharing, 400) == []


def test_a_job_alone_on_its_gpu_is_to_blame_itself(make_pool: Callable[..., GpuPool]) -> None:
    pool = make_pool(2, gpus=1)
    assert not pool.ran_out_of_memory(take(pool, 0))
