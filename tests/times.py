"""`--times`: processor seconds by folder, of the tests and of the processes that they started."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import PurePath

import pytest


def processor_seconds() -> float:
    """So far, of this process and of those that it has waited for."""
    return sum(os.times()[:4])


class Times:
    """A plugin. With several processes, each measures and the first one adds up."""

    def __init__(self) -> None:
        self._before = 0.0
        self._folders: Counter[str] = Counter()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self) -> None:
        self._before = processor_seconds()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> object:
        report = yield
        now = processor_seconds()
        report.processor_seconds = now - self._before
        self._before = now
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        folder = "/".join(PurePath(report.nodeid.partition("::")[0]).parts[:2])
        self._folders[folder] += report.processor_seconds

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.section("processor seconds")
        for folder, seconds in self._folders.most_common():
            terminalreporter.write_line(f"{seconds:8.0f}  {folder}")
        terminalreporter.write_line(f"{self._folders.total():8.0f}  all")
