"""One file from a web server: resumed where it broke off, tried again, one process at a time."""

from __future__ import annotations

import http.client
import math
import re
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.message import Message
from http import HTTPStatus
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from jobs.errors import UsageError
from jobs.pictures.finding import explain
from jobs.secrets import hidden, plain_address
from jobs.units import bytes_for_people
from jobs.workspace import locks
from multitrain.web_calls import Limit, opened

TIMEOUT = 60.0  # seconds for an answer, and for each further piece of this size
LEAST_PIECE = 60_000  # bytes: a server that sends less than 1 kB a second is given up
TRIES = 6  # in a row that bring next to nothing
PAUSE = 1.0  # seconds before the second of them; each next one is twice as long
CHUNK = 2**18  # bytes
STATED = 2**12  # bytes of a validator that are kept at most

# Errors of a connection; a full disk is none.
_BREAKS = (
    urllib.error.URLError,
    http.client.HTTPException,
    ConnectionError,
    TimeoutError,
    ssl.SSLError,
)
_BUSY = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.REQUEST_TIMEOUT)

_PART = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")  # Content-Range (RFC 9110, 14.4)

OnBytes = Callable[[int, int | None], None]  # bytes received, and the total if known
Shown = Callable[[str], OnBytes]  # is called with what begins, such as `fetching faces`


def not_shown(_: str) -> OnBytes:
    """Nobody is told how far it is."""
    return lambda *_: None


class TransferFailed(Exception):
    """Why the file cannot be had: a clause for a person."""


class TooLarge(Exception):
    """The file has more bytes than `most_bytes`."""


class Unwanted(Exception):
    """The answer is not `wanted`."""


class Busy(Exception):
    """Another process works on the file."""


@contextmanager
def opened_alone(path: Path) -> Iterator[IO[bytes]]:
    """The file, open at its end and locked until it is closed; Busy if another process has it."""
    with open(path, "ab", opener=lambda *_: locks.open_file(path)) as file:
        # The file has left its path where another process has just finished it.
        if not (locks.lock(file.fileno()) and locks.is_at(path, file.fileno())):
            raise Busy
        yield file


def require_address(address: str) -> None:
    """UsageError where `address` is not an HTTP address, escaped as it goes into a request."""
    try:
        parts = urlsplit(address)
        is_of_the_web = parts.scheme in ("http", "https") and bool(parts.hostname)
        _ = parts.port
    except ValueError:
        is_of_the_web = False
    if not is_of_the_web or not address.isascii() or not address.isprintable() or " " in address:
        raise UsageError(
            f"{plain_address(address)!r} is no address: it begins with http:// or https://, and "
            "characters that are no plain letters, and spaces, stand in it as %20 and the like"
        )


def remove(path: Path) -> None:
    """Remove the file, and the note on its version."""
    path.unlink(missing_ok=True)
    _validator_of(path).unlink(missing_ok=True)


def _validator_of(path: Path) -> Path:
    """The path of the note that says which version of the file the server sent."""
    return path.with_suffix(".version")


class _BrokenOff(Exception):
    """The connection broke off, or brought the wrong thing; why, for a person."""


@dataclass
class Transfer:
    """One file on its way; `file` is open at its end."""

    address: str
    path: Path
    file: IO[bytes]
    on_bytes: OnBytes = lambda *_: None
    most_bytes: float = math.inf
    is_checked: bool = False  # afterwards, by a checksum: so any earlier part may be continued
    wanted: Callable[[Message], bool] = lambda _: True  # whether an answer is taken, by its headers
    say: Callable[[str], None] = lambda _: None  # is told why it is tried again, and when

    def complete(self) -> None:
        """Have the whole file; TransferFailed, TooLarge, Unwanted."""
        failures, most = 0, self._size
        while True:
            try:
                self._try()
                break
            except _BrokenOff as error:
                failures += 1
                if self._size >= most + LEAST_PIECE:
                    failures, most = 1, self._size
                if failures >= TRIES:
                    kept = ". What has come is kept; the same command goes on" * bool(self._size)
                    raise TransferFailed(f"{error}{kept}") from error
                pause = PAUSE * 2 ** (failures - 1)
                self.say(
                    f"{plain_address(self.address)}: {hidden(str(error))}; "
                    f"try {failures + 1} of {TRIES} in {pause:g} s"
                )
                time.sleep(pause)
        self.file.flush()

    @property
    def _size(self) -> int:
        return self.file.tell()

    def _try(self) -> None:
        """Try one connection; _BrokenOff where it ends too soon."""
        if self._size and not (self._version or self.is_checked):
            self._begin_anew()  # what is there might be of another version
        request = urllib.request.Request(self.address, headers=self._headers())
        try:
            with opened(request, TIMEOUT) as (response, limit):
                self._receive(response, limit)
        except urllib.error.HTTPError as error:
            with error:
                self._refused(error)
        except _BREAKS as error:
            cause = error.reason if isinstance(error, urllib.error.URLError) else error
            said = explain(cause) if isinstance(cause, Exception) else cause
            raise _BrokenOff(said) from error

    def _headers(self) -> dict[str, str]:
        headers = {"User-Agent": "multitrain", "Accept-Encoding": "identity"}
        if self._size:
            headers["Range"] = f"bytes={self._size}-"
            if self._version:
                headers["If-Range"] = self._version
        return headers

    def _refused(self, error: urllib.error.HTTPError) -> None:
        if error.code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and self._size:
            if error.headers.get("Content-Range") == f"bytes */{self._size}":
                return  # it was all there
            self._begin_anew()
            raise _BrokenOff("the file there has changed") from error
        said = f"{error.code} {error.reason}"
        if error.code >= HTTPStatus.INTERNAL_SERVER_ERROR or error.code in _BUSY:
            raise _BrokenOff(f"the server says {said}") from error
        raise TransferFailed(f"the server says {said}")

    def _receive(self, response: http.client.HTTPResponse, limit: Limit) -> None:
        if not self.wanted(response.headers):
            raise Unwanted
        whole = response.headers.get("Content-Length", "")
        if response.status != HTTPStatus.PARTIAL_CONTENT:
            self._begin_anew()
        else:
            part = _PART.fullmatch(response.headers.get("Content-Range", ""))
            if part is None or int(part[1]) != self._size:
                self._begin_anew()
                raise _BrokenOff("the server sent another part than it was asked for")
            whole = part[2]
        total = int(whole) if whole.isdecimal() else None
        self._version = _version_in(response.headers)
        self._require_fitting(total or 0)
        self.on_bytes(self._size, total)
        allowed_at = self._size
        while chunk := response.read1(CHUNK):  # what has arrived: `read` would wait for more
            self.file.write(chunk)
            self._require_fitting(self._size)
            self.on_bytes(self._size, total)
            if self._size >= allowed_at + LEAST_PIECE:
                allowed_at = self._size
                limit.allow(TIMEOUT)
        if limit.was_reached:
            raise TimeoutError("timed out")
        if total is not None and self._size < total:
            raise _BrokenOff(f"the connection broke off after {bytes_for_people(self._size)}")

    def _require_fitting(self, size: int) -> None:
        if size > self.most_bytes:
            self._begin_anew()
            raise TooLarge

    def _begin_anew(self) -> None:
        self.file.seek(0)
        self.file.truncate()
        _validator_of(self.path).unlink(missing_ok=True)

    @property
    def _version(self) -> str:
        """The file's version as the server named it; empty where it did not."""
        with suppress(OSError):
            return _validator_of(self.path).read_text(encoding="latin-1")[:STATED]
        return ""

    @_version.setter
    def _version(self, version: str) -> None:
        if version:
            _validator_of(self.path).write_text(version, encoding="latin-1")


def _version_in(headers: Message) -> str:
    """The version that If-Range can name: a strong entity tag, or a date (RFC 9110, 13.1.5)."""
    tag: str = headers.get("ETag", "")
    if tag and not tag.startswith("W/"):
        return tag
    changed: str = headers.get("Last-Modified", "")
    return changed
