"""A real browser, where the machine has one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

MS = 90_000  # nothing on a page takes so long on a healthy machine
INSTALL = "apt-get install --no-install-recommends chromium"


def program() -> str:
    """The browser; skips where there is none, or fails where MULTITRAIN_BROWSER=required."""
    found = shutil.which("chromium")
    if found is None:
        told = f"there is no chromium: {INSTALL}"
        if os.environ.get("MULTITRAIN_BROWSER") == "required":
            pytest.fail(told)
        pytest.skip(told)
    return found


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser of its own, without a window."""
    path = program()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path)
        try:
            yield browser
        finally:
            browser.close()
