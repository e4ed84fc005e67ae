from __future__ import annotations

from pathlib import Path

from multitrain.disk_watch import FULL_SECONDS, DiskWatch

FLOOR = 2**30


def watch(free: list[int]) -> DiskWatch:
    return DiskWatch(Path("/farm"), FLOOR, lambda _: free[-1])


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


def test_a_failed_write_is_believed_for_a_while_whatever_the_file_system_says() -> None:
    disk = watch([100 * FLOOR])
    disk.met_full(1000.0)
    disk.look(1000.0)
    assert "quota" in disk.shortage
    disk.look(999.0 + FULL_SECONDS)
    assert disk.shortage
    disk.look(1000.0 + FULL_SECONDS)
    assert not disk.shortage


def test_the_file_system_is_not_asked_at_every_tick() -> None:
    asked = []
    disk = DiskWatch(Path("/farm"), FLOOR, lambda folder: asked.append(folder) or FLOOR)
    for tick in range(100):
        disk.look(tick / 4)
    assert len(asked) == 25


def test_a_floor_of_nothing_is_no_floor() -> None:
    disk = DiskWatch(Path("/farm"), 0, lambda _: 0)
    disk.look(0.0)
    assert not disk.shortage
