"""A sheet into jobs that can be started, or every mistake in it at once."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jobs.errors import Mistake, SheetError
from jobs.families.table import family_of
from jobs.pictures.folders import DatasetFolders, Found, to_come
from jobs.secrets import IN_A_VARIABLE, NO_SECRETS, NOT_REPEATED, secret_cells, seems_secret
from jobs.settings.colours import RGBA
from jobs.settings.parsing import COLUMNS_OF_FOLDERS, parse_cells
from jobs.settings.preprocess import unfit_sizes
from jobs.settings.spec import (
    ALTERNATIVES,
    COLUMNS,
    COLUMNS_OF_SIZE,
    GROUP_OF,
    JobSpec,
    facets,
    means_something,
    names_of,
)
from jobs.settings.streams import any_live
from jobs.settings.videos import notes_on
from jobs.settings.words import with_article
from jobs.sheets.delivery_rules import ORDERS
from jobs.sheets.enlarging import enlarging_mistakes
from jobs.sheets.feed_rules import columns_of_folders, pairs, unfit_feeds, wrong_inputs
from jobs.sheets.forms import csv_cells, xlsx_cells, yaml_cells
from jobs.sheets.forms.cells import REQUIRED, Row, Rows, read_content, text_of
from jobs.sheets.forms.lists import too_long
from jobs.sheets.loop_rules import notes_on_loops
from jobs.sheets.origins import origin_mistakes
from jobs.sheets.rules import Facts, broken_rules
from jobs.sheets.sequence import sequence_mistakes
from jobs.workspace.jobfile import JobFile
from jobs.workspace.names import TakenNames, folded
from jobs.workspace.paths import Workspace

# Stand-ins for required cells that are wrong, so that the rest of the row is checked all the same.
_STAND_INS = dict.fromkeys(REQUIRED, "1")
# Of columns of which exactly one is required: for the first, where no other is right.
_FIRST_ONES = {group: {group[0]: "1"} for group in ALTERNATIVES}

REACHING_OUT = (*(each for each in COLUMNS if facets(each).private), "upload_to_ftp")
FROM_THE_PAGE = (
    "is not taken from the page, because it runs a command or sends files away; submit the sheet "
    "in a terminal, or start the page with --allow-commands-from-page"
)
LIVE_FROM_THE_PAGE = (
    "is not taken from the page, because it opens a device or an address; submit the sheet in a "
    "terminal, or start the page with --allow-commands-from-page"
)


@dataclass(frozen=True)
class Sheet:
    """The jobs in the order of their rows, and what the user should know before they start."""

    jobs: tuple[JobFile, ...]
    warnings: tuple[str, ...]


def read_sheet(path: Path, workspace: Workspace, *, is_strangers: bool = False) -> Sheet:
    """Read and check a sheet: a workbook where it is one, YAML where its name ends so, else CSV.

    One that `is_strangers` may run no commands and send no files. SheetError carries all mistakes.
    Nothing is written, no picture is decoded.
    """
    file = str(path)
    rows = _rows_of(read_content(path), path)
    folders = DatasetFolders(workspace)
    jobs = check_rows(rows, file, folders, workspace, is_strangers=is_strangers)
    notes = (*folders.warnings(), *_notes_on_jobs(jobs))
    return Sheet(jobs, tuple(f"{file}: {each}" for each in notes))


def _rows_of(content: bytes, path: Path) -> Rows:
    file = str(path)
    if xlsx_cells.is_workbook(content):
        return xlsx_cells.read_rows(content, file)
    text = text_of(content, path)
    if path.suffix.casefold() in (".yaml", ".yml"):
        return yaml_cells.read_rows(text, file)
    return csv_cells.read_rows(text, file)


def check_rows(
    rows: Rows,
    file: str,
    folders: DatasetFolders,
    workspace: Workspace,
    *,
    is_strangers: bool = False,
) -> tuple[JobFile, ...]:
    """The jobs that the rows of `file` describe; SheetError carries all mistakes."""
    taken, taken_elsewhere = _taken_names(rows.rows), TakenNames(workspace)
    reported = {(each.line, each.column) for each in rows.mistakes}
    mistakes = list(rows.mistakes)
    read = [_read_row(row, folders, workspace) for row in rows.rows]
    jobs = tuple(job for job, _ in read)
    unsure = {place for place, (_, reasons) in enumerate(read) if reasons or rows.mistakes}
    unfit_origins = origin_mistakes(jobs, workspace, unsure)
    unfit_sequence = sequence_mistakes(jobs, workspace)
    unfit_loops = enlarging_mistakes(jobs, workspace)
    for row, (job, reasons), *unfit, taken_by in zip(
        rows.rows, read, unfit_origins, unfit_sequence, unfit_loops, taken, strict=True
    ):
        reasons = {column: why for each in unfit for column, why in each.items()} | reasons
        if is_strangers:
            reasons |= _reaching_out(job.spec)
        if taken_by is not None:
            reasons.setdefault("name", f"is taken by line {taken_by}; names must be unique")
        elif "name" not in reasons and (reason := taken_elsewhere.reason(job.spec.name)):
            reasons["name"] = reason
        mistakes += [
            Mistake(file, row.line_of(column), column, _without_secrets(row, column, reasons))
            for column in COLUMNS
            if column in reasons
            and column not in rows.missing
            and (row.line_of(column), column) not in reported
        ]
    if mistakes:
        raise SheetError(mistakes)
    return jobs


def _reaching_out(spec: JobSpec) -> dict[str, str]:
    """The settings that run a command, send files away, or open an address."""
    found = {column: FROM_THE_PAGE for column in REACHING_OUT if getattr(spec, column)}
    return found | ({"stream": LIVE_FROM_THE_PAGE} if any_live(names_of(spec.stream)) else {})


def _without_secrets(row: Row, column: str, reasons: Mapping[str, str]) -> str:
    """The reason of a mistake, unless the cell that it may repeat, or a part of it, is a secret."""
    reason, cell = reasons[column], row.cells.get(column)
    known = (NO_SECRETS, IN_A_VARIABLE)
    return NOT_REPEATED if reason not in known and cell and seems_secret(cell.text) else reason


def _notes_on_jobs(jobs: Sequence[JobFile]) -> Iterator[str]:
    """How films and loops will differ from what was asked for, and what is seldom meant: each once,
    however many jobs do.
    """
    by_note: dict[str, list[str]] = {}
    for job in jobs:
        plan, spec = job.plan, job.spec
        for name in spec.format if spec.render_video else ():
            size, has_alpha = (plan.box_width, plan.box_height), plan.channels == RGBA
            for note in notes_on(name, *size, plan.fps, has_alpha=has_alpha):
                by_note.setdefault(note, []).append(spec.name)
        for note in (*notes_on_loops(job), *family_of(spec).notes(spec)):
            by_note.setdefault(note, []).append(spec.name)
    for note, names in by_note.items():
        others = f" and {len(names) - 1} more" if names[1:] else ""
        yield f"{names[0]}{others}: {note}"


def _taken_names(rows: Sequence[Row]) -> list[int | None]:
    """For each row, the line of an earlier one of the same name: file systems may ignore case."""
    first: dict[str, int] = {}
    taken: list[int | None] = []
    for row in rows:
        cell = row.cells.get("name")
        name = folded(cell.text) if cell else ""
        taken.append(first.get(name) if name else None)
        first.setdefault(name, row.line)
    return taken


def _read_row(
    row: Row, folders: DatasetFolders, workspace: Workspace
) -> tuple[JobFile, dict[str, str]]:
    """The job, and one reason for each column with a mistake: with any, it holds stand-ins."""
    texts = row.texts()
    spec, reasons = parse_cells(texts)
    if spec is None:
        good = {column: text for column, text in texts.items() if text and column not in reasons}
        spec, _ = parse_cells(_stand_ins(good) | good)
        assert spec is not None, "a row without its wrong cells is right"
    named = {column: getattr(spec, column) for column in COLUMNS_OF_FOLDERS}
    placed = {column: folders.placed(each) for column, each in named.items() if each}
    if any(each != named[column] for column, each in placed.items()):
        spec = spec.model_copy(update=placed)
    job, unfit = _with_pictures(spec, folders, reasons)
    reasons = too_long(texts, spec, reasons) | unfit | reasons
    reasons = _unknown_to_family(row, spec) | reasons
    unknown = {*_unknown_lengths(job, reasons), *_unknown_pictures(job)}
    broken = broken_rules(Facts(job, workspace), {*reasons, *unknown})
    return job, broken | reasons | secret_cells(texts, ORDERS)


def _stand_ins(good: Mapping[str, str]) -> dict[str, str]:
    """Texts for required columns, of which only the `good` ones are given.

    Those that are for other families do not count.
    """
    found = dict(_STAND_INS)
    family = good.get("family", COLUMNS["family"].default)
    for group, first in _FIRST_ONES.items():
        if not any(column in good and means_something(column, family) for column in group):
            found |= first
    return found


def _unknown_lengths(job: JobFile, wrong: Collection[str]) -> tuple[str, ...]:
    """The columns that say how long the film is, where one is wrong or no frame can be counted.

    Epochs have steps only where the pictures are known.
    """
    column = job.spec.length_column
    group = GROUP_OF[column] if column else ()
    is_unknown = column == "epochs" and not job.picture_count
    return group if is_unknown or not set(group).isdisjoint(wrong) else ()


def _unknown_pictures(job: JobFile) -> tuple[str, ...]:
    """The columns that name its pictures, where these are not known."""
    return () if job.picture_count else GROUP_OF[job.spec.column_of_pictures]


def _unknown_to_family(row: Row, spec: JobSpec) -> dict[str, str]:
    """Cells that the row itself fills and that mean nothing to its family.

    What it inherits may be meant for other jobs.
    """
    reason = f"means nothing to {with_article(spec.family)}; leave it empty"
    return {
        column: reason
        for column in family_of(spec).without
        if (cell := row.cells.get(column)) and cell.text and not cell.inherited
    }


def _with_pictures(
    spec: JobSpec, folders: DatasetFolders, wrong: Collection[str]
) -> tuple[JobFile, dict[str, str]]:
    """The job, and what is wrong with its pictures or with their preprocessing.

    `wrong` columns hold stand-ins: mistakes that depend on them are not reported.
    """
    are_read, column = COLUMNS_OF_SIZE.isdisjoint(wrong), spec.column_of_pictures
    reasons = unfit_sizes(spec.preprocess, spec.load_size, spec.crop_size) if are_read else {}
    live = any_live(names_of(spec.stream))
    if live and spec.epochs:
        reasons["epochs"] = "are not known of a stream that is live; say steps or video_length"
    if reasons or not are_read:
        misplaced = None if live else folders.misplaced(spec.folders)
        return _without_pictures(spec), reasons | ({column: misplaced} if misplaced else {})
    are_known = not wrong or columns_of_folders(spec).isdisjoint(wrong)
    if are_known and (reasons := wrong_inputs(spec)):
        return _without_pictures(spec), reasons
    found = (
        to_come(spec.preprocessing) if live else folders.look_at(spec.folders, spec.preprocessing)
    )
    if found.reason:
        return _without_pictures(spec), {column: found.reason}
    if found.unfit:
        return _without_pictures(spec), {"crop_size": found.unfit}
    assert found.size, "nothing is wrong with the pictures"
    if spec.weights and (empty := _empty_folder(spec, folders, found)):
        return _without_pictures(spec), {column: empty}
    count = found.survey.count
    if are_known:
        if unfit := unfit_feeds(spec, folders, found):
            return _without_pictures(spec), unfit
        count = pairs(spec, folders, found)
    width, height = found.size
    loaded = found.survey.size if found.survey.size != found.size else None
    job = JobFile(
        spec=spec, image_width=width, image_height=height, loaded=loaded, picture_count=count
    )
    return job, {}


def _without_pictures(spec: JobSpec) -> JobFile:
    """A job whose pictures have no size that is known."""
    return JobFile(spec=spec, image_width=1, image_height=1)


def _empty_folder(spec: JobSpec, folders: DatasetFolders, found: Found) -> str | None:
    """What is wrong with a weighted folder that has no pictures of the size of all together."""
    for name in spec.folders:
        alone = folders.look_at((name,), spec.preprocessing)
        if alone.reason or alone.unfit:
            return f"{name} {alone.reason or alone.unfit}"
        if alone.survey.size != found.survey.size:
            return f"{name} holds pictures of {alone.survey.size}, not {found.survey.size}"
    return None
