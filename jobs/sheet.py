"""A sheet into jobs that can be started, or every mistake in it at once."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from jobs.errors import Mistake, SheetError
from jobs.folders import DatasetFolders, Found
from jobs.forms import csv_cells, yaml_cells
from jobs.forms.cells import Row, Rows, read_text
from jobs.forms.lists import too_long
from jobs.jobfile import JobFile
from jobs.loop_rules import notes_on_loops
from jobs.origins import origin_mistakes
from jobs.parsing import parse_cells
from jobs.paths import Workspace
from jobs.preprocess import COLUMNS_OF_SIZE, unfit_sizes
from jobs.rules import Facts, broken_rules
from jobs.spec import COLUMNS, JobSpec
from jobs.videos import notes_on

# Stand where a required cell is wrong, so that the rest of its row is checked all the same.
_STAND_INS = dict.fromkeys(("name", "dataset", "grid_width", "grid_height", "video_length"), "1")


@dataclass(frozen=True)
class Sheet:
    """The jobs in the order of their rows, and what the user should know before they start."""

    jobs: tuple[JobFile, ...]
    warnings: tuple[str, ...]


def read_sheet(path: Path, workspace: Workspace) -> Sheet:
    """Read and check a sheet: YAML where its name ends so, else CSV.

    SheetError carries all mistakes. Nothing is written, no picture is decoded.
    """
    is_yaml = path.suffix.casefold() in (".yaml", ".yml")
    file = str(path)
    rows = (yaml_cells if is_yaml else csv_cells).read_rows(read_text(path), file)
    folders = DatasetFolders(workspace)
    jobs = check_rows(rows, file, folders, workspace)
    notes = (*folders.warnings(), *_notes_on_formats(jobs))
    return Sheet(jobs, tuple(f"{file}: {each}" for each in notes))


def check_rows(
    rows: Rows, file: str, folders: DatasetFolders, workspace: Workspace
) -> tuple[JobFile, ...]:
    """The jobs that the rows of `file` describe; SheetError carries all mistakes."""
    taken = _taken_names(rows.rows)
    told = {(each.line, each.column) for each in rows.mistakes}
    mistakes = list(rows.mistakes)
    read = [_read_row(row, folders, workspace) for row in rows.rows]
    jobs = tuple(job for job, _ in read)
    unsure = {place for place, (_, reasons) in enumerate(read) if reasons or rows.mistakes}
    unfit_origins = origin_mistakes(jobs, workspace, unsure)
    for row, (_, reasons), unfit, taken_by in zip(
        rows.rows, read, unfit_origins, taken, strict=True
    ):
        reasons |= unfit
        if taken_by is not None:
            reasons.setdefault("name", f"is taken by line {taken_by}; names must be unique")
        mistakes += [
            Mistake(file, row.line_of(column), column, reasons[column])
            for column in COLUMNS
            if column in reasons
            and column not in rows.missing
            and (row.line_of(column), column) not in told
        ]
    if mistakes:
        raise SheetError(mistakes)
    return jobs


def _notes_on_formats(jobs: Sequence[JobFile]) -> Iterator[str]:
    """What films and loops will be other than asked for: once, however many jobs it is true of."""
    told: dict[str, list[str]] = {}
    for job in jobs:
        plan, spec = job.plan, job.spec
        for name in spec.format if spec.render_video else ():
            for note in notes_on(name, plan.box_width, plan.box_height, plan.fps):
                told.setdefault(note, []).append(spec.name)
        for note in notes_on_loops(job):
            told.setdefault(note, []).append(spec.name)
    for note, names in told.items():
        others = f" and {len(names) - 1} more" if names[1:] else ""
        yield f"{names[0]}{others}: {note}"


def _taken_names(rows: Sequence[Row]) -> list[int | None]:
    """For each row, the line of an earlier one of the same name: file systems may ignore case."""
    first: dict[str, int] = {}
    taken: list[int | None] = []
    for row in rows:
        cell = row.cells.get("name")
        name = unicodedata.normalize("NFC", cell.text).casefold() if cell else ""
        taken.append(first.get(name) if name else None)
        first.setdefault(name, row.line)
    return taken


def _read_row(
    row: Row, folders: DatasetFolders, workspace: Workspace
) -> tuple[JobFile, dict[str, str]]:
    """The job, and one reason for each column with a mistake: where there are any, it is no job."""
    texts = row.texts()
    spec, reasons = parse_cells(texts)
    if spec is None:
        good = {column: text for column, text in texts.items() if column not in reasons}
        spec, _ = parse_cells(_STAND_INS | good)
        assert spec is not None, "a row without its wrong cells is right"
    job, pictures, unfit = _with_pictures(spec, folders, reasons)
    reasons = too_long(texts, spec, reasons) | unfit | reasons
    facts = Facts(job, pictures, workspace)
    return job, broken_rules(facts, reasons) | reasons


def _with_pictures(
    spec: JobSpec, folders: DatasetFolders, wrong: Collection[str]
) -> tuple[JobFile, int, dict[str, str]]:
    """The job, how many pictures it has, and what is wrong with these or with their preprocessing.

    `wrong` columns hold stand-ins: what depends on them is not told.
    """
    unknown = JobFile(spec=spec, image_width=1, image_height=1)
    are_read = COLUMNS_OF_SIZE.isdisjoint(wrong)
    reasons = unfit_sizes(spec.preprocess, spec.load_size, spec.crop_size) if are_read else {}
    if reasons or not are_read:
        misplaced = folders.misplaced(spec.folders)
        return unknown, 0, reasons | ({"dataset": misplaced} if misplaced else {})
    found = folders.look_at(spec.folders, spec.preprocessing)
    if found.reason:
        return unknown, 0, {"dataset": found.reason}
    if found.unfit:
        return unknown, 0, {"crop_size": found.unfit}
    assert found.size, "nothing is wrong with the pictures"
    if spec.weights and (empty := _empty_folder(spec, folders, found)):
        return unknown, 0, {"dataset": empty}
    width, height = found.size
    loaded = found.survey.size if found.survey.size != found.size else None
    job = JobFile(spec=spec, image_width=width, image_height=height, loaded=loaded)
    return job, found.survey.count, {}


def _empty_folder(spec: JobSpec, folders: DatasetFolders, found: Found) -> str | None:
    """Of several with weights, one without pictures as large as those of all."""
    for name in spec.folders:
        alone = folders.look_at((name,), spec.preprocessing)
        if alone.reason or alone.unfit:
            return f"{name} {alone.reason or alone.unfit}"
        if alone.survey.size != found.survey.size:
            return f"{name} holds pictures of {alone.survey.size}, not {found.survey.size}"
    return None
