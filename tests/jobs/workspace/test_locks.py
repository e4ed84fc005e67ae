"""Lock files between processes, and what may lie where one is to be."""

from __future__ import annotations

import fcntl
import os
import stat
from pathlib import Path

import pytest

from jobs.workspace import locks
from jobs.workspace.locks import NotOurs


def test_one_holder_at_a_time(tmp_path: Path) -> None:
    held = locks.take(tmp_path / "a")
    assert held is not None
    assert locks.take(tmp_path / "a") is None
    os.close(held)
    again = locks.take(tmp_path / "a")
    assert again is not None
    assert not os.get_inheritable(again)
    os.close(again)


def test_a_lock_on_a_file_that_is_not_there_any_more_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is removed, and then replaced, between opening and locking."""
    path, rounds = tmp_path / "a", []

    def flock(descriptor: int, operation: int) -> None:
        rounds.append(descriptor)
        if len(rounds) <= 2:
            path.unlink()
        if len(rounds) == 2:
            path.touch()
        real(descriptor, operation)

    real = fcntl.flock
    monkeypatch.setattr(fcntl, "flock", flock)
    held = locks.take(path)
    assert held is not None
    assert len(rounds) == 3
    assert locks.is_at(path, held)
    path.unlink()
    assert not locks.is_at(path, held)
    path.symlink_to(f"/proc/self/fd/{held}")
    assert not locks.is_at(path, held)
    os.close(held)


def test_links_are_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "target"
    (tmp_path / "dangling").symlink_to(target)
    with pytest.raises(NotOurs, match="dangling is no plain file, but a link, say; remove it"):
        locks.take(tmp_path / "dangling")
    assert not target.exists()
    target.touch()
    with pytest.raises(NotOurs):
        locks.open_file(tmp_path / "dangling", create=False)


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir], ids=["pipe", "folder"])
def test_only_plain_files_are_locked(tmp_path: Path, make) -> None:
    make(tmp_path / "a")
    with pytest.raises(NotOurs):
        locks.take(tmp_path / "a")


def test_nothing_is_made_unless_asked(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        locks.open_file(tmp_path / "a", create=False)


def test_a_file_that_others_may_only_read_is_locked_by_them_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To root everything is allowed, so the system's answer is played."""
    before = os.umask(0o077)
    held = locks.take(tmp_path / "a")
    os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o644

    def refuse(path: Path, flags: int, *more: object, **named: object) -> int:
        if flags & os.O_RDWR:
            raise PermissionError(13, "Permission denied")
        return real(path, flags, *more, **named)

    real = os.open
    monkeypatch.setattr(os, "open", refuse)
    assert locks.take(tmp_path / "a") is None
    assert held is not None
    os.close(held)


def test_nothing_stays_open_where_there_are_no_locks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(descriptor: int, operation: int) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    before = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0
    with pytest.raises(OSError, match="No locks available"):
        locks.take(tmp_path / "a")
    if before:
        assert len(os.listdir("/proc/self/fd")) == before
