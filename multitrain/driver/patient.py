"""Asks a driver without ever waiting for it: one that hangs must not hold up a farm.

A GPU that falls off the bus can make every question to NVIDIA's driver take minutes, or for ever,
inside a C call that nothing interrupts. So each question has a daemon thread of its own, which the
end of the process does not wait for, and there is never more than one question at a time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from multitrain.driver.driver import DriverError, Gpu, GpuDriver, NoAnswerYet

PATIENCE_SECONDS = 30.0  # without persistence mode, a GPU takes seconds to wake up
BLINK_SECONDS = 0.1  # more than a healthy driver needs


@dataclass
class _Question:
    asked_at: float
    answered: threading.Event = field(default_factory=threading.Event)
    gpus: list[Gpu] = field(default_factory=list)
    error: DriverError | None = None
    void: bool = False  # whether things have changed since it was asked


def in_daemon_thread(work: Callable[[], None]) -> None:
    """Run `work` in a daemon thread. RuntimeError where the machine has no more threads."""
    threading.Thread(target=work, name="nvidia driver", daemon=True).start()


class PatientDriver:
    """An `AskedAhead` driver that asks another one. To be used by one thread."""

    def __init__(
        self,
        driver: GpuDriver,
        clock: Callable[[], float] = time.monotonic,
        start: Callable[[Callable[[], None]], None] = in_daemon_thread,
        first_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        """`start` calls its argument some time later, in this thread or another."""
        self._driver, self._clock, self._start = driver, clock, start
        self._waiting_seconds = first_seconds  # the first answer is worth waiting for
        self._question: _Question | None = None

    def gpus(self) -> list[Gpu]:
        """The driver's answer; NoAnswerYet for some seconds, then DriverError.

        An answer to a question that was asked too long ago is thrown away, because it is out of
        date.
        """
        question = self._question or self._ask()
        if question.void or self._is_old(question):
            if not question.answered.is_set():
                raise self._no_answer(question)
            question = self._ask()
        answered = question.answered.wait(self._waiting_seconds)
        self._waiting_seconds = BLINK_SECONDS
        if not answered:
            raise self._no_answer(question)
        self._question = None
        if question.error:
            raise question.error
        return question.gpus

    def forget(self) -> None:
        if self._question:
            self._question.void = True

    def _age(self, question: _Question) -> float:
        return self._clock() - question.asked_at

    def _is_old(self, question: _Question) -> bool:
        return self._age(question) >= PATIENCE_SECONDS

    def _no_answer(self, question: _Question) -> DriverError:
        if not self._is_old(question):
            return NoAnswerYet("the NVIDIA driver has not answered yet")
        seconds = self._age(question)
        return DriverError(f"the NVIDIA driver has not answered for {seconds:.0f} s")

    def _ask(self) -> _Question:
        question = self._question = _Question(self._clock())
        try:
            self._start(lambda: self._answer(question))
        except RuntimeError as error:
            question.error = DriverError(f"the NVIDIA driver cannot be asked: {error}")
            question.answered.set()
        return question

    def _answer(self, question: _Question) -> None:
        try:
            question.gpus = self._driver.gpus()
        except DriverError as error:
            question.error = error
        except Exception as error:  # nobody else would see it in this thread
            reason = f"{type(error).__name__}: {error}"
            question.error = DriverError(f"the NVIDIA driver cannot be asked: {reason}")
            question.error.__cause__ = error
        finally:
            question.answered.set()
