from __future__ import annotations

import pytest
import tensorflow as tf

from jobs.errors import DeviceFailed, MultitrainError
from multitrain.engine.session import SessionSettings
from multitrain.engine.tensorflow.devices import strategy_for
from multitrain.protocol.environment import GPUS_LEASED

SETTINGS = SessionSettings()


@pytest.fixture(autouse=True)
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine where TensorFlow sees no GPU."""
    cpus = tf.config.list_physical_devices("CPU")
    monkeypatch.setattr(
        tf.config, "list_physical_devices", lambda kind: cpus if kind == "CPU" else []
    )


def test_a_job_with_a_gpu_never_trains_on_cores_by_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(GPUS_LEASED, "gpu 2")
    with pytest.raises(
        DeviceFailed,
        match=r"none of .*\(gpu 2\).*/pip install -c .* -e '\.\[cuda\]'",
    ):
        strategy_for(1, SETTINGS)


def test_one_gpu_of_two_is_not_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(GPUS_LEASED, "gpu 0, gpu 1")
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["GPU:0"])
    with pytest.raises(DeviceFailed, match=r"sees 1 of .*\(gpu 0, gpu 1\)"):
        strategy_for(2, SETTINGS)


@pytest.mark.parametrize("leased", ["", None])
def test_a_job_on_cores_trains_there(leased: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(GPUS_LEASED, raising=False)
    if leased is not None:
        monkeypatch.setenv(GPUS_LEASED, leased)
    assert strategy_for(1, SETTINGS).num_replicas_in_sync == 1


def test_too_few_gpus_without_a_lease_are_a_mistake_of_the_sheet(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(GPUS_LEASED, raising=False)
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["GPU:0"])
    monkeypatch.setattr(tf.config.experimental, "set_memory_growth", lambda gpu, grow: None)
    with pytest.raises(MultitrainError, match="wants 2 GPUs and sees 1") as told:
        strategy_for(2, SETTINGS)
    assert not isinstance(told.value, DeviceFailed)
