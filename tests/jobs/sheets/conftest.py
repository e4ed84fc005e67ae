"""Fixtures of the tests of sheets."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs.sheets.sheet import Sheet, read_sheet
from jobs.workspace.paths import Workspace
from tests.jobs.sheets.csv_sheets import ReadText


@pytest.fixture
def read(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> ReadText:
    """`read(text)`: the sheet of this text, read as `sheet.csv`."""
    monkeypatch.chdir(workspace.root)

    def read_text(content: str | bytes) -> Sheet:
        raw = content.encode() if isinstance(content, str) else content
        (workspace.root / "sheet.csv").write_bytes(raw)
        return read_sheet(Path("sheet.csv"), workspace)

    return read_text
