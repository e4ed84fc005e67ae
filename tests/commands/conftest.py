"""What tests of commands that compute by a framework share."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest


@pytest.fixture
def own_environment() -> Iterator[None]:
    """The command cleans its process's environment up, which here is that of all tests."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)
