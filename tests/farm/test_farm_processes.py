"""The farm with real processes on a fake driver: who sees which GPU, and when."""

from __future__ import annotations

import json
import sys
import time
from itertools import pairwise
from pathlib import Path

from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace
from jobs.workspace.store import Store
from multitrain.executors.local import LocalExecutor
from multitrain.farm.disk_watch import DiskWatch
from multitrain.farm.farm import Farm
from multitrain.farm.launching import TrainerSettings, open_lifeline
from multitrain.farm.render_keeper import RenderKeeper
from multitrain.farm.submission import submit
from multitrain.slots.cpu import CpuPool
from multitrain.slots.gpus import GpuPool
from multitrain.slots.slots import Pool
from tests.farm.simulation import FakeDriver, make_gpus, make_job

STAND_IN = (sys.executable, str(Path(__file__).with_name("stand_in.py")))
SECONDS = 60.0


def run_farm(workspace: Workspace, jobs: list[JobFile], pool: Pool) -> Farm:
    """Real processes that stand in for trainers and the render worker, to the end."""
    store = Store(workspace.store)
    submit(workspace, store, jobs)
    executor = LocalExecutor()
    keeper = RenderKeeper(workspace, executor, encoders=1, command=(*STAND_IN, "worker"))
    settings = TrainerSettings(1, 0, open_lifeline(), program=(*STAND_IN, "trainer"))
    disk = DiskWatch([workspace.root], 0)
    farm = Farm(workspace, store, jobs, pool, disk, executor, keeper, settings)
    deadline = time.monotonic() + SECONDS
    while not farm.finished:
        farm.tick(time.monotonic())
        assert time.monotonic() < deadline, farm.views()
        time.sleep(0.01)
    store.close()
    return farm


def test_ten_jobs_each_see_one_gpu_and_never_share_it(workspace: Workspace) -> None:
    jobs = [make_job(f"job{number}") for number in range(10)]
    driver = FakeDriver(make_gpus(4))
    pool = GpuPool(driver, driver.gpus(), workspace.root / "leases")
    farm = run_farm(workspace, jobs, pool)
    notes = [
        json.loads((workspace.job(job.spec.name).run / "seen.json").read_text()) for job in jobs
    ]
    assert {note["saw"] for note in notes} == {gpu.uuid for gpu in make_gpus(4)}
    for gpu in make_gpus(4):
        mine = sorted((note["began"], note["ended"]) for note in notes if note["saw"] == gpu.uuid)
        assert all(ended < began for (_, ended), (began, _) in pairwise(mine))
    assert farm.exit_code == 0


def test_where_a_stuck_trainer_hung_stands_in_its_log(workspace: Workspace) -> None:
    farm = run_farm(workspace, [make_job("stuck", stall_minutes="0.01")], CpuPool(1))
    assert farm.exit_code == 0
    assert "in hang_for_ever" in workspace.job("stuck").log.read_text()
