"""Which backup an address, a folder or a file means; and files that come in pieces."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.errors import MultitrainError, UsageError
from jobs.workspace.files import part_of
from jobs.workspace.paths import Workspace
from multitrain.resuming import source as source_module
from multitrain.resuming.source import FarEnd, Source

BOTH = ["day_checkpoint.zip", "night_checkpoint.zip", "night_timecut0001.mp4"]


@pytest.mark.parametrize(
    ("text", "url", "backup"),
    [
        ("ftp://vj@nas/films", "ftp://vj@nas/films", ""),
        ("ftp://vj@nas:99/films/a_checkpoint.zip", "ftp://vj@nas:99/films", "a_checkpoint.zip"),
        ("s3://films/a_checkpoint.zip", "s3://films", "a_checkpoint.zip"),
        ("sftp://nas/~/a b.zip", "sftp://nas/~", "a b.zip"),
        ("file:///mnt/a_checkpoint.zip", "file:///mnt", "a_checkpoint.zip"),
    ],
)
def test_an_address_names_a_folder_or_a_backup(text: str, url: str, backup: str) -> None:
    assert Source.parse(text) == Source(url, backup)


def test_a_path_names_a_file_or_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "50 %"
    folder.mkdir()
    (folder / "mine.zip").write_bytes(b"")
    found = Source.parse(str(folder / "mine.zip"))
    assert (found.backup, found.is_file) == ("mine.zip", True)
    assert Source.parse(str(folder)).url == found.url
    with pytest.raises(UsageError, match="there is no file"):
        Source.parse(str(folder / "other.zip"))


@pytest.mark.parametrize("text", ["ftp://vj:s3cr3t@nas/films", "fpt://nas/s3cr3t", "s3://"])
def test_a_wrong_address_is_told_and_no_password(text: str) -> None:
    with pytest.raises(UsageError) as told:
        Source.parse(text)
    assert "s3cr3t" not in str(told.value)


def test_the_backup_that_is_meant_is_chosen() -> None:
    source = Source("ftp://nas/films")
    assert source.choose(BOTH[1:], None) == BOTH[1]
    assert source.choose(BOTH, "day") == BOTH[0]
    assert Source("ftp://nas", "mine.zip").choose([*BOTH, "mine.zip"], None) == "mine.zip"
    with pytest.raises(UsageError, match="has backups of day, night; name one"):
        source.choose(BOTH, None)
    with pytest.raises(UsageError, match="there is no backup in ftp://nas/films"):
        source.choose(BOTH[2:], None)
    with pytest.raises(UsageError, match=r"no nigt_checkpoint\.zip.*night"):
        source.choose(BOTH, "nigt")


class Breaking:
    """A far end of one file, which breaks after each `piece` bytes."""

    def __init__(self, content: bytes, piece: int) -> None:
        self.content, self.piece = content, piece

    def read(self, name: str, start: int) -> Iterator[bytes]:
        yield self.content[start : start + self.piece]
        if len(self.content) > start + self.piece:
            raise EOFError

    def close(self) -> None:
        pass

    cut = close


@pytest.fixture
def far(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> FarEnd:
    place = Breaking(b"0123456789", 4)
    monkeypatch.setattr(source_module, "connect", lambda *_, **__: place)
    return FarEnd(Source("ftp://nas/films"), workspace, wait=lambda _: None)


def test_a_file_that_comes_in_pieces_is_whole(far: FarEnd, tmp_path: Path) -> None:
    file = tmp_path / "film"
    far.fetch("film", 10, file)
    assert file.read_bytes() == b"0123456789"


def test_what_has_come_is_gone_on_with_by_the_next_call(far: FarEnd, tmp_path: Path) -> None:
    file = tmp_path / "film"
    hasty = FarEnd(far.source, far.workspace, pauses=())
    with pytest.raises(MultitrainError, match="does not give film: the connection broke"):
        hasty.fetch("film", 10, file)
    assert part_of(file).read_bytes() == b"0123"
    assert not file.exists()
    far.fetch("film", 10, file)
    assert file.read_bytes() == b"0123456789"


def test_a_file_of_another_size_than_listed_does_not_count(far: FarEnd, tmp_path: Path) -> None:
    with pytest.raises(MultitrainError, match="film in ftp://nas/films changes"):
        far.fetch("film", 9, tmp_path / "film")
    assert list(tmp_path.glob("film*")) == []
