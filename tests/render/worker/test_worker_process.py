"""`python -m render.worker.worker` as the farm runs it."""

import os
import signal
import subprocess
import sys
import threading
import time

import psutil
import pytest

from jobs.workspace.files import PART, listing
from render.encoding import ffmpeg
from render.worker import worker
from render.worker.worker import Heart, send_the_rest
from tests.render.numbered import checkpoint, numbers_in, spool

PATIENCE = 60.0  # seconds


class Process:
    """A worker in a session of its own, its log in a file, killed whole at the end."""

    def __init__(self, workspace, encoders=2):
        workspace.runs.mkdir(exist_ok=True)
        self.log = workspace.render_log
        command = [sys.executable, "-m", "render.worker.worker", str(workspace.root)]
        with self.log.open("ab") as log:
            self.popen = subprocess.Popen(
                [*command, "--encoders", str(encoders)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def say(self, text):
        self.popen.stdin.write(os.fsencode(text))
        self.popen.stdin.flush()

    def encoders(self):
        return psutil.Process(self.popen.pid).children(recursive=True)

    def end(self):
        """Close stdin; the exit code."""
        self.popen.stdin.close()
        return self.popen.wait(PATIENCE)

    def kill(self):
        """The process and its children at once, as the farm does."""
        os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait()


@pytest.fixture
def start(workspace):
    processes = []

    def start_process(**options):
        processes.append(Process(workspace, **options))
        return processes[-1]

    yield start_process
    for process in processes:
        if process.popen.poll() is None:
            process.kill()
        process.popen.stdin.close()


def wait_for(condition, what):
    """Until `condition()` is true; polled, for other processes' files ring no bell."""
    end = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.01)
    return found


def wait_for_encoder(paths):
    """Until ffmpeg writes a segment of this job."""
    wait_for(lambda: any(name.endswith(PART) for name in listing(paths.segments)), "an encoder")


def test_names_come_on_stdin_and_its_end_ends_the_worker(make_job, start):
    first, first_job = make_job("first", frames=20, cut=10)
    second, second_job = make_job("second é 100%", frames=20, cut=10)
    process = start()
    process.say("first\nsecond é")
    spool(first, first_job, 0, 20)
    checkpoint(first, 20)
    wait_for(first.manifest.exists, "the first film")
    assert numbers_in(first.film()) == list(range(20))
    spool(second, second_job, 0, 20)
    checkpoint(second, 20)
    process.say(" 100%\n")
    wait_for(second.manifest.exists, "the second film")
    assert process.end() == 0


@pytest.mark.parametrize("ending", ["stdin", "SIGTERM"])
def test_running_encoders_are_let_finish(make_job, start, ending):
    paths, job = make_job(frames=120, cut=10, size=(240, 240), preset="veryslow")
    spool(paths, job, 0, 120)
    process = start(encoders=1)
    process.say("job\n")
    wait_for_encoder(paths)
    if ending == "SIGTERM":
        process.popen.send_signal(signal.SIGTERM)
        assert process.popen.wait(PATIENCE) == 0
    else:
        assert process.end() == 0
    segments = listing(paths.segments)
    assert 1 <= len(segments) < 12  # the one in hand; not those that waited
    assert not any(name.endswith(PART) for name in segments)


# An ffmpeg that bears no other one beside it that makes a segment.
LONELY = """\
#!/bin/sh
case "$*" in */segments/*) ;; *) exec "{ffmpeg}" "$@";; esac
mkdir "{lock}" || exit 9
"{ffmpeg}" "$@"
code=$?
rmdir "{lock}"
exit $code
"""


def test_no_more_encoders_run_at_once_than_asked_for(make_job, start, tmp_path, monkeypatch):
    program = tmp_path / "bin" / "ffmpeg"
    program.parent.mkdir()
    program.write_text(LONELY.format(lock=tmp_path / "lock", ffmpeg=ffmpeg.find()))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    paths, job = make_job(frames=40, cut=10, size=(320, 320), preset="veryslow")
    spool(paths, job, 0, 40)
    checkpoint(paths, 40)
    process = start(encoders=1)
    process.say("job\n")
    wait_for(lambda: paths.manifest.exists() or "try 1" in process.log.read_text(), "the film")
    assert "try 1" not in process.log.read_text()


def test_encoders_run_at_low_priority(make_job, start):
    paths, job = make_job(frames=10, size=(640, 640), preset="veryslow")
    spool(paths, job, 0, 10)
    process = start()
    process.say("job\n")
    wait_for_encoder(paths)
    [encoder] = process.encoders()
    assert encoder.nice() == max(10, psutil.Process(process.popen.pid).nice())


def test_a_killed_encoder_is_tried_again(make_job, start):
    paths, job = make_job(frames=10, size=(640, 640), preset="veryslow")
    spool(paths, job, 0, 10)
    checkpoint(paths, 10)
    process = start()
    process.say("job\n")
    wait_for_encoder(paths)
    [encoder] = process.encoders()
    encoder.kill()
    wait_for(paths.manifest.exists, "the film")
    assert numbers_in(paths.film()) == list(range(10))
    assert "try 1 of 3" in process.log.read_text()


def test_a_killed_worker_is_followed_by_one_that_ends_the_work(make_job, start):
    paths, job = make_job(frames=60, cut=10, size=(160, 160), preset="slower")
    spool(paths, job, 0, 60)
    checkpoint(paths, 60)
    for segments in (1, 3):
        process = start()
        process.say("job\n")
        wait_for(lambda: len(listing(paths.segments)) >= segments, "segments")  # noqa: B023
        process.kill()
    process = start()
    process.say("job\n")
    wait_for(paths.manifest.exists, "the film")
    assert process.end() == 0
    assert numbers_in(paths.film()) == list(range(60))
    assert not any(name.endswith(PART) for name in listing(paths.workspace.renders))
    assert not paths.render_failure.exists()


def test_uploads_at_the_end_are_waited_for_with_a_beating_heart(workspace, monkeypatch):
    heart_beat = threading.Event()

    class Slow:
        def close(self):
            assert heart_beat.wait(PATIENCE)
            raise SystemError("what a courier raises is not swallowed")

    monkeypatch.setattr(os, "utime", lambda path, **how: heart_beat.set())
    monkeypatch.setattr(worker, "BEAT_SECONDS", 0.01)
    with pytest.raises(SystemError):
        send_the_rest(Slow(), Heart(workspace.render_heartbeat))


def test_a_heart_beats_every_few_seconds_and_bears_all(workspace, monkeypatch):
    heart = Heart(workspace.render_heartbeat)
    heart.beat(0.0)  # there is no file
    assert not workspace.render_heartbeat.exists()
    workspace.runs.mkdir()
    workspace.render_heartbeat.touch()
    touched = []
    monkeypatch.setattr(os, "utime", lambda path, **how: touched.append(now))
    for now in (1.0, 1.9, 2.0, 2.5, 3.9, 4.1):
        heart.beat(now)
    assert touched == [2.0, 4.1]


def test_it_imports_nothing_heavy():
    script = (
        "import sys, render.worker.worker;"
        "print([m for m in ('pandas', 'tensorflow', 'keras', 'cv2') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert done.stdout.strip() == b"[]"
