"""A trainer that is asked what it does, and one that never answers: real processes."""

from __future__ import annotations

import faulthandler
import os
import signal
import threading
from collections.abc import Callable, Iterator

import pytest

from jobs.errors import ExitCode
from jobs.workspace.jobfile import JobFile
from multitrain.trainer import process as trainer
from tests.trainer.trainer_child import TrainerChild

# A trainer whose device never comes back, in Python or within a call that keeps the lock.
STUCK = """
import ctypes, sys, threading
from multitrain.trainer import process as trainer
from multitrain.families.testcard.session import TestCard

libc = ctypes.PyDLL(None)  # whose calls keep the interpreter's lock

def hang(session, steps):
    sys.setswitchinterval(1000)  # nor is it given up from here to the call
    libc.write(2, b"hangs\\n", 6)
    {hang}

TestCard.run = hang
sys.exit(trainer.main(sys.argv[1:]))
"""
WAITS = STUCK.format(hang="threading.Event().wait()")
KEEPS_THE_LOCK = STUCK.format(hang="libc.pause()")


@pytest.fixture
def lifeline() -> Iterator[tuple[int, int]]:
    """A pipe: the end that a trainer inherits, and the end that the farm holds open."""
    ends = os.pipe()
    yield ends
    for end in ends:
        try:
            os.close(end)
        except OSError:
            continue  # closed by the test


def test_sigusr1_tells_what_every_thread_does_and_the_training_goes_on(
    submit: Callable[..., JobFile], start: Callable[..., TrainerChild], lifeline: tuple[int, int]
) -> None:
    submit(600_000, family="testcard")
    child = start("--lifeline", str(lifeline[0]), pass_fds=[lifeline[0]])
    child.wait_for("beginning at step 0")

    child.child.send_signal(signal.SIGUSR1)

    child.wait_for("in _has_ended")  # the thread that waits for the farm's end
    child.wait_for("in main")
    child.child.send_signal(signal.SIGTERM)
    assert child.end() == ExitCode.DRAINED, child.log


@pytest.mark.parametrize("fault", [WAITS, KEEPS_THE_LOCK], ids=["waits", "keeps_the_lock"])
def test_a_trainer_that_never_drains_ends_after_the_farm(
    submit: Callable[..., JobFile],
    start: Callable[..., TrainerChild],
    lifeline: tuple[int, int],
    fault: str,
) -> None:
    submit(600, family="testcard")
    options = ("--lifeline", str(lifeline[0]), "--stall-seconds", "2")
    child = start(*options, program=("-c", fault), pass_fds=[lifeline[0]])
    child.wait_for("hangs")

    os.close(lifeline[1])

    assert child.end() == ExitCode.FAILED
    assert "Timeout (0:00:0" in child.log
    assert "in hang" in child.log, "the log tells where it hung"


def test_the_alarm_is_put_off_as_long_as_the_farm_lives(
    lifeline: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    alarms: list[float] = []
    put_off = threading.Semaphore(0)
    stop = threading.Event()

    def set_alarm(seconds: float, **options: bool) -> None:
        assert options == {"exit": True}
        alarms.append(seconds)
        put_off.release()

    monkeypatch.setattr(faulthandler, "dump_traceback_later", set_alarm)
    holder = threading.Thread(target=trainer._hold, args=(lifeline[0], stop, 0.01))
    holder.start()
    for _ in range(5):
        assert put_off.acquire(timeout=30)
    assert not stop.is_set()

    os.close(lifeline[1])

    holder.join(timeout=30)
    assert stop.is_set()
    assert set(alarms[:-1]) == {0.03}, "later than the farm would act"
    assert alarms[-1] == 0.01
