"""The farm with real processes on a fake driver: who sees which GPU, and when."""

from __future__ import annotations

import json
import sys
import time
from itertools import pairwise
from pathlib import Path

from simulation import FakeDriver, make_gpus, make_job

from jobs.paths import Workspace
from jobs.store import Store
from multitrain.executors.local import LocalExecutor
from multitrain.farm import Farm
from multitrain.gpus import GpuPool
from multitrain.launching import TrainerSettings, open_lifeline
from multitrain.render_keeper import RenderKeeper
from multitrain.submission import submit

STAND_IN = (sys.executable, str(Path(__file__).with_name("stand_in.py")))
SECONDS = 60.0


def test_ten_jobs_each_see_one_gpu_and_never_share_it(workspace: Workspace) -> None:
    jobs = [make_job(f"job{number}") for number in range(10)]
    driver = FakeDriver(make_gpus(4))
    pool = GpuPool(driver, driver.gpus(), workspace.root / "leases")
    store = Store(workspace.store)
    submit(workspace, store, jobs, fresh=False)
    executor = LocalExecutor()
    keeper = RenderKeeper(workspace, executor, encoders=1, command=(*STAND_IN, "worker"))
    settings = TrainerSettings(1, open_lifeline(), command=(*STAND_IN, "trainer"))
    farm = Farm(workspace, store, jobs, pool, executor, keeper, settings)
    deadline = time.monotonic() + SECONDS
    while not farm.finished:
        farm.tick(time.time())
        assert time.monotonic() < deadline, farm.views()
        time.sleep(0.01)
    store.close()

    notes = [
        json.loads((workspace.job(job.spec.name).run / "seen.json").read_text()) for job in jobs
    ]
    assert {note["saw"] for note in notes} == {gpu.uuid for gpu in make_gpus(4)}
    for gpu in make_gpus(4):
        mine = sorted((note["began"], note["ended"]) for note in notes if note["saw"] == gpu.uuid)
        assert all(ended < began for (_, ended), (began, _) in pairwise(mine))
    assert farm.exit_code == 0
