"""Pictures that are drawn and decoded, as scenes."""

from __future__ import annotations

from unittest import mock

from PIL import Image

from jobs.workspace.paths import Workspace
from multitrain.datasets.cached.cache import open_pictures
from multitrain.datasets.drawn import demo


def draw_pictures(workspace: Workspace) -> None:
    few = mock.patch.object(demo.draw_demo, "__defaults__", (2,))
    small = mock.patch.object(demo, "DEMO_SIZE", (32, 24))
    with few, small:
        demo.ensure_demo(workspace)


def large_pictures(workspace: Workspace) -> None:
    """So many pixels that they are worth keeping."""
    folder = workspace.dataset("large")
    folder.mkdir(parents=True)
    for number in range(2):
        Image.new("RGB", (64, 48), (100 * number, 0, 0)).save(folder / f"{number}.png")


def open_decoded(workspace: Workspace) -> None:
    """Twice: the second time they are there already, if there was room."""
    for _ in range(2):
        pictures = open_pictures(workspace, ["large"], 64, 48, keep_free=0)
        assert pictures.images[:, 0, 0].tolist() == [[0, 0, 0], [100, 0, 0]]
