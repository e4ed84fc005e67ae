"""The benchmark of kills, on a small scale: that nothing is lost, and that it would be noticed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter, deque
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from benchmarks import processes
from benchmarks.farmyard import Farmyard, rows
from benchmarks.faults import Campaign, Results, report
from benchmarks.inspection import Damage, Undisturbed, digests, inspect
from benchmarks.nights import MOST_FAILED_RUNS, Night


@pytest.mark.long
def test_kills_at_random_moments_cost_nothing(tmp_path: Path) -> None:
    campaign = Campaign(tmp_path, rows(cards=0.15, nets=0.05), seed=2)
    campaign.run(rounds=3)
    assert campaign.results.kills.total() == 3
    assert campaign.results.damage == Damage(), report(campaign.results)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Farmyard, Undisturbed]:
    """A yard after a night that nobody disturbed."""
    yard = Farmyard(tmp_path_factory.mktemp("finished") / "yard", rows(cards=0.1, nets=0))
    Night(yard, Random(0), pytest.fail).live_through(deque())
    return yard, Undisturbed.of(yard)


@pytest.fixture
def yard(finished: tuple[Farmyard, Undisturbed], tmp_path: Path) -> Iterator[Farmyard]:
    """The same yard, to be spoilt."""
    kept, _ = finished
    shutil.copytree(kept.root, tmp_path / "kept")
    yield kept
    shutil.rmtree(kept.root)
    shutil.copytree(tmp_path / "kept", kept.root)


def found(
    yard: Farmyard, finished: tuple[Farmyard, Undisturbed], published: dict[str, str] | None = None
) -> tuple[Damage, list[str]]:
    told: list[str] = []
    return inspect(yard, finished[1], published or {}, told.append), told


@pytest.mark.long
def test_a_night_without_kills_is_clean(
    yard: Farmyard, finished: tuple[Farmyard, Undisturbed]
) -> None:
    assert found(yard, finished, digests(yard)) == (Damage(), [])


@pytest.mark.long
def test_frames_in_the_wrong_film_are_lost_there_and_doubled_here(
    yard: Farmyard, finished: tuple[Farmyard, Undisturbed]
) -> None:
    published = digests(yard)
    first, second = (yard.workspace.job("cards").timecut(number, box=1) for number in (1, 2))
    shutil.copy(first, second)
    assert found(yard, finished, published) == (
        Damage(
            frames_lost=360 - 306,
            frames_doubled=306,
            films_differing=1,
            films_changed_once_published=1,
        ),
        [f"differs: {second.name}", f"changed: {second.name}"],
    )


@pytest.mark.long
def test_a_film_that_is_missing_or_cut_off_has_lost_its_frames(
    yard: Farmyard, finished: tuple[Farmyard, Undisturbed]
) -> None:
    paths = yard.workspace.job("cards")
    paths.film(box=1).unlink()
    os.truncate(paths.film(box=2), 1000)
    assert found(yard, finished)[0] == Damage(frames_lost=2 * 360, films_differing=2)


@pytest.mark.long
def test_what_is_left_over_is_told_by_name(
    yard: Farmyard, finished: tuple[Farmyard, Undisturbed]
) -> None:
    runs = yard.workspace.job("cards").run
    (runs / "progress.jsonl.part").touch()
    (yard.temporary / "tmpfolder").mkdir()
    more = [runs / "checkpoints" / f"{step:09d}-{step:09d}.h5" for step in (900, 901)]
    for checkpoint in more:
        checkpoint.touch()
    damage, told = found(yard, finished)
    assert damage == Damage(temporary_files_left=4)
    assert sum("left over: " in line for line in told) == 4


@pytest.mark.long
def test_a_process_that_is_left_and_a_damaged_store_are_seen(
    yard: Farmyard, finished: tuple[Farmyard, Undisturbed]
) -> None:
    store = yard.workspace.store
    content = bytearray(store.read_bytes())
    content[4096:6000] = bytes(6000 - 4096)
    store.write_bytes(content)
    mark = {processes.MARK: str(yard.root.resolve())}
    command = [sys.executable, "-c", "print(flush=True); input()"]
    with subprocess.Popen(
        command, env=os.environ | mark, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as orphan:
        assert orphan.stdout is not None
        orphan.stdout.readline()
        damage, told = found(yard, finished)
        yard.kill_all()
    assert damage == Damage(orphans=1, stores_damaged=1)
    assert "input()" in told[0]


def test_the_report_counts_kills_and_what_they_cost() -> None:
    results = Results(Counter(farm=12), Damage(frames_lost=1, orphans=2), nights=3)
    told = [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in report(results).split("\n")
    ]
    assert told[0] == ["what", "count", "limit"]
    assert ["kills: farm", "12", "-"] in told
    assert ["frames lost", "1", "0"] in told
    assert ["orphans", "2", "0"] in told
    assert not results.clean
    assert json.loads(json.dumps(results.for_machines()))["damage"]["orphans"] == 2


class BrokenYard(Farmyard):
    """A farm that cannot do its jobs."""

    def __init__(self) -> None:
        self.starts = 0

    exit_code = 1

    def start(self) -> None:
        self.starts += 1

    def kill_all(self, sparing: str | None = None) -> None: ...

    def work_times(self) -> tuple[int, ...]:
        return ()

    def last_words(self, lines: int = 12) -> str:
        return "no more"


def test_a_farm_that_gives_up_is_counted_and_started_again_but_not_for_ever() -> None:
    yard, told = BrokenYard(), []
    night = Night(yard, Random(0), told.append)
    night.live_through(deque(["farm"]))
    assert (night.runs_failed, yard.starts) == (MOST_FAILED_RUNS, MOST_FAILED_RUNS)
    assert "ended with code 1; it said last:\nno more" in told[0]
