"""Files from a server that drops connections, lies, changes its mind: whole and checked, or not."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from jobs.errors import DatasetError, UsageError
from multitrain.datasets.web import transfer
from multitrain.datasets.web.catalogue import COLLECTIONS, Source
from multitrain.datasets.web.fetching import Unusable, digest_of, fetched
from multitrain.datasets.web.transfer import TRIES

CONTENT = bytes(range(256)) * 4000  # about 1 MB
SHA256 = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"
PLENTY = 10**9


@dataclass
class Server:
    """What the server does; `asked` are the Range headers that it saw, None without one."""

    address: str = ""
    content: bytes = CONTENT
    version: str = '"one"'
    drops: list[int] = field(default_factory=list)  # bytes after which connections break off
    has_ranges: bool = True
    tells_length: bool = True
    most_of_a_part: int | None = None  # bytes that are sent of what was asked for
    shifts: list[int] = field(default_factory=list)  # bytes that parts are beside what was asked
    statuses: list[int] = field(default_factory=list)  # before anything else
    asked: list[str | None] = field(default_factory=list)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(transfer, "PAUSE", 0.0)
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked.append(self.headers["Range"])
            if state.statuses:
                self.send_error(state.statuses.pop(0))
                return
            start = self.begin()
            if start is None:
                return
            rest = state.content[start : self.end(start)]
            with suppress(ConnectionError):  # of who has seen enough
                self.wfile.write(rest[: state.drops.pop(0)] if state.drops else rest)

        def end(self, start: int) -> int:
            most = state.most_of_a_part if start else None
            return min(len(state.content), start + (most or len(state.content)))

        def begin(self) -> int | None:
            """Send the headers; where the content begins, None where it is all there."""
            wanted, known = self.headers["Range"], self.headers["If-Range"]
            start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted else 0
            if not state.has_ranges or (known and known != state.version):
                start = 0
            if start and start >= len(state.content):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(state.content)}")
                self.end_headers()
                return None
            start += state.shifts.pop() if start and state.shifts else 0
            self.send_response(206 if start else 200)
            if start:
                last, total = self.end(start) - 1, len(state.content)
                self.send_header("Content-Range", f"bytes {start}-{last}/{total}")
            if state.tells_length:
                self.send_header("Content-Length", str(self.end(start) - start))
            if state.version:
                self.send_header("ETag", state.version)
            self.end_headers()
            return start

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        state.address = f"http://127.0.0.1:{http.server_port}/pictures.zip"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield state
        http.shutdown()
        thread.join()


def get(server: Server, folder: Path, checksum: str | None = SHA256) -> bytes:
    with fetched(Source(server.address, checksum), folder, PLENTY, lambda *_: None) as path:
        return path.read_bytes()


def test_a_file_comes_whole_and_goes_once_it_was_used(server: Server, tmp_path: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    with fetched(
        Source(server.address, SHA256), tmp_path, PLENTY, lambda *told: seen.append(told)
    ) as path:
        assert path.read_bytes() == CONTENT
    assert list(tmp_path.iterdir()) == []
    assert seen[0] == (0, len(CONTENT))
    assert seen[-1] == (len(CONTENT), len(CONTENT))


def test_a_dropped_connection_is_gone_on_with(server: Server, tmp_path: Path) -> None:
    server.drops = [300_000, 200_000]
    assert get(server, tmp_path) == CONTENT
    assert server.asked == [None, "bytes=300000-", "bytes=500000-"]


def test_what_had_come_is_kept_for_the_next_call(server: Server, tmp_path: Path) -> None:
    server.drops = [300_000, *[0] * (TRIES - 1)]
    with pytest.raises(DatasetError, match=r"broke off after 293 KiB\. .*goes on"):
        get(server, tmp_path)
    assert len(server.asked) == TRIES
    server.asked.clear()
    assert get(server, tmp_path) == CONTENT
    assert server.asked == ["bytes=300000-"]


def test_an_error_of_its_user_keeps_the_file(server: Server, tmp_path: Path) -> None:
    source = Source(server.address, SHA256)
    with (
        pytest.raises(RuntimeError),
        fetched(source, tmp_path, PLENTY, lambda *_: None),
    ):
        raise RuntimeError
    server.asked.clear()
    assert get(server, tmp_path) == CONTENT
    assert server.asked == [f"bytes={len(CONTENT)}-"]  # which is answered with 416: all there


def test_what_its_user_finds_unusable_goes(server: Server, tmp_path: Path) -> None:
    with (
        pytest.raises(Unusable),
        fetched(Source(server.address), tmp_path, PLENTY, lambda *_: None),
    ):
        raise Unusable
    assert list(tmp_path.iterdir()) == []


def test_a_server_without_ranges_sends_it_all_again(server: Server, tmp_path: Path) -> None:
    server.has_ranges = False
    server.drops = [300_000]
    assert get(server, tmp_path) == CONTENT
    assert server.asked == [None, "bytes=300000-"]


def test_another_part_than_the_one_asked_for_is_not_taken(server: Server, tmp_path: Path) -> None:
    server.drops, server.shifts = [300_000], [-1000]
    assert get(server, tmp_path) == CONTENT
    assert server.asked == [None, "bytes=300000-", None]


def test_a_server_that_sends_less_than_was_asked_for_is_asked_again(
    server: Server, tmp_path: Path
) -> None:
    server.drops, server.most_of_a_part = [300_000], 400_000
    assert get(server, tmp_path) == CONTENT
    assert server.asked == [None, "bytes=300000-", "bytes=700000-"]


def test_what_never_comes_is_not_waited_for(server: Server, tmp_path: Path) -> None:
    """Each second try brings the same little, all others that the file has changed."""
    server.drops = [1000] * 10 * TRIES
    server.content = CONTENT
    server.shifts = [-1] * 10 * TRIES
    with pytest.raises(DatasetError, match="cannot be fetched"):
        get(server, tmp_path)
    assert len(server.asked) <= 2 * TRIES


def test_another_version_is_not_mixed_with_the_first(server: Server, tmp_path: Path) -> None:
    server.drops = [300_000, *[0] * (TRIES - 1)]
    with pytest.raises(DatasetError):
        get(server, tmp_path, checksum=None)
    server.content, server.version = CONTENT[::-1], '"two"'
    assert get(server, tmp_path, checksum=None) == CONTENT[::-1]


def test_without_version_and_checksum_it_is_fetched_anew(server: Server, tmp_path: Path) -> None:
    server.version = ""
    server.drops = [300_000]
    assert get(server, tmp_path, checksum=None) == CONTENT
    assert server.asked == [None, None]


def test_without_a_length_it_ends_where_the_connection_does(server: Server, tmp_path: Path) -> None:
    server.tells_length = False
    assert get(server, tmp_path) == CONTENT


def test_a_wrong_checksum_throws_it_away(server: Server, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"its sha256 is .* not 00ff"):
        get(server, tmp_path, checksum="sha256:00ff")
    assert list(tmp_path.iterdir()) == []
    assert get(server, tmp_path, f"md5:{hashlib.md5(CONTENT).hexdigest()}") == CONTENT


@pytest.mark.parametrize("tells_length", [True, False])
def test_what_is_too_large_is_not_fetched(
    server: Server, tmp_path: Path, tells_length: bool
) -> None:
    server.tells_length = tells_length
    seen: list[int] = []
    source = Source(server.address, SHA256)
    with (
        pytest.raises(DatasetError, match="larger than 98 KiB"),
        fetched(source, tmp_path, 100_000, lambda done, _: seen.append(done)),
    ):
        pass
    assert bool(seen) != tells_length
    assert max(seen, default=0) <= 100_000
    assert list(tmp_path.iterdir()) == []


def test_busy_servers_are_asked_again_and_refusals_told(server: Server, tmp_path: Path) -> None:
    server.statuses = [503, 429]
    assert get(server, tmp_path) == CONTENT
    server.statuses = [404]
    with pytest.raises(DatasetError, match="the server says 404 Not Found"):
        get(server, tmp_path)


def test_a_server_that_is_not_there_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "PAUSE", 0.0)
    with pytest.raises(DatasetError, match="refused"):
        get(Server("http://127.0.0.1:1/x.zip"), tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/passwd",
        "ftp://x/y.zip",
        "x.zip",
        "http://[x",
        "http://x/a b.zip",
        "http://x:y/",
        "http://",
    ],
)
def test_only_addresses_of_the_web_are_fetched(address: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        get(Server(address), tmp_path)


def test_two_do_not_fetch_the_same_at_once(server: Server, tmp_path: Path) -> None:
    with (
        fetched(Source(server.address, SHA256), tmp_path, PLENTY, lambda *_: None),
        pytest.raises(DatasetError, match="Another process"),
    ):
        get(server, tmp_path)


def test_collections_have_addresses_and_whole_checksums(tmp_path: Path) -> None:
    (tmp_path / "x").touch()
    for source in COLLECTIONS.values():
        assert source.address.startswith("https://")
        algorithm, _, digest = (source.checksum or "").partition(":")
        assert len(digest) == len(digest_of(tmp_path / "x", algorithm))
        assert source.licence
        assert source.archive_bytes
