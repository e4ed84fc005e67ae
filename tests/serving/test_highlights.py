"""The best moments of films on the page, and loops that are made of them."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import av
import pytest
from PIL import Image

from jobs.workspace.files import listing
from jobs.workspace.paths import Workspace
from jobs.workspace.states import State
from jobs.workspace.store import create
from multitrain.serving.clips import Clip, begin
from multitrain.serving.highlights import step_near
from tests.footage import write_video
from tests.serving.served import Served
from tests.serving.stage import a_job, a_row

SECONDS = 120.0


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A film of four seconds without its moments, and a file that is no film."""
    workspace = Workspace(tmp_path_factory.mktemp("films"))
    for name in ("night", "broken"):
        job = a_job(name, video_length=4 / 60, fps=25, grid_width=1, grid_height=1)
        job.save(workspace.job(name))
        workspace.job(name).film().parent.mkdir(exist_ok=True)
    write_video(workspace.job("night").film(), 100)
    workspace.job("broken").film().write_bytes(b"no film")
    create(workspace.store, [a_row("night", State.DONE, 1.0), a_row("broken", State.DONE, 1.0)])
    server = Served(workspace)
    server.enter()
    yield server
    server.close()


def moments(served: Served, name: str, until: Callable[[Any], bool]) -> Any:
    """What is told of a film's moments, once it is so."""
    deadline = time.monotonic() + SECONDS
    while not until(told := served.get(f"/api/moments?name={name}")):
        assert time.monotonic() < deadline, told
        time.sleep(0.1)
    return told


def post(served: Served, path: str, **fields: object) -> tuple[int, Any]:
    status, _, body = served.call("POST", path, fields)
    return status, json.loads(body)


def test_moments_are_looked_for_once_and_shown_as_stills(films: Served) -> None:
    told = films.get("/api/moments?name=night")
    assert told["film"]
    assert (told["moments"], told["is_looking"]) == (None, False)
    assert post(films, "/api/find-moments", name="night") == (200, {"is_looking": True})
    told = moments(films, "night", lambda told: told["moments"])
    assert len(told["moments"]) == 6
    assert sum(each["is_best"] for each in told["moments"]) == 1
    assert [each["frame"] for each in told["moments"]] == sorted(
        round(each["seconds"] * 25) for each in told["moments"]
    )
    frame = told["moments"][0]["frame"]
    _, headers, still = films.call("GET", f"/media?job=night&kind=still&number={frame}")
    assert headers["content-type"] == "image/jpeg"
    assert Image.open(io.BytesIO(still)).size == (160, 90)
    assert post(films, "/api/find-moments", name="night") == (200, {"is_looking": False})
    for wrong in ("number=1", "number=-1", "number=../../x", f"number={'9' * 13}", "x=1"):
        assert films.call("GET", f"/media?job=night&kind=still&{wrong}")[0] == 404


def test_a_film_that_cannot_be_read_is_looked_at_once(films: Served) -> None:
    post(films, "/api/find-moments", name="broken")
    told = moments(films, "broken", lambda told: not told["is_looking"])
    assert "broken.mp4" in told["trouble"]
    assert post(films, "/api/find-moments", name="broken") == (200, {"is_looking": False})
    assert post(films, "/api/find-moments", name="nobody")[0] == 404


def test_loops_are_made_of_a_moment(films: Served) -> None:
    for mode in ("pingpong", "best"):
        status, said = post(films, "/api/loop", name="night", mode=mode, frame=20, seconds=1)
        assert status == 200
        assert said["done"] == [f"night_{mode}_1s_from_0.80s.mp4 is being made"]
    told = moments(films, "night", lambda told: all(each["version"] for each in told["clips"]))
    for clip in told["clips"]:
        query = f"job=night&kind=clip&file={clip['file']}"
        status, headers, content = films.call("GET", f"/media?{query}")
        assert (status, headers["content-type"]) == (200, "video/mp4")
        with av.open(io.BytesIO(content)) as video:
            assert sum(1 for _ in video.decode(video=0)) in (25, 26)
    status, said = post(films, "/api/loop", name="night", mode="best", frame=20, seconds=1)
    assert said["done"] == ["night_best_1s_from_0.80s.mp4 is there already"]
    assert films.call("GET", "/media?job=broken&kind=clip&file=" + clip["file"])[0] == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "nobody"},
        {"mode": "sideways"},
        {"seconds": 0},
        {"seconds": 121},
        {"frame": -1},
        {"frame": 100},
        {"mode": "walk"},
        {"more": 1},
    ],
)
def test_what_is_no_loop_is_refused(films: Served, wrong: dict[str, object]) -> None:
    asked = {"name": "night", "mode": "best", "frame": 20, "seconds": 1, **wrong}
    assert post(films, "/api/loop", **asked)[0] in (400, 404)


def test_a_loop_that_cannot_be_made_says_why(films: Served) -> None:
    assert post(films, "/api/loop", name="broken", mode="best", frame=1, seconds=1)[0] == 200
    told = moments(films, "broken", lambda told: told["clips"] and told["clips"][0]["trouble"])
    assert "broken.mp4" in told["clips"][0]["trouble"]


def test_clips_are_known_by_their_names() -> None:
    clips = [Clip("a_b", "best", 10, 83.4), Clip("a", "walk", 5, 1200.0), Clip("a", "best", 1, 0.0)]
    for clip in clips:
        assert Clip.parse(clip.job, clip.file) == clip
    assert clips[1].file == "a_walk_5s_step_1200.mp4"
    strange = ("a_best_1s_from_0.0s.mp4", "a_best_1s_from_1.00s_best_1s_from_1.00s.mp4", "a.mp4")
    assert not any(Clip.parse("a", name) for name in strange)


def test_a_loop_begins_so_early_that_it_fits() -> None:
    assert begin(Clip("a", "pingpong", 10, 50.0), 100.0) == 50.0
    assert begin(Clip("a", "pingpong", 10, 99.0), 100.0) == pytest.approx(94.8)
    assert begin(Clip("a", "best", 20, 99.0), 100.0) == pytest.approx(77.8)
    assert begin(Clip("a", "best", 20, 3.0), 10.0) == 0.0


def test_walks_are_of_weights_near_the_moment() -> None:
    job = a_job("a")
    step = job.plan.step_of(5000)
    assert step_near(5000, job, [step - 200, step + 50]) == step + 50
    assert step_near(5000, job, [job.plan.steps_total]) is None
    assert step_near(job.frames_total, job, [step]) is None


def test_only_clips_lie_where_they_are_made(films: Served) -> None:
    assert all(name.startswith("night_") for name in listing(films.workspace.clips))
