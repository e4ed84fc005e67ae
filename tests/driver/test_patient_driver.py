from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from itertools import chain, repeat

import pytest

from multitrain.driver.driver import DriverError, Gpu, NoAnswerYet
from multitrain.driver.patient import PATIENCE_SECONDS, PatientDriver
from tests.farm.simulation import FakeDriver, make_gpus

SECONDS = 60  # until a thread or a child counts as stuck

HANGS = """
import ctypes
from multitrain.driver.driver import DriverError
from multitrain.driver.patient import PatientDriver

class Hanging:
    def gpus(self):
        ctypes.CDLL(None).pause()  # in C, as a driver does that waits for a lost GPU

try:
    PatientDriver(Hanging(), first_seconds=0).gpus()
except DriverError as error:
    print(error)
"""


class Bench:
    """A driver whose answers come when the test says so, and a clock that it turns by hand."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.asked: list[Callable[[], None]] = []
        self.inner = FakeDriver(make_gpus(1))
        self.driver = PatientDriver(self.inner, lambda: self.now, self.asked.append, 0.0)

    def answer(self) -> None:
        self.asked.pop(0)()


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr("multitrain.driver.patient.BLINK_SECONDS", 0.0)
    return Bench()


def test_an_answer_in_time_is_given_on(bench: Bench) -> None:
    with pytest.raises(NoAnswerYet):
        bench.driver.gpus()
    bench.answer()
    bench.now += PATIENCE_SECONDS - 1
    assert bench.driver.gpus() == make_gpus(1)
    assert bench.asked == []
    with pytest.raises(NoAnswerYet):  # every answer is given once
        bench.driver.gpus()
    assert len(bench.asked) == 1


def test_one_question_at_a_time(bench: Bench) -> None:
    for _ in range(3):
        with pytest.raises(NoAnswerYet):
            bench.driver.gpus()
    assert len(bench.asked) == 1


def test_an_overdue_answer_is_an_error_that_says_since_when(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("multitrain.driver.patient.BLINK_SECONDS", 1e6)  # it must not be waited for
    with pytest.raises(NoAnswerYet):
        bench.driver.gpus()
    bench.now += 42
    with pytest.raises(DriverError, match="has not answered for 42 s") as told:
        bench.driver.gpus()
    assert not isinstance(told.value, NoAnswerYet)
    assert len(bench.asked) == 1


def test_a_first_answer_that_does_not_come_is_an_error() -> None:
    clock = chain([0.0, 0.0], repeat(PATIENCE_SECONDS))  # it passes while the driver is waited for
    driver = PatientDriver(FakeDriver([]), lambda: next(clock), lambda work: None, 0.0)
    with pytest.raises(DriverError, match="has not answered for 30 s"):
        driver.gpus()


def test_a_late_answer_is_thrown_away_and_asked_anew(bench: Bench) -> None:
    with pytest.raises(NoAnswerYet):
        bench.driver.gpus()
    bench.answer()
    bench.now += PATIENCE_SECONDS
    bench.inner.devices = make_gpus(2)
    with pytest.raises(NoAnswerYet):
        bench.driver.gpus()
    bench.answer()
    assert len(bench.driver.gpus()) == 2


@pytest.mark.parametrize("answered_before", [True, False])
def test_an_answer_that_is_to_be_forgotten_is_asked_anew(
    answered_before: bool, bench: Bench
) -> None:
    with pytest.raises(NoAnswerYet):
        bench.driver.gpus()
    if answered_before:
        bench.answer()
    bench.driver.forget()
    if not answered_before:
        with pytest.raises(NoAnswerYet):
            bench.driver.gpus()
        assert len(bench.asked) == 1  # still one question at a time
        bench.answer()
    bench.inner.devices = make_gpus(2)
    with pytest.raises(NoAnswerYet):
        bench.driver.gpus()
    bench.answer()
    assert len(bench.driver.gpus()) == 2


def test_without_a_question_there_is_nothing_to_forget(bench: Bench) -> None:
    bench.driver.forget()
    with pytest.raises(NoAnswerYet):
        bench.driver.gpus()
    bench.answer()
    assert bench.driver.gpus() == make_gpus(1)


def test_a_driver_that_hangs_is_told_also_where_its_answer_is_to_be_forgotten(bench: Bench) -> None:
    with pytest.raises(NoAnswerYet):
        bench.driver.gpus()
    bench.driver.forget()
    bench.now += 42
    with pytest.raises(DriverError, match="has not answered for 42 s"):
        bench.driver.gpus()


def test_a_failure_of_the_driver_is_given_on_once(bench: Bench) -> None:
    class Broken(FakeDriver):
        def gpus(self) -> list[Gpu]:
            raise self.error  # type: ignore[attr-defined]

    broken = Broken([])
    driver = PatientDriver(broken, start=lambda work: work())
    broken.error = DriverError("version mismatch")
    with pytest.raises(DriverError, match=r"^version mismatch$"):
        driver.gpus()
    broken.error = OSError("of another kind")
    with pytest.raises(DriverError, match="cannot be asked: OSError: of another kind"):
        driver.gpus()


def test_a_machine_without_threads_to_spare_is_a_failure_of_the_driver() -> None:
    def refuse(work: Callable[[], None]) -> None:
        raise RuntimeError("can't start new thread")

    driver = PatientDriver(FakeDriver(make_gpus(1)), start=refuse)
    with pytest.raises(DriverError, match="can't start new thread"):
        driver.gpus()


def test_the_first_answer_is_waited_for_the_later_ones_are_not() -> None:
    class Slow(FakeDriver):
        def gpus(self) -> list[Gpu]:
            begun.set()
            assert may_answer.wait(SECONDS)
            return super().gpus()

    begun, may_answer = threading.Event(), threading.Event()
    driver = PatientDriver(Slow(make_gpus(1)), first_seconds=SECONDS)
    threading.Thread(target=lambda: (begun.wait(SECONDS), may_answer.set())).start()
    assert driver.gpus() == make_gpus(1)
    begun.clear()
    may_answer.clear()
    with pytest.raises(NoAnswerYet):  # returns although nobody lets the driver answer
        driver.gpus()
    may_answer.set()


def test_a_driver_that_hangs_does_not_hold_up_the_end_of_the_process() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", HANGS], timeout=SECONDS, capture_output=True, text=True, check=True
    )
    assert ended.stdout == "the NVIDIA driver has not answered yet\n"
    assert ended.stderr == ""
