"""Whether trainings compute what they did before: `python -m benchmarks.unchanged COMMIT`.

Small jobs of every kind that the engines treat in a way of their own are trained a few steps by the
code as it was at that commit and by the code as it is here, in processes that differ in nothing
else. On TensorFlow, all weights, statistics, optimizers and frames must be equal bit for bit; on
JAX, where XLA fuses what is written in another way differently, they must be within 1e-5, frames
within one level. Exit code 1 where they are not.

With `--speed`, a job of ordinary size is trained by both in turns instead, and what is compared is
processor time.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks import reports
from benchmarks.turns import Contender, take_turns

HERE = Path(__file__).parents[1]
NEAR = 1e-5  # on JAX
TIMEOUT_SECONDS = 1800.0
SIDES = ("before", "after")
TURN = 10  # steps

Columns = dict[str, object]
Arrays = dict[str, NDArray[np.generic]]

COMMON: Columns = {
    "dataset": "noise",
    "grid_width": 3,
    "grid_height": 2,
    "video_length": 1,
    "batch_size": 6,
    "gf_dim": 4,
    "df_dim": 4,
    "nbr_of_layers_g": 3,
    "nbr_of_layers_d": 3,
    "z_dim": 5,
    "learning_rate_g": 0.01,
    "use_checkpoints": True,
}
KINDS: dict[str, Columns] = {
    "plain": {},
    "several updates": {"nbr_d_updates": 3, "nbr_g_updates": 2},
    "a frame per step": {"snapshot": "step", "nbr_g_updates": 2},
    "averaged": {"ema": 0.9, "nbr_g_updates": 2},
    "wgan-gp": {"loss": "wgan-gp", "nbr_d_updates": 2, "normalization_d": "layer"},
    "relativistic": {"loss": "relativistic", "feature_matching": 1.0},
    "hinge, spectral": {"loss": "hinge", "normalization_d": "spectral"},
    "lsgan, smooth": {"loss": "lsgan", "label_smoothing": 0.1},
    "layers that draw": {"dropout_d": 0.3, "noise_g": 0.1, "instance_noise": 0.1},
    "augmented": {"diffaugment": "color,translation,cutout"},
    "clipped, by schedules": {
        "gradient_clip_g": "norm(limit=1.0)",
        "gradient_clip_d": "value(limit=0.01)",
        "schedule_g": "cosine",
        "schedule_d": "linear",
    },
    "other optimizers": {"optimizer_g": "rmsprop", "optimizer_d": "sgd(momentum=0.9)"},
    "walking latents": {"z_distribution": "normal", "latent_motion": "walk(period=1)"},
    "frozen layers": {"freeze_d": 1},
    "two devices": {"gpus": 2, "nbr_d_updates": 2, "ema": 0.9},
}

CHILD = """
import sys
sys.path.insert(0, sys.argv[1])
import json
from pathlib import Path
import numpy as np
import multitrain
from jobs.settings.spec import JobSpec
from jobs.workspace.jobfile import JobFile
from multitrain.engine.session import SessionSettings
from multitrain.families import open_session

try:
    from multitrain.engine.feeds import only
except ImportError:  # trees until November 2026 opened sessions on arrays
    only = lambda pictures: pictures
assert multitrain.__file__.startswith(sys.argv[1]), multitrain.__file__
steps, folder = int(sys.argv[2]), Path(sys.argv[3])
for number, columns in enumerate(json.load(sys.stdin)):
    spec = JobSpec.model_validate(columns)
    job = JobFile(spec=spec, image_width=13, image_height=9)
    pictures = np.random.default_rng(0).integers(0, 256, (17, 9, 13, 3), dtype=np.uint8)
    session = open_session(job, only(pictures), SessionSettings(deterministic=True, threads=1))
    blocks = [session.run(steps - 2), session.run(2)]
    losses = {"losses/" + name: blocks[-1].losses[name] for name in blocks[-1].losses}
    frames = {"frames": np.concatenate([block.frames for block in blocks])}
    last = {"last frame": session.last_frame()}
    np.savez(folder / f"{number}.npz", **session.state(), **losses, **frames, **last)
"""


TRAINER = """
import sys
sys.path.insert(0, sys.argv[1])
import os
import time
import numpy as np
from jobs.settings.spec import JobSpec
from jobs.workspace.jobfile import JobFile
from multitrain.engine.session import SessionSettings
from multitrain.families import open_session

try:
    from multitrain.engine.feeds import only
except ImportError:  # as above
    only = lambda pictures: pictures
cells = dict(name="job", dataset="noise", grid_width=3, grid_height=3, video_length=60)
spec = JobSpec.model_validate({**cells, "engine": os.environ["KERAS_BACKEND"]})
pictures = np.random.default_rng(0).integers(0, 256, (64, 48, 64, 3), dtype=np.uint8)
job = JobFile(spec=spec, image_width=64, image_height=48)
session = open_session(job, only(pictures), SessionSettings())
session.run(3)
print("ready", flush=True)
for line in sys.stdin:
    before = time.process_time()
    session.run(int(line))
    print(time.process_time() - before, flush=True)
"""


@contextmanager
def trainer(tree: Path, engine: str) -> Iterator[Contender]:
    """A training by the code in `tree`: processor seconds for so many steps."""
    child = subprocess.Popen(
        [sys.executable, "-P", "-c", TRAINER, tree],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=_environment(engine),
    )
    assert child.stdin
    assert child.stdout
    stdin, stdout = child.stdin, child.stdout

    def take(steps: int) -> float:
        print(steps, file=stdin, flush=True)
        return float(stdout.readline())

    with child:
        if stdout.readline().strip() != "ready":
            raise SystemExit(f"{tree} cannot train")
        yield take
        stdin.close()


def compare_speed(trees: Sequence[Path], engine: str, rounds: int) -> str:
    """How many times as fast the second tree is as the first, with the least and the most."""
    with trainer(trees[0], engine) as before, trainer(trees[1], engine) as after:
        turns = take_turns({"before": before, "after": after}, dict.fromkeys(SIDES, TURN), rounds)
    ratios = [a / b for a, b in zip(*(turns.seconds[side] for side in SIDES), strict=True)]
    milliseconds = (f"{side} {1000 * turns.median(side):.0f} ms/step" for side in SIDES)
    return (
        f"{statistics.median(ratios):.3f} x as fast ({min(ratios):.3f} to {max(ratios):.3f}, "
        f"{rounds} rounds of {TURN} steps; {', '.join(milliseconds)} of processor time)"
    )


def _environment(engine: str) -> dict[str, str]:
    return {**os.environ, "KERAS_BACKEND": engine, "TF_CPP_MIN_LOG_LEVEL": "3"}


def trained(tree: Path, engine: str, kinds: Sequence[Columns], steps: int) -> list[Arrays]:
    """What the code in `tree` makes of jobs, each after so many steps."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        jobs = [{**COMMON, **columns, "engine": engine, "name": "job"} for columns in kinds]
        done = subprocess.run(
            [sys.executable, "-P", "-c", CHILD, tree, str(steps), folder],
            input=json.dumps(jobs),
            capture_output=True,
            text=True,
            check=False,
            env=_environment(engine),
            cwd=folder,
            timeout=TIMEOUT_SECONDS,
        )
        if done.returncode:
            raise SystemExit(f"{tree}: {done.stderr[-3000:]}")
        return [dict(np.load(Path(folder) / f"{n}.npz")) for n in range(len(jobs))]


def tree_at(commit: str, folder: Path) -> Path:
    """The project as it was at a commit, in `folder`."""
    packed = subprocess.run(
        ["git", "-C", HERE, "archive", commit, "jobs", "render", "multitrain"],
        capture_output=True,
        check=True,
    ).stdout
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(folder, filter="data")
    return folder


def apart(before: Arrays, after: Arrays) -> tuple[float, int]:
    """By how much numbers and levels of pictures differ at most; names must be the same."""
    if in_one_only := before.keys() ^ after.keys():
        raise SystemExit(f"only one of them has {sorted(in_one_only)}")
    numbers, levels = 0.0, 0
    for name, array in before.items():
        other = after[name]
        if (array.shape, array.dtype) != (other.shape, other.dtype):
            raise SystemExit(f"{name} was {array.dtype}{array.shape}, not {other.shape}")
        if array.size and array.dtype == np.uint8:
            levels = max(levels, int(np.abs(array.astype(int) - other).max()))
        elif array.size and not np.array_equal(array, other, equal_nan=array.dtype.kind == "f"):
            away = np.abs(array.astype(np.float64) - other.astype(np.float64))
            numbers = max(numbers, float(np.nan_to_num(away, nan=np.inf).max()))
    return numbers, levels


def main(arguments: Sequence[str] | None = None) -> None:
    """Train on both sides and compare."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.unchanged", description=__doc__)
    parser.add_argument("commit", help="of the code to compare with")
    parser.add_argument("--engine", choices=["tensorflow", "jax"], default="tensorflow")
    parser.add_argument("--steps", type=int, default=6, help="at least 3")
    parser.add_argument("--speed", type=int, metavar="ROUNDS", help="compare speed instead")
    given = parser.parse_args(arguments)
    near, levels_near = (0.0, 0) if given.engine == "tensorflow" else (NEAR, 1)
    rows = []
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        trees = [tree_at(given.commit, Path(folder)), HERE]
        if given.speed:
            print(compare_speed(trees, given.engine, given.speed))
            return
        for gpus in (1, 2):
            names = [name for name, columns in KINDS.items() if columns.get("gpus", 1) == gpus]
            sides = [
                trained(tree, given.engine, [KINDS[name] for name in names], given.steps)
                for tree in trees
            ]
            for name, before, after in zip(names, *sides, strict=True):
                numbers, levels = apart(before, after)
                is_near = numbers <= near and levels <= levels_near
                rows.append((name, f"{numbers:.1e}", levels, "yes" if is_near else "NO"))
    print(reports.table(("job", "numbers differ by", "levels", "as before"), rows))
    if any(row[-1] == "NO" for row in rows):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
