"""What a sheet's `upload_to` says, with real servers: FTP, SFTP, S3, folders."""

import os

import pytest

from jobs.errors import UsageError
from render.delivery import logins, s3
from render.delivery.courier import Courier
from render.delivery.logins import look_up
from render.delivery.targets import Target
from tests.render.delivery.far_ends import (
    PASSWORD,
    PATIENCE,
    SECRETS,
    FtpEnd,
    has_arrived,
    write_ini,
)

# --- each kind of far end ------------------------------------------------------------------------


def test_into_a_folder(film, deliver, home, lines):
    (home / "50 %" / "nas").mkdir(parents=True)
    target = deliver(f"file://{home}/50 %25/nas")
    assert (home / "50 %" / "nas" / film[1].name).read_bytes() == film[1].read_bytes()
    assert os.listdir(home / "50 %" / "nas") == [film[1].name]
    assert has_arrived(film, target)
    deliver(f"file://{home}/50 %25/nas")
    assert len(lines()) == 1, "it is sent once"


def test_by_ftp_with_a_login_from_upload_ini(film, deliver, workspace, ftp_end, home):
    write_ini(workspace, "vj@127.0.0.1", password=PASSWORD)
    deliver(f"ftp://vj@127.0.0.1:{ftp_end.port}/a/b c")
    assert (home / "a" / "b c" / film[1].name).read_bytes() == film[1].read_bytes()
    assert os.listdir(home / "a" / "b c") == [film[1].name]


def test_by_ftp_with_a_login_from_netrc(film, deliver, ftp_end, home):
    netrc = home / ".netrc"
    netrc.write_text("machine 127.0.0.1 login vj password p%ss\\ [word]\\ #1\n")
    netrc.chmod(0o600)
    deliver(f"ftp://127.0.0.1:{ftp_end.port}")
    assert (home / film[1].name).read_bytes() == film[1].read_bytes()


def test_by_sftp(film, deliver, workspace, sftp_end, home, lines):
    write_ini(workspace, "127.0.0.1", user="vj", password=PASSWORD)
    url = f"sftp://127.0.0.1:{sftp_end.port}/films/new"
    assert has_arrived(film, deliver(url))
    assert (home / "films" / "new" / film[1].name).read_bytes() == film[1].read_bytes()
    film[1].write_bytes(b"made anew")
    deliver(url)
    assert (home / "films" / "new" / film[1].name).read_bytes() == b"made anew"
    assert os.listdir(home / "films" / "new") == [film[1].name]
    sftp_end.change_key()
    film[1].write_bytes(b"made again")
    deliver(url)
    assert lines()[-1].endswith("it may be another server")


def test_to_s3(film, deliver, bucket):
    target = deliver("s3://films/a/b c")
    [found] = bucket.objects.all()
    assert found.key == f"a/b c/{film[1].name}"
    assert found.get()["Body"].read() == film[1].read_bytes()
    assert has_arrived(film, target)


@pytest.mark.parametrize("parts", [1, 3])
def test_s3s_checksum_is_enough_where_it_is_one(film, deliver, bucket, monkeypatch, parts):
    if parts > 1:
        monkeypatch.setattr(s3, "S3_PART_BYTES", 5 * 2**20)
        film[1].write_bytes(os.urandom(10 * 2**20 + 5))
    monkeypatch.setattr(s3.S3, "_digest", None)
    target = deliver("s3://films")
    [found] = bucket.objects.all()
    assert found.e_tag.strip('"') == s3.etag_of(film[1])
    assert ("-3" in found.e_tag) == (parts == 3)
    assert has_arrived(film, target)


def test_s3_is_read_back_where_the_checksum_is_another(film, deliver, bucket, monkeypatch):
    monkeypatch.setattr(s3, "etag_of", lambda file: "that of a key of KMS")
    assert has_arrived(film, deliver("s3://films"))
    monkeypatch.setattr(s3, "sha256_of", lambda file: b"another")
    assert not has_arrived(film, deliver("s3://films/other"))


def test_pictures_of_a_folder_keep_their_folder(film, deliver, home):
    folder = film[0].workspace.renders / "night.png"
    folder.mkdir()
    for number in range(3):
        (folder / f"frame_{number:09d}.png").write_bytes(bytes([number]))
    (home / "nas").mkdir()
    deliver(f"file://{home}/nas", folder)
    assert [(home / "nas" / "night.png" / name).read_bytes() for name in sorted(
        os.listdir(home / "nas" / "night.png"))] == [b"\0", b"\1", b"\2"]  # fmt: skip


# --- trouble -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trouble", "reasons"),
    [
        ("cuts", ["Connection reset by peer", "Broken pipe", "the connection broke"]),
        ("garbles", ["what arrived there is not what was sent"]),
    ],
)
def test_what_breaks_on_the_way_is_sent_again(
    film, workspace, ftp_end, home, told, lines, trouble, reasons
):
    film[1].write_bytes(os.urandom(8_000_000))
    write_ini(workspace, "127.0.0.1", user="vj", password=PASSWORD)
    setattr(ftp_end, trouble, 1)
    courier, target = Courier(workspace, pauses=(0.01,)), Target(f"ftp://127.0.0.1:{ftp_end.port}")
    courier.offer(film[0], target, [film[1]])
    for _ in range(2):
        assert told.acquire(timeout=PATIENCE)
    courier.close()
    failed, sent = [line for line in lines() if film[1].name in line]
    assert "was not sent" in failed
    assert "was sent" in sent
    assert any(failed.endswith(each) for each in reasons)
    assert (home / film[1].name).read_bytes() == film[1].read_bytes()
    assert os.listdir(home) == [film[1].name]


def test_a_wrong_password_is_told_at_each_try_and_mended_while_it_runs(
    film, workspace, ftp_end, sftp_end, home, told, lines
):
    write_ini(workspace, "127.0.0.1", user="vj", password="s3cr3t")
    courier = Courier(workspace, pauses=(0.01,))
    urls = [f"ftp://127.0.0.1:{ftp_end.port}/f", f"sftp://127.0.0.1:{sftp_end.port}/s"]
    for url in urls:
        courier.offer(film[0], Target(url), [film[1]])
    for _ in range(6):
        assert told.acquire(timeout=PATIENCE)
    assert all("the login was refused" in line for line in lines() if "not sent" in line)
    write_ini(workspace, "127.0.0.1", user="vj", password=PASSWORD)
    courier.close()
    assert all(has_arrived(film, Target(url)) for url in urls)


def test_wrong_keys_of_s3_are_told_without_them(film, deliver, workspace, s3_end, bucket, lines):
    write_ini(workspace, "s3", key=SECRETS[0], secret=SECRETS[1], endpoint_url=s3_end)
    deliver("s3://no-such-bucket")
    assert "answer NoSuchBucket" in lines()[-1]
    write_ini(workspace, "s3", endpoint_url=s3_end)
    deliver("s3://films")
    assert "no keys are known; put key and secret into upload.ini" in lines()[-1]


def test_one_server_that_is_away_does_not_hold_up_another(film, workspace, home, told):
    end = FtpEnd(home)
    end.close()
    (home / "nas").mkdir()
    courier = Courier(workspace, pauses=(3600.0,))
    for url in (f"ftp://127.0.0.1:{end.port}", f"file://{home}/nas"):
        courier.offer(film[0], Target(url), [film[1]])
        assert told.acquire(timeout=PATIENCE)
    assert (home / "nas" / film[1].name).exists()
    courier.close()


def test_what_cannot_be_sent_does_not_block_the_rest(film, workspace, home, told):
    other = film[0].timecut(1)
    other.write_bytes(b"cut")
    (home / "nas" / film[1].name / "in the way").mkdir(parents=True)
    courier = Courier(workspace, pauses=(0.01,))
    courier.offer(film[0], Target(f"file://{home}/nas"), [film[1], other])
    while not (home / "nas" / other.name).exists():
        assert told.acquire(timeout=PATIENCE)
    courier.close()


@pytest.mark.parametrize(
    "text", ["nonsense s3cr3t", "[h]\nuser = a\nuser = s3cr3t", "[h]\ns3cr3t = 1"]
)
def test_an_upload_ini_of_no_use_is_told_without_its_words(workspace, text):
    workspace.upload_settings.write_text(text)
    with pytest.raises(UsageError) as caught:
        look_up(Target("ftp://h"), workspace)
    assert "upload.ini" in str(caught.value)
    assert "s3cr3t" not in str(caught.value)


def test_a_netrc_of_no_use_is_told_without_its_words(workspace, home):
    (home / ".netrc").write_text("machine h login a password b s3cr3t\n")
    (home / ".netrc").chmod(0o600)
    with pytest.raises(UsageError, match=r"~/\.netrc is of no use") as caught:
        look_up(Target("ftp://h"), workspace)
    assert "s3cr3t" not in str(caught.value)


def test_a_login_of_somebody_else_is_not_used(workspace):
    write_ini(workspace, "h", user="other", password="x")
    _, login = look_up(Target("ftp://vj@h"), workspace)
    assert (login.user, login.password) == ("vj", "")


def test_passwords_that_others_may_read_are_told_once(workspace, lines):
    write_ini(workspace, "h", user="vj", password=PASSWORD)
    look_up(Target("ftp://h"), workspace)
    assert lines() == []
    workspace.upload_settings.chmod(0o644)
    logins._warned.clear()
    for _ in range(2):
        look_up(Target("ftp://h"), workspace)
    assert len(lines()) == 1
    assert "chmod 600" in lines()[0]
