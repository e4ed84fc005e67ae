"""Pictures of the page for docs/night.md: `python -m tests.serving.screenshots [FOLDER [NAME…]]`.

Needs chromium. The night in them is staged (`tests.serving.stage`). Other pictures are made where
their names are given; then PNG files are kept as well, to look at.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from PIL import Image

from jobs.workspace.farm_state import publish
from jobs.workspace.paths import Workspace
from jobs.workspace.store import read_jobs
from tests.serving.browser import chromium
from tests.serving.served import Served
from tests.serving.stage import farm_at_work, farm_of, stage

PAGE = Path("docs/night.md")
MARGIN = 16  # pixels around a part
LAPTOP, PHONE, SCREEN = (1440, 900), (390, 844), (1920, 1080)
# A part of the page alone, where one is named.
PARTS = {"page-moments": ".highlights"}
SHOTS = (
    ("page-wall", SCREEN, "dark", "#/wall"),
    ("page-laptop", LAPTOP, "dark", "#/wall"),
    ("page-light", LAPTOP, "light", "#/queue"),
    ("page-queue", LAPTOP, "dark", "#/queue"),
    ("page-job", LAPTOP, "dark", "#/job/tidal"),
    ("page-done", LAPTOP, "dark", "#/job/cinder"),
    ("page-job-light", LAPTOP, "light", "#/job/tidal"),
    ("page-moments", LAPTOP, "dark", "#/job/cinder"),
    ("page-films", LAPTOP, "dark", "#/films"),
    ("page-compare", LAPTOP, "dark", "#/cuts"),
    ("page-farm", LAPTOP, "dark", "#/farm"),
    ("page-phone", PHONE, "dark", "#/wall"),
    ("page-phone-queue", PHONE, "light", "#/queue"),
    ("page-phone-job", PHONE, "dark", "#/job/tidal"),
    ("page-screen", SCREEN, "dark", "#/screen/tidal"),
)


def main(folder: Path, only: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    told = [name for name, *_ in SHOTS if f"{name}.jpg" in PAGE.read_text(encoding="utf-8")]
    with tempfile.TemporaryDirectory() as root:
        workspace = Workspace(Path(os.environ.get("MULTITRAIN_STAGE", root)))
        if not workspace.store.exists():
            stage(workspace)
        ended = threading.Event()

        def tell() -> None:
            while not ended.wait(1.0):
                publish(workspace, farm_of(read_jobs(workspace.store)))

        threading.Thread(target=tell, daemon=True).start()
        served = Served(workspace)
        try:
            with farm_at_work(workspace), chromium() as browser:
                for name, (width, height), theme, place in SHOTS:
                    if name not in (only or told):
                        continue
                    context = browser.new_context(
                        viewport={"width": width, "height": height},
                        color_scheme=theme,
                        device_scale_factor=2 if width < 500 else 1,
                        has_touch=width < 500,
                    )
                    page = context.new_page()
                    page.on("pageerror", lambda error: sys.stderr.write(f"{error}\n"))
                    page.on(
                        "console",
                        lambda line: line.type == "error" and sys.stderr.write(f"{line.text}\n"),
                    )
                    page.goto(served.link)
                    page.wait_for_selector("#states .counts a:visible")
                    page.evaluate(f"location.hash = {place!r}")
                    page.wait_for_timeout(3500)
                    picture = folder / f"{name}.png"
                    part = around(page, PARTS[name]) if name in PARTS else None
                    page.screenshot(path=picture, clip=part, full_page=part is not None)
                    Image.open(picture).convert("RGB").save(folder / f"{name}.jpg", quality=82)
                    if not only:
                        picture.unlink()
                    context.close()
        finally:
            ended.set()
            served.close()


def around(page: Any, selector: str) -> dict[str, float]:
    """The place of a part of the page, with a margin; the page has not been scrolled."""
    box = page.locator(selector).bounding_box()
    assert box is not None
    return {
        "x": box["x"] - MARGIN,
        "y": box["y"] - MARGIN,
        "width": box["width"] + 2 * MARGIN,
        "height": box["height"] + 2 * MARGIN,
    }


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/images"), sys.argv[2:])
