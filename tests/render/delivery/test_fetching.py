"""What was sent is listed and fetched again, by each kind of far end; nothing is made there."""

import os

import pytest

from jobs.errors import MultitrainError
from render.delivery.connecting import connect
from render.delivery.logins import look_up
from render.delivery.targets import Target
from tests.render.delivery.far_ends import PASSWORD, write_ini

CONTENT = os.urandom(3_000_000)


@pytest.fixture(params=["file", "ftp", "sftp", "s3"])
def url(request, workspace, home):
    """An address whose folder `films` has a film, and another one below it."""
    files = {"night.mp4": CONTENT, "night_kept/000000100.h5": b"weights"}
    if request.param == "s3":
        bucket = request.getfixturevalue("bucket")
        for name, content in files.items():
            bucket.put_object(Key=f"films/{name}", Body=content)
        return "s3://films/films"
    for name, content in files.items():
        path = home / "films" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    if request.param == "file":
        return f"file://{home}/films"
    end = request.getfixturevalue(f"{request.param}_end")
    write_ini(workspace, "127.0.0.1", user="vj", password=PASSWORD)
    return f"{request.param}://127.0.0.1:{end.port}/films"


@pytest.fixture
def place(url, workspace):
    workspace.runs.mkdir()
    found = connect(*look_up(Target(url), workspace), workspace, to_read=True)
    yield found
    found.close()


def test_files_are_listed_with_their_sizes(place):
    assert place.sizes() == {"night.mp4": len(CONTENT)}
    assert place.sizes("night_kept") == {"000000100.h5": 7}
    assert place.sizes("day_kept") == {}


@pytest.mark.parametrize("start", [0, 1_234_567, len(CONTENT)])
def test_files_are_read_from_any_byte_on(place, start):
    assert b"".join(place.read("night.mp4", start)) == CONTENT[start:]
    assert b"".join(place.read("night_kept/000000100.h5", 0)) == b"weights"


def test_a_folder_that_is_not_there_is_not_made_to_read_it(workspace, ftp_end, home):
    write_ini(workspace, "127.0.0.1", user="vj", password=PASSWORD)
    target = Target(f"ftp://127.0.0.1:{ftp_end.port}/flims")
    with pytest.raises(MultitrainError, match="there is no folder flims"):
        connect(*look_up(target, workspace), workspace, to_read=True)
    assert os.listdir(home) == []


def test_a_server_without_mlsd_is_listed_file_by_file(workspace, ftp_end, home):
    (home / "films" / "within").mkdir(parents=True)
    (home / "films" / "night.mp4").write_bytes(b"film")
    write_ini(workspace, "127.0.0.1", user="vj", password=PASSWORD)
    target = Target(f"ftp://127.0.0.1:{ftp_end.port}/films")
    place = connect(*look_up(target, workspace), workspace, to_read=True)
    assert place._sizes_one_by_one("") == {"night.mp4": 4}
    place.close()
