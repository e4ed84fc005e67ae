"""A pix2pix in PyTorch, written for speed as its users write one; a unit is a training step.

The work is that of our own step: the same layers, read from their plan, L1 and cross-entropy, Adam,
one pass of the generator for both updates, the sample as uint8 in this process after each step.
"""

from __future__ import annotations

from typing import Any

from benchmarks.peers import torch_training
from benchmarks.peers.torch_translation import LEAK, convolution, judge
from jobs.families.pix2pix import layers as plans
from jobs.workspace.jobfile import JobFile

WARM_UP = 3  # steps
L1 = 100.0
LUMA = (0.2126, 0.7152, 0.0722)


class Training(torch_training.Training):
    """A U-Net that colours pictures, and a discriminator that sees both."""

    def __init__(self, job: JobFile, pictures: Any) -> None:
        import torch

        super().__init__(spec := job.spec, pictures)
        size = job.image_width, job.image_height
        self._g = self._prepared(generator(plans.generator(spec, *size)))
        self._d = self._prepared(judge(plans.discriminator(spec, *size)))
        self._adam_g = self._adam(self._g.parameters(), spec.learning_rate_g, spec.beta1_g)
        self._adam_d = self._adam(self._d.parameters(), spec.learning_rate_d, spec.beta1_d)
        self._loss = torch.nn.BCEWithLogitsLoss()
        self._luma = torch.tensor(LUMA).reshape(1, 3, 1, 1)
        self._sample = self._grey(self._reals()[: spec.samples])

    def step(self) -> list[Any]:
        torch = self._torch
        targets = self._reals()
        inputs = self._grey(targets)
        self._d.requires_grad_(True)
        self._adam_d.zero_grad(set_to_none=True)
        with self._precision():
            fakes = self._g(inputs)
            real = self._d(torch.cat([inputs, targets], 1)).float()
            fake = self._d(torch.cat([inputs, fakes.detach()], 1)).float()
        loss_d = self._told(real, 1.0) + self._told(fake, 0.0)
        loss_d.backward()
        self._adam_d.step()

        self._d.requires_grad_(False)
        self._adam_g.zero_grad(set_to_none=True)
        with self._precision():
            fake = self._d(torch.cat([inputs, fakes], 1)).float()
        loss_g = self._told(fake, 1.0) + L1 * (fakes.float() - targets).abs().mean()
        loss_g.backward()
        self._adam_g.step()
        self._g.eval()
        frame = self._frame(self._g, self._sample)
        self._g.train()
        return [frame]

    def _told(self, logits: Any, label: float) -> Any:
        return self._loss(logits, self._torch.full_like(logits, label))

    def _grey(self, pictures: Any) -> Any:
        grey = (pictures * self._luma).sum(1, keepdim=True)
        return grey.expand(-1, 3, -1, -1).contiguous(memory_format=self._torch.channels_last)


def generator(plan: plans.UNet) -> Any:
    """Pictures `(n, 3, height, width)` in [-1, 1] to others."""
    import torch
    from torch import nn

    class UNet(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.downs = nn.ModuleList(map(convolution, plan.downs))
            self.ups = nn.ModuleList(map(convolution, plan.ups))
            self.dropouts = nn.ModuleList(nn.Dropout(each.dropout) for each in plan.ups)

        def forward(self, pictures: Any) -> Any:
            x, maps = pictures, []
            for number, down in enumerate(self.downs):
                x = down(nn.functional.leaky_relu(x, LEAK) if number else x)
                maps.append(x)
            x = maps.pop()
            for up, dropout in zip(self.ups, self.dropouts, strict=True):
                x = dropout(up(nn.functional.relu(x)))
                if maps:
                    x = torch.cat([maps.pop(), x], 1)
            return torch.tanh(x.float())

    return UNet()


if __name__ == "__main__":
    torch_training.main("torch_pix2pix", WARM_UP, Training)
