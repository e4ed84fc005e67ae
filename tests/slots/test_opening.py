from __future__ import annotations

import threading
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from jobs.errors import UsageError
from multitrain.driver import patient as patient_driver
from multitrain.driver.driver import DriverError, Gpu
from multitrain.slots import opening
from multitrain.slots.opening import open_pool
from tests.farm.simulation import FakeDriver, make_gpus


class BrokenDriver(FakeDriver):
    def gpus(self) -> list[Gpu]:
        raise DriverError("the NVIDIA driver does not start: version mismatch")


class HangingDriver:
    def gpus(self) -> list[Gpu]:
        threading.Event().wait()
        raise AssertionError("never")


def lost(gpu: Gpu) -> Gpu:
    return replace(gpu, trouble="GPU is lost")


@pytest.fixture(autouse=True)
def leases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MULTITRAIN_LEASES", str(tmp_path / "leases"))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


@pytest.fixture
def notes() -> list[str]:
    return []


def test_gpus_are_used_where_there_are_some(notes: list[str]) -> None:
    driver = FakeDriver(make_gpus(4))
    assert open_pool("all", None, notes.append, driver).size == 4
    assert open_pool("1,3", None, notes.append, driver).size == 2
    assert notes == []


@pytest.mark.parametrize("gpus", ["all", "0,1"])
def test_a_machine_without_a_driver_uses_its_cores_and_says_so(gpus: str, notes: list[str]) -> None:
    assert open_pool(gpus, 3, notes.append, FakeDriver([])).size == 3
    assert notes == ["no NVIDIA GPU here: training on CPU cores, which is slow"]


@pytest.mark.parametrize("gpus", ["all", "0,1"])
def test_a_broken_driver_never_puts_a_night_on_cores(gpus: str, notes: list[str]) -> None:
    with pytest.raises(UsageError, match="version mismatch; mend it, or run with --gpus cpu"):
        open_pool(gpus, None, notes.append, BrokenDriver([]))
    assert open_pool("cpu", 1, notes.append, BrokenDriver([])).size == 1


def test_a_gpu_that_is_lost_is_left_out_and_told(notes: list[str]) -> None:
    driver = FakeDriver(make_gpus(3))
    driver.devices[1] = lost(driver.devices[1])
    pool = open_pool("all", None, notes.append, driver)
    assert [slot.label for slot in pool.free(0)] == ["gpu 0", "gpu 2"]
    assert notes == ["gpu 1 cannot be used: GPU is lost; the others are used"]


@pytest.mark.parametrize(("gpus", "visible"), [("0,1", None), ("all", "1")])
def test_a_gpu_that_is_asked_for_and_lost_is_refused(
    gpus: str, visible: str | None, notes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    driver = FakeDriver(make_gpus(2))
    driver.devices[1] = lost(driver.devices[1])
    with pytest.raises(UsageError, match="gpu 1 cannot be used: GPU is lost; mend it"):
        open_pool(gpus, None, notes.append, driver)


def test_leases_that_cannot_be_had_are_told_at_the_start(
    notes: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("MULTITRAIN_LEASES", str(tmp_path / "file"))
    with pytest.raises(UsageError, match=r"cannot be leased: .*MULTITRAIN_LEASES"):
        open_pool("all", None, notes.append, FakeDriver(make_gpus(1)))


def test_the_real_driver_is_asked_with_patience(
    notes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A driver that never answers delays a start, no more."""
    monkeypatch.setattr(opening, "NvmlDriver", HangingDriver)
    monkeypatch.setattr(
        opening, "PatientDriver", partial(patient_driver.PatientDriver, first_seconds=0.0)
    )
    with pytest.raises(UsageError, match="has not answered yet; mend it"):
        open_pool("all", None, notes.append)


@pytest.mark.parametrize("gpus", ["banana", "--fresh", "", "0;1", "0,", "cpu,0"])
def test_what_is_no_list_of_gpus_is_refused(gpus: str, notes: list[str]) -> None:
    with pytest.raises(UsageError, match="--gpus must be all, cpu or a list"):
        open_pool(gpus, None, notes.append, FakeDriver([]))


def test_slots_are_for_cores(notes: list[str]) -> None:
    with pytest.raises(UsageError, match="--slots"):
        open_pool("all", 2, notes.append, FakeDriver(make_gpus(1)))
    assert open_pool("cpu", 2, notes.append, FakeDriver(make_gpus(1))).size == 2
