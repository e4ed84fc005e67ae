from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import keras
import pytest
import tensorflow as tf

from jobs.workspace.jobfile import JobFile
from multitrain.engine import precision
from multitrain.engine.precision import computing_in
from multitrain.engine.tensorflow.devices import has_native_bfloat16
from multitrain.families.dcgan.describing import describe

MakeJob = Callable[..., JobFile]


def test_networks_compute_in_bfloat16_and_answer_in_float32(tiny_job: MakeJob) -> None:
    with computing_in("bfloat16", bool):
        model = describe(tiny_job())
    for network in model.networks.values():
        hidden = [layer for layer in network.layers if "norm" in layer.name][-1].output
        assert keras.backend.standardize_dtype(hidden.dtype) == "bfloat16"
        for answer in network.outputs:
            assert keras.backend.standardize_dtype(answer.dtype) == "float32"


def test_describing_leaves_no_trace(tiny_job: MakeJob) -> None:
    before = keras.config.dtype_policy().name
    with computing_in("bfloat16", bool):
        pass
    assert keras.config.dtype_policy().name == before


CPUINFO = "processor : 0\n{key} : fpu sse4 {flags}\n"


@pytest.mark.parametrize(
    ("cpuinfo", "policy"),
    [
        (CPUINFO.format(key="flags\t", flags="avx512f"), "float32"),
        (CPUINFO.format(key="flags\t", flags="avx512f avx512_bf16"), "mixed_bfloat16"),
        (CPUINFO.format(key="Features\t", flags="asimd bf16"), "mixed_bfloat16"),
        (None, "float32"),
    ],
)
def test_auto_asks_the_processor(
    cpuinfo: str | None, policy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])
    monkeypatch.setattr(precision, "CPUINFO", tmp_path / "cpuinfo")
    if cpuinfo is not None:
        (tmp_path / "cpuinfo").write_text(cpuinfo)
    with computing_in("auto", has_native_bfloat16):
        assert keras.config.dtype_policy().name == policy


@pytest.mark.parametrize(
    ("capability", "policy"),
    [((7, 5), "float32"), ((8, 0), "mixed_bfloat16"), ((12, 0), "mixed_bfloat16")],
)
def test_auto_asks_the_gpu(
    capability: tuple[int, int], policy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["GPU:0"])
    details = {"compute_capability": capability}
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda gpu: details)
    with computing_in("auto", has_native_bfloat16):
        assert keras.config.dtype_policy().name == policy
