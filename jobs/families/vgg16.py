"""VGG16 as far as pictures are compared by it: its first stages. Pure arithmetic.

Simonyan, Zisserman 2014, https://arxiv.org/abs/1409.1556, table 1, configuration D.
"""

from __future__ import annotations

from jobs.families.layer import PER_PRODUCT
from jobs.settings.colours import RGB

# Channels of the convolutions of each stage; each ends where maps are halved.
STAGES = ((64, 64), (128, 128), (256, 256, 256))
KERNEL = 9  # values that a convolution meets at each pixel, 3x3


def operations(width: int, height: int) -> int:
    """Operations for one picture."""
    channels, total = RGB, 0
    for number, stage in enumerate(STAGES):
        pixels = -(-height >> number) * -(-width >> number)
        for filters in stage:
            total += PER_PRODUCT * KERNEL * pixels * channels * filters
            channels = filters
    return total
