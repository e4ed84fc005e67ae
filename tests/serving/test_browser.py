"""The page in a real browser, against a real farm: watched and steered from beginning to end."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jobs.workspace.at_work import is_held
from jobs.workspace.paths import Workspace
from jobs.workspace.states import State
from jobs.workspace.store import create, read_jobs
from tests.e2e.farmhouse import Farmhouse, wait_for
from tests.footage import write_video
from tests.serving.browser import MS
from tests.serving.served import LINK, Served
from tests.serving.stage import a_job, a_row

pytestmark = pytest.mark.timeout(600)

HEADER = "name,dataset,family,grid_width,grid_height,fps,video_length,auto_render_period,preset"
# Cuts of two seconds; long enough to be met at work.
LONG = "long,tiny,testcard,3,2,60,30,2,slow"
NAMES = ("long", "second", "last")
OPTIONS = ("--stay", "--gpus", "cpu", "--slots", "1", "--spool-gb", "0.3")


@pytest.fixture
def farmhouse(workspace: Workspace) -> Iterator[Farmhouse]:
    house = Farmhouse(workspace)
    yield house
    house.close()


def state(workspace: Workspace, name: str) -> State | None:
    rows = {row.name: row.state for row in read_jobs(workspace.store)}
    return rows.get(name)


def drop(page: Any, name: str, text: str) -> None:
    """Drop a file on the page, as from a folder."""
    page.evaluate(
        """([name, text]) => {
            const data = new DataTransfer();
            data.items.add(new File([text], name));
            for (const kind of ["dragenter", "dragover", "drop"])
                window.dispatchEvent(new DragEvent(kind, { dataTransfer: data, cancelable: true }));
        }""",
        [name, text],
    )


def line(page: Any, name: str) -> Any:
    """The line of a job in the queue."""
    return page.locator(f"tr[data-key='{name}']")


def wait_for_order(page: Any, name: str, order: str) -> Any:
    """The button of an order, once the job is in a state that has it."""
    button = line(page, name).locator(f"[data-order='{order}']")
    button.wait_for()
    return button


def test_a_night_is_watched_and_steered(
    page: Any, farmhouse: Farmhouse, workspace: Workspace, make_pictures: Any, tmp_path: Path
) -> None:
    make_pictures(workspace.dataset("tiny"), count=8, size=(96, 54))
    farm = farmhouse.start(*OPTIONS, has_sheet=False)
    served = Served(workspace)
    try:
        wait_for(lambda: is_held(workspace), farm)
        page.goto(served.link)
        page.get_by_text("Drop a sheet here").wait_for()
        assert "token" not in page.url

        # A sheet that is wrong: its mistakes stand at their lines, and nothing is submitted.
        wrong = f"{HEADER}\n{LONG}\nbad,tiny,testcard,3,zero,60,30,2,slow\n"
        drop(page, "wrong.csv", wrong)
        mistake = page.locator(".mistakes li[data-line='3']")
        mistake.wait_for()
        assert "grid_height" in mistake.inner_text()
        assert "zero" in mistake.locator("code.here").inner_text()
        page.get_by_role("button", name="Close").click()
        assert read_jobs(workspace.store) == []

        # A sheet that is right.
        drop(
            page,
            "right.csv",
            "\n".join([HEADER, *(LONG.replace("long", name, 1) for name in NAMES), ""]),
        )
        page.get_by_role("button", name="Submit 3 jobs").click()
        wait_for(lambda: state(workspace, "long") is State.RUNNING, farm)

        # It plays on the wall, and changes when a new cut comes.
        video = page.locator(".tile[data-key='long'] video")
        page.wait_for_function(
            "() => document.querySelector('.tile video')?.currentTime > 0.3", timeout=MS
        )
        shown = video.get_attribute("data-wanted")
        page.wait_for_function(
            "shown => document.querySelector('.tile video').dataset.wanted !== shown",
            arg=shown,
            timeout=MS,
        )
        page.wait_for_function(
            "() => document.querySelector('.tile video').currentTime > 0.1", timeout=MS
        )

        # Steered in the queue.
        page.keyboard.press("2")
        assert "all slots are taken" in line(page, "second").inner_text()
        wait_for_order(page, "last", "top").click()
        page.get_by_text("last is the next").wait_for()
        wait_for_order(page, "long", "pause").click()
        wait_for(lambda: state(workspace, "long") is State.PAUSED, farm)
        wait_for(lambda: state(workspace, "last") is State.RUNNING, farm)
        wait_for_order(page, "long", "resume").click()
        wait_for(lambda: state(workspace, "long") is State.QUEUED, farm)
        wait_for_order(page, "second", "cancel").click()
        page.get_by_role("button", name="Cancel", exact=True).last.click()
        wait_for(lambda: state(workspace, "second") is State.CANCELLED, farm)
        wait_for_order(page, "second", "requeue").click()
        wait_for(lambda: state(workspace, "second") is State.QUEUED, farm)

        # The farm is killed and another one begins: the page goes on without a reload.
        page.evaluate("window.stays = true")
        os.killpg(farm.pid, signal.SIGKILL)
        farm.wait()
        page.locator("#night[data-farm='away']").wait_for()
        farm = farmhouse.start(*OPTIONS, has_sheet=False)
        page.locator("#night[data-farm='here']").wait_for()
        line(page, "last").locator(".situation", has_text="running").wait_for()
        # So it does when its own server is started again.
        served.close()
        page.locator("body.broken").wait_for()
        served = Served(workspace, port=served.port)
        page.locator("body:not(.broken)").wait_for()
        assert page.evaluate("window.stays") is True

        # One job: its picture, settings, log.
        line(page, "last").locator(".who a").click()
        page.locator(".hero video").wait_for()
        page.locator("summary", has_text="Log").click()
        page.locator(".log pre", has_text="testcard").wait_for()
        assert "testcard" in page.locator(".settings").first.inner_text()
        page.get_by_role("button", name="A star for last").click()
        page.locator(".star[aria-pressed='true']").wait_for()
        page.get_by_role("link", name="Full screen").click()
        page.wait_for_function(
            "() => document.querySelector('.stage video')?.currentTime > 0.1", timeout=MS
        )
    finally:
        served.close()


def test_who_has_no_link_sees_a_door(page: Any, tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    served = Served(Workspace(tmp_path))
    try:
        page.goto(f"http://127.0.0.1:{served.port}/")
        page.get_by_placeholder("token").fill("wrong")
        page.get_by_role("button", name="Enter").click()
        page.get_by_text("this is not the link").wait_for()
        page.get_by_placeholder("token").fill(served.link)
        page.get_by_role("button", name="Enter").click()
        page.get_by_text("Drop a sheet here").wait_for()
        page.reload()
        page.get_by_text("Drop a sheet here").wait_for()
    finally:
        served.close()


def test_every_view_fits_a_phone_and_is_reached_by_keys(page: Any, furnished: Workspace) -> None:
    served = Served(furnished)
    try:
        page.set_viewport_size({"width": 360, "height": 740})
        page.goto(served.link)
        page.locator("#places a").first.wait_for()
        for place in (
            "wall",
            "queue",
            "films",
            "cuts",
            "farm",
            "job/film",
            "job/next",
            "job/wrong",
        ):
            page.evaluate("place => { location.hash = `#/${place}`; }", place)
            page.wait_for_timeout(300)
            wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert wide <= 0, f"{place} is {wide} pixels wider than a phone"
        for number, place in enumerate(("wall", "queue", "films", "cuts", "farm"), 1):
            page.keyboard.press(str(number))
            page.locator(f"#places a[data-place='{place}'][aria-current]").wait_for()
        page.keyboard.press("t")
        assert page.evaluate("document.documentElement.dataset.theme") == "dark"
        page.keyboard.press("/")
        page.locator("input[type=search]:focus").wait_for()
        page.keyboard.type("wron")
        line(page, "wrong").wait_for()
        page.locator("tr[data-key='film']").wait_for(state="detached")
        assert "hunter2" not in page.content()
        page.keyboard.press("Escape")
        page.keyboard.press("?")
        page.get_by_role("heading", name="Keys").wait_for()
    finally:
        served.close()


def test_a_bell_rings_when_the_night_is_done_and_asks_for_nothing_before(
    page: Any, tmp_path: Path
) -> None:
    workspace = Workspace(tmp_path)
    workspace.runs.mkdir()
    create(workspace.store, [a_row("night", State.RUNNING, 0.5), a_row("day", State.DONE, 1.0)])
    page.add_init_script(
        """window.asked = 0;
        window.notified = [];
        window.Notification = class {
            constructor(title, { body }) { window.notified.push(`${title}: ${body}`); }
            static permission = "default";
            static async requestPermission() {
                window.asked += 1;
                return (Notification.permission = "granted");
            }
        };"""
    )
    served = Served(workspace)
    try:
        page.goto(served.link)
        page.locator("#states a.running:visible").wait_for()
        assert page.evaluate("[window.asked, document.title]") == [0, "multitrain"]
        page.locator("#bell").click()
        page.locator("#bell[aria-pressed='true']").wait_for()
        create(workspace.store, [a_row("night", State.DONE, 1.0), a_row("day", State.DONE, 1.0)])
        page.wait_for_function("() => document.title === '✓ 2 films · multitrain'")
        assert page.evaluate("window.notified") == ["The night is done: 2 films"]
        page.wait_for_function("() => document.title === 'multitrain'")
        page.reload()
        page.locator("#bell[aria-pressed='false']").wait_for()
        assert page.evaluate("window.asked") == 0, "it is a new page, and nobody has asked it"
    finally:
        served.close()


def test_the_moments_of_a_film_play_and_become_loops(page: Any, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    job = a_job("night", video_length=4 / 60, fps=25, grid_width=1, grid_height=1)
    job.save(workspace.job("night"))
    workspace.job("night").film().parent.mkdir(exist_ok=True)
    write_video(workspace.job("night").film(), 100)
    create(workspace.store, [a_row("night", State.DONE, 1.0)])
    served = Served(workspace)
    try:
        page.goto(served.link)
        page.locator("#places a[data-place='films']").click()
        page.get_by_role("button", name="Moments").click()
        page.locator(".strip .still").nth(3).click()
        wanted = "() => document.querySelector('.hero video')?.currentTime > 1"
        page.wait_for_function(wanted, timeout=MS)
        page.get_by_label("Seconds of a loop").fill("1")
        figure = page.locator(".highlights figure").first
        figure.locator("[data-loop='pingpong']").click()
        page.locator("[data-clip^='night_pingpong_1s'] video").wait_for()
        assert page.locator("[data-loop='walk']").count() == 0, "no weights are kept"
    finally:
        served.close()


def test_a_page_beside_a_farm_ends_with_it(
    farmhouse: Farmhouse, workspace: Workspace, make_pictures: Any
) -> None:
    """However the farm ends: here, it is killed."""
    make_pictures(workspace.dataset("tiny"), count=8, size=(96, 54))
    farmhouse.write_sheet(HEADER, LONG)
    farm = farmhouse.start("--page", *OPTIONS)
    assert farm.stdout
    link = LINK.match(farm.stdout.readline())
    assert link
    port = int(link[2])
    wait_for(lambda: answers(port), farm)
    os.kill(farm.pid, signal.SIGKILL)
    farm.wait()
    deadline = time.monotonic() + 30
    while answers(port):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def answers(port: int) -> bool:
    """Whether somebody listens at this port."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        return False
    return True
