"""Specs into the text of a YAML sheet: what all jobs share under `defaults`, no setting at its
default.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from jobs.errors import UsageError
from jobs.settings.spec import COLUMNS, JobSpec, default_of
from jobs.sheets.forms.nested_form import yaml_text
from jobs.workspace.files import write_text


def sheet_with_defaults(specs: Sequence[JobSpec], comments: Iterable[str]) -> str:
    """A sheet of these jobs below `comments`, a line each."""
    rows = [_changed_settings(spec) for spec in specs]
    first, *others = rows
    shared = {
        column: value
        for column, value in first.items()
        if others and all(each.get(column) == value for each in others)
    }
    jobs = [
        {column: value for column, value in each.items() if column not in shared} for each in rows
    ]
    text = yaml_text({"defaults": shared, "jobs": jobs} if shared else {"jobs": jobs})
    head = "".join(f"# {_one_line(comment)}\n" for comment in comments)
    return f"{head}\n{text}" if head else text


def save_sheet(path: Path, text: str, *, force: bool, source: Path | None = None) -> None:
    """Write a sheet. UsageError where that fails, or would replace a file without `force`.

    It never replaces its `source`, the file that it was made from.
    """
    if path.suffix.casefold() not in (".yaml", ".yml"):
        raise UsageError(f"{path} must end in .yaml: sheets of other names are read as CSV")
    if source and path.exists() and path.samefile(source):
        raise UsageError(f"{path} is what this sheet is made from; give another name")
    if path.exists() and not force:
        raise UsageError(f"{path} is there already; give another name, or --force to replace it")
    try:
        write_text(path, text)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error


def _changed_settings(spec: JobSpec) -> dict[str, object]:
    """The settings that are not at their defaults, as plain values; a list of one is its entry."""
    dumped = spec.model_dump(mode="json")
    settings = {}
    for column, field in COLUMNS.items():
        if field.is_required() or getattr(spec, column) != default_of(column, spec.family):
            settings[column] = _plain(dumped[column])
    return settings


def _plain(value: object) -> object:
    if not isinstance(value, list):
        return value
    return value[0] if len(value) == 1 else value


def _one_line(comment: str) -> str:
    return "".join(each if each.isprintable() else " " for each in comment)
