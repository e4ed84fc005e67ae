from __future__ import annotations

import os
import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest

from jobs.errors import UsageError
from multitrain.datasets.video.extracting import look
from multitrain.datasets.web import transfer
from multitrain.datasets.web.downloading import local_files
from tests.footage import write_video


class Server(ThreadingHTTPServer):
    """Serves `content`; `stop_after` bytes it breaks off, once."""

    daemon_threads = True

    def __init__(self, content: bytes) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content, self.kind, self.tag = content, "video/mp4", '"one"'
        self.stop_after: int | None = None
        self.knows_ranges, self.never_satisfied = True, False
        self.ranges: list[str | None] = []
        self.sent: list[int] = []  # bytes that were announced

    def address(self, path: str = "clip.mp4") -> str:
        return f"http://127.0.0.1:{self.server_port}/{path}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        server, begin = self.server, 0
        asked = self.headers.get("Range")
        server.ranges.append(asked)
        if asked and server.never_satisfied:
            self.send_error(416)
            return
        if self.path.startswith("/missing"):
            self.send_error(404)
            return
        fits = self.headers.get("If-Range") == server.tag
        if asked and fits and server.knows_ranges:
            begin = int(re.fullmatch(r"bytes=(\d+)-", asked)[1])
            if begin >= len(server.content):
                self.send_error(416)
                return
        body = server.content[begin:]
        self.send_response(206 if begin else 200)
        self.send_header("Content-Type", server.kind)
        self.send_header("ETag", server.tag)
        self.send_header("Content-Length", str(len(body)))
        if begin:
            whole = len(server.content)
            self.send_header("Content-Range", f"bytes {begin}-{whole - 1}/{whole}")
        self.end_headers()
        server.sent.append(len(body))
        self.wfile.write(body[: server.stop_after])
        server.stop_after = None

    def log_message(self, *_: object) -> None:
        """Nothing on the terminal."""


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr(transfer, "PAUSE", 0.0)


@pytest.fixture
def server(tmp_path):
    video = write_video(tmp_path / "served.mp4", 20)
    with Server(video.read_bytes()) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("path", "kind", "name"),
    [
        ("clip.mp4", "video/mp4", "clip.mp4"),
        ("some%20clip.MOV?key=1", "application/octet-stream", "some-clip.mov"),
        ("watch", "video/webm", "watch.video"),
        ("clip.mkv", "application/unheard-of", "clip.mkv"),
    ],
)
def test_a_video_at_an_address(workspace, server, path, kind, name):
    server.kind = kind
    (file,), unavailable = local_files(workspace, [server.address(path)])
    assert unavailable == []
    assert (file.name, file.read_bytes()) == (name, server.content)
    assert look(file).size == (160, 90)


@pytest.mark.parametrize("kind", ["video/mp4", "text/html"])
def test_how_far_downloads_are_is_told(workspace, server, yt_dlp, kind):
    server.kind, told, address = kind, [], server.address("clip?key=s3cret")
    local_files(workspace, [address], lambda what: lambda *far: told.append((what, *far)))
    whole = len(server.content)
    assert {what for what, *_ in told} == {f"fetching {server.address('clip')}"}
    assert [far for _, *far in told][:2] == {
        "video/mp4": [[0, whole], [whole, whole]],
        "text/html": [[2, 5], [0, None]],
    }[kind]


def test_what_is_there_is_not_downloaded_again(workspace, server):
    first = local_files(workspace, [server.address()])
    assert local_files(workspace, [server.address()]) == first
    assert server.ranges == [None]


def test_two_addresses_do_not_get_into_each_other(workspace, server):
    files, _ = local_files(workspace, [server.address("a/x.mp4"), server.address("b/x.mp4")])
    assert len(set(files)) == 2


def broken_off(workspace, server):
    server.stop_after = 700
    with pytest.MonkeyPatch.context() as once:
        once.setattr(transfer, "TRIES", 1)
        files, ((_, reason),) = local_files(workspace, [server.address()])
    assert files == []
    assert "broke off after 700 B. What has come is kept" in reason


def test_a_connection_that_broke_off_is_made_again(workspace, server):
    server.stop_after = 700
    (file,), _ = local_files(workspace, [server.address()])
    assert server.ranges == [None, "bytes=700-"]
    assert file.read_bytes() == server.content
    assert [path.name for path in file.parent.iterdir()] == ["clip.mp4"]


def test_a_server_that_is_never_satisfied_is_asked_for_all_of_it(workspace, server):
    broken_off(workspace, server)
    server.never_satisfied = True
    (file,), _ = local_files(workspace, [server.address()])
    assert server.ranges == [None, "bytes=700-", None]
    assert file.read_bytes() == server.content


def test_two_do_not_download_the_same_at_once(workspace, server):
    (file,), _ = local_files(workspace, [server.address()])
    file.unlink()
    with transfer.opened_alone(file.with_name("video.part")):
        files, ((_, reason),) = local_files(workspace, [server.address()])
    assert (files, reason) == ([], "is being downloaded by another process")


@pytest.mark.parametrize("address", ["http://[x/a.mp4", "https://x/a b.mp4", "http:///a.mp4"])
def test_addresses_that_are_none_are_wrong_calls(workspace, server, address):
    with pytest.raises(UsageError, match="is no address"):
        local_files(workspace, [server.address(), address])
    assert server.ranges == []


def test_a_download_that_broke_off_goes_on(workspace, server):
    broken_off(workspace, server)
    (file,), _ = local_files(workspace, [server.address()])
    assert server.ranges == [None, "bytes=700-"]
    assert server.sent == [len(server.content), len(server.content) - 700]
    assert file.read_bytes() == server.content


def test_a_file_that_has_changed_is_downloaded_anew(workspace, server):
    broken_off(workspace, server)
    server.tag, server.content = '"two"', server.content[::-1]
    (file,), _ = local_files(workspace, [server.address()])
    assert file.read_bytes() == server.content


def test_a_server_without_ranges_sends_it_all_again(workspace, server):
    broken_off(workspace, server)
    server.knows_ranges = False
    (file,), _ = local_files(workspace, [server.address()])
    assert file.read_bytes() == server.content


def test_all_had_come_but_for_the_end_of_the_connection(workspace, server):
    broken_off(workspace, server)
    (part,) = workspace.downloads.glob("*/*.part")
    part.write_bytes(server.content)
    (file,), _ = local_files(workspace, [server.address()])
    assert file.read_bytes() == server.content


@pytest.mark.parametrize(
    ("address", "reason"),
    [("missing.mp4", "the server says 404 Not Found"), (None, "connection refused")],
)
def test_what_cannot_be_had_is_told(workspace, server, address, reason):
    place = server.address(address) if address else "http://127.0.0.1:9/clip.mp4"
    said = []
    files, ((path, told),) = local_files(workspace, [place], say=said.append)
    assert files == []
    assert reason in told
    assert path == place  # with both slashes
    assert said[-1] == f"{place}: {told}; it is left out"
    again = [line for line in said[:-1] if "; try " in line]
    assert len(again) == len(said) - 1 == (0 if address else transfer.TRIES - 1)
    if again:
        assert again[0] == f"{place}: {told}; try 2 of 6 in 0 s"


def test_a_page_needs_yt_dlp_and_says_so(workspace, server, monkeypatch):
    server.kind = "text/html"
    monkeypatch.setitem(sys.modules, "yt_dlp", None)
    _, ((_, reason),) = local_files(workspace, [server.address("page")])
    assert ".venv/bin/pip install -c constraints.txt -e '.[download]'" in reason


class Downloader:
    """Stands for yt-dlp's: makes the file that the options name."""

    def __init__(self, options):
        assert options["outtmpl"]["default"] == "%(title).80B.%(ext)s"
        self.folder = os.path.expandvars(options["paths"]["home"])
        self.hooks = options["progress_hooks"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def download(self, addresses):
        if "private" in addresses[0]:
            raise Error("this video is\nprivate")
        for hook in self.hooks:
            hook({"status": "downloading", "downloaded_bytes": 2, "total_bytes": 5})
            hook({"status": "finished", "total_bytes": None})
        Path(self.folder, "Title.mp4").write_bytes(b"video")


class Error(Exception):
    pass


@pytest.fixture
def yt_dlp(monkeypatch):
    module = SimpleNamespace(YoutubeDL=Downloader, utils=SimpleNamespace(YoutubeDLError=Error))
    monkeypatch.setitem(sys.modules, "yt_dlp", module)


def test_a_page_with_yt_dlp(workspace, server, yt_dlp):
    server.kind = "text/html"
    (file,), _ = local_files(workspace, [server.address("page")])
    assert (file.name, file.read_bytes()) == ("Title.mp4", b"video")


@pytest.mark.parametrize("left", ["Title.mp4.part-Frag7", "Title.mp4.part-Frag7.part", "a.srt"])
def test_pieces_that_yt_dlp_left_are_no_video(workspace, server, yt_dlp, left):
    server.kind = "text/html"
    (first,), _ = local_files(workspace, [server.address("page")])
    first.rename(first.with_name(left))
    (file,), _ = local_files(workspace, [server.address("page")])
    assert file.name == "Title.mp4"


def test_what_yt_dlp_cannot_have(workspace, server, yt_dlp):
    server.kind = "text/html"
    _, ((_, reason),) = local_files(workspace, [server.address("private")])
    assert reason == "this video is private"


def test_nothing_is_downloaded_where_a_file_is_missing(workspace, server):
    with pytest.raises(UsageError, match="is not a file"):
        local_files(workspace, [server.address(), "missing.mp4"])
    assert server.ranges == []
