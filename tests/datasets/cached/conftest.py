"""Pictures to keep decoded, and how often they were."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from jobs.workspace.paths import Workspace
from multitrain.datasets.cached import cache
from multitrain.datasets.decoded import decoding
from tests.datasets.cached.some_pictures import COUNT, HEIGHT, WIDTH

if TYPE_CHECKING:
    from tests.conftest import MakePictures


@pytest.fixture
def paths(workspace: Workspace, make_pictures: MakePictures) -> list[Path]:
    return make_pictures(workspace.dataset("some"), COUNT, (WIDTH, HEIGHT))


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many files were decoded, decoding by decoding."""
    calls: list[int] = []

    def counted(paths: list[Path], *others: object) -> decoding.Decoded:
        calls.append(len(paths))
        return decoding.decode(paths, *others)

    monkeypatch.setattr(cache, "decode", counted)
    return calls
