"""What our processes see of a user's environment: all but what would change their results.

Frameworks take dozens of settings from variables and from a file in the home folder. A film is to
be what its sheet says, on any account of the machine; so only sheets can set such things.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from multitrain.startup.safe_path import SEARCHED_LAST

# Variables whose names begin so are dropped, and what they would change.
DROPPED = {
    "KERAS_": "precision, order of axes, the backend: the sheet says them",
    "TF_": "kernels, precision, threads, devices of TensorFlow",
    "XLA_": "kernels and their precision; flags that a version does not know end the process",
    "JAX_": "precision, random numbers, devices of JAX",
    "LIBTPU_": "the same on TPUs, which are not used",
    "NVIDIA_TF32_OVERRIDE": "precision on GPUs",
    "CUBLAS_": "the order of sums on GPUs",
    "CUDNN_": "kernels on GPUs",
    "ONEDNN_": "kernels and their precision on CPUs",
    "DNNL_": "the same, by its old name",
    "MKL_": "kernels and threads on CPUs, and with these the order of sums",
    "OMP_": "threads, and with these the order of sums: slots have their cores",
    "KMP_": "the same",
    "OPENBLAS_": "the same",
    "NPROC": "the same, of XLA",
    "NPY_": "kernels of NumPy",
    "OPENCV_": "kernels of OpenCV",
    "MPL": "Matplotlib, which is not used: whatever imports it",
    "PYTHON": "which code is run, and how: hashes, checks, warnings as errors",
    "FFREPORT": "ffmpeg would write files into the current folder",
    "AV_LOG_FORCE_COLOR": "colours among the words of ffmpeg that are told",
}

# But these are kept.
KEPT = {
    "TF_CPP_": "how much TensorFlow writes to the log",
    "TF_GPU_ALLOCATOR": "how memory of GPUs is handed out, against fragmentation",
    "XLA_PYTHON_CLIENT_": "the same for JAX",
    "OPENCV_IO_MAX_IMAGE_": "how large pictures may be",
    "PYTHONUSERBASE": "where packages of the user are installed",
    "PYTHONNOUSERSITE": "whether they count",
    "PYTHONUTF8": "how names of files are written, where the locale does not say it",
    "PYTHONCOERCECLOCALE": "the same",
    "PYTHONPYCACHEPREFIX": "where compiled modules are kept",
    "PYTHONDONTWRITEBYTECODE": "whether they are kept",
}

# Of XLA_FLAGS, only the flag that says where CUDA is.
XLA_FLAGS, CUDA_FOLDER = "XLA_FLAGS", "--xla_gpu_cuda_data_dir="

# There can be no file in it, so Keras neither reads nor writes settings of the user's.
NO_SETTINGS = {"KERAS_HOME": os.devnull}


def for_children(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment for a process of ours, made from this one."""
    seen = {name: value for name, value in environment.items() if _is_seen(name)}
    flags = environment.get(XLA_FLAGS, "").split()
    if folders := [flag for flag in flags if flag.startswith(CUDA_FOLDER)]:
        seen[XLA_FLAGS] = " ".join(folders)
    if folders_of_modules := environment.get("PYTHONPATH"):
        seen[SEARCHED_LAST] = folders_of_modules
    return seen | NO_SETTINGS


def clean_up() -> None:
    """Reduce this process's own environment in the same way; before it imports a framework."""
    seen = for_children(os.environ)
    for name in os.environ.keys() - seen.keys():
        del os.environ[name]
    os.environ.update(seen)


def _is_seen(name: str) -> bool:
    return _begins(name, KEPT) or not _begins(name, DROPPED)


def _begins(name: str, beginnings: Iterable[str]) -> bool:
    return name.startswith(tuple(beginnings))
