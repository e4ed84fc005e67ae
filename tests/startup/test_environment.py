"""What of a user's environment our processes see."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from multitrain.startup import environment
from multitrain.startup.environment import DROPPED, KEPT, for_children

SEEN = {
    "PATH": "/usr/bin",
    "HOME": "/home/somebody",
    "TMPDIR": "/scratch",
    "LANG": "de_DE.UTF-8",
    "LD_LIBRARY_PATH": "/opt/cuda/lib64",
    "CUDA_HOME": "/opt/cuda",
    "CUDA_VISIBLE_DEVICES": "1",
    "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
    "NCCL_P2P_DISABLE": "1",
    "HTTPS_PROXY": "http://proxy:3128",
    "AWS_PROFILE": "night",
    "IMAGEIO_FFMPEG_EXE": "/opt/ffmpeg",
    "MULTITRAIN_LEASES": "/leases",
    "HDF5_USE_FILE_LOCKING": "FALSE",
    "TF_CPP_MIN_LOG_LEVEL": "0",
    "TF_GPU_ALLOCATOR": "cuda_malloc_async",
    "XLA_PYTHON_CLIENT_MEM_FRACTION": ".5",
    "PYTHONUSERBASE": "/home/somebody/python",
}
NOT_SEEN = {
    "KERAS_BACKEND": "jax",
    "KERAS_NNX_ENABLED": "1",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "TF_DETERMINISTIC_OPS": "1",
    "TF_XLA_FLAGS": "--tf_xla_auto_jit=2",
    "JAX_ENABLE_X64": "1",
    "JAX_PLATFORMS": "cpu",
    "NVIDIA_TF32_OVERRIDE": "1",
    "ONEDNN_DEFAULT_FPMATH_MODE": "BF16",
    "OMP_NUM_THREADS": "1",
    "MPLBACKEND": "TkAgg",
    "PYTHONHOME": "/nowhere",
    "PYTHONSTARTUP": "/home/somebody/.pythonrc",
    "PYTHONOPTIMIZE": "2",
    "PYTHONINSPECT": "1",
    "PYTHONWARNINGS": "error",
    "FFREPORT": "level=99",
}


def test_what_changes_results_is_not_seen_and_all_else_is() -> None:
    assert for_children(SEEN | NOT_SEEN) == SEEN | {"KERAS_HOME": os.devnull}


@pytest.mark.parametrize(
    ("flags", "seen"),
    [
        ("--xla_gpu_cuda_data_dir=/opt/cuda", "--xla_gpu_cuda_data_dir=/opt/cuda"),
        (
            "--xla_cpu_enable_fast_math=true  --xla_gpu_cuda_data_dir=/cuda --no_such_flag",
            "--xla_gpu_cuda_data_dir=/cuda",
        ),
        ("--xla_cpu_enable_fast_math=true", None),
        ("", None),
    ],
)
def test_of_the_flags_of_xla_only_where_cuda_is(flags: str, seen: str | None) -> None:
    assert for_children({"XLA_FLAGS": flags}).get("XLA_FLAGS") == seen


def test_the_settings_of_keras_in_the_home_folder_are_not_those_of_ours() -> None:
    assert for_children({"KERAS_HOME": "/home/somebody/.keras"})["KERAS_HOME"] == os.devnull


def test_pythonpath_is_handed_over_to_be_searched_last() -> None:
    once = for_children({"PYTHONPATH": "/a:/b"})
    assert "PYTHONPATH" not in once
    assert once["MULTITRAIN_SEARCHED_LAST"] == "/a:/b"
    assert for_children(once) == once


def test_a_process_cleans_up_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    before = {"PATH": "/usr/bin", "JAX_ENABLE_X64": "1", "XLA_FLAGS": "--x"}
    monkeypatch.setattr(os, "environ", dict(before))
    environment.clean_up()
    assert os.environ == {"PATH": "/usr/bin", "KERAS_HOME": os.devnull}


def test_the_page_tells_all_of_it() -> None:
    page = Path(__file__).parents[2].joinpath("docs", "environment.md").read_text()
    for name, meaning in (DROPPED | KEPT).items():
        row = rf"\| `{name}…?` \| {re.escape(meaning)} \|"
        assert re.search(row, page), f"{name}: {meaning}"


def test_what_is_kept_is_an_exception() -> None:
    assert all(name.startswith(tuple(DROPPED)) for name in KEPT)
