"""GPUs that the driver does not know any more."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from multitrain.driver.driver import DriverError, Gpu, NoAnswerYet
from multitrain.slots.gpus import GpuPool
from multitrain.slots.watch import LOST_SECONDS
from tests.driver.moody_driver import MoodyDriver, lease_of
from tests.farm.simulation import make_gpus


def test_a_job_must_leave_it_after_half_a_minute(tmp_path: Path) -> None:
    driver = MoodyDriver(make_gpus(3))
    pool = GpuPool(driver, driver.gpus(), tmp_path)
    on_two, on_rest = lease_of(pool, 2), lease_of(pool, 0, 1)
    driver.devices = make_gpus(2)
    assert pool.fault(on_two, 100) is None
    assert pool.fault(on_two, 99 + LOST_SECONDS) is None
    fault = pool.fault(on_two, 101 + LOST_SECONDS)
    assert fault == "gpu 2: lost: the driver does not know it any more"
    assert pool.fault(on_rest, 101 + LOST_SECONDS) is None


def test_only_answers_count(tmp_path: Path) -> None:
    driver = MoodyDriver(make_gpus(2))
    pool = GpuPool(driver, driver.gpus(), tmp_path)
    lease = lease_of(pool, 1)
    driver.devices = make_gpus(1)
    assert pool.fault(lease, 100) is None
    driver.error = NoAnswerYet("in a moment")
    assert pool.fault(lease, 200) is None
    driver.error = DriverError("it fails")
    assert pool.fault(lease, 300) is None
    driver.error = None
    assert pool.fault(lease, 302) is not None
    driver.error = DriverError("it fails")
    assert pool.fault(lease, 304) is None


def test_it_is_not_offered_and_told_why(tmp_path: Path) -> None:
    driver = MoodyDriver(make_gpus(2))
    pool = GpuPool(driver, driver.gpus(), tmp_path)
    driver.devices = make_gpus(1)
    assert [slot.label for slot in pool.free(0)] == ["gpu 0"]
    assert pool.busy_reasons() == {"gpu 1": "lost: the driver does not know it any more"}
    driver.devices = make_gpus(2)
    assert len(pool.free(50)) == 2
    assert pool.busy_reasons() == {}


def test_one_that_comes_back_begins_anew(tmp_path: Path) -> None:
    driver = MoodyDriver(make_gpus(2))
    pool = GpuPool(driver, driver.gpus(), tmp_path)
    lease = lease_of(pool, 1)
    for now in (100, 200, 300):
        driver.devices = make_gpus(1)
        assert pool.fault(lease, now) is None
        driver.devices = make_gpus(2)
        assert pool.fault(lease, now + 20) is None


def test_it_cannot_be_hoped_for_while_the_driver_answers_without_it(tmp_path: Path) -> None:
    driver = MoodyDriver(make_gpus(3))
    pool = GpuPool(driver, driver.gpus(), tmp_path)
    usable = []
    for now, count, error in (
        (0.0, 3, None),
        (100.0, 2, None),
        (99.0 + LOST_SECONDS, 2, None),
        (100.0 + LOST_SECONDS, 2, None),
        (200.0, 2, NoAnswerYet("in a moment")),
        (300.0, 2, DriverError("it fails")),
        (400.0, 2, None),
        (500.0, 3, None),
    ):
        driver.devices, driver.error = make_gpus(count), error
        pool.free(now)
        usable.append(pool.usable())
    assert usable == [3, 3, 3, 2, 2, 3, 2, 3]
    assert pool.size == 3


@pytest.mark.parametrize("uuid", ["GPU-0001", ""])
def test_the_drivers_own_words_are_told(uuid: str, tmp_path: Path) -> None:
    driver = MoodyDriver(make_gpus(2))
    pool = GpuPool(driver, driver.gpus(), tmp_path)
    lease = lease_of(pool, 1)
    driver.devices[1] = Gpu(1, uuid, "", 0, 0, trouble="GPU is lost")
    pool.fault(lease, 100)
    assert pool.fault(lease, 200) == "gpu 1: lost: GPU is lost"


def test_the_others_keep_their_labels(tmp_path: Path) -> None:
    driver = MoodyDriver(make_gpus(3))
    pool = GpuPool(driver, driver.gpus(), tmp_path)
    driver.devices = [replace(gpu, index=gpu.index - 1) for gpu in make_gpus(3)[1:]]
    assert [slot.label for slot in pool.free(0)] == ["gpu 1", "gpu 2"]
    assert list(pool.busy_reasons()) == ["gpu 0"]


@pytest.mark.parametrize("left", [[], [Gpu(0, "", "", 0, 0, trouble="Unknown Error")]])
def test_a_driver_without_any_gpu_is_no_fault_of_a_lease(left: list[Gpu], tmp_path: Path) -> None:
    driver = MoodyDriver(make_gpus(1))
    pool = GpuPool(driver, driver.gpus(), tmp_path)
    lease = lease_of(pool, 0)
    driver.devices = left
    assert pool.fault(lease, 100) is None
    assert pool.fault(lease, 200) is None
    assert pool.free(200) == []
    assert list(pool.busy_reasons()) == ["the driver"]
