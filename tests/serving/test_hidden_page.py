"""A page that nobody sees asks for nearly nothing, and shows all that is new when it is seen again.

A browser without a window hides no tab, so the tests say in its place that the page is hidden.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jobs.workspace.paths import Workspace
from jobs.workspace.states import State
from jobs.workspace.store import create
from tests.serving.served import Served
from tests.serving.stage import a_row

pytestmark = pytest.mark.timeout(600)

WATCHED = """
    window.open_streams = 0;
    const Real = EventSource;
    window.EventSource = class extends Real {
        constructor(address) { super(address); window.open_streams += 1; }
        close() { super.close(); window.open_streams -= 1; }
    };
    window.hide = (hidden) => {
        Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
    };
"""
HIDDEN_MS = 21_000  # a little more than between two questions of a hidden page
CALM_MS = 3_000  # in which a page that is seen would have asked


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Served]:
    """The page of a workspace in which one job trains."""
    workspace = Workspace(tmp_path)
    workspace.runs.mkdir()
    store(workspace, State.RUNNING)
    served = Served(workspace)
    yield served
    served.close()


@pytest.fixture
def asked(page: Any) -> list[str]:
    """What the page has asked its server for, by path."""
    page.add_init_script(WATCHED)
    paths: list[str] = []

    def note(request: Any) -> None:
        _, api, path = request.url.partition("/api/")
        paths.extend([path] if api else [])

    page.on("request", note)
    return paths


def store(workspace: Workspace, state: State) -> None:
    create(workspace.store, [a_row("night", state, 0.5)])


def wait_for_streams(page: Any, count: int) -> None:
    page.wait_for_function("count => window.open_streams === count", arg=count)


def test_a_hidden_page_holds_no_connection(page: Any, night: Served, asked: list[str]) -> None:
    page.goto(night.link)
    wait_for_streams(page, 1)
    page.evaluate("hide(true)")
    wait_for_streams(page, 0)
    asked.clear()
    page.wait_for_timeout(CALM_MS)
    assert asked == []
    page.evaluate("hide(false)")
    wait_for_streams(page, 1)


def test_a_page_that_begins_hidden_holds_none_either(
    page: Any, night: Served, asked: list[str]
) -> None:
    page.add_init_script("hide(true)")  # opened in a tab behind the others
    page.goto(night.link)
    page.locator("#bar:visible").wait_for()
    page.wait_for_timeout(500)
    assert page.evaluate("window.open_streams") == 0
    assert "events" not in asked
    page.evaluate("hide(false)")
    page.locator("#states a.running:visible").wait_for()


def test_a_hidden_page_knows_the_end_of_the_night_and_shows_it_when_it_is_seen(
    page: Any, night: Served, asked: list[str]
) -> None:
    page.clock.install()
    page.goto(night.link)
    page.locator("#places a[data-place='queue']").click()
    page.locator("tr[data-key='night'] .situation", has_text="running").wait_for()
    page.evaluate("hide(true)")
    store(night.workspace, State.DONE)
    page.wait_for_timeout(1500)  # the server looks at its files once a second
    asked.clear()
    page.clock.fast_forward(HIDDEN_MS)
    page.wait_for_function("() => document.title.startsWith('✓ 1 film')")
    page.wait_for_timeout(500)
    assert set(asked) == {"overview"}, "what nobody sees is not asked for"
    page.evaluate("hide(false)")
    page.locator("tr[data-key='night'] .situation", has_text="done").wait_for()


def test_moments_that_are_looked_for_are_not_asked_for_by_a_hidden_page(
    page: Any, furnished: Workspace, asked: list[str]
) -> None:
    looking = {"film": True, "moments": None, "is_looking": True, "trouble": "", "clips": []}
    page.route("**/api/moments*", lambda route: route.fulfill(json=looking))
    served = Served(furnished)
    try:
        page.goto(served.link)
        page.locator("#bar:visible").wait_for()
        page.evaluate("location.hash = '#/job/film'")
        for _ in range(2):
            with page.expect_request("**/api/moments*"):
                pass
        page.evaluate("hide(true)")
        asked.clear()
        page.wait_for_timeout(CALM_MS)
        assert asked == []
        with page.expect_request("**/api/moments*"):
            page.evaluate("hide(false)")
    finally:
        served.close()


def test_an_answer_that_comes_late_does_not_show_what_was(
    page: Any, night: Served, asked: list[str]
) -> None:
    held: list[Any] = []
    page.route("**/api/overview", lambda route: held.append(route))
    page.clock.install()
    page.goto(night.link)
    page.locator("#states a.running:visible").wait_for()
    night.enter()
    _, _, before = night.call("GET", "/api/overview")
    page.evaluate("hide(true)")
    with page.expect_request("**/api/overview"):
        page.clock.fast_forward(HIDDEN_MS)
    store(night.workspace, State.DONE)
    page.evaluate("hide(false)")
    page.locator("#states a.done:visible").wait_for()
    with page.expect_response("**/api/overview"):
        held[0].fulfill(json=json.loads(before))
    page.wait_for_timeout(300)
    assert page.locator("#states a.running:visible").count() == 0


def test_a_page_that_is_hidden_while_its_server_is_away_comes_back_when_it_is_seen(
    page: Any, night: Served, asked: list[str]
) -> None:
    page.goto(night.link)
    wait_for_streams(page, 1)
    held: list[Any] = []
    page.route("**/api/session", lambda route: held.append(route))
    night.close()
    page.locator("body.broken").wait_for()
    with page.expect_request("**/api/session"):
        pass
    page.evaluate("hide(true)")
    served = Served(night.workspace, port=night.port)
    try:
        held[0].fulfill(json={})
        page.wait_for_timeout(500)
        assert page.evaluate("window.open_streams") == 0
        page.evaluate("hide(false)")
        page.locator("body:not(.broken)").wait_for()
        page.locator("#states a.running:visible").wait_for()
    finally:
        served.close()
