"""A network of `family: superres` in PyTorch, written for speed; a unit is a frame.

What it is given and makes are uint8 in this process, as of ours.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers.answering import answer, shares_of_cores, stay_on
from jobs.families.superres import layers as plans
from jobs.workspace.jobfile import JobFile
from render.files.film import Film
from render.files.reading import FilmReader, frames_in_order


def main() -> None:
    """Enlarge frames of a film at request; the first ones before."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers.torch_enlarger")
    parser.add_argument("--job", required=True, help="a JobFile as JSON")
    parser.add_argument("--film", type=Path, required=True)
    given = parser.parse_args()
    cores, _ = shares_of_cores()
    stay_on(cores)
    os.environ["OMP_NUM_THREADS"] = str(len(cores))
    import torch

    from benchmarks.peers.torch_superres import enlarging

    torch.set_num_threads(len(cores))
    job = JobFile.model_validate_json(given.job)
    plan = plans.generator(job.spec, job.image_width, job.image_height)
    network = enlarging(plan).eval().to(memory_format=torch.channels_last)
    with FilmReader([Film.look(given.film)]) as reader:
        frames = np.stack(list(frames_in_order(reader)))

    def enlarge(count: int) -> None:
        for first in range(count):
            made(network, frames[first : first + 1])

    enlarge(1)
    answer(enlarge)


def made(network: Any, pictures: np.ndarray[Any, np.dtype[np.uint8]]) -> Any:
    """`(n, height, width, 3)` uint8 to larger ones."""
    import torch

    with torch.inference_mode():
        values = torch.from_numpy(pictures).permute(0, 3, 1, 2).float().mul_(2 / 255).sub_(1)
        levels = network(values).add_(1).mul_(127.5).round_().clamp_(0, 255)
        return levels.to(torch.uint8).permute(0, 2, 3, 1).contiguous().numpy()


if __name__ == "__main__":
    main()
