"""Stars of films, kept in a file that somebody may damage."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from jobs.errors import MultitrainError
from jobs.workspace.paths import Workspace
from multitrain.serving.stars import Stars


def test_stars_are_given_and_taken_away(workspace: Workspace) -> None:
    stars = Stars(workspace)
    for name in ("a", "b"):
        stars.give(name, starred=True)
    stars.give("a", starred=False)
    assert Stars(workspace).names() == {"b"}


def test_stars_of_several_servers_are_not_lost(workspace: Workspace) -> None:
    """Each has a lock of its own for its threads, as in processes of their own."""
    workspace.runs.mkdir(parents=True, exist_ok=True)
    servers = [Stars(workspace) for _ in range(8)]

    def give(number: int) -> None:
        for each in range(10):
            servers[number].give(f"job{number}-{each}", starred=True)

    with ThreadPoolExecutor(len(servers)) as threads:
        list(threads.map(give, range(len(servers))))
    assert len(Stars(workspace).names()) == 80


def test_stars_that_cannot_be_read_are_not_overwritten(workspace: Workspace) -> None:
    workspace.runs.mkdir(parents=True, exist_ok=True)
    workspace.stars.write_text('["a", "b"]x')
    stars = Stars(workspace)
    assert stars.names() == set()
    with pytest.raises(MultitrainError, match=r"is damaged .*move it away"):
        stars.give("c", starred=True)
    assert workspace.stars.read_text() == '["a", "b"]x'
