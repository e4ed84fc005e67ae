"""Anything at all, sent with a valid token: no error of the server, whatever it is."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.routing import Route

from jobs.workspace.paths import Workspace
from multitrain.serving.keys import Keys
from multitrain.serving.orders import FORMS
from multitrain.serving.server import application
from tests.serving.served import Served

LOOKING = (
    *("/", "/api/session", "/api/overview", "/api/status", "/api/show", "/api/layers"),
    *("/api/cuts", "/api/moments", "/api/logs", "/media", "/static/main.js"),
)
# A sheet costs a process for each: what is sent there is wrong before that.
CHANGING = (
    *("/api/enter", "/api/star", "/api/check", "/api/submit", "/api/find-moments", "/api/loop"),
    *(f"/api/{order}" for order in FORMS),
)

reached: Counter[str] = Counter()

names = st.sampled_from(
    ["night", "film", "wrong", "-all", "nobody", "", "../film", "film\0", "é", "\udcff"]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | names,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
words = names | st.text(max_size=30) | st.integers(-5, 10**15).map(str)
queries = st.dictionaries(
    st.sampled_from(
        [
            "name",
            "job",
            "kind",
            "number",
            "box",
            "format",
            "start",
            "count",
            "state",
            "text",
            "v",
            "download",
            "starred",
            "newest",
        ]
    ),
    words
    | st.sampled_from(
        ["film", "timecut", "latest", "preview", "poster", "still", "clip", "queued,done", "1"]
    ),
    max_size=5,
)
bodies = (
    st.dictionaries(
        st.sampled_from(
            [
                "names",
                "every",
                "priority",
                "now",
                "fresh",
                "name",
                "starred",
                "token",
                "content",
                "x",
            ]
        ),
        values | st.lists(names, max_size=3),
        max_size=4,
    )
    | values
)
# No order that is right: without a farm, each is a process.
NEVER = {"\x00": 1}


@pytest.mark.parametrize("place", [*LOOKING, *CHANGING])
@settings(max_examples=settings.get_profile("fuzzers").max_examples // 20)
@given(
    query=queries,
    body=bodies,
    raw=st.none() | st.binary(max_size=60),
    ranges=st.none() | st.text(st.characters(max_codepoint=126, min_codepoint=32), max_size=30),
)
def test_nothing_is_an_error_of_ours(
    served: Served,
    place: str,
    query: dict[str, str],
    body: object,
    raw: bytes | None,
    ranges: str | None,
) -> None:
    text = urlencode(query, errors="surrogateescape")
    if place in CHANGING:
        if isinstance(body, dict):
            body = body | NEVER
        content = raw if raw is not None else json.dumps(body).encode()
        status, _, said = served.call("POST", f"{place}?{text}", content)
        assert status in (400, 401, 404, 413, 429), (place, said)
    else:
        headers = {"Range": ranges} if ranges else {}
        status, _, said = served.call("GET", f"{place}?{text}", headers=headers)
        assert status in (200, 206, 304, 400, 404, 416), (place, said)
    reached[place] += 1


def test_every_address_was_asked(tmp_path: Path) -> None:
    server = application(Workspace(tmp_path), Keys("x"), 1, ())
    assert isinstance(server.app, Starlette)
    known = {route.path for route in server.app.routes if isinstance(route, Route)}
    assert known == {*LOOKING, *CHANGING, "/api/events"} - {"/static/main.js"}
    assert set(reached) == {*LOOKING, *CHANGING}
