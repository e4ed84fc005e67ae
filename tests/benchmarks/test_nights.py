from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from random import Random

import psutil
import pytest

from benchmarks.farmyard import Farmyard, rows
from benchmarks.nights import HANGS_SECONDS, MOST_PATIENCE, Night
from jobs.workspace import requests
from jobs.workspace.states import State
from jobs.workspace.store import JobRow, create


@pytest.mark.parametrize("name", ["nets", None], ids=["at work", "waits"])
def test_the_job_of_a_trainer_that_was_a_spare(tmp_path: Path, name: str | None) -> None:
    """By the log that it writes: its command line is that of a spare."""
    yard = Farmyard(tmp_path, rows())
    log = Path("/dev/null")
    if name:
        log = yard.workspace.job(name).log
        log.parent.mkdir(parents=True)
    night = Night(yard, Random(0), pytest.fail)
    command = [sys.executable, "-c", "input()", "-m", "multitrain.trainer.process", "--spare", "3"]
    with (
        log.open("ab") as output,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=output, stderr=output) as trainer,
    ):
        job = night._job_of(psutil.Process(trainer.pid))
        trainer.kill()
    assert (job and job.name) == name


class SlowYard:
    """A farm that lives, in folders that change for so many looks."""

    exit_code = None

    def __init__(self, changes: float) -> None:
        self._looks, self._changes = 0, changes
        self.ended = False

    def start(self) -> None:
        """It is at work."""

    def work_times(self) -> float:
        self._looks += 1
        return min(self._looks, self._changes)

    def kill_all(self) -> None:
        self.ended = True

    def last_words(self) -> str:
        return "at work"


@pytest.mark.parametrize(
    ("changes", "most"),
    [(0, 1), (3, 3), (float("inf"), MOST_PATIENCE)],
    ids=["still", "slow", "busy"],
)
def test_a_farm_that_is_only_slow_does_not_hang(
    changes: float, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    yard, told, now = SlowYard(changes), [], [0.0]
    monkeypatch.setattr("benchmarks.nights.time.monotonic", lambda: now[0])
    night = Night(yard, Random(0), told.append)  # type: ignore[arg-type]
    night._start()
    while not yard.ended:
        assert not night._is_over()
        now[0] += HANGS_SECONDS / 2
    assert "the farm hangs" in told[0]
    assert (now[0] - HANGS_SECONDS / 2) / HANGS_SECONDS == pytest.approx(most)


def test_a_night_in_which_all_is_paused_goes_on(tmp_path: Path) -> None:
    """Else it would wait for a trainer to kill."""
    with Farmyard(tmp_path, rows()) as yard:
        workspace = yard.workspace
        held = [
            JobRow("cards", State.PAUSED, 0, 10, 0, "", ""),
            JobRow("nets", State.CANCELLED, 0, 10, 0, "", ""),
        ]
        create(workspace.store, held)
        night = Night(yard, Random(0), pytest.fail)
        night._is_steered = True
        for _ in range(2):
            assert not night._kill("trainer")
        asked = [path.read_text() for path in requests.waiting(workspace)]
    assert ["resume" in asked[0], "requeue" in asked[1]] == [True, True]
    assert len(asked) == 2
