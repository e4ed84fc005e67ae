"""Commands that make files are ended by any signal: no program and nothing half-made is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from jobs.errors import ExitCode
from jobs.workspace.files import listing
from multitrain.startup.interrupts import ENDING
from render.encoding import ffmpeg

SECONDS = 60.0

# As ffmpeg where it is asked what it can make; a film it begins and never ends.
NEVER_ENDS = """#!/bin/sh
for output; do :; done
case "$output" in
    /proc/*) exec "{ffmpeg}" "$@" ;;
esac
echo half >"$output"
echo $$ >"{pid}.part" && mv "{pid}.part" "{pid}"
exec sleep 600
"""

# Whatever starts it ignores a hang-up.
UNDER_NOHUP = (
    "import os, signal, sys; signal.signal(signal.SIGHUP, signal.SIG_IGN); "
    "os.execv(sys.argv[1], sys.argv[1:])"
)

COMMANDS = [
    ("export", "films/a.mp4", "--format", "webm"),
    ("loop", "films/a.mp4", "--format", "gif", "-o", "films/loop.gif"),
    ("merge", "films", "a", "b", "--crossfade", "0.1", "-o", "films/merged.mp4"),
]
EXPORT = COMMANDS[0]


class Place:
    """A folder with two films, and commands that are under way there."""

    def __init__(self, root: Path) -> None:
        self.root, self.pid = root, root / "bin" / "pid"
        self.films = root / "films"
        self._begun: list[subprocess.Popen[str]] = []

    def begin(self, arguments: Sequence[str], before: Sequence[str] = ()) -> subprocess.Popen[str]:
        """A command whose ffmpeg has begun its film."""
        path = f"{self.root / 'bin'}{os.pathsep}{os.environ['PATH']}"
        self.pid.unlink(missing_ok=True)
        process = subprocess.Popen(
            [*before, sys.executable, "-m", "multitrain", *arguments],
            cwd=self.root,
            env={**os.environ, "PATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._begun.append(process)
        deadline = time.monotonic() + SECONDS
        while not self.pid.exists():
            assert process.poll() is None, process.stdout and process.stdout.read()
            assert time.monotonic() < deadline
            time.sleep(0.01)
        return process

    def program(self) -> psutil.Process:
        return psutil.Process(int(self.pid.read_text()))

    def close(self) -> None:
        for process in self._begun:
            process.kill()
            process.wait()
            assert process.stdout
            process.stdout.close()


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    for name in ("a.mp4", "b.mp4"):
        source = ["-f", "lavfi", "-i", "testsrc2=s=32x16:r=30:d=1"]
        ffmpeg.run([ffmpeg.find(), *source, "-pix_fmt", "yuv420p", str(folder / name)])
    return folder


@pytest.fixture(autouse=True)
def none_is_ignored() -> Iterator[None]:
    """As a terminal starts programs, also where these tests are under `nohup`."""
    before = {each: signal.getsignal(each) for each in ENDING}
    for each, handler in before.items():
        if handler is signal.SIG_IGN:
            signal.signal(each, signal.SIG_DFL)
    yield
    for each, handler in before.items():
        signal.signal(each, handler)


@pytest.fixture
def place(tmp_path: Path, films: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    place.films.mkdir()
    for name in listing(films):
        (place.films / name).write_bytes((films / name).read_bytes())
    program = tmp_path / "bin" / "ffmpeg"
    program.parent.mkdir()
    program.write_text(NEVER_ENDS.format(ffmpeg=ffmpeg.find(), pid=place.pid))
    program.chmod(0o755)
    yield place
    place.close()


def is_gone(program: psutil.Process) -> bool:
    psutil.wait_procs([program], timeout=SECONDS)
    return not program.is_running() or program.status() == psutil.STATUS_ZOMBIE


def check_ended(place: Place, process: subprocess.Popen[str]) -> None:
    said, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == ExitCode.DRAINED, said
    assert "Traceback" not in said
    with suppress(psutil.NoSuchProcess):  # it is gone already
        assert is_gone(place.program())
    assert listing(place.films) == ["a.mp4", "b.mp4"]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_a_command_takes_along_what_it_has_begun(place: Place, command: Sequence[str]) -> None:
    process = place.begin(command)
    assert any(name.endswith(".part") for name in listing(place.films))
    process.send_signal(signal.SIGHUP)
    check_ended(place, process)


@pytest.mark.parametrize("name", ["INT", "TERM", "QUIT", "ABRT", "USR1", "XCPU"])
def test_by_whatever_signal(place: Place, name: str) -> None:
    process = place.begin(EXPORT)
    process.send_signal(signal.Signals[f"SIG{name}"])
    check_ended(place, process)


def test_several_signals_for_one_wish(place: Place) -> None:
    """As when a terminal closes: from the system and from the shell."""
    process = place.begin(EXPORT)
    for number in (signal.SIGHUP, signal.SIGHUP, signal.SIGTERM):
        process.send_signal(number)
    check_ended(place, process)


def test_under_nohup_a_hang_up_is_not_heard(place: Place) -> None:
    process = place.begin(EXPORT, before=(sys.executable, "-c", UNDER_NOHUP))
    process.send_signal(signal.SIGHUP)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.5)
    assert place.program().is_running()
    process.send_signal(signal.SIGTERM)
    check_ended(place, process)


@pytest.mark.skipif(sys.platform != "linux", reason="there, the program ends by itself")
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_what_a_sigkill_leaves_goes_with_the_next_command(
    place: Place, command: Sequence[str]
) -> None:
    process = place.begin(command)
    program = place.program()
    process.kill()
    process.communicate()
    assert is_gone(program)
    assert len(listing(place.films)) > 2, "nobody could remove it"

    again = [sys.executable, "-m", "multitrain", *EXPORT[:-1], "gif"]
    subprocess.run(again, cwd=place.root, check=True, capture_output=True)
    assert listing(place.films) == ["a.gif", "a.mp4", "b.mp4"]


def test_a_data_set_that_is_being_drawn(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "multitrain", "dataset", "demo", "x", "--count", "99999"]
    process = subprocess.Popen(command, cwd=tmp_path, start_new_session=True)
    deadline = time.monotonic() + SECONDS
    while not listing(tmp_path / "data" / ".x.part"):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGQUIT)
    assert process.wait(SECONDS) == ExitCode.DRAINED
    assert listing(tmp_path / "data") == []


def test_what_was_left_goes_with_the_next_run(
    place: Place, workspace, make_pictures: Callable[..., object]
) -> None:
    """Beside the films of jobs, in the current folder, and among the data sets."""
    make_pictures(workspace.dataset("d"))
    workspace.renders.mkdir()
    (workspace.data / ".half.part").mkdir()
    for folder in (workspace.renders, workspace.root):
        (folder / "a.mp4").write_bytes((place.films / "a.mp4").read_bytes())
        film = str(folder / "a.mp4")
        process = place.begin(("export", film, "--format", "webm"))
        process.kill()
        process.communicate()
    sheet = workspace.root / "sheet.csv"
    sheet.write_text(
        "name,family,dataset,grid_width,grid_height,video_length,render_video\n"
        "cards,testcard,d,2,2,0.001,False\n"
    )
    command = [sys.executable, "-m", "multitrain", "run", sheet.name, "--gpus", "cpu"]
    subprocess.run(command, cwd=workspace.root, check=True, capture_output=True)
    assert list(workspace.root.rglob("*.part")) == []


def test_a_signal_that_comes_when_all_is_done_changes_no_exit_code() -> None:
    """Where Python has given its handlers back, and only clears up."""
    program = """
import os, signal, sys
from multitrain.startup.interrupts import interrupt_on_signals

class Last:
    def __del__(self, kill=os.kill, pid=os.getpid(), number=signal.SIGTERM):
        kill(pid, number)

interrupt_on_signals()
last = Last()
sys.exit(2)
"""
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 2


def test_a_signal_that_comes_while_a_command_is_starting_ends_it_quietly() -> None:
    program = """
import sys
from multitrain.__main__ import main

class Interrupted:
    def find_spec(self, name, path=None, target=None):
        if name == "multitrain.commands.cli":
            raise KeyboardInterrupt

sys.meta_path.insert(0, Interrupted())
main()
"""
    ended = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True)
    assert (ended.returncode, ended.stderr) == (ExitCode.DRAINED, b"")
