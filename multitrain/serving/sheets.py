"""Sheets that are dropped on the page: checked, with every mistake at its line, and submitted."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jobs.errors import ExitCode
from jobs.reading import DamagedText, parse_json
from jobs.secrets import hidden
from jobs.settings.spec import COLUMNS
from jobs.workspace.paths import Workspace
from multitrain.serving.bodies import Refused, bytes_of, nothing_else, take
from multitrain.serving.guard import MOST_SHEET_BYTES
from multitrain.serving.programs import Programs, Said

SECONDS = 300.0  # a check of ten thousand rows takes a tenth of it
SUFFIXES = (".csv", ".yaml", ".yml", ".xlsx")


@contextmanager
def sheet_of(fields: dict[str, Any]) -> Iterator[tuple[Path, str]]:
    """A file with the sheet that a body holds, as long as it is needed, and its name for people."""
    name = take(fields, "name", str)
    content = bytes_of(take(fields, "content", str), MOST_SHEET_BYTES)
    nothing_else(fields)
    suffix = Path(name).suffix.lower() if "\0" not in name else ""
    if suffix not in SUFFIXES:
        raise Refused(400, f"a sheet is a file that ends in {', '.join(SUFFIXES)}")
    with tempfile.TemporaryDirectory(prefix="multitrain-") as folder:
        path = Path(folder, f"sheet{suffix}")
        path.write_bytes(content)
        yield path, Path(name).name


class Sheets:
    """Checks and submits sheets, with commands of ours as processes."""

    def __init__(self, workspace: Workspace, programs: Programs, *, allows_commands: bool) -> None:
        self._workspace, self._programs = workspace, programs
        self._allows_commands = allows_commands

    async def check(self, fields: dict[str, Any]) -> dict[str, Any]:
        """What a sheet would make, or its mistakes; nothing is started."""
        with sheet_of(fields) as (path, _):
            return await self._check(path)

    async def submit(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Put all jobs of a sheet into the queue, or none where there are mistakes."""
        with sheet_of(fields) as (path, _):
            said = await self._programs.run(self._arguments("submit", path), SECONDS)
            mistakes, others = split(said, path)
            notes = [line for line in others if line.startswith("note: ")]
            refused_lines = [line for line in others if line not in notes]
            return {
                "done": [hidden(line) for line in said.out.splitlines()],
                "refused": refused_lines,
                "notes": notes,
                "mistakes": mistakes,
            }

    async def _check(self, path: Path) -> dict[str, Any]:
        said = await self._programs.run(self._arguments("check", path, "--json"), SECONDS)
        mistakes, others = split(said, path)
        jobs: list[Any] = []
        if said.code in (ExitCode.DONE, ExitCode.FAILED):
            try:
                jobs = parse_json(said.out.encode(), list)
            except DamagedText:
                others.append("the check has ended without an answer")
        return {"jobs": jobs, "mistakes": mistakes, "notes": others}

    def _arguments(self, command: str, path: Path, *flags: str) -> list[str]:
        # Who reads the sheet decides what it may ask for: a look at it before could see another.
        strict = () if self._allows_commands else ("--from-page",)
        place = ("--workspace", str(self._workspace.root))
        return [command, *flags, *strict, *place, "--", str(path)]


def split(said: Said, path: Path) -> tuple[list[dict[str, Any]], list[str]]:
    """The mistakes of a sheet that a command has listed, with their lines, and all else it said."""
    pattern = re.compile(rf"{re.escape(str(path))}:(?:(\d+):)? (?:(\w+): )?(.*)", re.DOTALL)
    mistakes, others = [], []
    for line in said.err.splitlines():
        if match := pattern.fullmatch(line):
            column = match[2] if match[2] in COLUMNS else ""
            reason = match[3] if column or not match[2] else f"{match[2]}: {match[3]}"
            mistakes.append(
                {"line": int(match[1] or 0), "column": column, "reason": hidden(reason)}
            )
        elif line.strip():
            others.append(hidden(line.replace(str(path), "the sheet")))
    return mistakes, others
