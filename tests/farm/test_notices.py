"""Commands and webhooks of jobs that have ended."""

import json
import socket
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import psutil
import pytest

from jobs.workspace.states import State
from multitrain.farm.events import Happening
from multitrain.farm.farm import Habits
from multitrain.farm.notices import Notice, Notices
from multitrain.slots.cpu import CpuPool
from tests.farm.simulation import Outcome, Simulation, make_job

PATIENCE = 30.0  # seconds
TELL = 'printf "%s|" "$MULTITRAIN_JOB" "$MULTITRAIN_STATE" "$MULTITRAIN_FILM" "$MULTITRAIN_ERROR"'
TO_FILE = f"{TELL} >> told.txt; pwd >> told.txt"


@contextmanager
def webhook(code=200):
    """An address, and what was posted to it."""
    posted = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            length = int(self.headers["Content-Length"])
            posted.append((self.path, self.headers["Content-Type"], self.rfile.read(length)))
            self.send_response(code)
            self.end_headers()

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/hook", posted
        finally:
            server.shutdown()
            thread.join()


def begin_and_wait(workspace, job, state=State.DONE, error="", notices=None):
    """Tell of it; what went wrong."""
    notices = notices or Notices(command_seconds=PATIENCE)
    notices.begin(Notice.of(workspace.job(job.spec.name), job, state, error))
    for thread in notices._threads:
        thread.join(PATIENCE)
    return [trouble.text for trouble in notices.take_troubles()]


def told(workspace):
    file = workspace.root / "told.txt"
    return file.read_text() if file.exists() else ""


@pytest.fixture
def run_farm(workspace):
    """`run_farm(job, *outcomes)`: a farm from its start to its end; its events."""

    def run(job, *outcomes):
        simulation = Simulation(workspace, [job], CpuPool(1))
        simulation.outcomes[job.spec.name] = list(outcomes)
        for _ in range(1000):
            if simulation.farm.finished:
                break
            simulation.tick()
            for thread in simulation.farm._notices._threads:
                thread.join(PATIENCE)
        simulation.store.close()
        return simulation.events

    return run


def test_a_command_is_run_once_when_the_job_is_done(workspace, run_farm):
    job = make_job("night", on_done=TO_FILE, on_failed="touch failed")
    run_farm(job)
    name, state, film, _, folder = told(workspace).split("|")
    assert (name, state, folder) == ("night", "done", f"{workspace.root}\n")
    assert film == str(workspace.job("night").film())
    run_farm(job)
    workspace.store.unlink()  # a store that was lost is no news
    run_farm(job)
    assert told(workspace).count("|done|") == 1
    assert not (workspace.root / "failed").exists()


def test_a_failure_is_told_with_its_reason_and_again_in_each_run_of_its_user(workspace, run_farm):
    job = make_job("night", on_failed=TO_FILE, retries="0")
    failure = {"kind": "error", "reason": "too hot"}
    run_farm(job, Outcome(code=1, frames=3, failure=failure))
    log = workspace.job("night").log
    once = f"night|failed||too hot (log: {log})|{workspace.root}\n"
    assert told(workspace) == once
    run_farm(job, Outcome(code=1, frames=3, failure=failure))
    assert told(workspace) == 2 * once
    run_farm(job)
    assert told(workspace) == 2 * once


def test_the_same_failure_is_told_once_where_a_kill_comes_before_the_store_knows_it(workspace):
    job = make_job("night", on_failed=TO_FILE)
    for reason in ("too hot", "too hot", "too cold"):
        begin_and_wait(workspace, job, State.FAILED, reason)
    assert told(workspace).count("|too hot|") == 1
    assert told(workspace).count("|too cold|") == 1


def test_a_command_that_fails_is_told_and_harms_nothing(workspace, run_farm):
    events = run_farm(make_job("night", on_done="echo why; exit 3"))
    texts = [str(event) for event in events if event.happening is Happening.TROUBLE]
    log = workspace.job("night").log
    assert texts == [f"night: on_done ended with code 3 (log: {log}); the job is done all the same"]
    assert log.read_text() == "why\n"
    assert any(event.happening is Happening.DONE for event in events)


def test_a_tick_does_not_wait_and_the_end_does(workspace):
    fifo = workspace.root / "fifo"
    job = make_job("night", on_done=f"mkfifo fifo; touch begun; cat fifo; {TO_FILE}")
    simulation = Simulation(workspace, [job], CpuPool(1))
    for _ in range(100):
        simulation.tick()
    assert simulation.states() == {"night": "done"}
    assert not simulation.farm.finished
    [thread] = simulation.farm._notices._threads
    while not fifo.exists():
        thread.join(0.01)
    with fifo.open("w"):
        pass
    thread.join(PATIENCE)
    simulation.tick()
    assert simulation.farm.finished
    assert "|done|" in told(workspace)
    simulation.store.close()


def test_commands_end_when_everything_is_to_end_at_once(workspace):
    job = make_job("night", on_done="sleep 1000")
    simulation = Simulation(workspace, [job], CpuPool(1))
    for _ in range(100):
        simulation.tick()
    notices = simulation.farm._notices
    while not notices._commands:
        notices._threads[0].join(0.01)
    simulation.farm.kill()
    notices._threads[0].join(PATIENCE)
    assert not notices._threads[0].is_alive()
    simulation.store.close()


def test_addresses_hold_up_no_end_at_once(workspace, monkeypatch):
    monkeypatch.setattr("multitrain.farm.notices.AT_ONCE", 2)
    notices = Notices(command_seconds=PATIENCE, webhook_seconds=PATIENCE)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        hook = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        for name, order in {"a": hook, "b": "sleep 1000", "c": "touch behind"}.items():
            job = make_job(name, on_done=order)
            notices.begin(Notice.of(workspace.job(name), job, State.DONE, ""))
            if order == hook:
                taken, _ = silent.accept()
            while name == "b" and not notices._commands:
                notices._threads[1].join(0.01)
        assert not notices.idle
        notices.kill()
        notices._threads[1].join(PATIENCE)
        assert not notices.idle, "the command's end is to be told"
        [trouble] = notices.take_troubles()
        assert "ended with code -9" in trouble.text
        assert notices._threads[0].is_alive()
        assert notices.idle
        taken.close()
    notices._threads[0].join(PATIENCE)
    assert not (workspace.root / "behind").exists()


def test_a_command_that_takes_too_long_is_ended_with_its_children(workspace):
    job = make_job("night", on_done="sh -c 'sleep 1000' & echo $! > child; wait")
    texts = begin_and_wait(workspace, job, notices=Notices(command_seconds=0.2))
    assert "was ended after 0.2 seconds" in texts[0]
    child, ends = int((workspace.root / "child").read_text()), time.monotonic() + PATIENCE
    while lives(child):  # it was killed, which takes a moment
        assert time.monotonic() < ends


def lives(pid):
    """Not a zombie that nobody reaps, as happens in containers."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_webhook_gets_json(workspace, monkeypatch):
    with webhook() as (address, posted):
        monkeypatch.setenv("TOKEN", "s3cr3t")
        job = make_job("night", on_done=f"{address}?$TOKEN", render_res="96x54")
        assert begin_and_wait(workspace, job) == []
    [(path, kind, body)] = posted
    assert (path, kind) == ("/hook?s3cr3t", "application/json")
    films = [str(workspace.job("night").film(box)) for box in range(1, 5)]
    assert json.loads(body) == {
        "job": "night",
        "state": "done",
        "film": "\n".join(films),
        "error": "",
        "workspace": str(workspace.root),
    }
    assert workspace.job("night").log.read_text() == "on_done: 127.0.0.1 answered 200\n"


def test_webhooks_that_do_not_work_are_told_without_their_address(workspace):
    with webhook(500) as (address, _):
        job = make_job("night", on_failed=f"{address}/s3cr3t")
        (text,) = begin_and_wait(workspace, job, State.FAILED, "why")
    assert text == "on_failed 127.0.0.1 answered 500; the job is failed all the same"
    (text,) = begin_and_wait(workspace, job, State.FAILED, "another reason")
    assert "127.0.0.1 was not reached (Connection refused)" in text
    job = make_job("night", on_failed="http://[s3cr3t")
    (text,) = begin_and_wait(workspace, job, State.FAILED, "one more")
    assert "s3cr3t" not in text
    assert "s3cr3t" not in workspace.job("night").log.read_text()


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:9/s3cr3t x", "http://127.0.0.1:s3cr3t/", "http://a s3cr3t/"]
)
def test_an_address_that_is_none_is_told_without_its_words(workspace, address):
    job = make_job("night", on_done=address)
    (text,) = begin_and_wait(workspace, job)
    assert "was not reached (InvalidURL); the job is done all the same" in text
    assert "s3cr3t" not in text
    assert "s3cr3t" not in workspace.job("night").log.read_text()


def test_an_answer_that_is_none_is_told(workspace):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer():
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"s3cr3t\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        job = make_job("night", on_done=f"http://127.0.0.1:{server.getsockname()[1]}")
        (text,) = begin_and_wait(workspace, job)
        thread.join()
    assert "127.0.0.1 was not reached (BadStatusLine)" in text


def test_nothing_is_told_where_the_sheet_says_nothing(workspace):
    paths = workspace.job("night")
    assert Notice.of(paths, make_job("night", on_done="true"), State.FAILED, "") is None
    assert Notice.of(paths, make_job("night", on_failed="true"), State.DONE, "") is None
    assert Notice.of(paths, make_job("night", on_done="true"), State.CANCELLED, "") is None


@pytest.mark.parametrize("stays", [False, True])
def test_whoever_wants_to_know_is_told_once_that_the_night_is_over(workspace, stays):
    order = 'printf "%s|" $MULTITRAIN_DONE $MULTITRAIN_FAILED $MULTITRAIN_SECONDS >> told.txt'
    simulation = Simulation(workspace, [make_job("a"), make_job("b")], CpuPool(1))
    failure = {"kind": "diverged", "reason": "NaN"}
    simulation.outcomes["b"] = [Outcome(code=1, frames=10, failure=failure)]
    simulation.farm._habits = Habits(stays=stays, on_night_done=order)
    while simulation.states() != {"a": "done", "b": "failed"}:
        simulation.tick()
    for _ in range(3):
        simulation.tick()
        for thread in simulation.farm._notices._threads:
            thread.join(PATIENCE)
    simulation.store.close()
    done, failed, seconds, rest = told(workspace).split("|")
    assert (done, failed, rest) == ("1", "1", "")
    assert 20 <= int(seconds) <= 30
    assert simulation.farm.finished is not stays


def test_a_night_that_was_stopped_is_not_over(workspace):
    simulation = Simulation(workspace, [make_job("a")], CpuPool(1))
    simulation.farm._habits = Habits(on_night_done="touch told.txt")
    simulation.tick()
    simulation.farm.drain()
    simulation.run()
    simulation.store.close()
    assert not (workspace.root / "told.txt").exists()
