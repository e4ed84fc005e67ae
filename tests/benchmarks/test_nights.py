from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from random import Random

import psutil
import pytest

from benchmarks.farmyard import Farmyard, rows
from benchmarks.nights import Night


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
