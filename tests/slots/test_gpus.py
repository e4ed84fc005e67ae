from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from jobs.errors import UsageError
from multitrain.driver.driver import Gpu
from multitrain.protocol.environment import GPUS_LEASED
from multitrain.slots.cpu import CpuPool
from multitrain.slots.gpus import GpuPool, choose
from tests.driver.moody_driver import lease_of
from tests.farm.simulation import FakeDriver, make_gpus


def labels(gpus: list[Gpu]) -> list[int]:
    return [gpu.index for gpu in gpus]


@pytest.mark.parametrize(
    ("wanted", "visible", "chosen"),
    [
        ("all", None, [0, 1, 2, 3]),
        ("2,0", None, [2, 0]),
        ("1, 1", None, [1]),
        ("GPU-0003", None, [3]),
        ("all", "1,GPU-0002", [1, 2]),
        ("all", "", []),
        ("all", "-1", []),
        ("2", "1,2", [2]),
    ],
)
def test_choice_of_gpus(wanted: str, visible: str | None, chosen: list[int]) -> None:
    assert labels(choose(make_gpus(4), wanted, visible)) == chosen


@pytest.mark.parametrize("wanted", ["7", "0,7", "", "x"])
def test_a_gpu_that_is_not_there_is_refused(wanted: str) -> None:
    with pytest.raises(UsageError, match="there is no GPU"):
        choose(make_gpus(2), wanted, None)


def test_two_farms_never_lease_the_same_gpu(tmp_path: Path) -> None:
    driver = FakeDriver(make_gpus(2))
    ours = GpuPool(driver, driver.gpus(), tmp_path)
    theirs = GpuPool(driver, driver.gpus(), tmp_path)
    lease = ours.acquire(ours.free(0)[:1])
    assert lease is not None
    assert [slot.label for slot in theirs.free(0)] == ["gpu 1"]
    assert "another farm" in theirs.busy_reasons()["gpu 0"]
    assert theirs.acquire(lease.slots) is None
    ours.release(lease, 0)
    assert len(theirs.free(10)) == 2


def test_memory_that_does_not_come_back_is_waited_for_but_not_for_ever(tmp_path: Path) -> None:
    driver = FakeDriver(make_gpus(1))
    pool = GpuPool(driver, driver.gpus(), tmp_path)
    lease = pool.acquire(pool.free(0))
    assert lease is not None
    driver.devices = [Gpu(0, "GPU-0000", "Test GPU", 24 * 2**30, 15 * 2**30)]
    pool.release(lease, now=100)
    assert pool.free(now=150) == []
    assert len(pool.free(now=170)) == 1


def test_what_a_training_on_gpus_sees(tmp_path: Path) -> None:
    driver = FakeDriver(make_gpus(2))
    pool = GpuPool(driver, driver.gpus(), tmp_path)
    assert lease_of(pool, 0, 1).environment == {
        "CUDA_VISIBLE_DEVICES": "GPU-0000,GPU-0001",
        GPUS_LEASED: "gpu 0, gpu 1",
    }


def test_what_an_encoder_beside_trainings_sees(tmp_path: Path) -> None:
    driver = FakeDriver(make_gpus(3))
    pool = GpuPool(driver, driver.gpus()[1:], tmp_path)
    lease_of(pool, 1)
    assert pool.environment == {"CUDA_VISIBLE_DEVICES": "GPU-0001,GPU-0002"}
    assert CpuPool(2, [0, 1]).environment == {}, "NVENC is there all the same"


def test_who_else_is_on_a_gpu_is_told(tmp_path: Path) -> None:
    driver = FakeDriver(make_gpus(2))
    pool = GpuPool(driver, driver.gpus(), tmp_path, is_ours=lambda _: False)
    driver.devices[0] = replace(driver.devices[0], processes=(7, 8))
    driver.devices[1] = replace(driver.devices[1], memory_free=2**30)
    assert pool.free(0) == []
    assert pool.busy_reasons() == {
        "gpu 0": "in use by process 7, 8",
        "gpu 1": "its memory is taken: 1.0 GiB are free",
    }


def test_our_own_encoders_are_not_in_the_way(tmp_path: Path) -> None:
    driver = FakeDriver(make_gpus(2))
    pool = GpuPool(driver, driver.gpus(), tmp_path, is_ours={7, 8}.__contains__)
    driver.devices = [
        replace(gpu, processes=pids)
        for gpu, pids in zip(driver.devices, [(7, 8), (7, 9)], strict=True)
    ]
    assert [slot.label for slot in pool.free(0)] == ["gpu 0"]
    assert pool.busy_reasons() == {"gpu 1": "in use by process 9"}


def test_a_gpu_that_tells_nothing_of_itself_can_be_had(tmp_path: Path) -> None:
    driver = FakeDriver([Gpu(0, "GPU-0000", "Test GPU", 0, 0)])
    pool = GpuPool(driver, driver.gpus(), tmp_path)
    pool.release(lease_of(pool, 0), 10)
    assert len(pool.free(11)) == 1


def test_leases_that_cannot_be_had_hold_up_nobody_else(tmp_path: Path) -> None:
    driver = FakeDriver(make_gpus(2))
    pool = GpuPool(driver, driver.gpus(), tmp_path)
    slots = pool.free(0)
    (tmp_path / "GPU-0000").unlink()
    (tmp_path / "GPU-0000").symlink_to(tmp_path / "nowhere" / "at all")
    assert pool.acquire(slots) is None
    assert [slot.label for slot in pool.free(1)] == ["gpu 1"]
    assert "its lease cannot be had" in pool.busy_reasons()["gpu 0"]
    assert pool.acquire(slots[1:]) is not None  # what was taken before the failure is given back


def test_a_lease_file_of_another_user_is_enough_to_read(tmp_path: Path) -> None:
    driver = FakeDriver(make_gpus(1))
    (tmp_path / "GPU-0000").touch(mode=0o444)
    pool = GpuPool(driver, driver.gpus(), tmp_path)
    lease = pool.acquire(pool.free(0))
    assert lease is not None
    pool.release(lease, 0)
    assert (tmp_path / "GPU-0000").stat().st_mode & 0o777 == 0o444
