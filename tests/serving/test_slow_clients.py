"""Clients that send a byte now and then hold no connection for ever; nor do long commands stay."""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from multitrain.serving import impatience
from multitrain.serving.bodies import Refused
from multitrain.serving.programs import Programs
from multitrain.serving.server import server_of

SECONDS = 0.5  # of patience


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Says how long the body was; refuses that of /no unread."""
    request = Request(scope, receive)
    if scope["path"] == "/no":
        await PlainTextResponse("no", 403)(scope, receive, send)
        return
    await PlainTextResponse(str(len(await request.body())))(scope, receive, send)


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setattr(impatience, "HEAD_SECONDS", SECONDS)
    monkeypatch.setattr(impatience, "BODY_SECONDS", SECONDS)
    server = server_of(app)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        yield listening.getsockname()[1]
        server.should_exit = True
        thread.join()


POST = b"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"
ANSWERED = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (b"", b""),  # nothing at all
        (b"GET / HTTP/1.1\r\nX: ", b"x"),
        (POST.replace(b"{path}", b"/"), b"x"),
        (POST.replace(b"{path}", b"/no"), b"x"),  # answered by now, but it goes on
        (ANSWERED, b"x"),  # a further request
    ],
)
def test_who_sends_slowly_is_left(port: int, first: bytes, then: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
        client.sendall(first)
        client.settimeout(0.1)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                client.send(then)
                if not client.recv(4096):
                    return
            except TimeoutError:
                continue
            except ConnectionError:
                return
    raise AssertionError("it is still connected")


def test_who_sends_all_is_answered_again_and_again(port: int) -> None:
    body = b"x" * 1000
    with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
        for _ in range(3):
            client.sendall(POST.replace(b"{path}", b"/"))
            time.sleep(SECONDS / 4)  # not so slow
            client.sendall(body)
            answer = b""
            while not answer.endswith(b"\r\n\r\n1000"):
                piece = client.recv(4096)
                assert piece, answer
                answer += piece


FAMILY = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
open("pid", "w").write(str(child.pid))
time.sleep(600)
"""


@pytest.mark.parametrize("is_cancelled", [False, True])
def test_a_command_that_takes_too_long_leaves_nothing_behind(
    tmp_path: Path, is_cancelled: bool
) -> None:
    pid = tmp_path / "pid"

    async def run() -> None:
        programs = Programs((sys.executable, "-c", FAMILY), tmp_path, asyncio.Semaphore(1))
        running = asyncio.create_task(programs.run([], 600 if is_cancelled else 0))
        if is_cancelled:
            while not pid.exists() or not pid.read_text():
                await asyncio.sleep(0.02)
            running.cancel()
        with pytest.raises((Refused, asyncio.CancelledError)):
            await running

    asyncio.run(run())
    deadline = time.monotonic() + 30  # it is killed by now, but the system may take a moment
    while pid.exists() and _lives(int(pid.read_text())):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
