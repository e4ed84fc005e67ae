from __future__ import annotations

from pathlib import Path

import pytest

from jobs.workspace.paths import Workspace
from tests.datasets.tiles.scans import save_noise


@pytest.fixture
def scans(workspace: Workspace) -> Path:
    folder = workspace.root / "scans"
    save_noise(folder / "a.png")
    save_noise(folder / "reel 2" / "b.tif", (35, 29))
    save_noise(folder / "reel 2" / "c.png", (30, 24), 4)
    return folder
