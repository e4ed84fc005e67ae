"""No message repeats a password, in whichever column or form of a sheet it stands."""

from __future__ import annotations

import pytest

from jobs.errors import SheetError
from jobs.secrets import NO_SECRETS, hidden, holds_colon, plain_address, secret_cells, seems_secret
from jobs.settings.spec import COLUMNS
from jobs.sheets.delivery_rules import ORDERS
from jobs.sheets.sheet import read_sheet
from jobs.workspace.paths import Workspace

ROW = {"name": "a", "dataset": "demo", "grid_width": "2", "grid_height": "2", "video_length": "1"}
LOGINS = (
    "ftp://vj:S3cr3t@nas.local/films",
    "ftp://vj%3AS3cr3t@nas.local/films",
    "ftp://me@x.org:S3cr3t@nas.local",
    "sftp://vj:12/S3cr3t@nas.local",
    "https://vj:S3cr3t@hooks.example/x?a=1",
)
IN_LISTS = "ftp://vj:S3,cr3t@nas.local"


def mistakes(workspace: Workspace, name: str, text: str) -> list[str]:
    sheet = workspace.root / name
    sheet.write_text(text)
    with pytest.raises(SheetError) as caught:
        read_sheet(sheet, workspace)
    return str(caught.value).replace(str(sheet), name).splitlines()


@pytest.mark.parametrize("column", COLUMNS)
def test_a_password_in_any_column_is_told_and_not_repeated(
    workspace: Workspace, column: str
) -> None:
    for login in LOGINS[:2] if column != "upload_to" else LOGINS:
        row = ROW | {column: login}
        csv = ",".join(row) + "\n" + ",".join(row.values()) + "\n"
        yaml = "jobs:\n- {" + ", ".join(f"{key}: '{text}'" for key, text in row.items()) + "}\n"
        for name, text in (("s.csv", csv), ("s.yaml", yaml)):
            told = mistakes(workspace, name, text)
            assert any(f": {column}: must not hold a password" in each for each in told)
            assert "cr3t" not in "".join(told)


@pytest.mark.parametrize("login", ["vj:S3cr3t@nas.local/films", "vj:S3,cr3t@nas", IN_LISTS])
@pytest.mark.parametrize("column", ["format", "k_w", "noise_g", "upload_to_ftp", "loops", "fps"])
def test_nor_is_a_part_of_one(workspace: Workspace, column: str, login: str) -> None:
    row = ROW | {column: f'"{login}"'}
    told = mistakes(workspace, "s.csv", ",".join(row) + "\n" + ",".join(row.values()) + "\n")
    assert told
    assert all(f": {column}: " in each for each in told)
    assert "cr3t" not in "".join(told)
    assert "S3" not in "".join(told)


def test_headers_keys_and_presets_are_not_repeated_either(workspace: Workspace) -> None:
    header = ",".join([*ROW, LOGINS[0]]) + "\n" + ",".join([*ROW.values(), "x"]) + "\n"
    key = "jobs:\n- {name: a, 'ftp://vj:S3cr3t@nas': 1}\n"
    preset = "presets: {b: {fps: 1}}\njobs:\n- {name: a, preset: 'ftp://vj:S3cr3t@nas'}\n"
    for name, text in (("s.csv", header), ("s.yaml", key), ("t.yaml", preset)):
        assert "cr3t" not in "".join(mistakes(workspace, name, text))


@pytest.mark.parametrize(
    "order",
    [
        "curl -T x ftp://vj:$NAS_PASSWORD@nas",
        "https://hooks.example:8080/@vj",
        "rsync -a $MULTITRAIN_FILM vj@nas:/films/a@b",
        "https://hooks.example/services/T0/B0/x?thread=1",
    ],
)
def test_orders_may_name_variables_ports_and_people(workspace: Workspace, order: str) -> None:
    (workspace.root / "s.csv").write_text(
        ",".join([*ROW, "on_done"]) + "\n" + ",".join([*ROW.values(), order]) + "\n"
    )
    (job,) = read_sheet(workspace.root / "s.csv", workspace).jobs
    assert job.spec.on_done == order


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("got https://u:p@h/x?a=1", "got https://…@h/x?a=1"),
        ("got https://h/x?token=abc&b=1", "got https://h/x?token=…&b=1"),
        ("s.csv:3: name: 'a' is at b@c", "s.csv:3: name: 'a' is at b@c"),
        ("https://h:80/@x", "https://h:80/@x"),
    ],
)
def test_what_messages_hide(text: str, told: str) -> None:
    assert hidden(text) == told


def test_plain_addresses() -> None:
    assert plain_address("https://u:p@h:8/a.zip?sig=1#x") == "https://h:8/a.zip"
    assert plain_address("http://[") == "the address"
    assert holds_colon("u%253Ap")
    assert not holds_colon("u%40h")


def test_the_sheet_itself_is_named_by_its_path(workspace: Workspace) -> None:
    told = mistakes(workspace, "a:b@c.csv", "name\nx\n")
    assert told
    assert all(each.startswith("a:b@c.csv:") for each in told)


@pytest.mark.parametrize(
    "text",
    [
        "sftp://vj@nas.local/films",
        "s3://bucket/a@b",
        "vj@nas:films",
        "https://t.me/x?a=1 b:c@d",
        "https://t.me/x?a=12:30&b=c@d",
        "https://t.me/x#a:b@c",
        "https://t.me:443/x then me@home",
        "https://t.me:443 a:b@c",
        "https://[::1]/x me@home",
        "ftp://nas: ask me@home",
        "https://web.archive.org/web/https://t.me/@vj",
    ],
)
def test_what_holds_no_password_is_taken_and_may_be_repeated(text: str) -> None:
    assert not seems_secret(text)
    assert not secret_cells({"upload_to": text}, ORDERS)


@pytest.mark.parametrize(
    "text",
    [
        *LOGINS,
        IN_LISTS,
        "ftp://u:p@host",
        "see ftp://u:p@host/x",
        "ftp://u%253Ap@host",
        "ftp://vj:S3 cr3t@nas",
        "ftp://office/vj:S3cr3t@nas",
        "ftp://vj://cr3t@nas",
        "ftp://vj:S3?cr#3t@nas",
        "https://t.me/x?a=1 ftp://u:p@host",
    ],
)
def test_what_holds_a_password_is_refused_and_not_repeated(text: str) -> None:
    assert seems_secret(text)
    assert secret_cells({"upload_to": text}, ORDERS) == {"upload_to": NO_SECRETS}


@pytest.mark.parametrize("text", ["u%3Ap@host", "user:pw@host/path"])
def test_a_login_without_a_scheme_is_not_repeated(text: str) -> None:
    assert seems_secret(text)
