"""Two farms, two workspaces, one machine: real trainers that never meet on a GPU."""

from __future__ import annotations

import json
import sys
import time
from contextlib import ExitStack, closing
from itertools import pairwise
from pathlib import Path

from jobs.errors import ExitCode
from jobs.workspace.paths import Workspace
from jobs.workspace.store import Store
from multitrain.executors.local import LocalExecutor
from multitrain.farm.disk_watch import DiskWatch
from multitrain.farm.farm import Farm
from multitrain.farm.launching import TrainerSettings, open_lifeline
from multitrain.farm.render_keeper import RenderKeeper
from multitrain.farm.submission import submit
from multitrain.slots.gpus import GpuPool
from tests.farm.simulation import FakeDriver, make_gpus, make_job

STAND_IN = (sys.executable, str(Path(__file__).with_name("stand_in.py")))
JOBS = 4  # in each farm
GPUS = 2
SECONDS = 60.0


def open_farm(root: Path, leases: Path, stack: ExitStack) -> Farm:
    workspace = Workspace(root)
    jobs = [make_job(f"job{number}") for number in range(JOBS)]
    store = stack.enter_context(closing(Store(workspace.store)))
    submit(workspace, store, jobs)
    driver, executor = FakeDriver(make_gpus(GPUS)), LocalExecutor()
    return Farm(
        workspace,
        store,
        jobs,
        GpuPool(driver, driver.gpus(), leases),
        DiskWatch([root], 0),
        executor,
        RenderKeeper(workspace, executor, encoders=1, command=(*STAND_IN, "worker")),
        TrainerSettings(1, 0, open_lifeline(), program=(*STAND_IN, "trainer")),
    )


def test_two_farms_share_a_machine_and_never_a_gpu(tmp_path: Path) -> None:
    roots = [tmp_path / "ours", tmp_path / "theirs"]
    with ExitStack() as stack:
        farms = [open_farm(root, tmp_path / "leases", stack) for root in roots]
        deadline = time.monotonic() + SECONDS
        while not all(farm.finished for farm in farms):
            for farm in farms:
                farm.tick(time.monotonic())
            assert time.monotonic() < deadline, [farm.views() for farm in farms]
            time.sleep(0.01)
        assert [farm.exit_code for farm in farms] == [ExitCode.DONE, ExitCode.DONE]

    notes = [
        json.loads(seen.read_text()) for root in roots for seen in root.glob("runs/*/seen.json")
    ]
    assert len(notes) == 2 * JOBS
    for gpu in make_gpus(GPUS):
        used = sorted((note["began"], note["ended"]) for note in notes if note["saw"] == gpu.uuid)
        assert used
        assert all(ended < began for (_, ended), (began, _) in pairwise(used))
