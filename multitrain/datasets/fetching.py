"""Files from web servers: resumed where they broke off, and checked."""

from __future__ import annotations

import fcntl
import hashlib
import http.client
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from jobs.errors import DatasetError, UsageError
from jobs.pictures import explain
from jobs.units import bytes_for_people
from multitrain.datasets.catalogue import Source

TIMEOUT = 30.0  # seconds without a byte
TRIES = 6  # in a row that bring nothing
PAUSE = 1.0  # seconds before the second of them; each next one is twice as long
CHUNK = 2**18  # bytes
STATED = 2**12  # bytes of a validator that are kept at most

# What ends a connection; a disk that is full does not.
_BREAKS = (
    urllib.error.URLError,
    http.client.HTTPException,
    ConnectionError,
    TimeoutError,
    ssl.SSLError,
)
_BUSY = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.REQUEST_TIMEOUT)

OnBytes = Callable[[int, int | None], None]  # bytes that are there, and of how many


class Unusable(DatasetError):
    """Raised by who uses a file: another try would have to fetch it anew."""


@contextmanager
def fetched(source: Source, folder: Path, most_bytes: int, on_bytes: OnBytes) -> Iterator[Path]:
    """The file at the address, below `folder`; it goes when it was used, or found Unusable.

    What is there from an earlier try is kept and gone on with, where the server can. DatasetError
    where it cannot be had, is larger than `most_bytes` or is not what `source` tells.
    """
    _require_address(source.address)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{hashlib.sha256(source.address.encode()).hexdigest()[:32]}.archive"
    with path.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DatasetError(f"Another process is fetching {source.address}") from None
        try:
            _Transfer(source, path, file, most_bytes, on_bytes).complete()
        except BaseException:
            if not file.tell():
                _remove(path)
            raise
        try:
            yield path
        except Unusable:
            _remove(path)
            raise
        _remove(path)


def _require_address(address: str) -> None:
    try:
        parts = urlsplit(address)
        is_of_the_web = parts.scheme in ("http", "https") and bool(parts.hostname)
        _ = parts.port
    except ValueError:
        is_of_the_web = False
    if not is_of_the_web or not address.isascii() or not address.isprintable() or " " in address:
        raise UsageError(
            f"{address!r} is no address: it begins with http:// or https://, and characters that "
            "are no plain letters, and spaces, stand in it as %20 and the like"
        )


def digest_of(path: Path, algorithm: str = "sha256") -> str:
    """Hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    _validator_of(path).unlink(missing_ok=True)


def _validator_of(path: Path) -> Path:
    """Where it stands which version of the file the server sent."""
    return path.with_suffix(".version")


class _BrokenOff(Exception):
    """The connection, or what came of it; why, for a person."""


@dataclass
class _Transfer:
    """One file on its way; `file` is open at its end."""

    source: Source
    path: Path
    file: IO[bytes]
    most_bytes: int
    on_bytes: OnBytes

    def complete(self) -> None:
        """Have the whole file, checked."""
        failures = 0
        while True:
            before = self._size
            try:
                self._try()
                break
            except _BrokenOff as error:
                failures = 1 if self._size > before else failures + 1
                if failures >= TRIES:
                    kept = ". What has come is kept; the same command goes on" * bool(self._size)
                    raise DatasetError(
                        f"{self.source.address} cannot be fetched: {error}{kept}"
                    ) from error
                time.sleep(PAUSE * 2 ** (failures - 1))
        self.file.flush()
        self._check()

    @property
    def _size(self) -> int:
        return self.file.tell()

    def _try(self) -> None:
        """One connection; _BrokenOff where it ends too soon."""
        if self._size and not (self._version or self.source.checksum):
            self._begin_anew()  # what is there might be of another version
        request = urllib.request.Request(self.source.address, headers=self._headers())
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as response:
                self._receive(response)
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
        raise DatasetError(f"{self.source.address} cannot be fetched: the server says {said}")

    def _receive(self, response: http.client.HTTPResponse) -> None:
        if response.status != HTTPStatus.PARTIAL_CONTENT:
            self._begin_anew()
        elif not response.headers.get("Content-Range", "").startswith(f"bytes {self._size}-"):
            self._begin_anew()
            raise _BrokenOff("the server sent another part than it was asked for")
        self._version = _version_in(response.headers)
        length = response.headers.get("Content-Length", "")
        total = self._size + int(length) if length.isdecimal() else None
        self._require_fitting(total or 0)
        self.on_bytes(self._size, total)
        while chunk := response.read(CHUNK):
            self.file.write(chunk)
            self._require_fitting(self._size)
            self.on_bytes(self._size, total)
        if total is not None and self._size < total:
            raise _BrokenOff(f"the connection broke off after {bytes_for_people(self._size)}")

    def _require_fitting(self, size: int) -> None:
        if size > self.most_bytes:
            self._begin_anew()
            most = bytes_for_people(self.most_bytes)
            raise DatasetError(f"{self.source.address} is larger than {most}; see --most-gb")

    def _begin_anew(self) -> None:
        self.file.seek(0)
        self.file.truncate()
        _validator_of(self.path).unlink(missing_ok=True)

    @property
    def _version(self) -> str:
        """As the server named it; empty where it did not."""
        with suppress(OSError):
            return _validator_of(self.path).read_text(encoding="latin-1")[:STATED]
        return ""

    @_version.setter
    def _version(self, version: str) -> None:
        if version:
            _validator_of(self.path).write_text(version, encoding="latin-1")

    def _check(self) -> None:
        if self.source.checksum is None:
            return
        algorithm, _, digest = self.source.checksum.partition(":")
        if (found := digest_of(self.path, algorithm)) != digest.lower():
            _remove(self.path)
            raise DatasetError(
                f"{self.source.address} is not what it should be: its {algorithm} is {found}, "
                f"not {digest}. It was thrown away; it has changed, or came damaged"
            )


def _version_in(headers: http.client.HTTPMessage) -> str:
    """What If-Range can name: a strong entity tag, or a date (RFC 9110, 13.1.5)."""
    tag = headers.get("ETag", "")
    if tag and not tag.startswith("W/"):
        return tag
    return headers.get("Last-Modified", "")
