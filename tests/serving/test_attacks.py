"""What strangers may try on the page: each is refused, and nothing has changed."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest

from jobs.workspace.paths import Workspace
from jobs.workspace.states import State
from jobs.workspace.store import read_jobs
from tests.serving.conftest import SECRET
from tests.serving.served import Served

ORDER = {"names": ["night"]}


def traces(workspace: Workspace) -> dict[str, object]:
    """All that an order would change."""
    places = (workspace.requests, workspace.stars)
    files = {
        str(path): path.read_bytes() if path.is_file() else sorted(os.listdir(path))
        for path in places
        if path.exists()
    }
    return {"files": files, "rows": read_jobs(workspace.store)}


@pytest.fixture(autouse=True)
def nothing_changes(furnished: Workspace) -> object:
    before = traces(furnished)
    yield
    assert traces(furnished) == before


@pytest.mark.parametrize(
    "host",
    [
        *("attacker.com", "127.0.0.1.attacker.com", "localhost.attacker.com", "attacker.com:8765"),
        *("", "127.0.0.2", "[::2]", "0.0.0.0", "localhost@attacker.com", "2130706433"),
    ],
)
def test_a_name_that_others_let_point_here_is_not_answered(served: Served, host: str) -> None:
    for method, path in (("GET", "/"), ("GET", "/api/status"), ("POST", "/api/pause")):
        status, _, body = served.call(method, path, ORDER, {"Host": host})
        assert status in (400, 421), body


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "null"}, 403),
        ({"Origin": "http://attacker.com"}, 403),
        ({"Origin": "http://127.0.0.1:1"}, 403),
        ({"Origin": "https://127.0.0.1"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({"Content-Type": None}, 415),
        ({"X-Multitrain-Key": None}, 403),
        ({"X-Multitrain-Key": "0" * 64}, 403),
        ({"X-Multitrain-Key": "é"}, 403),
        ({"Cookie": None}, 401),
        ({"Cookie": "multitrain-1=0"}, 401),
    ],
)
def test_an_order_that_is_not_of_our_page_is_refused(
    served: Served, headers: dict[str, str | None], status: int
) -> None:
    for order in ("pause", "cancel", "drain", "star", "submit", "forget"):
        assert served.call("POST", f"/api/{order}", ORDER, headers)[0] == status


def test_with_a_stolen_cookie_one_can_look_and_nothing_else(served: Served) -> None:
    """Browsers send it to every server on this host, whatever its port."""
    assert served.call("GET", "/api/status", headers={"Sec-Fetch-Site": "same-origin"})[0] == 200
    assert served.call("GET", "/api/status", headers={"Sec-Fetch-Site": "same-site"})[0] == 403
    assert served.call("POST", "/api/pause", ORDER, {"X-Multitrain-Key": None})[0] == 403
    twice = f"{served.cookie}; {served.cookie.partition('=')[0]}=1"
    assert served.call("GET", "/api/status", headers={"Cookie": twice})[0] == 401


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_only_posts_change_anything(served: Served, method: str) -> None:
    for order in ("pause", "cancel", "drain", "star", "submit"):
        status, headers, _ = served.call(method, f"/api/{order}?names=night")
        assert status == 405
        assert "access-control-allow-origin" not in headers


@pytest.mark.parametrize("path", ["/api/status", "/api/events", "/api/show?name=night", "/media"])
def test_who_has_no_cookie_sees_nothing(served: Served, path: str) -> None:
    status, _, body = served.call("GET", path, plain=True)
    assert status == 401
    assert b"night" not in body


def test_wrong_links_are_counted(furnished: Workspace) -> None:
    server = Served(furnished)
    try:
        answers = [
            server.call("POST", "/api/enter", {"token": f"wrong{number}"}, plain=True)
            for number in range(11)
        ]
        assert [status for status, *_ in answers] == [401] * 10 + [429]
        assert int(answers[-1][1]["retry-after"]) <= 61
        right = server.call("POST", "/api/enter", {"token": server.token}, plain=True)
        assert right[0] == 429, "else one could go on guessing"
    finally:
        server.close()


TRICKS = [
    *(
        "../outside",
        "..%2foutside",
        "%2e%2e/outside",
        "/etc/passwd",
        "....//outside",
        "film/../film",
    ),
    *("%252e%252e%252foutside", "..\\outside", "film\0", "film%00", "~", ".", "..", "con", "farm"),
]


@pytest.mark.parametrize("trick", TRICKS)
def test_no_path_leads_out(served: Served, trick: str) -> None:
    for text in (trick, quote(trick, safe=""), quote(quote(trick, safe=""), safe="")):
        raw = text.replace("\0", "%00")
        for path in (
            f"/media?job={raw}&kind=film",
            f"/media?job=film&kind={raw}",
            f"/media?job=film&kind=export&format={raw}",
            f"/media?job=film&kind=timecut&number={raw}",
            f"/api/show?name={raw}",
            f"/api/logs?name={raw}",
            f"/api/cuts?name={raw}",
        ):
            assert served.call("GET", path)[0] in (400, 404), path
        status, _, body = served.call("GET", f"/static/{raw}")
        assert status in (400, 404), raw
        assert b"root:" not in body


def test_links_do_not_lead_out(served: Served) -> None:
    assert served.call("GET", "/media?job=film&kind=timecut&number=1")[0] == 200
    assert served.call("GET", "/media?job=film&kind=timecut&number=9")[0] == 404


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100 + b"]" * 100,
        b'{"a":' * 100 + b"1" + b"}" * 100,
        b"{" * 100_000,
        b"null",
        b"[]",
        b'{"names": ["night"], "names2": 1}',
        b'{"names": "night"}',
        b'{"names": ["night"], "every": "all"}',
        b'{"names": [{}]}',
        b'{"names": ["\\ud800"]}',
        b"\xff\xfe",
        b"1e999999",
        b'{"names": ["night"], "id": "0"}',
        b'{"every": "everything"}',
        b"{}",
    ],
)
def test_nonsense_is_refused(served: Served, body: bytes) -> None:
    status, _, said = served.call("POST", "/api/pause", body)
    assert status in (400, 404), said
    assert json.loads(said)["error"]


def test_no_more_is_taken_than_an_order_needs(served: Served) -> None:
    large = json.dumps({"names": ["x" * 10_000_000]}).encode()
    assert served.call("POST", "/api/pause", large)[0] == 413
    with socket.create_connection(("127.0.0.1", served.port), timeout=30) as connection:
        head = (
            f"POST /api/pause HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\n"
            f"Cookie: {served.cookie}\r\nX-Multitrain-Key: {served.key}\r\n"
            "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        connection.sendall(head.encode())
        piece = b"40000\r\n" + b" " * 0x40000 + b"\r\n"
        try:
            for _ in range(40):
                connection.sendall(piece)
        except OSError:
            pass
        else:
            assert b" 413 " in connection.recv(200)
    assert served.call("GET", "/api/status")[0] == 200


@pytest.mark.parametrize(
    ("ranges", "status"),
    [
        ("bytes=0-3", 206),
        ("bytes=-4", 206),
        ("bytes=3999-", 206),
        ("bytes=4000-", 416),
        ("bytes=9-3", 400),
        ("bytes=x-y", 400),
        ("lines=0-3", 400),
        ("bytes=" + ",".join(f"{n}-{n}" for n in range(0, 900, 2)), 200),
        ("bytes=0-99999999999999999999999999", 206),
    ],
)
def test_ranges(served: Served, ranges: str, status: int) -> None:
    found, _, body = served.call("GET", "/media?job=film&kind=film", headers={"Range": ranges})
    assert found == status
    assert len(body) <= 4000


def test_every_answer_says_what_the_browser_may_do(served: Served) -> None:
    for path in ("/", "/static/main.js", "/api/status", "/nowhere", "/media?job=film&kind=film"):
        _, headers, _ = served.call("GET", path)
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-resource-policy"] == "same-origin"


def test_passwords_are_not_shown(served: Served) -> None:
    for path in ("/api/status", "/api/show?name=wrong", "/api/logs?name=night"):
        _, _, body = served.call("GET", path)
        assert b"hunter2" not in body
        assert b"nas" in body, SECRET


def test_the_secret_is_for_its_owner_alone(furnished: Workspace, served: Served) -> None:
    assert furnished.page_key.stat().st_mode & 0o777 == 0o600
    for path in ("/", "/static/main.js", "/api/session", "/api/overview"):
        assert served.token.encode() not in served.call("GET", path)[2]


def test_sheets_that_run_commands_are_not_taken(served: Served, tmp_path: Path) -> None:
    import base64

    mark = tmp_path / "ran"
    sheet = (
        "name,dataset,family,grid_width,grid_height,video_length,on_done\n"
        f"evil,demo,testcard,1,1,0.01,touch {mark}\n"
    )
    body = {"name": "sheet.csv", "content": base64.b64encode(sheet.encode()).decode()}
    for order in ("check", "submit"):
        status, _, said = served.call("POST", f"/api/{order}", body)
        mistakes = json.loads(said)["mistakes"]
        assert status == 200, said
        assert [each["column"] for each in mistakes] == ["on_done"]
        assert "--allow-commands-from-page" in mistakes[0]["reason"]
    assert not mark.exists()


def test_to_be_seen_by_others_says_what_that_means(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    server = Served(workspace, "--host", "0.0.0.0", "--name", "nas.local")
    try:
        server.enter()
        assert (
            server.call("GET", "/api/status", headers={"Host": f"nas.local:{server.port}"})[0]
            == 200
        )
        assert server.call("GET", "/api/status", headers={"Host": "attacker.com"})[0] == 421
    finally:
        assert server.close() == 0


def test_a_port_that_is_taken_is_told_in_a_sentence(served: Served, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "multitrain", "serve", "--port", str(served.port)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("the page cannot be served at 127.0.0.1")


def test_rows_are_as_they_were(furnished: Workspace) -> None:
    assert next(row for row in read_jobs(furnished.store)).state is State.PAUSED
