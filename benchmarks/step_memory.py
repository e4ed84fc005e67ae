"""How much memory a step takes, beside what `show` reckons: `python -m benchmarks.step_memory`.

Each job trains a few steps in a process of its own, on the CPU. What is measured is the most that
the process held, less what it held after a training of the tiniest networks: the framework itself.
Exit code 1 where what was reckoned is more than a fifth off.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence

from benchmarks import reports
from jobs.settings.spec import JobSpec
from jobs.units import bytes_for_people
from jobs.workspace.jobfile import JobFile
from multitrain.commands.layer_table import step_bytes

WITHIN = 0.2
COMMON = {"name": "job", "dataset": "noise", "grid_width": 1, "grid_height": 1, "steps": 10}
JOBS: Sequence[tuple[int, Mapping[str, object]]] = [
    (1024, {"batch_size": 2, "precision": "float32"}),
    (1024, {"batch_size": 2, "precision": "bfloat16"}),
    (512, {"batch_size": 4, "precision": "float32"}),
    (256, {"batch_size": 8, "precision": "float32"}),
]

CHILD = """
import gc
import json
import sys
from pathlib import Path
import numpy as np
from jobs.settings.spec import JobSpec
from jobs.workspace.jobfile import JobFile
from multitrain.engine.feeds import only
from multitrain.engine.session import SessionSettings
from multitrain.families import open_session

def held(what):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(what))

def train(side, columns, steps):
    spec = JobSpec.model_validate(columns)
    job = JobFile(spec=spec, image_width=side, image_height=side)
    pictures = np.zeros((spec.images_per_batch, side, side, 3), np.uint8)
    session = open_session(job, only(pictures), SessionSettings(threads=2))
    for _ in range(steps):
        session.run(1)

side, columns = json.load(sys.stdin)
train(64, {**columns, "gf_dim": 1, "df_dim": 1, "batch_size": 1}, 1)
gc.collect()
before = held("VmRSS")
train(side, columns, 3)
print(held("VmHWM") - before)
"""


def main() -> int:
    """The benchmark; 0 where all is as reckoned."""
    rows, is_right = [], True
    for side, columns in JOBS:
        cells = {**COMMON, "family": "fastgan", **columns}
        spec = JobSpec.model_validate(cells)
        job = JobFile(spec=spec, image_width=side, image_height=side)
        reckoned = step_bytes(job)
        assert reckoned, "of this family, it is"
        measured = _measured(side, cells)
        off = reckoned / measured - 1
        is_right &= abs(off) <= WITHIN
        rows.append(
            (
                f"{side}x{side}",
                *columns.values(),
                bytes_for_people(reckoned),
                bytes_for_people(measured),
                f"{100 * off:.0f}",
            )
        )
    print(reports.table(("pictures", "batch", "precision", "reckoned", "measured", "off, %"), rows))
    return 0 if is_right else 1


def _measured(side: int, cells: Mapping[str, object]) -> int:
    """Bytes that a training takes beyond the framework's own."""
    done = subprocess.run(
        [sys.executable, "-c", CHILD],
        input=json.dumps([side, cells]),
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout)


if __name__ == "__main__":
    sys.exit(main())
