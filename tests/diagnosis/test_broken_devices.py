from __future__ import annotations

import pytest
import tensorflow as tf

from jobs.errors import Diverged
from multitrain.diagnosis.broken_devices import is_broken_device, names_broken_device

WORDS = [
    "CUDA error: Failed to launch kernel: CUDA_ERROR_LAUNCH_FAILED: unspecified launch failure",
    "CUDA error: Failed to synchronize: CUDA_ERROR_ECC_UNCORRECTABLE: uncorrectable ECC error",
    "CUDA error: Failed call to cuInit: CUDA_ERROR_NO_DEVICE: no CUDA-capable device is detected",
    "CUDA error: could not query: CUDA_ERROR_ILLEGAL_ADDRESS: an illegal memory access was met",
    "CUDA error: Failed call to cuDeviceGet: CUDA_ERROR_UNKNOWN: unknown error",
    "CUDA Runtime error: Failed call: cudaErrorDevicesUnavailable: devices are busy or unavailable",
    "cudaSetDevice() on GPU:0 failed. Status: CUDA-capable device(s) is/are busy or unavailable",
    "cudaSetDevice() on GPU:1 failed. Status: uncorrectable ECC error encountered",
    "CUDA runtime implicit initialization on GPU:0 failed. Status: all CUDA-capable devices are "
    "busy or unavailable",
    "GPU sync failed",
    "CUBLAS_STATUS_EXECUTION_FAILED",
]


@pytest.mark.parametrize("words", WORDS)
def test_what_cuda_says_of_a_broken_gpu(words: str) -> None:
    assert is_broken_device(tf.errors.InternalError(None, None, words))
    assert is_broken_device(RuntimeError(words))


@pytest.mark.parametrize(
    "error",
    [
        tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor with shape[9]"),
        tf.errors.InternalError(
            None, None, "cudaSetDevice() on GPU:0 failed. Status: out of memory"
        ),
        RuntimeError("CUDA_ERROR_OUT_OF_MEMORY: out of memory"),
        tf.errors.InvalidArgumentError(None, None, "Incompatible shapes: [2,3] vs. [4]"),
        RuntimeError("CUDA error: Failed to load: CUDA_ERROR_INVALID_VALUE: invalid argument"),
        ValueError("unknown error"),
        Diverged("NaN after CUDA_ERROR_LAUNCH_FAILED"),
    ],
)
def test_other_failures_are_no_fault_of_the_gpu(error: Exception) -> None:
    assert not is_broken_device(error)


def test_the_cause_counts_too() -> None:
    error = RuntimeError("the writer failed")
    error.__cause__ = tf.errors.InternalError(None, None, "GPU sync failed")
    assert is_broken_device(error)


def test_the_log_of_a_process_that_crashed_tells_it() -> None:
    log = "E cuda_event.cc:48] failed to query event: {}\nF gpu_event_mgr.cc:274] Unexpected Event "
    assert names_broken_device(log.format("CUDA_ERROR_LAUNCH_FAILED: unspecified launch failure"))
    assert names_broken_device(log + "status: 1")
    assert not names_broken_device("Fatal Python error: Segmentation fault")
