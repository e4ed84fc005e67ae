"""Programs end with the process that runs them, whatever ends that one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
import pytest

from render.encoding.children import running

SECONDS = 30
WAITS = (sys.executable, "-c", "import signal; signal.pause()")

# Runs a program from a thread, as the render worker does, and tells its number.
PARENT = """
import sys, tempfile, threading
from render.encoding.children import running
def run():
    with tempfile.TemporaryFile() as said, running(sys.argv[1:], said) as program:
        print(program.pid, flush=True)
        program.wait()
threading.Thread(target=run).start()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="there, it ends by itself")
@pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV])
def test_a_program_dies_with_the_process_that_runs_it(by: signal.Signals) -> None:
    command = [sys.executable, "-c", PARENT, *WAITS]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert parent.stdout
    program = psutil.Process(int(parent.stdout.readline()))
    assert program.is_running()
    parent.send_signal(by)
    assert parent.wait(SECONDS) == -by
    psutil.wait_procs([program], timeout=SECONDS)
    assert not program.is_running() or program.status() == psutil.STATUS_ZOMBIE
    parent.stdout.close()


# As above, but killed before or behind the very instant when the program is tied to it.
KILLED = """
import os, signal, sys
from render.encoding import children
tie = children._tie
def killed(leash, pid):
    if sys.argv[1] == "behind":
        tie(leash, pid)
    os.kill(os.getpid(), signal.SIGKILL)
children._tie = killed
with children.running(sys.argv[2:], sys.stdout.buffer):
    raise AssertionError
"""


@pytest.mark.parametrize("instant", ["before", "behind"])
def test_so_it_does_in_the_instant_when_it_has_begun(instant: str) -> None:
    command = [sys.executable, "-c", KILLED, instant, *WAITS]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True)
    said, _ = parent.communicate(timeout=SECONDS)  # up to the end of all that hold the pipe
    assert (parent.returncode, said) == (-signal.SIGKILL, b"")


def test_what_it_is_fed_comes_as_it_was_sent(tmp_path: Path) -> None:
    fed = b"\nframes\\\n" * 10_000
    command = [sys.executable, "-c", "import sys; sys.stdout.write(sys.stdin.read())"]
    with (tmp_path / "said").open("wb") as said, running(command, said, is_fed=True) as program:
        program.communicate(fed)
    assert (tmp_path / "said").read_bytes() == fed


def test_it_is_ended_when_the_block_is_left() -> None:
    before = os.listdir("/dev/fd")
    with (
        tempfile.TemporaryFile() as said,
        pytest.raises(KeyboardInterrupt),
        running(WAITS, said) as program,
    ):
        raise KeyboardInterrupt
    assert program.returncode == -signal.SIGKILL
    assert os.listdir("/dev/fd") == before


def test_one_that_ends_by_itself_keeps_its_code() -> None:
    with tempfile.TemporaryFile() as said:
        with running((sys.executable, "-c", "print('said'); exit(3)"), said) as program:
            assert program.wait(SECONDS) == 3
        said.seek(0)
        assert said.read() == b"said\n"


def test_one_that_cannot_be_started(tmp_path: Path) -> None:
    before = os.listdir("/dev/fd")
    with (
        pytest.raises(FileNotFoundError),
        tempfile.TemporaryFile() as said,
        running([str(tmp_path / "none")], said),
    ):
        raise AssertionError
    assert os.listdir("/dev/fd") == before


class Interrupted(subprocess.Popen):
    """A signal comes when the program has begun and nobody knows it yet."""

    def _execute_child(self, *arguments: object) -> None:
        super()._execute_child(*arguments)
        signal.raise_signal(signal.SIGINT)


def test_a_signal_while_it_starts_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "Popen", Interrupted)
    before, handler = os.listdir("/dev/fd"), signal.getsignal(signal.SIGINT)
    with (
        tempfile.TemporaryFile() as said,
        pytest.raises(KeyboardInterrupt),
        running(WAITS, said),
    ):
        raise AssertionError
    children = psutil.Process().children()
    for child in children:
        child.kill()
    assert not children
    assert os.listdir("/dev/fd") == before
    assert signal.getsignal(signal.SIGINT) is handler


def test_each_signal_is_handled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "Popen", Interrupted)
    heard: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: heard.append(number))
    try:
        with tempfile.TemporaryFile() as said, running(WAITS, said) as program:
            assert heard == [signal.SIGINT]
            assert program.poll() is None
            signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)
    assert heard == [signal.SIGINT] * 2
