"""What trainings in PyTorch have in common; a unit is a training step."""

from __future__ import annotations

import argparse
import os
from abc import abstractmethod
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers.answering import answer, share_cores
from jobs.settings.spec import JobSpec
from jobs.workspace.jobfile import JobFile

Opened = Callable[[JobFile, Any], "Training"]


class Training:
    """Pictures, and how networks are set up, learn and are shown; `step` trains all once."""

    def __init__(self, spec: JobSpec, pictures: Any) -> None:
        """`pictures` are `(n, height, width, 3)` uint8."""
        import torch

        self._torch, self._spec = torch, spec
        self._pictures = torch.from_numpy(pictures).permute(0, 3, 1, 2)  # channels last in memory

    def run(self, steps: int) -> list[Any]:
        """The frames, `(frame_height, frame_width, 3)` uint8 arrays."""
        return [frame for _ in range(steps) for frame in self.step()]

    @abstractmethod
    def step(self) -> list[Any]:
        """The frames after the discriminator's update and after the generator's."""

    def _prepared(self, network: Any) -> Any:
        return network.apply(initialize).to(memory_format=self._torch.channels_last)

    def _adam(self, parameters: Iterable[Any], rate: float, beta1: float) -> Any:
        return self._torch.optim.Adam(parameters, rate, (beta1, 0.999), fused=True)

    def _reals(self) -> Any:
        """A batch in [-1, 1]."""
        chosen = self._torch.randint(len(self._pictures), (self._spec.images_per_batch,))
        return self._pictures[chosen].float().mul_(2 / 255).sub_(1)

    def _precision(self) -> AbstractContextManager[Any]:
        if self._spec.precision == "bfloat16":
            context: AbstractContextManager[Any] = self._torch.autocast(
                "cpu", dtype=self._torch.bfloat16
            )
            return context
        return nullcontext()

    def _frame(self, generate: Callable[[Any], Any], grid: Any) -> Any:
        rows, columns = self._spec.grid_height, self._spec.grid_width
        with self._torch.inference_mode(), self._precision():
            light = generate(grid).float().add(1).mul_(127.5).round_().clamp_(0, 255)
        _, channels, height, width = light.shape
        cells = light.to(self._torch.uint8).reshape(rows, columns, channels, height, width)
        frame = cells.permute(0, 3, 1, 4, 2).reshape(rows * height, columns * width, channels)
        return frame.contiguous().numpy()


def main(module: str, warm_up: int, plain: Opened, compiled: Opened | None = None) -> None:
    """Train at request, `warm_up` steps before; where it can be `compiled`, there is an option."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.peers.{module}")
    parser.add_argument("--job", required=True, help="a JobFile as JSON")
    parser.add_argument("--pictures", type=Path, required=True, help=".npy, (n, h, w, 3) uint8")
    parser.add_argument("--cores", type=int, required=True)
    if compiled:
        parser.add_argument("--compile", action="store_true")
    given = parser.parse_args()
    share_cores(given.cores)
    os.environ["OMP_NUM_THREADS"] = str(given.cores)
    import torch

    torch.set_num_threads(given.cores)
    job = JobFile.model_validate_json(given.job)
    opened = compiled if compiled and given.compile else plain
    training = opened(job, np.load(given.pictures))
    for _ in range(warm_up):
        training.step()
    answer(training.run)


def initialize(module: Any) -> None:
    """Draw the weights of one module, as DCGANs begin with them."""
    from torch import nn

    kinds = nn.Conv2d | nn.ConvTranspose2d | nn.Linear
    if isinstance(module, kinds) and not hasattr(module, "parametrizations"):
        nn.init.normal_(module.weight, 0.0, 0.02)
