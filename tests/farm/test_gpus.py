from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

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


class FakeNvml(SimpleNamespace):
    """The functions of nvidia-ml-py that are called, for one GPU that counts what it is asked."""

    class NVMLError(Exception):
        pass

    class NVMLError_LibraryNotFound(NVMLError):  # noqa: N801
        pass

    class NVMLError_NotSupported(NVMLError):  # noqa: N801
        pass

    def __init__(self, **answers: object) -> None:
        self.open = 0
        self.answers = answers

    def nvmlInit(self) -> None:  # noqa: N802
        self._answer("init", None)
        self.open += 1

    def nvmlShutdown(self) -> None:  # noqa: N802
        self.open -= 1

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802
        return 1

    def nvmlDeviceGetHandleByIndex(self, index: int) -> str:  # noqa: N802
        return f"handle {index}"

    def nvmlDeviceGetMemoryInfo(self, handle: str) -> object:  # noqa: N802
        return self._answer("memory", SimpleNamespace(total=100, free=60))

    def nvmlDeviceGetComputeRunningProcesses(self, handle: str) -> object:  # noqa: N802
        return self._answer("processes", [SimpleNamespace(pid=7)])

    def nvmlDeviceGetUUID(self, handle: str) -> str:  # noqa: N802
        return "GPU-1"

    def nvmlDeviceGetName(self, handle: str) -> str:  # noqa: N802
        return "Test GPU"

    def _answer(self, what: str, usual: object) -> object:
        answer = self.answers.get(what, usual)
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_what_nvml_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    nvml = FakeNvml()
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    assert NvmlDriver().gpus() == [Gpu(0, "GPU-1", "Test GPU", 100, 60, (7,))]
    assert nvml.open == 0


def test_a_gpu_that_does_not_tell_its_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    nvml = FakeNvml(processes=FakeNvml.NVMLError_NotSupported())
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    assert NvmlDriver().gpus()[0].processes == ()


def test_a_driver_that_fails_is_told_from_none_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    none = FakeNvml(init=FakeNvml.NVMLError_LibraryNotFound())
    monkeypatch.setitem(sys.modules, "pynvml", none)
    assert NvmlDriver().gpus() == []
    for broken in (
        FakeNvml(init=FakeNvml.NVMLError("version mismatch")),
        FakeNvml(memory=FakeNvml.NVMLError("GPU is lost")),
    ):
        monkeypatch.setitem(sys.modules, "pynvml", broken)
        with pytest.raises(DriverError, match="NVIDIA driver"):
            NvmlDriver().gpus()
        assert broken.open == 0


def test_a_lease_file_of_another_user_is_enough_to_read(tmp_path: Path) -> None:
    driver = FakeDriver(make_gpus(1))
    (tmp_path / "GPU-0000").touch(mode=0o444)
    pool = GpuPool(driver, driver.gpus(), tmp_path)
    lease = pool.acquire(pool.free(0))
    assert lease is not None
    pool.release(lease, 0)
    assert (tmp_path / "GPU-0000").stat().st_mode & 0o777 == 0o444
