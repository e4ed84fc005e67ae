"""What the page is told, and what its orders do without a farm."""

from __future__ import annotations

import base64
import json
import re
import signal
import socket
import time
from contextlib import closing
from pathlib import Path

import pytest

from jobs.workspace.paths import Workspace
from jobs.workspace.states import State
from jobs.workspace.store import Store, create, read_jobs
from multitrain.farm.submission import submitted
from multitrain.serving.curves import curves, measured
from multitrain.serving.job_facts import facts_of
from multitrain.serving.job_list import page_of
from multitrain.serving.keys import Tries, read_or_make
from multitrain.serving.night import Night
from multitrain.serving.routes import STATIC
from tests.serving.served import Served
from tests.serving.stage import a_job, a_row, losses


def test_the_table_has_what_is_at_work_first_and_is_found_by_state_and_text(served: Served) -> None:
    page = served.get("/api/status")
    assert [job["name"] for job in page["jobs"]] == ["next", "-all", "night", "wrong", "film"]
    assert page["total"] == 5
    one = served.get("/api/status?start=2&count=1")
    assert ([job["name"] for job in one["jobs"]], one["total"]) == (["night"], 5)
    assert [j["name"] for j in served.get("/api/status?state=done,failed")["jobs"]] == [
        "wrong",
        "film",
    ]
    assert [j["name"] for j in served.get("/api/status?text=NIG")["jobs"]] == ["night"]
    for wrong in (
        "count=0",
        "count=201",
        "start=-1",
        "start=x",
        "state=asleep",
        "text=" + "x" * 201,
    ):
        assert served.call("GET", f"/api/status?{wrong}")[0] == 400


def test_a_job_is_told_with_settings_losses_cuts_and_files(served: Served) -> None:
    job = served.get("/api/show?name=film")
    assert job["settings"]["grid_width"] == 4
    assert len(job["losses"]["steps"]) == 40
    assert set(job["losses"]["losses"]) == {"d", "g"}
    assert {each["kind"] for each in job["files"]} == {"film", "timecut", "poster"}
    assert job["film_seconds"] == 1800
    cuts = served.get("/api/cuts?name=night")
    assert [cut["frames"] for cut in cuts["cuts"]] == [[0, 3600], [3600, 7200]]
    assert cuts["cuts"][1]["steps"] == [1801, 3600], "two frames a step"
    layers = served.get("/api/layers?name=film")
    assert {"generator", "discriminator"} <= set(layers)
    assert served.get("/api/show?name=next")["settings"] == {}


def test_a_job_that_has_not_begun_is_shown_by_what_was_submitted(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.runs.mkdir()
    job = a_job("new", dataset="demo,demo", grid_width=7, on_done="rm -r /")
    create(workspace.store, [a_row("new", State.QUEUED)])
    with closing(Store(workspace.store)) as store:
        store.submit([submitted(job, for_every_farm=True)])
    night = Night(workspace)
    facts = facts_of(night, night.jobs().by_name["new"])
    assert facts["settings"]["grid_width"] == 7
    assert "rm" not in str(facts), "commands may hold secrets"
    assert facts["losses"] == {"steps": [], "losses": {}}


def test_all_modules_of_the_page_are_asked_for_at_once() -> None:
    """Else a browser learns of each when it has read the one that imports it."""
    scripts = {str(path.relative_to(STATIC)) for path in STATIC.rglob("*.js")}
    index = (STATIC / "index.html").read_text()
    told = re.findall(r'(?:modulepreload" href|src)="/static/(.+?\.js)"', index)
    assert sorted(told) == sorted(scripts)


def test_files_are_sent_with_ranges_and_for_download(served: Served) -> None:
    status, headers, body = served.call("GET", "/media?job=film&kind=timecut&number=2&v=1")
    assert (status, body) == (200, b"cut 2" * 100)
    assert headers["content-type"] == "video/mp4"
    assert "immutable" in headers["cache-control"]
    _, headers, _ = served.call("GET", "/media?job=film&kind=film&download=1")
    assert headers["content-disposition"] == 'attachment; filename="film.mp4"'
    status, _, body = served.call(
        "GET", "/media?job=film&kind=film", headers={"Range": "bytes=2-5"}
    )
    assert (status, body) == (206, b"lmfi")


def test_stars_stay_and_are_found(served: Served, furnished: Workspace) -> None:
    for starred in (True, True, False, True):
        status, _, body = served.call("POST", "/api/star", {"name": "film", "starred": starred})
        assert (status, json.loads(body)["is_starred"]) == (200, starred)
    assert json.loads(furnished.stars.read_text()) == ["film"]
    assert [job["name"] for job in served.get("/api/status?starred=1")["jobs"]] == ["film"]
    furnished.stars.write_text("{damaged")
    assert served.get("/api/status?starred=1")["jobs"] == []


def test_without_a_farm_an_order_is_carried_out_by_a_command(
    served: Served, furnished: Workspace
) -> None:
    status, _, body = served.call("POST", "/api/resume", {"names": ["night"]})
    assert (status, json.loads(body)["done"]) == (200, ["night is queued"])
    served.call("POST", "/api/priority", {"names": ["night"], "priority": -3})
    status, _, body = served.call("POST", "/api/cancel", {"names": ["-all"]})
    assert json.loads(body)["done"] == ["-all is cancelled; its files stay"], "a name, no option"
    rows = {row.name: row for row in read_jobs(furnished.store)}
    assert (rows["night"].state, rows["night"].priority) == (State.QUEUED, -3)
    assert rows["-all"].state is State.CANCELLED
    assert rows["next"].state is State.QUEUED
    status, _, body = served.call("POST", "/api/pause", {"names": ["film"]})
    assert json.loads(body)["refused"] == ["film is done: there is nothing to pause"]
    assert served.call("POST", "/api/pause", {"names": ["nobody"]})[0] == 404


def test_a_sheet_is_checked_and_its_mistakes_stand_at_their_lines(served: Served) -> None:
    sheet = "name,dataset,grid_width,grid_height,video_length\na,demo,2,2,1\nb,demo,zero,2,1\n"
    body = {"name": "../../x.csv", "content": base64.b64encode(sheet.encode()).decode()}
    status, _, said = served.call("POST", "/api/check", body)
    (mistake,) = json.loads(said)["mistakes"]
    assert status == 200
    assert (mistake["line"], mistake["column"]) == (3, "grid_width")
    assert "zero" in mistake["reason"]
    for wrong in (
        {"name": "x.exe", "content": ""},
        {"name": "x.csv", "content": "*"},
        {"name": "x.csv"},
        {"name": 3, "content": ""},
    ):
        assert served.call("POST", "/api/check", wrong)[0] == 400


def test_events_come_when_something_changes_and_a_signal_ends_the_stream(
    tmp_path: Path,
) -> None:
    workspace = Workspace(tmp_path)
    workspace.runs.mkdir()
    server = Served(workspace)
    server.enter()
    head = f"GET /api/events HTTP/1.1\r\nHost: localhost\r\nCookie: {server.cookie}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as stream:
        stream.sendall(head.encode())
        received = b""
        while b'"total": 0' not in received:
            received += stream.recv(4096)
        create(workspace.store, [a_row("new", State.QUEUED)])
        while b'"total": 1' not in received:
            received += stream.recv(4096)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(10) == 0
    server.close()


def test_the_link_outlives_the_server_until_a_new_one_is_wanted(tmp_path: Path) -> None:
    path = tmp_path / "page.key"
    first = read_or_make(path)
    assert read_or_make(path) == first
    assert read_or_make(path, new=True) != first
    second = read_or_make(path)
    path.chmod(0o644)
    assert read_or_make(path) != second, "others could have read it"
    path.write_text("short")
    assert len(read_or_make(path).token) == 43
    assert len({first.token, first.cookie, first.key}) == 3


def test_tries_come_back_with_time_and_are_bounded() -> None:
    now = 0.0
    tries = Tries(lambda: now)
    for _ in range(10):
        assert tries.seconds_to_wait("a") == 0
        tries.was_wrong("a")
    assert tries.seconds_to_wait("a") == 60
    assert tries.seconds_to_wait("b") == 0
    now = 61
    assert tries.seconds_to_wait("a") == 0
    for number in range(5000):
        tries.was_wrong(str(number))
    assert len(tries._wrong) == 1000


@pytest.mark.parametrize("lines", [0, 1, 2, 50, 60_000])
def test_curves_have_few_points_however_long_the_training(tmp_path: Path, lines: int) -> None:
    path = tmp_path / "progress.jsonl"
    losses(path, 0, lines)
    with path.open("ab") as file:
        file.write(b'{"step": 9e999, "losses": {"d": NaN}}\nhalf a li')
    found = curves(path)
    steps = found["steps"]
    assert len(steps) <= 1300
    assert len(steps) >= min(lines, 500)
    assert steps == sorted(set(steps))
    assert all(len(curve) == len(steps) for curve in found["losses"].values())


def test_of_a_long_training_no_measure_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "progress.jsonl"
    losses(path, 0, 6000)
    told = {"psnr": 30.0, "psnr_bicubic": 29.0, "ssim": 0.9}
    with path.open("a") as file:
        for step in (7000, 8000, 9000):
            line = {"step": step, "losses": {"g": 0.1}, "measures": told}
            file.write(json.dumps(line) + '\n{"step": 1}\n')
    of_psnr, of_ssim = measured(path)
    assert of_psnr == {
        "steps": [7000, 8000, 9000],
        "losses": {"psnr": [30.0] * 3, "psnr_bicubic": [29.0] * 3},
    }
    assert of_ssim["losses"] == {"ssim": [0.9] * 3}
    assert len(measured(path, points=2)[0]["steps"]) == 3, "the last one is always there"
    assert measured(tmp_path / "none") == []


def test_ten_thousand_jobs_are_a_page_of_a_hundred(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.runs.mkdir()
    states = list(State)
    rows = [a_row(f"job{number:05d}", states[number % 7]) for number in range(10_000)]
    create(workspace.store, rows)
    workspace.renders.mkdir()
    for number in range(3000):
        (workspace.renders / f"job{number:05d}_timecut0001.mp4").touch()
    night = Night(workspace, clock=lambda: 0.0)
    page_of(night, count=1)  # reads the store
    began = time.process_time()
    page = page_of(night, text="job", count=100)
    assert (len(page["jobs"]), page["total"]) == (100, 10_000)
    assert time.process_time() - began < 1.0
