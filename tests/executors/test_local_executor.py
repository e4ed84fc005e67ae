"""Real processes: their trees, signals, pipes and inherited locks."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from jobs.errors import MultitrainError
from multitrain.executors import Launch, Process
from multitrain.executors.local import LocalExecutor


def python(code: str, log: Path, **options: object) -> Process:
    launch = Launch(command=(sys.executable, "-c", code), log=log, **options)  # type: ignore[arg-type]
    return LocalExecutor().start(launch)


def wait_for(condition: Callable[[], object], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def code_of(process: Process) -> int:
    wait_for(lambda: process.poll() is not None)
    code = process.poll()
    assert code is not None
    return code


def test_exit_code_log_and_environment(tmp_path: Path) -> None:
    log = tmp_path / "deep" / "log.txt"
    script = "import os, sys; print(os.environ['SEEN']); sys.exit(75)"
    assert code_of(python(script, log, environment={"SEEN": "GPU-1"})) == 75
    assert code_of(python("print('again')", log)) == 0
    assert log.read_text() == "GPU-1\nagain\n"


def test_the_whole_tree_is_gone_before_the_slot_is_free(tmp_path: Path) -> None:
    child = "import time; time.sleep(600)"
    parent = (
        f"import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', {child!r}]).pid)"
    )
    log = tmp_path / "log.txt"
    assert code_of(python(parent, log)) == 0
    pid = int(log.read_text())
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_draining_is_a_request(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    process = python(
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(75))\n"
        "print('ready', flush=True)\n"
        "time.sleep(600)\n",
        log,
    )
    wait_for(log.read_text)
    assert process.poll() is None
    process.drain()
    assert code_of(process) == 75


def test_killing_is_not(tmp_path: Path) -> None:
    process = python(
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)",
        tmp_path / "log.txt",
    )
    process.kill()
    assert code_of(process) == -signal.SIGKILL
    process.kill()  # a second time does nothing


def test_lines_go_to_a_process_that_listens(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    process = python("import sys; print([line for line in sys.stdin])", log, listens=True)
    process.say("one")
    process.say("two")
    process.hush()
    assert code_of(process) == 0
    assert log.read_text() == "['one\\n', 'two\\n']\n"


def test_saying_something_to_the_dead_is_harmless(tmp_path: Path) -> None:
    process = python("pass", tmp_path / "log.txt", listens=True)
    code_of(process)
    for _ in range(3):
        process.say("hello?")
    process.hush()


def test_inherited_descriptors_keep_their_numbers(tmp_path: Path) -> None:
    read_end, write_end = os.pipe()
    log = tmp_path / "log.txt"
    script = f"import os; print(os.read({read_end}, 10))"
    process = python(script, log, descriptors=[read_end])
    os.write(write_end, b"alive")
    assert code_of(process) == 0
    assert log.read_text() == "b'alive'\n"
    os.close(read_end)
    os.close(write_end)


def test_a_program_that_is_not_there_is_an_error_for_people(tmp_path: Path) -> None:
    launch = Launch(command=(str(tmp_path / "nothing"),), log=tmp_path / "log.txt")
    with pytest.raises(MultitrainError, match="cannot be started"):
        LocalExecutor().start(launch)


def test_a_stack_is_asked_for_by_a_signal(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    code = (
        "import faulthandler, signal\n"
        "faulthandler.register(signal.SIGUSR1)\n"
        "print('ready', flush=True)\n"
        "def stuck():\n"
        "    while True: signal.pause()\n"
        "stuck()"
    )
    process = python(code, log)
    wait_for(lambda: "ready" in log.read_text())
    process.dump_stack()
    wait_for(lambda: "in stuck" in log.read_text())
    process.kill()
    assert code_of(process) != 0


def test_a_process_that_has_ended_can_be_told_anything(tmp_path: Path) -> None:
    process = python("pass", tmp_path / "log.txt")
    assert code_of(process) == 0
    process.drain()
    process.dump_stack()
    process.kill()
