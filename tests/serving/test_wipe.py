"""Before and after, on either side of a line, in a real browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jobs.workspace.paths import Workspace
from jobs.workspace.states import State
from jobs.workspace.store import create
from multitrain.serving.job_facts import cells_of
from tests.footage import write_video
from tests.serving.served import Served
from tests.serving.stage import a_job, a_row

RED, BLUE, SIDE = (220, 20, 20), (20, 20, 220), 64
CELLS = {"columns": 2, "rows": 1, "pictures": ("bicubic", "output")}
LOOK = """place => {
    const canvas = document.querySelector(".wipe canvas");
    const [red, , blue] = canvas.getContext("2d").getImageData(place * canvas.width, 9, 1, 1).data;
    return red > 150 ? "before" : blue > 150 ? "after" : "neither";
}"""


def test_which_jobs_have_something_to_compare() -> None:
    enlarged = {"family": "superres", "grid_width": 2, "grid_height": 1, "show": "bicubic+output"}
    assert cells_of(a_job("sharp", **enlarged)) == CELLS
    assert cells_of(a_job("sharp", **enlarged | {"show": "output"})) is None
    assert cells_of(a_job("boxed", **enlarged, render_res="128x72")) is None
    assert cells_of(a_job("night")) is None


@pytest.mark.timeout(600)
def test_a_line_is_moved_by_keys_and_by_the_mouse(page: Any, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    job = a_job("sharp", family="superres", grid_width=2, grid_height=1, show="bicubic+output")
    paths = workspace.job("sharp")
    job.save(paths)
    workspace.renders.mkdir(exist_ok=True)
    frame = np.zeros((SIDE, 4 * SIDE, 3), np.uint8)
    for place in range(4):
        frame[:, place * SIDE : (place + 1) * SIDE] = BLUE if place % 2 else RED
    write_video(paths.film(), [frame] * 30, fps=30)
    paths.manifest.write_text("{}")
    create(workspace.store, [a_row("sharp", State.DONE, 1.0)])
    served = Served(workspace)
    try:
        page.goto(served.link)
        page.locator("#places a").first.wait_for()
        page.evaluate("location.hash = '#/job/sharp'")
        page.get_by_role("button", name="Before | after").wait_for()
        page.keyboard.press("w")
        page.wait_for_function("() => document.querySelector('.wipe canvas')?.width === 128")
        assert [page.evaluate(LOOK, place) for place in (0.1, 0.4, 0.6, 0.9)] == [
            *("before", "before", "after", "after")
        ]
        page.keyboard.press("Home")
        assert page.evaluate(LOOK, 0.1) == "after"
        box = page.locator(".wipe").bounding_box()
        page.mouse.move(box["x"] + 2, box["y"] + box["height"] / 2)
        page.mouse.down()
        page.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + box["height"] / 2, steps=5)
        page.mouse.up()
        assert [page.evaluate(LOOK, place) for place in (0.7, 0.9)] == ["before", "after"]
        page.locator(".wipe .before").select_option("output")
        assert page.evaluate(LOOK, 0.1) == "after"
        page.keyboard.press("w")
        page.locator(".wipe").wait_for(state="detached")
    finally:
        served.close()
