"""Super-resolution in PyTorch, written for speed as its users write it; a unit is a training step.

The work is that of our own step: the same network, built of the same planned parts, low pictures
made by bicubic shrinking, L1, Adam, the sample as uint8 in this process after each step.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import reduce
from typing import Any

from benchmarks.peers import torch_training
from jobs.families.layer import PRELU, Layer
from jobs.families.superres import layers as plans
from jobs.families.trees import Activated, Branches, Enlarged, Part, Parts, Pool, Residual
from jobs.settings.choices import Activation
from jobs.workspace.jobfile import JobFile

WARM_UP = 3  # steps


class Training(torch_training.Training):
    """A network that enlarges, without a discriminator."""

    def __init__(self, job: JobFile, pictures: Any) -> None:
        super().__init__(spec := job.spec, pictures)
        plan = plans.generator(spec, job.image_width, job.image_height)
        memory = self._torch.channels_last
        self._network = enlarging(plan).to(memory_format=memory)
        self._optimizer = self._torch.optim.Adam(
            self._network.parameters(), spec.learning_rate_g, (0.9, 0.99), fused=True
        )
        self._sample = self._low(self._reals()[: spec.samples])

    def step(self) -> list[Any]:
        torch = self._torch
        high = self._reals()
        low = self._low(high)
        self._optimizer.zero_grad(set_to_none=True)
        with self._precision():
            made = self._network(low)
        (made.float() - high).abs().mean().backward()
        self._optimizer.step()
        with torch.inference_mode():
            return [self._frame(self._network, self._sample)]

    def _low(self, high: Any) -> Any:
        scale = 1 / self._spec.scale
        low = self._torch.nn.functional.interpolate(
            high, scale_factor=scale, mode="bicubic", antialias=True
        )
        return low.contiguous(memory_format=self._torch.channels_last)


def enlarging(plan: plans.Enlarger) -> Any:
    """Pictures `(n, 3, height, width)` in [-1, 1] to others, as many times larger as planned."""
    from torch import nn

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = sequence(plan.parts, plan.gain)

        def forward(self, low: Any) -> Any:
            made = self.body(low)
            if plan.skip == "none":
                return made
            return made + nn.functional.interpolate(low, scale_factor=plan.scale, mode=plan.skip)

    return Network()


def sequence(parts: Parts, gain: float) -> Any:
    """A module of planned parts, one after the other."""
    from torch import nn

    return nn.Sequential(*(_module(part, gain) for part in parts))


def _module(part: Part, gain: float) -> Any:
    from torch import nn

    match part:
        case Layer():
            return nn.Sequential(*_convolution(part, gain))
        case Residual():
            return _residual(sequence(part.parts, gain), part.by)
        case Branches():
            return _branches([sequence(each, gain) for each in part.each], part.merging)
        case Activated():
            return _activation(part.activation, 0)
        case Pool():
            return nn.MaxPool2d(2)
        case Enlarged():
            mode = "bilinear" if part.is_smooth else "nearest"
            return nn.Upsample(scale_factor=part.times, mode=mode)
    raise TypeError(f"{part} has not been planned")


def _convolution(layer: Layer, gain: float) -> list[Any]:
    import torch
    from torch import nn

    assert layer.kernel is not None, "all are convolutions"
    side, is_pixels = layer.kernel[0], layer.kind == "subpixel"
    filters = layer.filters * (layer.stride**2 if is_pixels else 1)
    convolution = nn.Conv2d(layer.input.channels, filters, side, 1, side // 2, bias=layer.bias)
    with torch.no_grad():
        meets = layer.input.channels * side**2
        convolution.weight.normal_(0.0, gain * math.sqrt(2 / meets))
        if convolution.bias is not None:
            convolution.bias.zero_()
    made: list[Any] = [convolution]
    if is_pixels:
        made.append(nn.PixelShuffle(layer.stride))
    elif layer.stride > 1:
        made.insert(0, nn.Upsample(scale_factor=layer.stride))
    if layer.activation:
        made.append(_activation(layer.activation, layer.filters))
    return made


def _activation(choice: Activation, channels: int) -> Any:
    from torch import nn

    match choice.name:
        case "relu":
            return nn.ReLU(inplace=True)
        case "lrelu":
            return nn.LeakyReLU(choice["slope"], inplace=True)
        case "elu":
            return nn.ELU(inplace=True)
        case "sigmoid":
            return nn.Sigmoid()
        case other if other == PRELU:
            return nn.PReLU(channels)
    raise ValueError(f"no network here has {choice}")


def _residual(inner: Any, by: float) -> Any:
    from torch import nn

    class Added(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = inner

        def forward(self, x: Any) -> Any:
            made = self.inner(x)
            return x + made if by == 1.0 else x.add(made, alpha=by)

    return Added()


def _branches(each: list[Any], merging: str) -> Any:
    import torch
    from torch import nn

    ways: dict[str, Callable[[list[Any]], Any]] = {
        "concat": lambda made: torch.cat(made, 1),
        "mean": lambda made: sum(made) / len(made),
        "product": lambda made: reduce(torch.mul, made),
    }
    merged = ways[merging]

    class Merged(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.each = nn.ModuleList(each)

        def forward(self, x: Any) -> Any:
            return merged([way(x) for way in self.each])

    return Merged()


if __name__ == "__main__":
    torch_training.main("torch_superres", WARM_UP, Training)
