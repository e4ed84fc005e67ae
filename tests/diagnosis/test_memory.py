from __future__ import annotations

import pytest
import tensorflow as tf

from jobs.errors import Diverged, MultitrainError, OutOfMemory
from multitrain.diagnosis.memory import is_lack_of_memory, memory_watched


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor with shape[9]"),
        RuntimeError("RESOURCE_EXHAUSTED: Out of memory while trying to allocate 512 bytes"),
        RuntimeError("CUDA_ERROR_OUT_OF_MEMORY: out of memory"),
        RuntimeError("Failed to create cuDNN handle: CUDNN_STATUS_NOT_INITIALIZED"),
        RuntimeError("CUBLAS_STATUS_ALLOC_FAILED"),
    ],
)
def test_a_lack_of_memory_becomes_one_error_with_advice(error: Exception) -> None:
    with pytest.raises(OutOfMemory, match=r"batch_size.*gf_dim.*gpus: 2"), memory_watched():
        raise error


@pytest.mark.parametrize("error", [ValueError("shapes differ"), Diverged("NaN out of memory")])
def test_other_errors_pass(error: Exception) -> None:
    with pytest.raises(type(error)), memory_watched():
        raise error


def test_the_cause_counts_too() -> None:
    error = RuntimeError("the worker failed")
    error.__cause__ = MemoryError()

    assert is_lack_of_memory(error)
    assert not is_lack_of_memory(MultitrainError("room"))
