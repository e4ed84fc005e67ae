"""Servers and disks that never end what they have begun."""

import contextlib
import socket
import threading
from contextlib import contextmanager

import pytest

from render.delivery import courier as courier_module
from render.delivery import folder, limits
from tests.render.delivery.far_ends import (
    PATIENCE,
    has_arrived,
)


@contextmanager
def dripping(answers):
    """The port of a server that gives these answers, a line for each line, and then drips."""
    over = threading.Event()

    def serve():
        with server.accept()[0] as connection, contextlib.suppress(OSError):
            connection.settimeout(PATIENCE)
            for answer in answers:
                connection.sendall(answer)
                connection.recv(65536)
            while not over.wait(0.01):
                connection.sendall(b"x")

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        over.set()
        thread.join()


@pytest.mark.parametrize("answers", [[], [b"220 here\r\n", b"331 who\r\n"]])
def test_a_server_that_drips_does_not_hold_the_end_of_the_night(
    film, deliver, lines, monkeypatch, answers
):
    monkeypatch.setattr(limits, "CALL_SECONDS", 0.2)
    monkeypatch.setattr(limits, "LEAST_RATE", 1e9)
    with dripping(answers) as port:
        target = deliver(f"ftp://vj@127.0.0.1:{port}/films")
    assert not has_arrived(film, target)
    assert [line for line in lines() if "it does not answer" in line]


def test_a_call_is_given_up_and_cut():
    cut = threading.Event()
    with pytest.raises(TimeoutError):
        limits.within(0.01, lambda: cut.wait(PATIENCE), cut.set)
    assert cut.is_set()
    with pytest.raises(KeyError):
        limits.within(PATIENCE, lambda: {}["x"], cut.set)
    assert limits.within(PATIENCE, lambda: 7, cut.set) == 7
    assert limits.seconds_for(10**9) == 300 + 2 * 10**5


def test_a_copy_that_was_given_up_does_not_meddle_with_the_next_one(tmp_path, monkeypatch):
    """The disk hangs as the first copy ends: that one goes on while the second is on its way."""
    hangs, goes_on, second_writes = (threading.Event() for _ in range(3))
    file, far = tmp_path / "a.mp4", tmp_path / "far"
    file.write_bytes(b"film")
    far.mkdir()
    first, second = folder.Folder(far), folder.Folder(far)
    read = folder.sha256_of

    def hanging(path):
        if not hangs.is_set():
            hangs.set()
            goes_on.wait(PATIENCE)
        elif path.parent == far:
            second_writes.set()
            late.join(PATIENCE)
        return read(path)

    monkeypatch.setattr(folder, "sha256_of", hanging)
    troubles = []

    def take():
        try:
            first.take(file, "a.mp4")
        except TimeoutError as error:
            troubles.append(error)

    late = threading.Thread(target=take)
    late.start()
    assert hangs.wait(PATIENCE)
    first.cut()
    retry = threading.Thread(target=second.take, args=(file, "a.mp4"))
    retry.start()
    assert second_writes.wait(PATIENCE)
    assert len(list(far.iterdir())) == 2  # a part for each
    goes_on.set()
    retry.join(PATIENCE)
    assert {path.name: path.read_bytes() for path in far.iterdir()} == {"a.mp4": b"film"}
    assert [str(each) for each in troubles] == ["it was given up meanwhile"]


def test_a_connection_that_comes_too_late_is_cut_and_not_used(film, deliver, lines, monkeypatch):
    """The thread that waited for it is left behind, and another one may be sending by then."""
    given_up, over = threading.Event(), threading.Event()
    told = []

    class Late:
        def take(self, file, name):
            told.append(name)

        def cut(self):
            told.append("cut")
            over.set()

    def connect(*_):
        given_up.wait(PATIENCE)
        return Late()

    monkeypatch.setattr(courier_module, "connect", connect)
    monkeypatch.setattr(limits, "CALL_SECONDS", 0.1)
    monkeypatch.setattr(limits, "LEAST_RATE", 1e9)
    target = deliver("ftp://vj@nas.local/films")
    assert [line for line in lines() if "it does not answer" in line]
    given_up.set()
    assert over.wait(PATIENCE)
    assert set(told) == {"cut"}
    assert not has_arrived(film, target)
