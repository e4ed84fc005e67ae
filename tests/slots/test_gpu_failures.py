"""GPUs that a job failed on."""

from __future__ import annotations

from pathlib import Path

from multitrain.slots.gpu_failures import SET_ASIDE_SECONDS
from multitrain.slots.gpus import GpuPool
from tests.driver.moody_driver import MoodyDriver, lease_of
from tests.farm.simulation import make_gpus


def test_others_come_first_for_a_while(tmp_path: Path) -> None:
    driver = MoodyDriver(make_gpus(3))
    pool = GpuPool(driver, driver.gpus(), tmp_path)
    lease = lease_of(pool, 0)
    assert pool.set_aside(lease, "the GPU failed", 100)
    pool.release(lease, 100)
    assert [slot.label for slot in pool.free(101)] == ["gpu 1", "gpu 2"]
    assert pool.busy_reasons() == {"gpu 0": "set aside for 10 min: the GPU failed"}
    pool.free(99 + SET_ASIDE_SECONDS)
    assert pool.busy_reasons() == {"gpu 0": "set aside for 1 min: the GPU failed"}
    labels = [slot.label for slot in pool.free(101 + SET_ASIDE_SECONDS)]
    assert labels == ["gpu 1", "gpu 2", "gpu 0"]


def test_it_is_not_offered_while_others_are_only_busy(tmp_path: Path) -> None:
    driver = MoodyDriver(make_gpus(2))
    pool = GpuPool(driver, driver.gpus(), tmp_path)
    lease, _ours = lease_of(pool, 0), lease_of(pool, 1)
    assert pool.set_aside(lease, "the GPU failed", 100)
    pool.release(lease, 100)
    assert pool.free(101) == []


def test_where_all_are_set_aside_nothing_waits(tmp_path: Path) -> None:
    driver = MoodyDriver(make_gpus(2))
    pool = GpuPool(driver, driver.gpus(), tmp_path)
    first, second = lease_of(pool, 0), lease_of(pool, 1)
    assert pool.set_aside(second, "the GPU failed", 100)
    assert not pool.set_aside(first, "the GPU failed", 110)
    pool.release(first, 110)
    pool.release(second, 110)
    assert [slot.label for slot in pool.free(111)] == ["gpu 1", "gpu 0"]  # longest ago first
    assert pool.busy_reasons() == {}


def test_a_job_that_breaks_all_gpus_does_not_go_round_for_ever(tmp_path: Path) -> None:
    driver = MoodyDriver(make_gpus(2))
    pool = GpuPool(driver, driver.gpus(), tmp_path)
    went_on = []
    for now in (0, 5000, 10_000, 15_000):
        lease = pool.acquire(pool.free(now)[:1])
        assert lease is not None
        went_on.append((lease.label, pool.set_aside(lease, "the GPU failed", now)))
        pool.release(lease, now)
    assert went_on == [("gpu 0", True), ("gpu 1", False), ("gpu 0", False), ("gpu 1", False)]


def test_a_lost_one_is_no_other(tmp_path: Path) -> None:
    driver = MoodyDriver(make_gpus(2))
    pool = GpuPool(driver, driver.gpus(), tmp_path)
    lease = lease_of(pool, 0)
    driver.devices = make_gpus(1)
    pool.free(50)
    assert not pool.set_aside(lease, "the GPU failed", 100)
    pool.release(lease, 100)
    assert [slot.label for slot in pool.free(101)] == ["gpu 0"]


def test_of_several_the_lost_ones_are_to_blame(tmp_path: Path) -> None:
    driver = MoodyDriver(make_gpus(3))
    pool = GpuPool(driver, driver.gpus(), tmp_path)
    lease = lease_of(pool, 0, 1)
    driver.devices.pop(1)
    pool.free(50)
    assert pool.set_aside(lease, "gpu 1: lost", 100)
    pool.release(lease, 100)
    assert [slot.label for slot in pool.free(101)] == ["gpu 0", "gpu 2"]


def test_a_job_for_two_needs_two_others(tmp_path: Path) -> None:
    driver = MoodyDriver(make_gpus(3))
    pool = GpuPool(driver, driver.gpus(), tmp_path)
    assert not pool.set_aside(lease_of(pool, 0, 1), "the GPU failed", 100)


def test_a_job_that_fails_there_again_while_the_others_are_busy_is_to_blame(tmp_path: Path) -> None:
    driver = MoodyDriver(make_gpus(2))
    pool = GpuPool(driver, driver.gpus(), tmp_path)
    lease_of(pool, 0)  # by a job that trains all night
    free_of_blame = []
    for now in (0, 1000, 2000):
        lease = lease_of(pool, 1, now=now)
        free_of_blame.append(pool.set_aside(lease, "the GPU failed", now))
        pool.release(lease, now)
        assert pool.free(now + SET_ASIDE_SECONDS - 1) == []
    assert free_of_blame == [True, False, False]


def test_one_of_several_that_a_job_had_failed_on_is_enough(tmp_path: Path) -> None:
    driver = MoodyDriver(make_gpus(5))
    pool = GpuPool(driver, driver.gpus(), tmp_path)
    lease = lease_of(pool, 0)
    assert pool.set_aside(lease, "the GPU failed", 0)
    pool.release(lease, 0)
    later = 2 * SET_ASIDE_SECONDS
    assert not pool.set_aside(lease_of(pool, 0, 1, now=later), "the GPU failed", later)


def test_where_a_job_does_well_nothing_is_held_against_it(tmp_path: Path) -> None:
    driver = MoodyDriver(make_gpus(3))
    pool = GpuPool(driver, driver.gpus(), tmp_path)
    first, second = lease_of(pool, 0), lease_of(pool, 1)
    assert pool.set_aside(first, "the GPU failed", 0)
    assert pool.set_aside(second, "the GPU failed", 0)
    pool.proved(first)
    pool.release(first, 10)
    pool.release(second, 10)
    assert [slot.label for slot in pool.free(20)] == ["gpu 0", "gpu 2"]
    assert pool.busy_reasons() == {"gpu 1": "set aside for 10 min: the GPU failed"}
    assert pool.set_aside(lease_of(pool, 0, now=20), "the GPU failed", 20)


def test_doing_well_first_excuses_no_later_failure(tmp_path: Path) -> None:
    driver = MoodyDriver(make_gpus(2))
    pool = GpuPool(driver, driver.gpus(), tmp_path)
    lease = lease_of(pool, 0)
    pool.proved(lease)
    assert pool.set_aside(lease, "the GPU failed", 0)
    pool.release(lease, 0)
    assert [slot.label for slot in pool.free(1)] == ["gpu 1"]
