"""What a sheet's `upload_to` says, with real servers: FTP, SFTP, S3, folders."""

import contextlib
import hashlib
import logging
import os
import socket
import threading
import zipfile
from contextlib import contextmanager

import boto3
import pytest
import yaml
from moto.server import ThreadedMotoServer

from jobs.errors import UsageError
from jobs.workspace.paths import CheckpointName
from render.delivery import courier as courier_module
from render.delivery import folder, limits, logins, s3, targets
from render.delivery.courier import Courier
from render.delivery.logins import look_up
from render.delivery.offering import Offering
from render.delivery.targets import Target, unsent
from tests.render.delivery.far_ends import PASSWORD, FtpEnd, SftpEnd

PATIENCE = 30.0  # seconds
SECRETS = ("AKIDENTITY", "s3cr3t", PASSWORD)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Of the user, and of the servers' files."""
    path = tmp_path / "home"
    path.mkdir()
    monkeypatch.setenv("HOME", str(path))
    for variable in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return path


@pytest.fixture
def ftp_end(home):
    end = FtpEnd(home)
    yield end
    end.close()


@pytest.fixture
def sftp_end(home):
    end = SftpEnd(home)
    yield end
    end.close()


@pytest.fixture(scope="module")
def s3_end():
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3_end, workspace):
    """An empty bucket, whose keys stand in upload.ini."""
    keys = {"aws_access_key_id": SECRETS[0], "aws_secret_access_key": SECRETS[1]}
    client = boto3.client("s3", endpoint_url=s3_end, region_name="us-east-1", **keys)
    client.create_bucket(Bucket="films")
    write_ini(workspace, "s3", key=SECRETS[0], secret=SECRETS[1], endpoint_url=s3_end)
    bucket = boto3.resource("s3", endpoint_url=s3_end, region_name="us-east-1", **keys)
    yield bucket.Bucket("films")
    bucket.Bucket("films").objects.all().delete()


def write_ini(workspace, section, **lines):
    text = "".join(f"{key} = {value}\n" for key, value in lines.items())
    workspace.upload_settings.write_text(f"[{section}]\n{text}")
    workspace.upload_settings.chmod(0o600)


@pytest.fixture
def film(make_job):
    """A job's paths, its file, and a film of it."""
    paths, _ = make_job("it's été 100%")
    paths.workspace.renders.mkdir(exist_ok=True)
    paths.film().write_bytes(os.urandom(200_000))
    return paths, paths.film()


@pytest.fixture
def deliver(workspace, film):
    """`deliver(url, *outputs)` sends the film, or these, until a failure; which target that was."""

    def send(url, *outputs):
        courier, target = Courier(workspace), Target(url)
        courier.offer(film[0], target, outputs or [film[1]])
        courier.close()
        return target

    return send


@pytest.fixture
def lines(caplog):
    """What the log says; none of it is a secret, whoever wrote it."""
    caplog.set_level(logging.WARNING, "pyftpdlib")
    caplog.set_level(logging.INFO)
    yield lambda: [r.getMessage() for r in caplog.records if r.name.startswith("render.")]
    assert not [secret for secret in SECRETS if secret in caplog.text]


def has_arrived(film, target):
    return film[0].delivered(film[1].name, target.key).exists()


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


@pytest.fixture
def told(caplog):
    """A semaphore that counts the lines logged."""
    caplog.set_level(logging.INFO, "render")
    count = threading.Semaphore(0)
    watch = logging.Handler()
    watch.emit = lambda record: count.release()
    courier_module.log.addHandler(watch)
    yield count
    courier_module.log.removeHandler(watch)


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


# --- backups, and what is still owed -------------------------------------------------------------


def test_backups_replace_each_other_in_their_time(make_job, workspace, home):
    url = f"file://{home}/nas"
    told = {"on_done": "https://h/s3cr3t", "on_failed": "mail s3cr3t"}
    paths, job = make_job("night", upload_to=url, backup_period=10, **told)
    far = home / "nas" / "night_checkpoint.zip"
    far.parent.mkdir()

    def look(minute, *, ended=False):
        courier = Courier(workspace)
        offering._courier = courier
        offering.look(paths, job.spec, lambda: [], 60.0 * minute, ended=ended)
        courier.close()
        if not far.exists():
            return None
        with zipfile.ZipFile(far) as archive:
            job_file = archive.read("job.yaml").decode()
            assert url not in job_file
            assert "s3cr3t" not in job_file
            assert yaml.safe_load(job_file) == yaml.safe_load(
                job.without(told | {"upload_to": ""}).text
            )
            (name,) = (each for each in archive.namelist() if each != "job.yaml")
            return archive.read(name).decode()

    def checkpoint(step):
        paths.checkpoints.mkdir(exist_ok=True)
        paths.checkpoint(CheckpointName(step, step)).write_text(f"weights {step}")

    offering = Offering(None)
    assert look(0) is None
    checkpoint(1)
    assert look(1) == "weights 1"
    checkpoint(2)
    assert look(6) == "weights 1"
    assert look(12) == "weights 2"
    checkpoint(3)
    offering = Offering(None)  # another worker knows when the last one arrived
    assert look(13) == "weights 2"
    assert unsent(paths, job.spec, []) == ["night_checkpoint.zip"]
    assert look(14, ended=True) == "weights 3"
    assert unsent(paths, job.spec, []) == []
    assert os.listdir(home / "nas") == ["night_checkpoint.zip"]
    assert not paths.backup(Target(url).key).exists()


def test_what_is_owed_is_known_by_file_and_by_target(film, deliver, make_job, home):
    _, job = make_job(film[0].name, upload_to=f"file://{home}/a")
    (home / "a").mkdir()
    assert unsent(film[0], job.spec, [film[1]]) == [film[1].name]
    deliver(job.spec.upload_to)
    assert unsent(film[0], job.spec, [film[1]]) == []
    _, elsewhere = make_job(film[0].name, upload_to=f"file://{home}/b")
    assert unsent(film[0], elsewhere.spec, [film[1]]) == [film[1].name]
    film[1].write_bytes(b"made anew")
    assert unsent(film[0], job.spec, [film[1]]) == [film[1].name]


class Slow:
    """A far end that holds each file up until it is let go; `name: contents` of what it took."""

    def __init__(self):
        self.taken = []
        self.begun, self.let_go = threading.Semaphore(0), threading.Semaphore(0)

    def take(self, file, name):
        contents = file.read_bytes()
        self.begun.release()
        assert self.let_go.acquire(timeout=PATIENCE)
        self.taken.append(contents)

    def close(self):
        pass

    cut = close


@pytest.fixture
def slow(monkeypatch):
    place = Slow()
    monkeypatch.setattr(courier_module, "connect", lambda *_: place)
    return place


def test_a_file_made_anew_while_it_is_sent_is_sent_again(film, workspace, slow):
    courier, target = Courier(workspace), Target("ftp://h")
    courier.offer(film[0], target, [film[1]])
    assert slow.begun.acquire(timeout=PATIENCE)
    film[1].write_bytes(b"made anew")
    courier.offer(film[0], target, [film[1]])
    slow.let_go.release(2)
    courier.close()
    assert slow.taken[1:] == [b"made anew"]
    assert targets.has_arrived(film[0], target, film[1].name, targets.identity_of(film[1]))


def test_a_file_offered_while_it_is_sent_is_sent_once(film, workspace, slow):
    courier, target = Courier(workspace), Target("ftp://h")
    courier.offer(film[0], target, [film[1]])
    assert slow.begun.acquire(timeout=PATIENCE)
    courier.offer(film[0], target, [film[1]])
    slow.let_go.release(2)
    courier.close()
    assert len(slow.taken) == 1


def test_the_last_backup_goes_also_while_another_is_sent(make_job, workspace, slow):
    paths, job = make_job("night", upload_to="ftp://h", backup_period=10)
    courier, (target,) = Courier(workspace), targets.targets_of(job.spec)
    paths.checkpoints.mkdir()
    for step in (1, 2):
        paths.checkpoint(CheckpointName(step, step)).write_bytes(b"weights")
        courier.back_up(paths, target)
        if step == 1:
            assert slow.begun.acquire(timeout=PATIENCE)
    slow.let_go.release(2)
    courier.close()
    assert len(slow.taken) == 2
    assert unsent(paths, job.spec, []) == []


def test_a_folder_that_is_not_there_is_not_made_and_tried_again(film, workspace, home, told, lines):
    courier, target = Courier(workspace, pauses=(0.01,)), Target(f"file://{home}/nas")
    courier.offer(film[0], target, [film[1]])
    for _ in range(2):
        assert told.acquire(timeout=PATIENCE)
    assert not (home / "nas").exists()
    assert lines()[-1].endswith("there is no such folder; make it, or mount its disk")
    (home / "nas").mkdir()
    courier.close()
    assert has_arrived(film, target)


def test_a_damaged_marker_says_nothing(film, deliver, home):
    (home / "nas").mkdir()
    target = deliver(f"file://{home}/nas")
    film[0].delivered(film[1].name, target.key).write_bytes(b"\xff\xfe")
    assert targets.arrived(film[0], target, film[1].name) is None
    (home / "nas" / film[1].name).unlink()
    deliver(f"file://{home}/nas")
    assert (home / "nas" / film[1].name).exists()


def test_trouble_with_files_here_harms_no_job(make_job, workspace, home, caplog):
    paths, job = make_job("night", upload_to=f"file://{home}/a")

    def outputs():
        raise PermissionError("no")

    offering = Offering(Courier(workspace))
    for now in (0.0, 5.0):
        offering.look(paths, job.spec, outputs, now, ended=False)
    assert caplog.text.count("cannot be looked at") == 1


def test_the_checksum_is_that_of_the_content(tmp_path):
    file = tmp_path / "file"
    file.write_bytes(b"abc")
    assert s3.sha256_of(file) == hashlib.sha256(b"abc").digest()


# --- servers that drip ---------------------------------------------------------------------------


@contextmanager
def dripping(answers):
    """The port of a server that gives these answers, a line for each line, and then drips."""
    over = threading.Event()

    def serve():
        with server.accept()[0] as connection, contextlib.suppress(OSError):
            connection.settimeout(PATIENCE)
            for answer in answers:
                connection.sendall(answer)
                connection.recv(65536)
            while not over.wait(0.01):
                connection.sendall(b"x")

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        over.set()
        thread.join()


@pytest.mark.parametrize("answers", [[], [b"220 here\r\n", b"331 who\r\n"]])
def test_a_server_that_drips_does_not_hold_the_end_of_the_night(
    film, deliver, lines, monkeypatch, answers
):
    monkeypatch.setattr(limits, "CALL_SECONDS", 0.2)
    monkeypatch.setattr(limits, "LEAST_RATE", 1e9)
    with dripping(answers) as port:
        target = deliver(f"ftp://vj@127.0.0.1:{port}/films")
    assert not has_arrived(film, target)
    assert [line for line in lines() if "it does not answer" in line]


def test_a_call_is_given_up_and_cut():
    cut = threading.Event()
    with pytest.raises(TimeoutError):
        limits.within(0.01, lambda: cut.wait(PATIENCE), cut.set)
    assert cut.is_set()
    with pytest.raises(KeyError):
        limits.within(PATIENCE, lambda: {}["x"], cut.set)
    assert limits.within(PATIENCE, lambda: 7, cut.set) == 7
    assert limits.seconds_for(10**9) == 300 + 2 * 10**5


def test_a_copy_that_was_given_up_does_not_meddle_with_the_next_one(tmp_path, monkeypatch):
    """The disk hangs as the first copy ends: that one goes on while the second is on its way."""
    hangs, goes_on, second_writes = (threading.Event() for _ in range(3))
    file, far = tmp_path / "a.mp4", tmp_path / "far"
    file.write_bytes(b"film")
    far.mkdir()
    first, second = folder.Folder(far), folder.Folder(far)
    read = folder.sha256_of

    def hanging(path):
        if not hangs.is_set():
            hangs.set()
            goes_on.wait(PATIENCE)
        elif path.parent == far:
            second_writes.set()
            late.join(PATIENCE)
        return read(path)

    monkeypatch.setattr(folder, "sha256_of", hanging)
    troubles = []

    def take():
        try:
            first.take(file, "a.mp4")
        except TimeoutError as error:
            troubles.append(error)

    late = threading.Thread(target=take)
    late.start()
    assert hangs.wait(PATIENCE)
    first.cut()
    retry = threading.Thread(target=second.take, args=(file, "a.mp4"))
    retry.start()
    assert second_writes.wait(PATIENCE)
    assert len(list(far.iterdir())) == 2  # a part for each
    goes_on.set()
    retry.join(PATIENCE)
    assert {path.name: path.read_bytes() for path in far.iterdir()} == {"a.mp4": b"film"}
    assert [str(each) for each in troubles] == ["it was given up meanwhile"]


def test_a_connection_that_comes_too_late_is_cut_and_not_used(film, deliver, lines, monkeypatch):
    """The thread that waited for it is left behind, and another one may be sending by then."""
    given_up, over = threading.Event(), threading.Event()
    told = []

    class Late:
        def take(self, file, name):
            told.append(name)

        def cut(self):
            told.append("cut")
            over.set()

    def connect(*_):
        given_up.wait(PATIENCE)
        return Late()

    monkeypatch.setattr(courier_module, "connect", connect)
    monkeypatch.setattr(limits, "CALL_SECONDS", 0.1)
    monkeypatch.setattr(limits, "LEAST_RATE", 1e9)
    target = deliver("ftp://vj@nas.local/films")
    assert [line for line in lines() if "it does not answer" in line]
    given_up.set()
    assert over.wait(PATIENCE)
    assert set(told) == {"cut"}
    assert not has_arrived(film, target)
