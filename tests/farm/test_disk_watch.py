from __future__ import annotations

import errno
from pathlib import Path

from multitrain.farm.disk_watch import FULL_SECONDS, LONGEST_PAUSE, DiskWatch

FLOOR = 2**30


def watch(free: list[int]) -> DiskWatch:
    return DiskWatch([Path("/farm")], FLOOR, lambda _: free[-1])


def test_below_the_floor_there_is_a_shortage_until_there_is_clearly_room() -> None:
    free = [FLOOR]
    disk = watch(free)
    shortages = []
    for now, room in enumerate((1.0, 0.9, 1.0, 1.05, 1.2, 1.0, 0.0)):
        free.append(round(room * FLOOR))
        disk.look(10.0 * now)
        shortages.append(bool(disk.shortage))
    assert shortages == [False, True, True, True, False, False, True]
    assert disk.shortage == "less than 1.0 GiB are free on the disk of /farm (--keep-free-gb)"
    assert disk.trouble == disk.shortage


def test_every_disk_is_looked_at() -> None:
    free = {Path("/runs"): 2 * FLOOR, Path("/renders"): 0}
    disk = DiskWatch(list(free), FLOOR, free.__getitem__)
    disk.look(0.0)
    assert "/renders" in disk.shortage


def test_one_short_disk_does_not_raise_the_floor_of_another() -> None:
    free = {Path("/runs"): 0, Path("/renders"): round(1.05 * FLOOR)}
    disk = DiskWatch(list(free), FLOOR, free.__getitem__)
    disk.look(0.0)
    free[Path("/runs")] = 2 * FLOOR
    disk.look(10.0)
    assert not disk.shortage


def test_a_failed_write_is_believed_for_a_while_whatever_the_file_system_says() -> None:
    disk = watch([100 * FLOOR])
    disk.met_full(1000.0)
    assert "found no room" in disk.shortage
    disk.look(999.0 + FULL_SECONDS)
    assert disk.shortage
    disk.look(1000.0 + FULL_SECONDS)
    assert not disk.shortage  # it is tried again


def test_the_trouble_is_over_only_when_somebody_has_written_something() -> None:
    disk = watch([100 * FLOOR])
    disk.met_full(1000.0)
    disk.look(2000.0)
    assert "found no room" in disk.trouble
    disk.took_a_write()
    assert not disk.trouble


def test_pauses_grow_until_something_is_written() -> None:
    disk = watch([100 * FLOOR])

    def pause(begins: float) -> float:
        disk.met_full(begins)
        now = begins
        while disk.shortage:
            now += 1
            disk.look(now)
        return now - begins

    assert [pause(1e4 * n) for n in range(1, 8)] == [30, 60, 120, 240, 480, 600, LONGEST_PAUSE]
    disk.took_a_write()
    assert pause(1e6) == FULL_SECONDS


def test_a_disk_that_cannot_be_reached_is_waited_for() -> None:
    trouble: list[OSError] = [OSError(errno.ESTALE, "Stale file handle")]

    def free(folder: Path) -> int:
        if trouble:
            raise trouble[0]
        return 2 * FLOOR

    disk = DiskWatch([Path("/farm")], FLOOR, free)
    disk.look(0.0)
    assert disk.shortage == "/farm cannot be reached (stale file handle)"
    trouble.clear()
    disk.look(10.0)
    assert not disk.shortage


def test_the_file_system_is_not_asked_at_every_tick() -> None:
    asked = []
    disk = DiskWatch([Path("/farm")], FLOOR, lambda folder: asked.append(folder) or FLOOR)
    for tick in range(100):
        disk.look(tick / 4)
    assert len(asked) == 25


def test_a_floor_of_nothing_is_no_floor() -> None:
    disk = DiskWatch([Path("/farm")], 0, lambda _: 0)
    disk.look(0.0)
    assert not disk.shortage
