"""`multitrain dataset fetch`: from a server on this machine into a data set."""

from __future__ import annotations

import hashlib
import io
import json
import re
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from jobs.errors import DatasetError, UsageError
from jobs.workspace.files import listing
from jobs.workspace.paths import Workspace
from multitrain.commands import long_work
from multitrain.commands.cli import commands
from multitrain.commands.datasets import fetch as fetch_command
from multitrain.datasets.web.catalogue import COLLECTIONS, Source


class Silent(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Of a folder that is served; `good.zip` holds two pictures and a text that is none."""
    served = tmp_path / "served"
    served.mkdir()
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), "teal").save(buffer, "PNG")
    with zipfile.ZipFile(served / "good.zip", "w") as archive:
        for name, content in (("a/1.png", buffer.getvalue()), ("a/2.png", buffer.getvalue())):
            archive.writestr(name, content)
        archive.writestr("a/3.png", "hello")
    with zipfile.ZipFile(served / "none.zip", "w") as archive:
        archive.writestr("read.me", "hello")
    handler = partial(Silent, directory=str(served))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()
        thread.join()


def fetch(workspace: Workspace, *arguments: str) -> str:
    call = ["dataset", "fetch", *arguments, "--workspace", str(workspace.root)]
    result = CliRunner().invoke(commands, call, catch_exceptions=False, standalone_mode=False)
    return result.stdout


def test_an_archive_becomes_a_data_set(workspace: Workspace, address: str, tmp_path: Path) -> None:
    told = json.loads(fetch(workspace, f"{address}/good.zip", "mine", "--json"))[0]
    sha256 = hashlib.sha256((tmp_path / "served" / "good.zip").read_bytes()).hexdigest()
    assert (told["pictures"], told["sha256"]) == (2, sha256)
    assert told["left_out"] == [{"path": "a/3.png", "reason": "is not a picture"}]
    folder = workspace.dataset("mine")
    assert listing(folder) == ["000000_a_1.png", "000001_a_2.png", "SOURCE.txt"]
    assert f"sha256: {sha256}" in (folder / "SOURCE.txt").read_text()
    assert listing(workspace.downloads) == []
    fetch(workspace, f"{address}/good.zip", "again", "--sha256", sha256.upper())
    assert len(listing(workspace.dataset("again"))) == 3


def test_a_wrong_checksum_leaves_nothing(workspace: Workspace, address: str) -> None:
    with pytest.raises(DatasetError, match="not what it should be"):
        fetch(workspace, f"{address}/good.zip", "mine", "--sha256", "0" * 64)
    assert listing(workspace.data) == []


def test_archives_without_pictures_make_no_data_set(workspace: Workspace, address: str) -> None:
    with pytest.raises(DatasetError, match="no pictures"):
        fetch(workspace, f"{address}/none.zip", "mine")
    with pytest.raises(DatasetError, match="404"):
        fetch(workspace, f"{address}/lost.zip", "mine")
    assert listing(workspace.data) == listing(workspace.downloads) == []


def test_a_collection_needs_no_name(
    workspace: Workspace, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Source(f"{address}/good.zip", None, "CC0", "squares", 100)
    monkeypatch.setattr(fetch_command, "COLLECTIONS", {"squares": source})
    assert "licence: CC0" in fetch(workspace, "squares")
    assert len(listing(workspace.dataset("squares"))) == 3


def test_the_list_tells_names_and_licences(workspace: Workspace) -> None:
    told = fetch(workspace, "--list")
    assert all(name in told for name in COLLECTIONS)
    assert "CC BY" in told


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "name a collection"),
        (["flowerz"], "flowers"),
        (["http://127.0.0.1:1/x.zip"], "needs the name"),
        (["flowers", "--sha256", "0" * 64], "is for addresses"),
        (["http://127.0.0.1:1/x.zip", "mine", "--sha256", "9f86d081"], "64 hexadecimal digits"),
        (["http://127.0.0.1:1/x.zip", "mine", "--sha256", "g" * 64], "64 hexadecimal digits"),
        (["http://127.0.0.1:1/x.zip", "mine", "--sha256", ""], "64 hexadecimal digits"),
        (["file:///etc/passwd", "mine"], "no address"),
    ],
)
def test_wrong_calls_start_nothing(
    workspace: Workspace, arguments: list[str], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        fetch(workspace, *arguments)
    assert listing(workspace.data) == []


def test_a_log_says_how_far_it_is(
    workspace: Workspace, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(long_work, "LINE_SECONDS", 0.0)
    call = ["dataset", "fetch", f"{address}/good.zip", "mine", "--workspace", str(workspace.root)]
    told = CliRunner().invoke(commands, call).stderr
    for what in ("fetching", "unpacking"):
        assert re.search(rf"^\d{{4}}-.* {what} mine: \d+ B", told, re.MULTILINE), told
