from __future__ import annotations

from collections.abc import Iterator

import pytest
from farmhouse import Farmhouse

from jobs.paths import Workspace


@pytest.fixture
def farmhouse(workspace: Workspace) -> Iterator[Farmhouse]:
    house = Farmhouse(workspace)
    yield house
    house.close()
