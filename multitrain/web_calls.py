"""Calls to web servers that end in time: one that sends a byte now and then holds nobody up.

The time limit of a socket is one for each read. So all sockets of a call are kept here, and shut
down when its time is up, wherever it is: at the handshake, in the headers, in the middle. A
lookup of a name cannot be cut off so: it has a thread of its own, which is left behind.
"""

from __future__ import annotations

import base64
import http.client
import socket
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import unquote, urlsplit

from render.delivery.limits import within


class Limit:
    """The moment at which a call is cut off, on the monotonic clock; it may be put off."""

    def __init__(self, seconds: float) -> None:
        self._over = threading.Event()
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()
        self.was_reached = False
        self.allow(seconds)

    def allow(self, seconds: float) -> None:
        """Put the limit off: `seconds` from now on."""
        self._end = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """The seconds that are left."""
        return max(0.0, self._end - time.monotonic())

    def connect(self, address: tuple[str, int], *_: Any) -> socket.socket:
        """A connected socket, as of `socket.create_connection`, within the time that is left."""
        made = self._connected(address)
        with self._lock:
            self._sockets.append(made.dup())  # TLS takes the first one's descriptor away
            if self.was_reached:  # the time was up meanwhile
                self._cut_off()
        return made

    def _connected(self, address: tuple[str, int]) -> socket.socket:
        """A socket that is connected to the first of the name's addresses that answers."""
        found = within(
            self.left, lambda: socket.getaddrinfo(*address, type=socket.SOCK_STREAM), lambda: None
        )
        failures = []
        for family, kind, protocol, _, place in found:
            made = None
            try:
                made = socket.socket(family, kind, protocol)  # a kernel may have no IPv6
                made.settimeout(max(self.left, 0.001))
                made.connect(place)
            except OSError as error:
                if made:
                    made.close()
                failures.append(error)
            else:
                return made
        raise failures[0]

    def watch(self) -> None:
        """Wait until the call is over or its time is up; then cut it off."""
        while left := self.left:
            if self._over.wait(left):
                return
        self.was_reached = True
        with self._lock:
            self._cut_off()

    def _cut_off(self) -> None:
        for each in self._sockets:
            with suppress(OSError):  # the other side has closed it
                each.shutdown(socket.SHUT_RDWR)

    def end(self) -> None:
        """The call is over."""
        self._over.set()
        with self._lock:
            for each in self._sockets:
                each.close()


@contextmanager
def opened(
    request: urllib.request.Request, limit_seconds: float
) -> Iterator[tuple[http.client.HTTPResponse, Limit]]:
    """The answer, with the limit by which the block must be done; raises as `urlopen` does.

    TimeoutError where the time was up first. A login in the address is sent in a header, and never
    to an address that the server redirects to.
    """
    _move_login(request)
    limit = Limit(limit_seconds)
    watch = threading.Thread(target=limit.watch, name="limit of a call", daemon=True)
    watch.start()
    try:
        opener = urllib.request.build_opener(_Http(limit), _Https(limit))
        with opener.open(request, timeout=limit_seconds) as answer:
            yield answer, limit
    except (OSError, http.client.HTTPException, ValueError) as error:
        if limit.was_reached or not limit.left:
            raise TimeoutError("timed out") from error
        raise
    finally:
        limit.end()
        watch.join()
    if limit.was_reached:
        raise TimeoutError("timed out")


def _move_login(request: urllib.request.Request) -> None:
    """Move a login from the address, where http.client takes it for a port, to a header.

    RFC 7617.
    """
    parts = urlsplit(request.full_url)
    login, at, place = parts.netloc.rpartition("@")
    if at:
        request.full_url = parts._replace(netloc=place).geturl()
        coded = base64.b64encode(unquote(login).encode()).decode()
        request.add_unredirected_header("Authorization", f"Basic {coded}")


class _Http(urllib.request.HTTPHandler):
    def __init__(self, limit: Limit) -> None:
        super().__init__()
        self._limit = limit

    def http_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_made_by(http.client.HTTPConnection, self._limit), request)


class _Https(urllib.request.HTTPSHandler):
    def __init__(self, limit: Limit) -> None:
        super().__init__()
        self._limit = limit

    def https_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_made_by(http.client.HTTPSConnection, self._limit), request)


def _made_by(kind: type[http.client.HTTPConnection], limit: Limit) -> Any:
    """A maker of connections whose sockets the `limit` can cut off."""

    def make(host: str, **options: Any) -> http.client.HTTPConnection:
        connection: Any = kind(host, **options)
        connection._create_connection = limit.connect
        return connection  # type: ignore[no-any-return]

    return make
