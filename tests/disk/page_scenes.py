"""What the page writes: its secret, and stars."""

from __future__ import annotations

from jobs.workspace.paths import Workspace
from multitrain.serving.keys import read_or_make
from multitrain.serving.stars import Stars


def link_and_stars(workspace: Workspace) -> None:
    keys = read_or_make(workspace.page_key)
    assert read_or_make(workspace.page_key) == keys
    stars = Stars(workspace)
    stars.give("night", starred=True)
    stars.give("day", starred=True)
    stars.give("night", starred=False)
    assert stars.names() == {"day"}
