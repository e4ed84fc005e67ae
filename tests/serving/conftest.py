from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jobs.workspace.outputs import JPG, OutputName
from jobs.workspace.paths import Workspace
from jobs.workspace.states import State
from jobs.workspace.store import create
from tests.conftest import HOSTILE_NAME
from tests.serving.browser import MS, chromium
from tests.serving.served import Served
from tests.serving.stage import a_job, a_row, losses

SECRET = "sftp://vj:hunter2@nas/films"


def furnish(workspace: Workspace) -> None:
    """A workspace with a job in each state that matters here; its videos are only bytes."""
    for name in ("night", "film"):
        job = a_job(name)
        paths = workspace.job(name)
        job.save(paths)
        paths.log.write_text(f"sending to {SECRET}\n")
        losses(paths.progress, 1, lines=40)
        paths.preview.write_bytes(bytes(range(256)) * 8)
        paths.latest.write_bytes(b"\xff\xd8 a picture")
        paths.film().parent.mkdir(exist_ok=True)
        for number in (1, 2):
            paths.timecut(number).write_bytes(f"cut {number}".encode() * 100)
    film = workspace.job("film")
    film.film().write_bytes(b"film" * 1000)
    (workspace.renders / str(OutputName("film", suffix=JPG))).write_bytes(b"\xff\xd8 a poster")
    film.manifest.write_text("{}")
    rows = [
        a_row("night", State.PAUSED, 0.4),
        a_row("film", State.DONE, 1.0),
        a_row("wrong", State.FAILED, 0.1, error=f"cannot send to {SECRET}"),
        a_row("next", State.QUEUED),
        a_row("-all", State.QUEUED),
    ]
    create(workspace.store, rows)


@pytest.fixture
def page() -> Iterator[Any]:
    """A page in a browser; what its scripts complain of fails the test."""
    with chromium() as browser:
        page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
        page.set_default_timeout(MS)
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        yield page
        assert wrong == []


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    root = tmp_path_factory.mktemp("page") / HOSTILE_NAME
    root.mkdir()
    workspace = Workspace(root)
    furnish(workspace)
    (root / "outside.mp4").write_bytes(b"not to be seen")
    (Path(workspace.renders) / "film_timecut0009.mp4").symlink_to(root / "outside.mp4")
    return workspace


@pytest.fixture(scope="module")
def served(furnished: Workspace) -> Iterator[Served]:
    server = Served(furnished)
    server.enter()
    yield server
    server.close()
