"""Leases between processes: farms that know nothing of each other, and what a killed one leaves."""

from __future__ import annotations

import fcntl
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from multitrain.slots import leases
from multitrain.slots.gpus import GpuPool
from multitrain.slots.leases import LeaseFolder
from tests.farm.simulation import FakeDriver, make_gpus

GPUS = 2
ROUNDS = 300
SECONDS = 60  # until a child counts as stuck

# Takes and gives back leases as fast as it can; while it has one, nobody else may have its mark.
CONTENDER = """
import sys
from pathlib import Path
from tests.farm.simulation import FakeDriver, make_gpus
from multitrain.slots import leases
from multitrain.slots.gpus import GpuPool

leases, marks, gpus, rounds = Path(sys.argv[1]), Path(sys.argv[2]), *map(int, sys.argv[3:])
driver = FakeDriver(make_gpus(gpus))
pool = GpuPool(driver, driver.gpus(), leases)
print("ready", flush=True)
sys.stdin.readline()
taken = now = 0
while taken < rounds:
    now += 2
    for slot in pool.free(now):
        if lease := pool.acquire([slot]):
            (marks / slot.id).touch(exist_ok=False)
            (marks / slot.id).unlink()
            pool.release(lease, now)
            taken += 1
"""

# A farm with a trainer that outlives it; tells the trainer's number.
FARM = """
import os, sys
from pathlib import Path
from tests.farm.simulation import FakeDriver, make_gpus
from multitrain.executors import Launch
from multitrain.executors.local import LocalExecutor
from multitrain.slots import leases
from multitrain.slots.gpus import GpuPool

driver = FakeDriver(make_gpus(1))
pool = GpuPool(driver, driver.gpus(), Path(sys.argv[1]))
lease = pool.acquire(pool.free(0))
trainer = (sys.executable, "-c", "import signal; signal.pause()")
launch = Launch(trainer, Path(sys.argv[2]), lease.environment, lease.descriptors)
print(LocalExecutor().start(launch).pid, flush=True)
sys.stdin.read()
"""


def start(script: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_processes_that_contend_for_gpus_never_have_the_same_one(tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    marks.mkdir()
    farms = [start(CONTENDER, tmp_path / "leases", marks, GPUS, ROUNDS) for _ in range(3)]
    for farm in farms:
        assert farm.stdout.readline() == "ready\n"
    for farm in farms:
        farm.stdin.write("go\n")
        farm.stdin.flush()
    for farm in farms:
        farm.communicate(timeout=SECONDS)
    assert [farm.returncode for farm in farms] == [0, 0, 0]
    assert list(marks.iterdir()) == []


def test_a_killed_farm_leaves_its_lease_to_its_trainer(tmp_path: Path) -> None:
    farm = start(FARM, tmp_path / "leases", tmp_path / "log.txt")
    trainer = int(farm.stdout.readline())
    try:
        farm.kill()
        farm.communicate(timeout=SECONDS)
        driver = FakeDriver(make_gpus(1))
        pool = GpuPool(driver, driver.gpus(), tmp_path / "leases")
        assert pool.free(0) == []
        assert pool.busy_reasons() == {"gpu 0": "leased by another farm"}
    finally:
        os.kill(trainer, signal.SIGKILL)
    with (tmp_path / "leases" / "GPU-0000").open() as lease:
        fcntl.flock(lease, fcntl.LOCK_EX)  # waits until the trainer is gone
    assert len(pool.free(2)) == 1


def test_all_leases_or_none(tmp_path: Path) -> None:
    ours, theirs = LeaseFolder(tmp_path), LeaseFolder(tmp_path)
    held = theirs.take("b")
    assert held is not None
    assert ours.take_all(["a", "b", "c"]) is None
    assert theirs.is_free("a")
    os.close(held)
    descriptors = ours.take_all(["a", "b", "c"])
    assert descriptors is not None
    assert not any(theirs.is_free(name) for name in "abc")
    for descriptor in descriptors:
        os.close(descriptor)
    assert all(theirs.is_free(name) for name in "abc")


def test_a_file_system_without_locks_is_told_and_keeps_nothing_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(descriptor: int, operation: int) -> None:
        opened.append(descriptor)
        raise OSError(37, "No locks available")

    opened: list[int] = []
    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(OSError, match="No locks available"):
        LeaseFolder(tmp_path).take("a")
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(opened[0])


def remove_before_locking(monkeypatch: pytest.MonkeyPatch, path: Path, times: int) -> list[int]:
    """Have a cleaner remove a lease file just before it is locked; the descriptors opened."""

    def lock(descriptor: int, operation: int) -> None:
        opened.append(descriptor)
        if len(opened) <= times:
            path.unlink()
        flock(descriptor, operation)

    opened: list[int] = []
    flock = fcntl.flock
    monkeypatch.setattr(fcntl, "flock", lock)
    return opened


def test_a_lease_whose_file_was_removed_just_then_is_taken_on_the_one_that_others_see(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remove_before_locking(monkeypatch, tmp_path / "a", times=2)
    held = LeaseFolder(tmp_path).take("a")
    assert held is not None
    assert LeaseFolder(tmp_path).take("a") is None
    os.close(held)
    assert LeaseFolder(tmp_path).is_free("a")


def test_a_lease_whose_file_is_removed_each_time_is_told_and_keeps_nothing_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = remove_before_locking(monkeypatch, tmp_path / "a", times=10**9)
    with pytest.raises(OSError, match="a is another file each time that it is opened"):
        LeaseFolder(tmp_path).take("a")
    for descriptor in opened:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(descriptor)


def test_a_lease_makes_its_file_young_so_that_cleaners_leave_it(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    os.utime(tmp_path / "a", (0, 0))
    held = LeaseFolder(tmp_path).take("a")
    assert held is not None
    os.close(held)
    times = (tmp_path / "a").stat()
    assert min(times.st_atime, times.st_mtime) > 10**9


def test_the_file_of_another_user_is_taken_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    (tmp_path / "a").touch()
    monkeypatch.setattr(os, "utime", refuse)
    assert LeaseFolder(tmp_path).is_free("a")


def test_the_folder_is_open_to_farms_of_other_users(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        assert LeaseFolder(tmp_path / "leases").is_free("a")
    finally:
        os.umask(before)
    assert (tmp_path / "leases").stat().st_mode & 0o7777 == 0o1777
    assert (tmp_path / "leases" / "a").stat().st_mode & 0o777 == 0o644


def facts(mode: int, owner: int) -> os.stat_result:
    return os.stat_result((stat.S_IFDIR | mode, 0, 0, 1, owner, 0, 0, 0, 0, 0))


@pytest.mark.parametrize("owner", ["root", "us", "another user"])
@pytest.mark.parametrize("mode", [0o1777, 0o777, 0o775, 0o755, 0o700])
def test_leases_are_in_nobodys_hand(owner: str, mode: int) -> None:
    user = {"root": 0, "us": os.geteuid(), "another user": 4711}[owner]
    complaint = leases._complaint(facts(mode, user))
    if mode == 0o1777:
        assert not complaint, "like /tmp, whoever made it"
    elif mode == 0o777:
        assert "chmod +t" in complaint
    elif user == 4711:
        assert complaint == "belongs to user 4711, who alone may write there"
    else:
        assert not complaint


@pytest.mark.skipif(os.geteuid() != 0, reason="gives a folder to another user")
@pytest.mark.parametrize("mode", [0o755, 0o1777])
def test_links_of_another_user_make_nothing(tmp_path: Path, mode: int) -> None:
    folder, target = tmp_path / "leases", tmp_path / "target"
    folder.mkdir()
    (folder / "GPU-0000").symlink_to(target)
    folder.chmod(mode)
    for path in (folder, folder / "GPU-0000"):
        os.chown(path, 65534, 65534, follow_symlinks=False)
    with pytest.raises(OSError, match=r"MULTITRAIN_LEASES$|is no plain file"):
        LeaseFolder(folder).take("GPU-0000")
    assert not target.exists()
    if mode == 0o1777:
        assert LeaseFolder(folder).is_free("GPU-0001")


def test_the_folder_itself_is_no_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    with pytest.raises(leases.UnsafeFolder, match="is no plain folder; name another"):
        LeaseFolder(tmp_path / "link").take("a")
    monkeypatch.setenv("MULTITRAIN_LEASES", str(tmp_path / "link"))
    named = leases.default_lease_folder()
    assert named == (tmp_path / "real").resolve(), "one that is named is meant"
