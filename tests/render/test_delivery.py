import logging
import threading
import warnings
from pathlib import Path

import pytest

from jobs.errors import UsageError
from render.delivery import Courier, Server

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # its asyncore, on Python 3.11
    from pyftpdlib.authorizers import DummyAuthorizer
    from pyftpdlib.handlers import FTPHandler
    from pyftpdlib.servers import FTPServer

PATIENCE = 30.0  # seconds
PASSWORD = "p%ss [word] #1"


class LoopbackServer:
    """A small FTP server; `received` is set whenever a file has got its final name."""

    def __init__(self, home: Path, port: int = 0) -> None:
        self.home = home
        self.received = threading.Semaphore(0)
        authorizer = DummyAuthorizer()
        authorizer.add_user("vj", PASSWORD, str(home), perm="elradfmw")
        server = self

        class Handler(FTPHandler):
            def ftp_RNTO(self, path):  # noqa: N802
                result = super().ftp_RNTO(path)
                server.received.release()
                return result

        Handler.authorizer = authorizer
        Handler.auth_failed_timeout = 0
        self._server = FTPServer(("127.0.0.1", port), Handler)
        self.port = self._server.address[1]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self):
        while not self._stop.is_set():
            self._server.serve_forever(timeout=0.05, blocking=False, handle_exit=False)

    def close(self):
        self._stop.set()
        self._thread.join()
        self._server.close_all()


@pytest.fixture
def home(tmp_path):
    path = tmp_path / "server"
    path.mkdir()
    return path


@pytest.fixture
def server(home):
    a_server = LoopbackServer(home)
    yield a_server
    a_server.close()


@pytest.fixture
def write_settings(workspace):
    def write(port, password=PASSWORD, header="[ftp]\n", folder="films"):
        workspace.ftp_settings.write_text(
            f"{header}host = 127.0.0.1\nport = {port}\nuser = vj\n"
            f"password = {password}\nfolder = {folder}\n"
        )
        return workspace.ftp_settings

    return write


@pytest.fixture
def video(make_job):
    """`video("name")`: the paths of a job and a film of it."""

    def make(name):
        paths, _ = make_job(name)
        paths.workspace.renders.mkdir(exist_ok=True)
        paths.film().write_bytes(name.encode() * 1000)
        return paths, paths.film()

    return make


@pytest.fixture
def start_courier():
    couriers = []

    def start(settings, pauses=(0.01,)):
        couriers.append(Courier(settings, pauses))
        return couriers[-1]

    yield start
    for courier in couriers:
        courier.close()


@pytest.fixture
def said_something():
    """A semaphore that counts the lines logged."""
    lines = threading.Semaphore(0)
    watch = logging.Handler()
    watch.emit = lambda record: lines.release()
    log = logging.getLogger("render.delivery")
    log.addHandler(watch)
    yield lines
    log.removeHandler(watch)


@pytest.mark.parametrize("header", ["[ftp]\n", ""])
def test_a_film_is_sent_once(server, home, write_settings, video, start_courier, header):
    courier = start_courier(write_settings(server.port, header=header))
    paths, film = video("it's été 100%")
    courier.offer(paths, [film])
    courier.offer(paths, [film])
    assert server.received.acquire(timeout=PATIENCE)
    courier.close()
    assert [path.name for path in (home / "films").iterdir()] == [film.name]
    assert (home / "films" / film.name).read_bytes() == film.read_bytes()
    assert paths.delivered(film).exists()

    again = start_courier(write_settings(server.port))
    again.offer(paths, [film])
    again.close()
    assert not server.received.acquire(blocking=False)


def test_a_film_of_the_same_name_is_replaced(server, home, write_settings, video, start_courier):
    (home / "films").mkdir()
    paths, film = video("job")
    (home / "films" / film.name).write_text("old")
    courier = start_courier(write_settings(server.port))
    courier.offer(paths, [film])
    courier.close()
    assert (home / "films" / film.name).read_bytes() == film.read_bytes()


def test_a_server_that_is_away_gets_it_when_it_is_back(
    home, write_settings, video, start_courier, said_something, caplog
):
    first = LoopbackServer(home)
    first.close()
    courier = start_courier(write_settings(first.port))
    paths, film = video("job")
    courier.offer(paths, [film])
    for _ in range(3):
        assert said_something.acquire(timeout=PATIENCE)
    server = LoopbackServer(home, first.port)
    try:
        assert server.received.acquire(timeout=PATIENCE)
        courier.close()
    finally:
        server.close()
    assert (home / "films" / film.name).exists()
    assert "was not sent: [Errno 111]" in caplog.text


def test_credentials_never_reach_the_log(server, write_settings, video, start_courier, caplog):
    caplog.set_level(logging.DEBUG)
    courier = start_courier(write_settings(server.port, password="wrong-secret"))
    paths, film = video("job")
    courier.offer(paths, [film])
    courier.close()
    assert "job.mp4 was not sent: answer 530" in caplog.text
    assert not paths.delivered(film).exists()
    ours = [r.getMessage() for r in caplog.records if r.name == "render.delivery"]
    assert not any("wrong-secret" in text or "vj" in text for text in ours)


def test_closing_sends_what_waits_without_a_pause(
    home, write_settings, video, start_courier, said_something
):
    away = LoopbackServer(home)
    away.close()
    courier = start_courier(write_settings(away.port), pauses=(3600.0,))
    films = [video(name) for name in ("a", "b")]
    for paths, film in films:
        courier.offer(paths, [film])
    assert said_something.acquire(timeout=PATIENCE)
    back = LoopbackServer(home, away.port)
    courier.close()
    back.close()
    assert all(paths.delivered(film).exists() for paths, film in films)


def test_closing_gives_up_at_the_first_failure(home, write_settings, video, start_courier, caplog):
    away = LoopbackServer(home)
    away.close()
    courier = start_courier(write_settings(away.port), pauses=(3600.0,))
    for name in ("a", "b", "c"):
        paths, film = video(name)
        courier.offer(paths, [film])
    courier.close()
    assert 1 <= caplog.text.count("was not sent") <= 2  # before closing, and after
    assert not paths.delivered(film).exists()


def test_a_film_that_was_moved_away_is_let_go(server, write_settings, video, start_courier):
    courier = start_courier(write_settings(server.port))
    paths, film = video("gone")
    film.unlink()
    other_paths, other = video("other")
    courier.offer(paths, [film])
    courier.offer(other_paths, [other])
    assert server.received.acquire(timeout=PATIENCE)
    courier.close()
    assert not paths.delivered(film).exists()
    assert other_paths.delivered(other).exists()


@pytest.mark.parametrize(
    "text",
    ["", "host = h\nuser = u\nsecret-password", "[ftp]\nhost = h\nport = x", "[other]\na = 1"],
)
def test_settings_that_do_not_serve(workspace, text):
    workspace.ftp_settings.write_text(text)
    with pytest.raises(UsageError, match="needs the lines host") as caught:
        Server.read(workspace.ftp_settings)
    assert "secret-password" not in str(caught.value)


def test_settings_that_are_not_there(workspace):
    with pytest.raises(UsageError, match=r"ftp\.ini is of no use"):
        Server.read(workspace.ftp_settings)


def test_a_password_is_not_shown(workspace, write_settings):
    server = Server.read(write_settings(21))
    assert server.password == PASSWORD
    assert PASSWORD not in repr(server)


def test_a_film_whose_marker_finds_no_room_is_sent_once(
    server, home, write_settings, video, start_courier, said_something, caplog
):
    courier = start_courier(write_settings(server.port))
    paths, film = video("job")
    in_the_way = paths.delivered(film).parent
    in_the_way.touch()
    courier.offer(paths, [film])
    assert server.received.acquire(timeout=PATIENCE)
    while "was sent, but that cannot be noted" not in caplog.text:
        assert said_something.acquire(timeout=PATIENCE)
    in_the_way.unlink()
    courier.close()
    assert paths.delivered(film).exists()
    assert not server.received.acquire(blocking=False)
