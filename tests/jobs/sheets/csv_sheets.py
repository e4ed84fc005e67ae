"""CSV sheets as texts."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from jobs.errors import ExitCode, SheetError
from jobs.sheets.sheet import Sheet

HEADER = "name,dataset,grid_width,grid_height,video_length"

ReadText = Callable[[str | bytes], Sheet]


def mistakes(read: ReadText, content: str | bytes) -> list[str]:
    with pytest.raises(SheetError) as caught:
        read(content)
    assert caught.value.exit_code is ExitCode.USAGE
    return str(caught.value).splitlines()


def names(sheet: Sheet) -> list[str]:
    return [job.spec.name for job in sheet.jobs]
