"""A spare trainer and its call: real processes, with nothing to import."""

from __future__ import annotations

import fcntl
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from jobs.errors import ExitCode
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import JobPaths, Workspace
from multitrain.executors import Launch, Process
from multitrain.executors.local import LocalExecutor
from multitrain.farm.ahead.spare import Spare
from multitrain.farm.launching import TrainerLaunch
from multitrain.protocol.call import Call

IMPORTS = {"KERAS_BACKEND": "tensorflow", "PYTHONUNBUFFERED": "1"}
CALL = Call(Path("workspace"), "job", cores=(0, 1))

# Each is a trainer's command without its arguments.
COLD = (
    "import sys; from multitrain.trainer import process, waiting\n"
    "waiting.warm = lambda engine: None\n"
    "def wait(rehearse=lambda told: ('rehearsed', *told)):\n"
    "    return waiting.wait_for_call(int(sys.argv[2]), rehearse, lambda told: None)\n"
)
TRAINER = (sys.executable, "-c", f"{COLD}process.leave(process.main(sys.argv[1:]))")
TELLS = (
    sys.executable,
    "-c",
    f"{COLD}import os\n"
    "print(*wait(), os.environ['SEEN'])\n"
    "print('stderr', file=sys.stderr)\n"
    "sys.stdin.read() and sys.exit(1)\n"
    "sys.exit(75)",
)
IMPORTS_FOR_EVER = (
    sys.executable,
    "-c",
    f"{COLD}import threading; waiting.warm = lambda engine: threading.Event().wait()\nwait()",
)


class Watched(LocalExecutor):
    """Knows what it has started."""

    def __init__(self) -> None:
        self.started: list[Process] = []

    def start(self, launch: Launch) -> Process:
        self.started.append(super().start(launch))
        return self.started[-1]


@pytest.fixture
def executor() -> Iterator[Watched]:
    executor = Watched()
    yield executor
    for process in executor.started:
        process.kill()
        wait_for(lambda process=process: process.poll() is not None)


@pytest.fixture
def make(executor: Watched) -> Iterator[Callable[..., Spare]]:
    """`make(command)`: a spare that is ready; with `ready=False`, one that may not be."""
    made: list[Spare] = []

    def make(command: tuple[str, ...], ready: bool = True, descriptors: tuple = ()) -> Spare:
        spare = Spare(executor, command, IMPORTS, descriptors)
        made.append(spare)
        if ready:
            wait_for(lambda: spare.is_ready)
        return spare

    yield make
    for spare in made:
        spare.end()


def wait_for(condition: Callable[[], object], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def code_of(process: Process) -> int:
    wait_for(lambda: process.poll() is not None)
    code = process.poll()
    assert code is not None
    return code


def a_launch(
    program: tuple[str, ...],
    log: Path,
    call: Call = CALL,
    environment: Mapping[str, str] = IMPORTS,
    descriptors: Sequence[int] = (),
) -> TrainerLaunch:
    return TrainerLaunch(
        program=program,
        call=call,
        command=(*program, *call.arguments()),
        log=log,
        environment={**environment, "SEEN": "GPU-1, é"},
        descriptors=descriptors,
    )


def test_a_call_brings_arguments_environment_and_log(
    make: Callable[..., Spare], executor: Watched, tmp_path: Path
) -> None:
    spare, log = make(TELLS), tmp_path / "deep" / "log.txt"
    log.parent.mkdir()
    log.write_text("before\n")
    hostile = Call(Path('l\'été \udcff \n"$HOME"'), "job")

    process = spare.take(a_launch(TELLS, log, hostile))

    assert process is executor.started[0], "the process that was waiting"
    assert code_of(process) == 75
    shown = log.read_text(encoding="utf-8")
    assert shown == f"before\n{hostile.arguments()!r} None GPU-1, é\nstderr\n"


def test_a_call_finds_what_was_rehearsed(make: Callable[..., Spare], tmp_path: Path) -> None:
    spare, log = make(TELLS), tmp_path / "log.txt"
    spare.rehearse(a_launch(TELLS, tmp_path / "none", CALL))
    call = replace(CALL, cores=(2, 3))

    assert not spare.fits(a_launch(TELLS, log, replace(CALL, job="other")))
    assert not spare.fits(a_launch(TELLS, log, replace(CALL, cores=(2,))))
    assert spare.fits(a_launch(TELLS, log, call))
    process = spare.take(a_launch(TELLS, log, call))

    assert process is not None
    assert code_of(process) == 75
    rehearsed = ("rehearsed", *CALL.arguments())
    assert log.read_text().startswith(f"{call.arguments()} {rehearsed} GPU-1")


def test_one_that_rehearses_ends_with_the_farm(make: Callable[..., Spare]) -> None:
    code = f"{COLD}import threading; wait(lambda told: threading.Event().wait())"
    spare = make((sys.executable, "-c", code))
    spare.rehearse(a_launch(TELLS, Path(os.devnull)))

    spare._ours.close()

    wait_for(lambda: spare.is_dead)


def test_locks_come_with_the_call_and_go_with_the_process(
    make: Callable[..., Spare], workspace: Workspace, tmp_path: Path
) -> None:
    def is_free() -> bool:
        with (tmp_path / "lease").open() as other:
            try:
                fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

    (tmp_path / "lease").touch()
    ours = os.open(tmp_path / "lease", os.O_RDONLY)
    fcntl.flock(ours, fcntl.LOCK_EX)
    waiting, called = make(TELLS), make(a_program_that_stays())
    process = called.take(a_launch(a_program_that_stays(), tmp_path / "log", descriptors=[ours]))
    assert process is not None
    wait_for((tmp_path / "log").read_text)  # it has taken the call

    os.close(ours)

    assert not is_free(), "the process holds it"
    process.kill()
    code_of(process)
    assert is_free(), "a spare that waits holds nothing"
    assert not waiting.is_dead


def a_program_that_stays() -> tuple[str, ...]:
    code = f"{COLD}wait(); print('called', flush=True)\n"
    return (sys.executable, "-c", f"{code}import threading; threading.Event().wait()")


@pytest.mark.parametrize("program", [TELLS, IMPORTS_FOR_EVER], ids=["waits", "imports"])
def test_a_spare_ends_with_the_farm(program: tuple[str, ...]) -> None:
    code = (
        "import os, sys; from multitrain.executors.local import LocalExecutor\n"
        "from multitrain.farm.ahead.spare import Spare\n"
        f"spare = Spare(LocalExecutor(), {program!r}, {IMPORTS!r}, ())\n"
        f"while {program is TELLS} and not spare.is_ready: pass\n"
        "print(spare.end.__self__._process.pid, flush=True)\n"
        "import threading; threading.Event().wait()\n"
    )
    farm = psutil.Popen([sys.executable, "-c", code], stdout=-1, text=True)
    spare = psutil.Process(int(farm.stdout.readline()))

    farm.kill()
    farm.communicate()

    wait_for(lambda: not spare.is_running() or spare.status() == psutil.STATUS_ZOMBIE)


def test_only_what_was_imported_fits(make: Callable[..., Spare], tmp_path: Path) -> None:
    spare, log = make(TELLS), tmp_path / "log"
    assert spare.fits(a_launch(TELLS, log))
    assert not spare.fits(a_launch((sys.executable, "-m", "multitrain.trainer.process"), log))
    other = {**IMPORTS, "KERAS_BACKEND": "jax"}
    assert not spare.fits(a_launch(TELLS, log, environment=other))
    assert not spare.fits(a_launch(TELLS, log, environment={"PYTHONUNBUFFERED": "1"}))


def test_a_spare_that_imports_is_not_ready(make: Callable[..., Spare]) -> None:
    spare = make(IMPORTS_FOR_EVER, ready=False)
    assert not spare.is_ready
    assert not spare.is_dead


def test_a_spare_that_was_killed_takes_nothing(
    make: Callable[..., Spare], executor: Watched, tmp_path: Path
) -> None:
    spare = make(TELLS)
    executor.started[0].kill()
    wait_for(lambda: spare.is_dead)
    assert spare.take(a_launch(TELLS, tmp_path / "log")) is None


def test_a_log_that_cannot_be_had_leaves_the_call_to_a_cold_start(
    make: Callable[..., Spare], tmp_path: Path
) -> None:
    (tmp_path / "log").mkdir()
    assert make(TELLS).take(a_launch(TELLS, tmp_path / "log")) is None


@pytest.fixture
def training(
    make: Callable[..., Spare],
    workspace: Workspace,
    make_pictures: Callable[..., list[Path]],
) -> Iterator[tuple[Process, JobPaths, int]]:
    """An endless training in a spare, its job's paths, and the farm's end of its lifeline."""
    paths = workspace.job("job")
    make_pictures(workspace.dataset("demo"), size=(96, 54))
    a_job().save(paths)
    lifeline, farm = os.pipe()
    spare = make(TRAINER, descriptors=(lifeline,))
    call = Call(workspace.root, "job", lifeline=lifeline)
    process = spare.take(a_launch(TRAINER, paths.log, call))
    assert process is not None
    os.close(lifeline)
    wait_for(lambda: paths.log.exists() and "beginning at step 0" in paths.log.read_text())
    yield process, paths, farm
    os.close(farm)


def a_job() -> JobFile:
    from tests.farm.simulation import make_job

    return make_job("job", family="testcard", video_length="600")


def test_a_training_in_a_spare_drains(training: tuple[Process, JobPaths, int]) -> None:
    process, paths, _ = training
    process.drain()
    assert code_of(process) == ExitCode.DRAINED
    assert "drained" in paths.log.read_text()
    assert paths.checkpoint_names()


def test_a_training_in_a_spare_tells_where_it_is(training: tuple[Process, JobPaths, int]) -> None:
    process, paths, _ = training
    process.dump_stack()
    wait_for(lambda: "in _has_ended" in paths.log.read_text())
    process.kill()
    assert code_of(process) == -signal.SIGKILL


def test_a_training_in_a_spare_drains_after_the_farm(
    training: tuple[Process, JobPaths, int],
) -> None:
    process, paths, farm = training
    os.dup2(os.open(os.devnull, os.O_RDONLY), farm)  # the end of the pipe, whose number stays
    assert code_of(process) == ExitCode.DRAINED
    assert "the farm is gone" in paths.log.read_text()
