from __future__ import annotations

import pytest
from simulation import FakeDriver, make_gpus

from jobs.errors import UsageError
from multitrain.gpus import DriverError, Gpu
from multitrain.machine import open_pool


class BrokenDriver(FakeDriver):
    def gpus(self) -> list[Gpu]:
        raise DriverError("the NVIDIA driver does not start: version mismatch")


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


def test_a_broken_driver_is_told(notes: list[str]) -> None:
    with pytest.raises(UsageError, match="version mismatch"):
        open_pool("0,1", None, notes.append, BrokenDriver([]))
    assert open_pool("all", 1, notes.append, BrokenDriver([])).size == 1
    assert "version mismatch" in notes[0]


@pytest.mark.parametrize("gpus", ["banana", "--fresh", "", "0;1", "0,", "cpu,0"])
def test_what_is_no_list_of_gpus_is_refused(gpus: str, notes: list[str]) -> None:
    with pytest.raises(UsageError, match="--gpus must be all, cpu or a list"):
        open_pool(gpus, None, notes.append, FakeDriver([]))


def test_slots_are_for_cores(notes: list[str]) -> None:
    with pytest.raises(UsageError, match="--slots"):
        open_pool("all", 2, notes.append, FakeDriver(make_gpus(1)))
    assert open_pool("cpu", 2, notes.append, FakeDriver(make_gpus(1))).size == 2
