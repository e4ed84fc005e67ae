"""A few pictures, and what is kept of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from jobs.workspace.files import listing
from jobs.workspace.paths import Workspace
from multitrain.datasets.cached.cache import open_pictures
from multitrain.datasets.decoded.folders import Pictures

WIDTH, HEIGHT, COUNT = 32, 24, 5


def open_some(workspace: Workspace, **options: int) -> Pictures:
    return open_pictures(workspace, ["some"], WIDTH, HEIGHT, **options)


def kept(workspace: Workspace) -> list[Path]:
    return [workspace.cache / name for name in listing(workspace.cache)]


def assert_same(one: Pictures, other: Pictures) -> None:
    np.testing.assert_array_equal(one.images, other.images)
    assert one.fingerprint == other.fingerprint
    assert one.skipped == other.skipped
