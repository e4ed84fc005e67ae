"""What a command that draws sees of the machine, and whom it leaves alone."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from jobs.errors import MultitrainError, UsageError
from multitrain.inference import device
from multitrain.inference.device import leased_device
from multitrain.protocol.environment import GPUS_LEASED
from multitrain.slots.leases import LeaseFolder
from tests.farm.simulation import FakeDriver, make_gpus


@pytest.fixture(autouse=True)
def leases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LeaseFolder:
    monkeypatch.setenv("MULTITRAIN_LEASES", str(tmp_path / "leases"))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.delenv(GPUS_LEASED, raising=False)
    monkeypatch.setattr(device, "LOOKS", 1)
    return LeaseFolder(tmp_path / "leases")


@pytest.fixture
def told() -> list[str]:
    return []


def test_a_free_gpu_is_leased_while_it_draws(leases: LeaseFolder, told: list[str]) -> None:
    gpus = make_gpus(2)

    with leased_device("auto", told.append, FakeDriver(gpus)):
        assert os.environ["CUDA_VISIBLE_DEVICES"] == gpus[0].uuid
        assert os.environ[GPUS_LEASED] == "gpu 0"
        assert not leases.is_free(gpus[0].uuid)

    assert leases.is_free(gpus[0].uuid)
    assert "CUDA_VISIBLE_DEVICES" not in os.environ
    assert told == ["drawing on gpu 0"]


def test_one_that_a_farm_has_is_left_to_it(leases: LeaseFolder, told: list[str]) -> None:
    gpus = make_gpus(2)
    leases.take(gpus[0].uuid)

    with leased_device("0,1", told.append, FakeDriver(gpus)):
        assert os.environ["CUDA_VISIBLE_DEVICES"] == gpus[1].uuid


def test_where_all_are_taken_the_cores_draw(leases: LeaseFolder, told: list[str]) -> None:
    gpus = make_gpus(1)
    leases.take(gpus[0].uuid)

    with leased_device("auto", told.append, FakeDriver(gpus)):
        assert os.environ["CUDA_VISIBLE_DEVICES"] == "-1"

    assert told == ["no GPU is free: gpu 0 leased by another farm", "drawing on CPU cores"]


def test_a_gpu_that_was_named_and_is_taken_is_told(leases: LeaseFolder, told: list[str]) -> None:
    busy = [replace(gpu, processes=(1,)) for gpu in make_gpus(1)]

    device_of_another = leased_device("0", told.append, FakeDriver(busy))
    with pytest.raises(MultitrainError, match="no GPU of --gpus 0 is free: gpu 0 in use by"):
        device_of_another.__enter__()


def test_a_gpu_that_is_not_there_is_told(told: list[str]) -> None:
    seventh = leased_device("7", told.append, FakeDriver(make_gpus(1)))
    with pytest.raises(UsageError, match="there is no GPU '7' here"):
        seventh.__enter__()


@pytest.mark.parametrize("wanted", ["cpu", "auto"])
def test_a_machine_without_gpus_draws_on_its_cores(wanted: str, told: list[str]) -> None:
    with leased_device(wanted, told.append, FakeDriver([])):
        assert os.environ["CUDA_VISIBLE_DEVICES"] == "-1"

    assert told == ["drawing on CPU cores"]
