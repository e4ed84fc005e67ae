"""Servers that send a byte now and then: calls end in time, whatever is dripping."""

from __future__ import annotations

import socket
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from jobs.errors import DatasetError
from jobs.workspace.paths import Workspace
from jobs.workspace.states import State
from multitrain.datasets.web import transfer
from multitrain.datasets.web.catalogue import Source
from multitrain.datasets.web.fetching import fetched
from multitrain.farm.notices import Notice, Notices
from multitrain.web_calls import Limit, opened
from tests.farm.test_notices import make_job

LIMIT = 0.3  # seconds
SOON = 20.0  # at the most, on a machine that is busy
HEADERS = b"HTTP/1.1 200 OK\r\nX: "
BODY = b"HTTP/1.1 200 OK\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@contextmanager
def dripping(begin: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """The address of a server that begins so and drips; what it was asked."""
    asked: list[bytes] = []
    over = threading.Event()

    def serve(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            asked.append(connection.recv(65536))
            connection.sendall(begin)
            while not over.wait(LIMIT / 10):
                connection.sendall(b"0")

    def accept() -> None:
        with suppress(OSError):
            while True:
                threads.append(threading.Thread(target=serve, args=(server.accept()[0],)))
                threads[-1].start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threads = [threading.Thread(target=accept)]
        threads[0].start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}/x.zip", asked
        finally:
            over.set()
            server.shutdown(socket.SHUT_RDWR)
            for thread in threads:
                thread.join()


@pytest.mark.parametrize("begin", [HEADERS, BODY, CHUNKED])
def test_a_call_ends_in_time_whatever_drips(begin: bytes) -> None:
    began = time.monotonic()
    with (
        dripping(begin) as (address, _),
        pytest.raises(TimeoutError),
        opened(urllib.request.Request(address), LIMIT) as (answer, _),
    ):
        answer.read()
    assert LIMIT <= time.monotonic() - began < SOON


def test_a_connection_that_comes_too_late_is_cut_off() -> None:
    limit = Limit(SOON)
    limit.was_reached = True  # while it was being made
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        limit.connect(server.getsockname()) as made,
    ):
        assert made.recv(1) == b""
    limit.end()


def test_a_name_that_cannot_be_looked_up_is_given_up_in_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answered = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answered.wait() and [])
    began = time.monotonic()
    with (
        pytest.raises(TimeoutError),
        opened(urllib.request.Request("http://nas.local/x"), LIMIT),
    ):
        pass
    answered.set()
    assert LIMIT <= time.monotonic() - began < SOON


def test_the_first_address_that_answers_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # nobody listens there
        kind = (socket.AF_INET, socket.SOCK_STREAM, 0, "")
        found = [(*kind, closed.getsockname()), (*kind, server.getsockname())]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        limit = Limit(SOON)
        with limit.connect(("nas.local", 80)) as made:
            assert made.getpeername() == server.getsockname()
        limit.end()
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found[:1])
        with pytest.raises(ConnectionRefusedError):
            limit.connect(("nas.local", 80))


def test_what_answers_in_time_is_read_and_a_login_goes_into_a_header() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        asked: list[bytes] = []

        def serve() -> None:
            with server.accept()[0] as connection:
                asked.append(connection.recv(65536))
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

        thread = threading.Thread(target=serve)
        thread.start()
        address = f"http://vj:S3%3Acr3t@127.0.0.1:{server.getsockname()[1]}/a"
        with opened(urllib.request.Request(address), SOON) as (answer, _):
            assert answer.read() == b"ok"
        thread.join()
    assert b"Authorization: Basic dmo6UzM6Y3IzdA==\r\n" in asked[0]  # vj:S3:cr3t
    assert b"@" not in asked[0]


def test_a_webhook_that_drips_is_told(workspace: Workspace) -> None:
    notices = Notices(webhook_seconds=LIMIT)
    with dripping(HEADERS) as (address, _):
        job = make_job("night", on_done=address)
        notice = Notice.of(workspace.job("night"), job, State.DONE, "")
        assert notice
        notices.begin(notice)
        for thread in list(notices._threads):
            thread.join(SOON)
        (trouble,) = notices.take_troubles()
    assert "127.0.0.1 was not reached (TimeoutError)" in trouble.text
    assert notices.idle


@pytest.mark.parametrize("begin", [HEADERS, BODY])
def test_a_fetched_file_that_drips_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, begin: bytes
) -> None:
    monkeypatch.setattr(transfer, "TIMEOUT", LIMIT)
    monkeypatch.setattr(transfer, "PAUSE", 0.0)
    with dripping(begin) as (address, asked):
        login = address.replace("//", "//vj:S3cr3t@") + "?sig=S3cr3t"
        with (
            pytest.raises(DatasetError, match="cannot be fetched: ") as caught,
            fetched(Source(login), tmp_path, 10**9, lambda *_: None),
        ):
            pass
    assert "cr3t" not in str(caught.value)
    assert len(asked) == transfer.TRIES
