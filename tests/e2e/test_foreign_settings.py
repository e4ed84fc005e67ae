"""A user's settings for Python, Keras, TensorFlow and JAX: every frame is as it is without them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.errors import ExitCode
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import JobPaths, Workspace
from multitrain.executors import Process
from multitrain.executors.local import LocalExecutor
from multitrain.farm.launching import TrainerSettings, open_lifeline
from multitrain.machine.cores import available_cores
from multitrain.slots.cpu import CpuPool
from multitrain.slots.slots import Lease
from tests.e2e.trainers import SIZE, save_job, spool

FRAMES = 48
SECONDS = 120.0

KERAS_JSON = {
    "backend": "torch",
    "floatx": "float64",
    "epsilon": 0.5,
    "image_data_format": "channels_first",
}
VARIABLES = {
    "KERAS_BACKEND": "torch",
    "TF_USE_LEGACY_KERAS": "1",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "TF_XLA_FLAGS": "--tf_xla_auto_jit=2 --tf_xla_cpu_global_jit",
    "XLA_FLAGS": "--xla_cpu_enable_fast_math=true --no_such_flag",
    "JAX_ENABLE_X64": "1",
    "JAX_DEFAULT_MATMUL_PRECISION": "bfloat16",
    "JAX_DISABLE_JIT": "1",
    "JAX_DEFAULT_PRNG_IMPL": "rbg",
    "ONEDNN_DEFAULT_FPMATH_MODE": "BF16",
    "PYTHONWARNINGS": "error",
    "PYTHONOPTIMIZE": "2",
    "MPLBACKEND": "none",
}


def started(paths: JobPaths, engine: str, lease: Lease) -> Process:
    save_job(paths, FRAMES, engine=engine)
    job = JobFile.read(paths)
    assert job is not None
    settings = TrainerSettings(10**9, 0, open_lifeline(), deterministic=True)
    return LocalExecutor().start(settings.launch(job, paths, lease))


@pytest.mark.parametrize("engine", ["tensorflow", pytest.param("jax", marks=pytest.mark.long)])
def test_every_frame_is_the_same(
    workspace: Workspace,
    make_pictures: Callable[..., list[Path]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    engine: str,
) -> None:
    make_pictures(workspace.dataset("photos"), count=4, size=SIZE)
    plain, hostile = workspace.job("plain"), workspace.job("hostile")
    pool = CpuPool(1, available_cores()[:1])
    lease = pool.acquire(pool.free(0))
    assert lease is not None
    monkeypatch.setenv("HOME", str(tmp_path / "plain"))
    monkeypatch.delenv("KERAS_HOME", raising=False)
    processes = [started(plain, engine, lease)]

    (tmp_path / ".keras").mkdir()
    (tmp_path / ".keras" / "keras.json").write_text(json.dumps(KERAS_JSON))
    for name in ("random", "render", "keras", "numpy"):
        (tmp_path / f"{name}.py").write_text(f"raise SystemExit('{name}.py of the user was run')")
    monkeypatch.chdir(tmp_path)
    for name, value in VARIABLES.items() | {"HOME": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    processes.append(started(hostile, engine, lease))

    deadline = time.monotonic() + SECONDS
    while None in (codes := [each.poll() for each in processes]):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert codes == [ExitCode.DONE] * 2, hostile.log.read_text()
    assert len(set(spool(plain))) > 50, "the pictures say nothing"
    assert spool(hostile) == spool(plain)
    assert json.loads((tmp_path / ".keras" / "keras.json").read_text()) == KERAS_JSON
    assert not (tmp_path / "plain" / ".keras").exists()
