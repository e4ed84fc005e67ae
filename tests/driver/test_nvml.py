from __future__ import annotations

from types import SimpleNamespace

import pynvml
import pytest

from multitrain.driver.driver import DriverError, Gpu
from multitrain.driver.nvml import NvmlDriver

LOST = pynvml.NVMLError(pynvml.NVML_ERROR_GPU_IS_LOST)
UNTOLD = pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)


class Nvml:
    """Stands in for the library below nvidia-ml-py: two GPUs, and answers that a test changes."""

    def __init__(self) -> None:
        self.open = 0
        self.answers: dict[tuple[str, int], object] = {}  # by question and index; -1: no index

    def init(self) -> None:
        self.answer("init", -1, None)
        self.open += 1

    def shutdown(self) -> None:
        self.open -= 1
        self.answer("shutdown", -1, None)

    def answer(self, what: str, index: int, usual: object) -> object:
        answer = self.answers.get((what, index), usual)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def nvml(monkeypatch: pytest.MonkeyPatch) -> Nvml:
    nvml = Nvml()
    memory, process = SimpleNamespace(total=100, free=60), SimpleNamespace(pid=7, usedGpuMemory=30)
    rates = SimpleNamespace(gpu=93)
    functions = {
        "nvmlInit": nvml.init,
        "nvmlShutdown": nvml.shutdown,
        "nvmlDeviceGetCount": lambda: nvml.answer("count", -1, 2),
        "nvmlDeviceGetHandleByIndex": lambda index: nvml.answer("handle", index, index),
        "nvmlDeviceGetUUID": lambda index: nvml.answer("uuid", index, f"GPU-{index}"),
        "nvmlDeviceGetName": lambda index: nvml.answer("name", index, "Test GPU"),
        "nvmlDeviceGetMemoryInfo": lambda index: nvml.answer("memory", index, memory),
        "nvmlDeviceGetComputeRunningProcesses": lambda index: nvml.answer(
            "processes", index, [process]
        ),
        "nvmlDeviceGetUtilizationRates": lambda index: nvml.answer("load", index, rates),
        "nvmlDeviceGetTemperature": lambda index, _: nvml.answer("temperature", index, 61),
    }
    for name, function in functions.items():
        monkeypatch.setattr(pynvml, name, function)
    return nvml


def test_what_nvml_tells(nvml: Nvml) -> None:
    told = {"load": 93, "temperature": 61, "memory_by_process": ((7, 30),)}
    assert NvmlDriver().gpus() == [
        Gpu(number, f"GPU-{number}", "Test GPU", 100, 60, (7,), **told) for number in (0, 1)
    ]
    assert nvml.open == 0


def test_a_gpu_that_does_not_tell_all(nvml: Nvml) -> None:
    nvml.answers = {("processes", 0): UNTOLD, ("memory", 1): UNTOLD, ("load", 0): UNTOLD}
    nvml.answers["temperature", 1] = LOST
    first, second = NvmlDriver().gpus()
    assert (first.tells_processes, second.tells_processes) == (False, True)
    assert (first.load, first.temperature) == (None, 61)
    assert (second.load, second.temperature) == (93, None)
    assert (first.processes, first.memory_free, first.trouble) == ((), 60, "")
    assert (second.processes, second.memory_total, second.trouble) == ((7,), 0, "")


@pytest.mark.parametrize(
    ("question", "uuid"),
    [("handle", ""), ("uuid", ""), ("name", ""), ("memory", "GPU-0"), ("processes", "GPU-0")],
)
def test_a_lost_gpu_does_not_hide_the_others(question: str, uuid: str, nvml: Nvml) -> None:
    nvml.answers = {(question, 0): LOST}
    first, second = NvmlDriver().gpus()
    assert (first.index, first.uuid, first.trouble) == (0, uuid, "GPU is lost")
    assert (second.uuid, second.trouble) == ("GPU-1", "")
    assert nvml.open == 0


@pytest.mark.parametrize(
    "code", [pynvml.NVML_ERROR_LIBRARY_NOT_FOUND, pynvml.NVML_ERROR_DRIVER_NOT_LOADED]
)
def test_a_machine_without_a_driver_has_no_gpus(code: int, nvml: Nvml) -> None:
    nvml.answers = {("init", -1): pynvml.NVMLError(code)}
    assert NvmlDriver().gpus() == []


def test_a_driver_that_fails_is_told_from_none_at_all(nvml: Nvml) -> None:
    mismatch = pynvml.NVMLError(pynvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH)
    for question, words in (("init", "does not start"), ("count", "fails")):
        nvml.answers = {(question, -1): mismatch}
        with pytest.raises(DriverError, match=f"the NVIDIA driver {words}: .*mismatch"):
            NvmlDriver().gpus()
        assert nvml.open == 0


def test_a_library_that_cannot_be_closed_has_answered_all_the_same(nvml: Nvml) -> None:
    nvml.answers = {("shutdown", -1): LOST}
    assert len(NvmlDriver().gpus()) == 2
