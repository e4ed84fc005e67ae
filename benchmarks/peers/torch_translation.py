"""What pix2pix and CycleGAN in PyTorch are built of, read from the plans of our own layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jobs.families.layer import Layer

STDDEV = 0.02
LEAK = 0.2


def convolution(layer: Layer, reflects: bool = False) -> Any:
    """A planned layer with its normalization, without its activation."""
    from torch import nn

    assert layer.kernel is not None, "all are convolutions"
    side, channels = layer.kernel[0], layer.input.channels
    shape = (channels, layer.filters, side)
    mode = "reflect" if reflects else "zeros"
    if layer.kind == "deconv":
        extra = 1 if side % 2 else 0
        made = [nn.ConvTranspose2d(*shape, layer.stride, 1, extra, bias=layer.bias)]
    elif layer.kind == "upconv":
        made = [
            nn.Upsample(scale_factor=layer.stride),
            nn.Conv2d(*shape, 1, side // 2, bias=layer.bias, padding_mode="reflect"),
        ]
    else:
        beyond = side // 2 if side % 2 else 1
        made = [nn.Conv2d(*shape, layer.stride, beyond, bias=layer.bias, padding_mode=mode)]
    if layer.normalization in ("instance", "plain-instance"):
        affine = layer.normalization == "instance"
        made.append(nn.InstanceNorm2d(layer.filters, affine=affine))
    return nn.Sequential(*made)


def judge(layers: Sequence[Layer]) -> Any:
    """A discriminator of patches: pictures `(n, channels, height, width)` to logits."""
    from torch import nn

    parts: list[Any] = []
    for layer in layers[:-1]:
        parts += [convolution(layer), nn.LeakyReLU(LEAK, inplace=True)]
    return nn.Sequential(*parts, convolution(layers[-1]), nn.Flatten())
