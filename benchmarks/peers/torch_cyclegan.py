"""A CycleGAN in PyTorch, written for speed as its users write one; a unit is a training step.

The work is that of our own step: the same layers, read from their plan, squares, cycles and
identities, pools, one Adam for each side, the sample as uint8 in this process after each step.
"""

from __future__ import annotations

import itertools
from typing import Any

from benchmarks.peers import torch_training
from benchmarks.peers.torch_translation import convolution, judge
from jobs.families.cyclegan import layers as plans
from jobs.workspace.jobfile import JobFile

WARM_UP = 3  # steps
CYCLE, IDENTITY, GAN = 10.0, 5.0, 2.0


class Training(torch_training.Training):
    """Two generators, two discriminators, two pools."""

    def __init__(self, job: JobFile, pictures: Any) -> None:
        super().__init__(spec := job.spec, pictures)
        size = job.image_width, job.image_height
        made, judged = plans.generator(spec, *size), plans.discriminator(spec, *size)
        self._g = [self._prepared(generator(made)) for _ in range(2)]
        self._d = [self._prepared(judge(judged)) for _ in range(2)]
        of_g, of_d = (
            itertools.chain(*(each.parameters() for each in both)) for both in (self._g, self._d)
        )
        self._adam_g = self._adam(of_g, spec.learning_rate_g, spec.beta1_g)
        self._adam_d = self._adam(of_d, spec.learning_rate_d, spec.beta1_d)
        self._pools: list[list[Any]] = [[], []]
        self._sample = self._reals()[: spec.samples]

    def step(self) -> list[Any]:
        pictures = [self._reals(), self._reals()]  # of a way's source; its goal is the other
        goals = pictures[::-1]
        for network in self._d:
            network.requires_grad_(True)
        self._adam_d.zero_grad(set_to_none=True)
        with self._precision():
            fakes = [g(source) for g, source in zip(self._g, pictures, strict=True)]
            losses = []
            for way, network in enumerate(self._d):
                seen = self._pooled(way, fakes[way].detach())
                losses += [self._off(network(goals[way]), 1.0), self._off(network(seen), 0.0)]
        (0.5 * sum(losses)).backward()
        self._adam_d.step()

        for network in self._d:
            network.requires_grad_(False)
        self._adam_g.zero_grad(set_to_none=True)
        with self._precision():
            losses = []
            for way, (there, back) in enumerate((self._g, self._g[::-1])):
                gan = 0.5 * self._off(self._d[way](fakes[way]), 1.0)
                cycle = (back(fakes[way]) - pictures[way]).abs().mean()
                same = (there(goals[way]) - goals[way]).abs().mean()
                losses.append(GAN * gan + CYCLE * cycle + IDENTITY * same)
        total: Any = sum(losses)
        total.backward()
        self._adam_g.step()
        return [self._frame(self._g[0], self._sample)]

    def _off(self, logits: Any, label: float) -> Any:
        """The mean square of how far logits are from a label."""
        return (logits.float() - label).square().mean()

    def _pooled(self, way: int, made: Any) -> Any:
        """Old ones half of the time, once the pool is full."""
        torch, pool = self._torch, self._pools[way]
        seen = []
        for picture in made:
            if len(pool) < self._spec.pool:
                pool.append(picture)
                seen.append(picture)
            elif torch.rand(()) < 0.5:
                place = int(torch.randint(len(pool), ()))
                seen.append(pool[place])
                pool[place] = picture
            else:
                seen.append(picture)
        return torch.stack(seen)


def generator(plan: plans.ResNet) -> Any:
    """Pictures `(n, 3, height, width)` in [-1, 1] to others."""
    import torch
    from torch import nn

    class Block(nn.Module):
        def __init__(self, one: Any, other: Any) -> None:
            super().__init__()
            inner = convolution(one, True), nn.ReLU(inplace=True), convolution(other, True)
            self.inner = nn.Sequential(*inner)

        def forward(self, x: Any) -> Any:
            return x + self.inner(x)

    class ResNet(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            parts: list[Any] = [convolution(plan.first, True), nn.ReLU(inplace=True)]
            for layer in plan.downs:
                parts += [convolution(layer), nn.ReLU(inplace=True)]
            parts += [Block(*block) for block in plan.blocks]
            for layer in plan.ups:
                parts += [convolution(layer), nn.ReLU(inplace=True)]
            self.all = nn.Sequential(*parts, convolution(plan.last, True))

        def forward(self, pictures: Any) -> Any:
            return torch.tanh(self.all(pictures).float())

    return ResNet()


if __name__ == "__main__":
    torch_training.main("torch_cyclegan", WARM_UP, Training)
