"""Far ends of each kind, and a film to send there."""

import logging
import os
import threading

import boto3
import pytest
from moto.server import ThreadedMotoServer

from render.delivery import courier as courier_module
from render.delivery.courier import Courier
from render.delivery.targets import Target
from tests.render.delivery.far_ends import (
    SECRETS,
    FtpEnd,
    SftpEnd,
    write_ini,
)


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
