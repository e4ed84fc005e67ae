"""What NVIDIA's driver says of the GPUs, through NVML."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from multitrain.driver.driver import DriverError, Gpu


class NvmlDriver:
    """A `GpuDriver` through nvidia-ml-py. A question can take seconds, or never be answered."""

    def gpus(self) -> list[Gpu]:
        import pynvml

        # The library is opened for each question: if opened before a GPU was lost, or before the
        # driver was started again, it may give answers of that time.
        try:
            pynvml.nvmlInit()
        except (pynvml.NVMLError_LibraryNotFound, pynvml.NVMLError_DriverNotLoaded):
            return []
        except pynvml.NVMLError as error:
            raise DriverError(f"the NVIDIA driver does not start: {error}") from error
        try:
            return [_read(pynvml, index) for index in range(pynvml.nvmlDeviceGetCount())]
        except pynvml.NVMLError as error:
            raise DriverError(f"the NVIDIA driver fails: {error}") from error
        finally:
            with suppress(pynvml.NVMLError):
                pynvml.nvmlShutdown()


def _read(pynvml: Any, index: int) -> Gpu:
    """One GPU. An error becomes its own `trouble`, since the others can still be used."""
    uuid = name = ""

    def if_supported(question: Callable[[Any], Any]) -> Any:
        """The answer; None where this kind of GPU has none: some virtual and integrated ones."""
        try:
            return question(handle)
        except pynvml.NVMLError_NotSupported:
            return None

    try:
        handle = pynvml.nvmlDeviceGetHandleByIndex(index)
        uuid, name = pynvml.nvmlDeviceGetUUID(handle), pynvml.nvmlDeviceGetName(handle)
        memory = if_supported(pynvml.nvmlDeviceGetMemoryInfo)
        processes = if_supported(pynvml.nvmlDeviceGetComputeRunningProcesses)
    except pynvml.NVMLError as error:
        return Gpu(index, uuid, name, 0, 0, trouble=str(error))
    return Gpu(
        index=index,
        uuid=uuid,
        name=name,
        memory_total=memory.total if memory else 0,
        memory_free=memory.free if memory else 0,
        processes=tuple(process.pid for process in processes or ()),
        tells_processes=processes is not None,
        memory_by_process=tuple(
            (process.pid, process.usedGpuMemory)
            for process in processes or ()
            if process.usedGpuMemory  # None where the system does not let it be known
        ),
        load=_extra(pynvml, lambda: pynvml.nvmlDeviceGetUtilizationRates(handle).gpu),
        temperature=_extra(
            pynvml, lambda: pynvml.nvmlDeviceGetTemperature(handle, pynvml.NVML_TEMPERATURE_GPU)
        ),
    )


def _extra(pynvml: Any, question: Callable[[], int]) -> int | None:
    """An answer for people alone: no GPU is out of use because it does not give it."""
    with suppress(pynvml.NVMLError):
        return question()
    return None
