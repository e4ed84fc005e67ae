from __future__ import annotations

from pathlib import Path

import pytest
from simulation import FakeDriver, make_gpus

from jobs.errors import UsageError
from multitrain.gpus import DriverError, Gpu, GpuPool, NvmlDriver, choose


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


def test_a_driver_that_fails_gives_no_slots_and_says_why(tmp_path: Path) -> None:
    class Broken(FakeDriver):
        def gpus(self) -> list[Gpu]:
            raise DriverError("the NVIDIA driver fails: GPU is lost")

    pool = GpuPool(Broken([]), make_gpus(1), tmp_path)
    assert pool.free(0) == []
    assert "lost" in str(pool.busy_reasons())
    assert pool.free(0.5) == []
    assert "lost" in str(pool.busy_reasons())


def test_nvml_answers_without_a_driver_too() -> None:
    assert all(gpu.uuid.startswith("GPU-") for gpu in NvmlDriver().gpus())


def test_a_lease_file_of_another_user_is_enough_to_read(tmp_path: Path) -> None:
    driver = FakeDriver(make_gpus(1))
    (tmp_path / "GPU-0000").touch(mode=0o444)
    pool = GpuPool(driver, driver.gpus(), tmp_path)
    lease = pool.acquire(pool.free(0))
    assert lease is not None
    pool.release(lease, 0)
    assert (tmp_path / "GPU-0000").stat().st_mode & 0o777 == 0o444
