import logging
import threading

import pytest

from jobs.errors import UsageError
from render.delivery.courier import Courier
from render.delivery.ftp import Ftp
from render.delivery.logins import look_up
from render.delivery.targets import Target
from tests.render.delivery.far_ends import PASSWORD, FtpEnd

PATIENCE = 30.0  # seconds
FTP_INI = Target()


@pytest.fixture
def home(tmp_path):
    path = tmp_path / "server"
    path.mkdir()
    return path


@pytest.fixture
def server(home):
    a_server = FtpEnd(home)
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
def start_courier(workspace):
    couriers = []

    def start(pauses=(0.01,)):
        couriers.append(Courier(workspace, pauses))
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
    log = logging.getLogger("render.delivery.courier")
    log.addHandler(watch)
    yield lines
    log.removeHandler(watch)


@pytest.mark.parametrize("header", ["[ftp]\n", ""])
def test_a_film_is_sent_once(server, home, write_settings, video, start_courier, header):
    write_settings(server.port, header=header)
    courier = start_courier()
    paths, film = video("it's été 100%")
    courier.offer(paths, FTP_INI, [film])
    courier.offer(paths, FTP_INI, [film])
    assert server.received.acquire(timeout=PATIENCE)
    courier.close()
    assert [path.name for path in (home / "films").iterdir()] == [film.name]
    assert (home / "films" / film.name).read_bytes() == film.read_bytes()
    assert paths.delivered(film.name).exists()

    write_settings(server.port)
    again = start_courier()
    again.offer(paths, FTP_INI, [film])
    again.close()
    assert not server.received.acquire(blocking=False)


def test_a_film_of_the_same_name_is_replaced(server, home, write_settings, video, start_courier):
    (home / "films").mkdir()
    paths, film = video("job")
    (home / "films" / film.name).write_text("old")
    write_settings(server.port)
    courier = start_courier()
    courier.offer(paths, FTP_INI, [film])
    courier.close()
    assert (home / "films" / film.name).read_bytes() == film.read_bytes()


def test_a_server_that_is_away_gets_it_when_it_is_back(
    home, write_settings, video, start_courier, said_something, caplog
):
    first = FtpEnd(home)
    first.close()
    write_settings(first.port)
    courier = start_courier()
    paths, film = video("job")
    courier.offer(paths, FTP_INI, [film])
    for _ in range(3):
        assert said_something.acquire(timeout=PATIENCE)
    server = FtpEnd(home, first.port)
    try:
        assert server.received.acquire(timeout=PATIENCE)
        courier.close()
    finally:
        server.close()
    assert (home / "films" / film.name).exists()
    assert "was not sent to the server in ftp.ini: [Errno 111]" in caplog.text


def test_credentials_never_reach_the_log(server, write_settings, video, start_courier, caplog):
    caplog.set_level(logging.DEBUG)
    write_settings(server.port, password="wrong-secret")
    courier = start_courier()
    paths, film = video("job")
    courier.offer(paths, FTP_INI, [film])
    courier.close()
    assert (
        "job.mp4 was not sent to the server in ftp.ini: the login was refused (answer 530)"
        in caplog.text
    )
    assert not paths.delivered(film.name).exists()
    ours = [r.getMessage() for r in caplog.records if r.name.startswith("render.delivery")]
    assert not any("wrong-secret" in text or "vj" in text for text in ours)


def test_closing_sends_what_waits_without_a_pause(
    home, write_settings, video, start_courier, said_something
):
    away = FtpEnd(home)
    away.close()
    write_settings(away.port)
    courier = start_courier(pauses=(3600.0,))
    films = [video(name) for name in ("a", "b")]
    for paths, film in films:
        courier.offer(paths, FTP_INI, [film])
    assert said_something.acquire(timeout=PATIENCE)
    back = FtpEnd(home, away.port)
    courier.close()
    back.close()
    assert all(paths.delivered(film.name).exists() for paths, film in films)


def test_an_offer_does_not_wait_for_the_end_of_a_connection(
    server, home, write_settings, video, start_courier, monkeypatch
):
    leaving, left = threading.Event(), threading.Event()
    ending = Ftp.close

    def close(place):
        leaving.set()
        left.wait(PATIENCE)
        ending(place)

    monkeypatch.setattr(Ftp, "close", close)
    write_settings(server.port)
    courier = start_courier()
    paths, film = video("night")
    courier.offer(paths, FTP_INI, [film])
    assert leaving.wait(PATIENCE)
    paths, film = video("dawn")
    offering = threading.Thread(target=courier.offer, args=(paths, FTP_INI, [film]))
    offering.start()
    offering.join(PATIENCE / 2)
    was_held_up = offering.is_alive()
    left.set()
    offering.join()
    assert not was_held_up
    courier.close()
    assert (home / "films" / "dawn.mp4").exists(), "what came meanwhile is sent"


def test_closing_gives_up_at_the_first_failure(home, write_settings, video, start_courier, caplog):
    away = FtpEnd(home)
    away.close()
    write_settings(away.port)
    courier = start_courier(pauses=(3600.0,))
    for name in ("a", "b", "c"):
        paths, film = video(name)
        courier.offer(paths, FTP_INI, [film])
    courier.close()
    assert 1 <= caplog.text.count("was not sent") <= 2  # before closing, and after
    assert not paths.delivered(film.name).exists()


def test_a_film_that_was_moved_away_is_let_go(server, write_settings, video, start_courier):
    write_settings(server.port)
    courier = start_courier()
    paths, film = video("gone")
    film.unlink()
    other_paths, other = video("other")
    courier.offer(paths, FTP_INI, [film])
    courier.offer(other_paths, FTP_INI, [other])
    assert server.received.acquire(timeout=PATIENCE)
    courier.close()
    assert not paths.delivered(film.name).exists()
    assert other_paths.delivered(other.name).exists()


@pytest.mark.parametrize(
    "text",
    ["", "host = h\nuser = u\nsecret-password", "[ftp]\nhost = h\nport = x", "[other]\na = 1"],
)
def test_settings_that_do_not_serve(workspace, text):
    workspace.ftp_settings.write_text(text)
    with pytest.raises(UsageError, match="needs the lines host") as caught:
        look_up(FTP_INI, workspace)
    assert "secret-password" not in str(caught.value)


def test_settings_that_are_not_there(workspace):
    with pytest.raises(UsageError, match=r"ftp\.ini is of no use"):
        look_up(FTP_INI, workspace)


def test_a_password_is_not_shown(workspace, write_settings):
    write_settings(21)
    _, login = look_up(FTP_INI, workspace)
    assert login.password == PASSWORD
    assert PASSWORD not in repr(login)


def test_a_film_whose_marker_finds_no_room_is_sent_once(
    server, home, write_settings, video, start_courier, said_something, caplog
):
    write_settings(server.port)
    courier = start_courier()
    paths, film = video("job")
    in_the_way = paths.delivered(film.name).parent
    in_the_way.touch()
    courier.offer(paths, FTP_INI, [film])
    assert server.received.acquire(timeout=PATIENCE)
    while "was sent, but that cannot be noted" not in caplog.text:
        assert said_something.acquire(timeout=PATIENCE)
    in_the_way.unlink()
    courier.close()
    assert paths.delivered(film.name).exists()
    assert not server.received.acquire(blocking=False)
