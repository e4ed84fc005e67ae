from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from multitrain.commands.cli import commands


def test_the_path_of_a_workspace_has_no_dots_and_keeps_its_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("checkout", "real"):
        (tmp_path / folder).mkdir()
    (tmp_path / "link").symlink_to("real")
    monkeypatch.chdir(tmp_path / "checkout")
    call = ["dataset", "demo", "few", "--count", "1", "--size", "8x8", "--workspace", "../link"]
    result = CliRunner().invoke(commands, call, catch_exceptions=False)
    assert result.stdout.splitlines()[0] == f"{tmp_path}/link/data/few: 1 picture"
