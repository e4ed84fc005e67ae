"""Where a sheet may have files sent to; passwords are none of its business."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.errors import SheetError
from jobs.settings import destinations
from jobs.settings.destinations import Destination
from jobs.settings.parsing import parse_cells
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace
from render.films.manifest import write_manifest

ROW = {"name": "a", "dataset": "demo", "grid_width": "1", "grid_height": "1", "video_length": "1"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ftp://vj@h.com/films/", Destination("ftp", "h.com", "films", "vj")),
        ("FTP://h", Destination("ftp", "h")),
        ("ftp://v%40j@[::1]:2121/a", Destination("ftp", "::1", "a", "v@j", 2121)),
        ("s3://bucket/a b//c", Destination("s3", "bucket", "a b/c")),
        ("sftp://vj@nas:22/~/x", Destination("sftp", "nas", "/~/x", "vj", 22)),
        ("sftp://nas", Destination("sftp", "nas")),
        ("file:///mnt/50 %25/é #1@home", Destination("file", "", "/mnt/50 %/é #1@home")),
        ("file:///", Destination("file", "", "/")),
    ],
)
def test_destinations_are_read_and_written(text: str, expected: Destination) -> None:
    read = Destination.parse(text)
    assert read == expected
    assert Destination.parse(str(read)) == read
    assert not expected.user or expected.user not in read.shown


@pytest.mark.parametrize(
    "text",
    [
        "ftp://vj:s3cr3t@h/x",
        "sftp://vj:s3/cr3t@h/x",
        "ftp://vj:12/s3cr3t@h",
        "s3://AK:s3cr3t@bucket/x",
        "ftp://:s3cr3t@h",
    ],
)
def test_a_password_is_a_mistake_that_says_where_it_belongs(text: str) -> None:
    _, reasons = parse_cells(ROW | {"upload_to": text})
    assert "must not hold a password" in reasons["upload_to"]
    assert "upload.ini" in reasons["upload_to"]
    assert "cr3t" not in reasons["upload_to"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("http://h/x", "must be ftp://user@host/folder"),
        ("sftpp://h", "did you mean 'sftp'?"),
        ("nas/films", "must be ftp://user@host/folder"),
        ("ftp:///x", "must be ftp://user@host/folder"),
        ("ftp://h:0/x", "must be ftp://user@host/folder"),
        ("ftp://h:99999", "must be ftp://user@host/folder"),
        ("ftp://h/a\nb", "cannot be printed"),
        ("file://mnt/x", "must begin with three slashes"),
        ("s3://key@bucket", "keys and endpoint_url of S3 stand in upload.ini"),
    ],
)
def test_what_is_wrong_is_told(text: str, told: str) -> None:
    _, reasons = parse_cells(ROW | {"upload_to": text})
    assert told in reasons["upload_to"]


def mistakes(read: Callable, **cells: str) -> list[str]:
    row = ROW | cells
    with pytest.raises(SheetError) as caught:
        read(f"{','.join(row)}\n{','.join(row.values())}\n")
    return [f"{each.column}: {each.reason}" for each in caught.value.mistakes]


@pytest.fixture
def read(workspace: Workspace) -> Callable:
    from jobs.sheets.sheet import read_sheet

    def call(text: str) -> tuple[JobFile, ...]:
        path = workspace.root / "sheet.csv"
        path.write_text(text)
        return read_sheet(path, workspace).jobs

    return call


def test_a_missing_extra_is_told(read: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(destinations, "find_spec", lambda name: None)
    told = "upload_to: needs the extra s3: .venv/bin/pip install -c constraints.txt -e '.[s3]'"
    assert mistakes(read, upload_to="s3://bucket") == [told]
    assert "extra sftp" in mistakes(read, upload_to="sftp://h")[0]
    assert read(",".join([*ROW, "upload_to"]) + "\n" + ",".join([*ROW.values(), "ftp://h"]))


def test_backups_need_somewhere_to_go_and_checkpoints(read: Callable) -> None:
    assert mistakes(read, backup_period="5") == [
        "backup_period: needs upload_to, which says where the backups go"
    ]
    cells = {"backup_period": "5", "upload_to": "ftp://h", "use_checkpoints": "False"}
    assert "leave use_checkpoints True" in mistakes(read, **cells)[0]


def url_of(folder: Path) -> str:
    """Without quotes, which the tests' own way of writing a sheet does not know."""
    return f"file://{folder}".replace("%", "%25").replace('"', "%22")


def test_a_folder_that_is_not_there_is_told(read: Callable, workspace: Workspace) -> None:
    (told,) = mistakes(read, upload_to=url_of(workspace.root / "nas"))
    there = workspace.root / "nas"
    assert told == f"upload_to: there is no folder {there}; make it, or mount its disk"
    (workspace.root / "nas").touch()
    assert len(mistakes(read, upload_to=url_of(workspace.root / "nas"))) == 1


@pytest.mark.parametrize("folder", ["renders", "renders/sent", "runs", "link/sent"])
def test_a_folder_that_files_come_from_is_refused(
    read: Callable, workspace: Workspace, folder: str
) -> None:
    (workspace.root / "link").symlink_to(workspace.renders)
    for each in (workspace.renders / "sent", workspace.runs):
        each.mkdir(parents=True)
    (told,) = mistakes(read, upload_to=url_of(workspace.root / folder))
    assert "where the files are made" in told


def test_a_folder_beside_them_is_not_refused(read: Callable, workspace: Workspace) -> None:
    (workspace.root / "renders_sent").mkdir()
    row = ROW | {"upload_to": url_of(workspace.root / "renders_sent")}
    assert read(f"{','.join(row)}\n{','.join(row.values())}\n")


@pytest.mark.parametrize(
    "order",
    ["https://h/s3cr3t x", "http://h/s3cr3t\tx", "http://h s3cr3t/x", "HTTPS:///s3cr3t",
     "http://[s3cr3t", "http://h:s3cr3t/"],
)  # fmt: skip
@pytest.mark.parametrize("column", ["on_done", "on_failed"])
def test_an_address_that_cannot_be_told_is_a_mistake(
    read: Callable, column: str, order: str
) -> None:
    (told,) = mistakes(read, **{column: order})
    assert told.startswith(f"{column}: is an address ")
    assert "s3cr3t" not in told


@pytest.mark.parametrize("order", ["htps://h/s3cr3t", "ftp://s3cr3t"])
def test_an_address_of_another_kind_is_no_command(read: Callable, order: str) -> None:
    (told,) = mistakes(read, on_done=order)
    scheme = order.partition(":")[0]
    assert told == f"on_done: begins with {scheme}://; a webhook begins with http:// or https://"


@pytest.mark.parametrize(
    "order", ["echo http://a b", " https://h/x%20y?a=$TOKEN ", "http://$HOST:$PORT/", "http://h:8/"]
)
def test_commands_and_addresses_that_may_work_are_none(read: Callable, order: str) -> None:
    row = ROW | {"on_done": order}
    assert read(f"{','.join(row)}\n{','.join(row.values())}\n")


def test_addresses_stay_out_of_the_manifest(workspace: Workspace) -> None:
    orders = {"upload_to": "ftp://vj@h", "on_done": "https://h/s3cr3t", "on_failed": "mail s3cr3t"}
    spec, _ = parse_cells(ROW | orders | {"family": "testcard", "render_video": "False"})
    assert spec
    workspace.renders.mkdir()
    paths = workspace.job("a")
    write_manifest(paths, JobFile(spec=spec, image_width=16, image_height=12))
    assert "s3cr3t" not in paths.manifest.read_text()
    assert json.loads(paths.manifest.read_text())["spec"].keys().isdisjoint(orders)
