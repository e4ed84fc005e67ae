"""A driver that fails, or takes its time: what a pool of its GPUs makes of that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from multitrain.driver.driver import DriverError, NoAnswerYet
from multitrain.driver.patient import PatientDriver
from multitrain.slots.gpus import GpuPool
from multitrain.slots.watch import KNOWN_SECONDS
from tests.driver.moody_driver import MoodyDriver, lease_of
from tests.farm.simulation import FakeDriver, make_gpus


def test_a_driver_that_fails_gives_no_slots_and_says_why(tmp_path: Path) -> None:
    driver = MoodyDriver(make_gpus(1))
    pool = GpuPool(driver, driver.gpus(), tmp_path)
    driver.error = DriverError("the NVIDIA driver fails: Unknown Error")
    assert pool.free(0) == []
    assert pool.busy_reasons() == {"the driver": "the NVIDIA driver fails: Unknown Error"}
    assert pool.free(0.5) == []  # not asked again, not forgotten either
    assert "Unknown" in str(pool.busy_reasons())
    driver.error = None
    assert len(pool.free(2)) == 1
    assert pool.busy_reasons() == {}


def test_the_driver_is_asked_once_a_second(tmp_path: Path) -> None:
    driver = MoodyDriver(make_gpus(1))
    pool = GpuPool(driver, driver.gpus(), tmp_path)
    driver.questions = 0
    asked = []
    for now in (5000.0, 5000.2, 5000.9, 5001.1, 5001.5, 5002.1):
        pool.free(now)
        asked.append(driver.questions)
    assert asked == [1, 1, 1, 2, 2, 3]


def test_a_driver_that_takes_its_time_is_no_news(tmp_path: Path) -> None:
    driver = MoodyDriver(make_gpus(2))
    pool = GpuPool(driver, driver.gpus(), tmp_path)
    [first, second] = pool.free(0)
    driver.error = NoAnswerYet("in a moment")
    assert pool.free(2) == [first, second]
    lease = pool.acquire([first])
    assert lease is not None
    pool.release(lease, 3)
    assert pool.free(4) == [second]  # what was known of the other one is out of date
    assert "asked" in pool.busy_reasons()["gpu 0"]
    driver.error = None
    assert pool.free(5) == [first, second]
    driver.error = NoAnswerYet("in a moment")
    assert pool.free(4 + KNOWN_SECONDS) == [first, second]
    assert pool.free(6 + KNOWN_SECONDS) == []  # too long ago


def test_a_driver_that_has_not_answered_yet_is_no_failure_and_mends_none(tmp_path: Path) -> None:
    driver = MoodyDriver(make_gpus(1))
    pool = GpuPool(driver, driver.gpus(), tmp_path)
    driver.error = DriverError("it fails")
    assert pool.free(0) == []
    driver.error = NoAnswerYet("in a moment")
    assert pool.free(2) == []
    assert pool.busy_reasons() == {"the driver": "it fails"}


@pytest.mark.parametrize("answered_before", [True, False])
def test_what_was_asked_before_a_release_is_no_news_after_it(
    answered_before: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer() -> None:
        questions.pop(0)()

    monkeypatch.setattr("multitrain.driver.patient.BLINK_SECONDS", 0.0)
    questions: list[Callable[[], None]] = []
    driver = FakeDriver(make_gpus(1))
    pool = GpuPool(
        PatientDriver(driver, lambda: 0.0, questions.append, 0.0), driver.gpus(), tmp_path
    )
    pool.free(0)
    answer()
    assert len(pool.free(1)) == 1
    lease = lease_of(pool, 0, now=2)  # what was known will do while the driver is asked again
    if answered_before:
        answer()
    pool.release(lease, 3)
    if not answered_before:
        answer()
    driver.devices = [replace(gpu, memory_free=2**30) for gpu in driver.devices]
    assert pool.free(4) == []
    answer()
    assert pool.free(5) == []
    assert pool.busy_reasons() == {"gpu 0": "its memory is taken: 1.0 GiB are free"}
    driver.devices = make_gpus(1)
    pool.free(6)
    answer()
    assert len(pool.free(7)) == 1
