"""What NVIDIA's driver says of the GPUs, through NVML."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from multitrain.gpu_driver import DriverError, Gpu


class NvmlDriver:
    """A `GpuDriver` through nvidia-ml-py. A question can take seconds, or never be answered."""

    def gpus(self) -> list[Gpu]:
        import pynvml

        # The library is opened for each question: one that was opened before a GPU was lost, or
        # before the driver was started again, may tell what was.
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
    """One GPU. What goes wrong with it is its own trouble: the others can be worked on."""
    uuid = name = ""

    def unless_untold(question: Callable[[Any], Any]) -> Any:
        """None where this kind of GPU does not tell: some virtual ones, and those on the CPU."""
        try:
            return question(handle)
        except pynvml.NVMLError_NotSupported:
            return None

    try:
        handle = pynvml.nvmlDeviceGetHandleByIndex(index)
        uuid, name = pynvml.nvmlDeviceGetUUID(handle), pynvml.nvmlDeviceGetName(handle)
        memory = unless_untold(pynvml.nvmlDeviceGetMemoryInfo)
        processes = unless_untold(pynvml.nvmlDeviceGetComputeRunningProcesses) or []
    except pynvml.NVMLError as error:
        return Gpu(index, uuid, name, 0, 0, trouble=str(error))
    return Gpu(
        index=index,
        uuid=uuid,
        name=name,
        memory_total=memory.total if memory else 0,
        memory_free=memory.free if memory else 0,
        processes=tuple(process.pid for process in processes),
    )
