"""Whatever stands in a file of ours: a value, or one kind of error. Never a crash."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from jobs.errors import MultitrainError, SheetError, UsageError
from jobs.reading import DEEPEST, MOST_BYTES, DamagedText, parse_json, parse_yaml, read_json
from jobs.sheets.sheet import read_sheet
from jobs.tinkering.earlier_jobs import past_job
from jobs.workspace.failures import Failure, Kind
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace
from multitrain.protocol.progress_lines import parse_line
from render.films import encoders
from render.spool import notes

MakeJob = Callable[..., JobFile]

# The C library of YAML ends the process on the deep ones, where it is given them.
DAMAGE = {
    "empty": b"",
    "nulls": bytes(300),
    "cut off": b'{"kind": "err',
    "no utf-8": b'{"kind": "\xe9"}',
    "deep list": b"[" * 100_000,
    "deep mapping": b'{"a":' * 100_000,
    "deep and whole": b"[" * 2000 + b"]" * 2000,
    "deep block": "".join(f"{' ' * n}a:\n" for n in range(3000)).encode(),
    "dashes": b"- " * 100_000 + b"a",
    "of another type": b"[1, 2]",
    "a number": b"1" * 5000,
    "endless number": b"1e999",
    "text": b"hello",
    "alias": b"a: &a [1]\nb: *a",
    "tag": b"!!python/object:os.system a",
    "odd tag": b"!!timestamp a",
    "no date": b"a: 2024-99-99",
}
damaged = pytest.mark.parametrize("content", DAMAGE.values(), ids=DAMAGE.keys())


@damaged
def test_what_is_damaged_is_one_kind_of_error(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    with pytest.raises(DamagedText):
        read_json(file, dict)
    with suppress(DamagedText):  # or it is a value of another type, which is left to its reader
        assert not isinstance(parse_yaml(content.decode(errors="surrogateescape")), dict)


@damaged
def test_every_reader_has_a_word_for_it(
    content: bytes, workspace: Workspace, tiny_job: MakeJob
) -> None:
    job, paths = tiny_job(), workspace.job("tiny")
    workspace.renders.mkdir(parents=True, exist_ok=True)
    paths.run.mkdir(parents=True)
    files = (paths.job_file, paths.manifest, paths.encoder, paths.render_failure)
    for file in files:
        file.write_bytes(content)
    assert Failure.load(paths.render_failure) == Failure(
        Kind.ERROR, "render_failure.json is damaged"
    )
    with pytest.raises(MultitrainError, match=r"encoder\.json is damaged"):
        encoders.kept(paths)
    assert notes.made_extras(paths, job) == []
    assert parse_line(content) is None
    if not content.strip(b"\0"):
        assert JobFile.read(paths) is None, "what a power cut leaves"
    else:
        with pytest.raises(MultitrainError, match=r"job\.yaml is damaged"):
            JobFile.read(paths)
    with pytest.raises(UsageError):
        past_job(workspace, "tiny")


def test_what_is_as_deep_as_it_may_be_is_read() -> None:
    text = "[" * DEEPEST + "1" + "]" * DEEPEST
    assert str(parse_json(text.encode(), list)) == text
    assert str(parse_yaml(text)) == text
    with pytest.raises(DamagedText, match="nested too deep"):
        parse_json(f"[{text}]".encode(), list)
    with pytest.raises(DamagedText, match="nested too deep"):
        parse_yaml(f"[{text}]")


def test_what_is_no_file_is_neither_waited_for_nor_read_for_ever(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, Path("/dev/zero")):
        with pytest.raises(DamagedText, match="is no file"):
            read_json(path, dict)


def test_a_file_of_absurd_size_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "file"
    with file.open("wb") as sparse:
        sparse.truncate(MOST_BYTES * 1000)
    with pytest.raises(DamagedText, match="has more than"):
        read_json(file, dict)


@pytest.mark.parametrize("name", ["sheet.yaml", "sheet.csv"])
def test_a_sheet_that_is_deep_or_without_end_is_refused(workspace: Workspace, name: str) -> None:
    sheet = workspace.root / name
    for content in DAMAGE.values():
        sheet.write_bytes(content)
        with pytest.raises(SheetError):
            read_sheet(sheet, workspace)
    sheet.unlink()
    sheet.symlink_to("/dev/zero")
    with pytest.raises(SheetError, match="which no sheet has"):
        read_sheet(sheet, workspace)


@pytest.mark.parametrize(
    "line",
    [
        b'{"time": 1e999, "step": 1, "frame": 1}',
        b'{"time": NaN, "step": 1, "frame": 1}',
        b'{"time": %s, "step": 1, "frame": 1}' % (b"1" * 400),
        b'{"time": 1, "step": 1, "frame": %s}' % (b"1" * 400),
        b'{"time": 1, "step": -1, "frame": 1}',
    ],
)
def test_a_line_of_progress_with_numbers_that_cannot_be_is_none(line: bytes) -> None:
    assert parse_line(line) is None
