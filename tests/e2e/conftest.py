from __future__ import annotations

from collections.abc import Iterator

import pytest

from jobs.workspace.paths import Workspace
from tests.e2e.farmhouse import Farmhouse


@pytest.fixture
def farmhouse(workspace: Workspace) -> Iterator[Farmhouse]:
    house = Farmhouse(workspace)
    yield house
    house.close()
