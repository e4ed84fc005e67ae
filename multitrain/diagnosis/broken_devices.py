"""Recognizes a GPU that does not work by the words of CUDA and TensorFlow.

By words, because classes do not help: TensorFlow raises an InternalError for each of them.
Sources: the names and texts of CUresult and cudaError_t, as in the CUDA driver and runtime API
references; how XLA makes them into a status (`stream_executor/cuda/cuda_status.cc`: `CUDA error:
<what>: <name>: <text>`) and TensorFlow too (`common_runtime/gpu/gpu_device.cc`: `cudaSetDevice() on
GPU:0 failed. Status: <text>`; `gpu_util.cc`: `GPU sync failed`; `gpu_event_mgr.cc`: `Unexpected
Event status`, upon which it aborts the process, so that only its log says so).

An illegal access or a failed launch can be a program's fault as well as a card's. Both are meant:
on another GPU it will be seen which.
"""

from __future__ import annotations

import re

from jobs.errors import MultitrainError
from multitrain.diagnosis.memory import causes, is_lack_of_memory

_DRIVER_NAMES = (
    "NO_DEVICE|INVALID_DEVICE|DEVICE_UNAVAILABLE|DEVICE_NOT_LICENSED|NOT_INITIALIZED"
    "|ECC_UNCORRECTABLE|NVLINK_UNCORRECTABLE|CONTAINED|HARDWARE_STACK_ERROR"
    "|ILLEGAL_ADDRESS|ILLEGAL_INSTRUCTION|MISALIGNED_ADDRESS|INVALID_ADDRESS_SPACE|INVALID_PC"
    "|LAUNCH_FAILED|LAUNCH_TIMEOUT|EXTERNAL_DEVICE|SYSTEM_NOT_READY|SYSTEM_DRIVER_MISMATCH|UNKNOWN"
)
_RUNTIME_NAMES = (
    "NoDevice|InvalidDevice|DevicesUnavailable|DeviceNotLicensed|InitializationError"
    "|ECCUncorrectable|NvlinkUncorrectable|Contained|HardwareStackError"
    "|IllegalAddress|IllegalInstruction|MisalignedAddress|InvalidAddressSpace|InvalidPc"
    "|LaunchFailure|LaunchTimeout|ExternalDevice|SystemNotReady|SystemDriverMismatch|Unknown"
)
_TEXTS = (
    "CUDA-capable device(s are|\\(s\\) is/are) busy or unavailable"
    "|no CUDA-capable device is detected|uncorrectable (ECC|NVLink) error|hardware stack error"
    "|unspecified launch failure|illegal memory access was encountered"
    "|GPU is lost|fallen off the bus"
    "|GPU:\\d+ failed\\. Status: |GPU sync failed|Unexpected Event status: "
    "|CU(BLAS|DNN)_STATUS_EXECUTION_FAILED"
)
_SIGNS = re.compile(rf"CUDA_ERROR_({_DRIVER_NAMES})\b|cudaError({_RUNTIME_NAMES})\b|{_TEXTS}")


def is_broken_device(error: BaseException) -> bool:
    """Whether `error`, or what caused it, says that the GPU does not work (not that it is full)."""
    return not is_lack_of_memory(error) and any(
        not isinstance(each, MultitrainError) and names_broken_device(str(each))
        for each in causes(error)
    )


def names_broken_device(text: str) -> bool:
    """Whether `text`, such as the last lines of a crashed process's log, names a broken GPU."""
    return _SIGNS.search(text) is not None
