from __future__ import annotations

import os

import jax
import pytest

from jobs.errors import DeviceFailed, MultitrainError
from multitrain.engine.jax.devices import devices_for, has_native_bfloat16
from multitrain.engine.session import SessionSettings
from multitrain.protocol.environment import GPUS_LEASED

SETTINGS = SessionSettings()


class Gpu:
    """As JAX shows one."""

    platform = "gpu"

    def __init__(self, compute_capability: str = "9.0") -> None:
        self.compute_capability = compute_capability


@pytest.fixture
def gpus(monkeypatch: pytest.MonkeyPatch) -> list[Gpu]:
    """What JAX sees, besides the CPU; none at first."""
    monkeypatch.delenv(GPUS_LEASED, raising=False)
    cpus, seen = jax.devices("cpu"), []

    def devices(kind: str) -> list[object]:
        if kind == "gpu" and not seen:
            raise RuntimeError("Unknown backend: 'gpu' requested")
        return seen if kind == "gpu" else cpus

    monkeypatch.setattr(jax, "devices", devices)
    return seen


def test_a_job_with_a_gpu_never_trains_on_cores_by_mistake(
    gpus: list[Gpu], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(GPUS_LEASED, "gpu 2")
    with pytest.raises(
        DeviceFailed,
        match=r"none of .*\(gpu 2\).*/pip install -c .* -e '\.\[jax-cuda\]'",
    ):
        devices_for(1, SETTINGS)


def test_one_gpu_of_two_is_not_enough(gpus: list[Gpu], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(GPUS_LEASED, "gpu 0, gpu 1")
    gpus.append(Gpu())
    with pytest.raises(DeviceFailed, match=r"sees 1 of .*\(gpu 0, gpu 1\)"):
        devices_for(2, SETTINGS)


@pytest.mark.parametrize("leased", ["", None])
def test_a_job_on_cores_trains_there(
    gpus: list[Gpu], leased: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if leased is not None:
        monkeypatch.setenv(GPUS_LEASED, leased)
    assert [device.platform for device in devices_for(1, SETTINGS)] == ["cpu"]


def test_gpus_come_first_and_no_more_than_wanted(gpus: list[Gpu]) -> None:
    gpus += [Gpu(), Gpu(), Gpu()]
    assert devices_for(2, SETTINGS) == gpus[:2]


def test_too_few_gpus_without_a_lease_are_a_mistake_of_the_sheet(gpus: list[Gpu]) -> None:
    gpus.append(Gpu())
    with pytest.raises(MultitrainError, match="wants 2 GPUs and sees 1") as told:
        devices_for(2, SETTINGS)
    assert not isinstance(told.value, DeviceFailed)


def test_what_jax_reads_at_its_start_is_set(
    gpus: list[Gpu], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XLA_FLAGS", "--xla_mine=1")
    monkeypatch.setenv("NPROC", "")
    monkeypatch.delenv("XLA_PYTHON_CLIENT_PREALLOCATE", raising=False)

    for _ in range(2):
        devices_for(1, SessionSettings(deterministic=True, threads=3))

    assert os.environ["XLA_FLAGS"].split() == [
        "--xla_mine=1", "--xla_gpu_deterministic_ops=true", "--xla_gpu_autotune_level=0",
    ]  # fmt: skip
    assert os.environ["NPROC"] == "3"
    assert os.environ["XLA_PYTHON_CLIENT_PREALLOCATE"] == "false"


@pytest.mark.parametrize(
    ("capability", "native"), [("7.5", False), ("8.0", True), ("12.0", True), ("gfx90a", False)]
)
def test_gpus_tell_whether_they_compute_in_bfloat16(capability: str, native: bool) -> None:
    assert has_native_bfloat16(Gpu(capability)) is native


def test_cpus_do_not() -> None:
    assert not has_native_bfloat16(jax.devices("cpu")[0])
