"""VGG16 as far as pictures are compared by it: its first stages. Pure arithmetic.

Simonyan, Zisserman 2014, https://arxiv.org/abs/1409.1556, table 1, configuration D.
"""

from __future__ import annotations

from jobs.families.layer import PER_PRODUCT
from jobs.settings.colours import RGB
from jobs.settings.spec import JobSpec

# Channels of the convolutions of each stage; each ends where maps are halved.
STAGES = ((64, 64), (128, 128), (256, 256, 256))
SEEN_AS_RGB = ("rgb", "rgba", "grey")  # colour models whose values it can be shown
SEEN_BY_VGG16 = ("perceptual", "contextual")  # terms of losses that compare by it
KERNEL = 9  # values that a convolution meets at each pixel, 3x3


def unfit_colours(spec: JobSpec) -> str | None:
    """Why it cannot look at what the job's networks make; None where it can, or need not."""
    if not spec.perceptual or spec.colour_model in SEEN_AS_RGB:
        return None
    return (
        f"looks at red, green and blue, and the networks think in {spec.colour_model}; use "
        f"colour_model {', '.join(SEEN_AS_RGB[:-1])} or {SEEN_AS_RGB[-1]}, or leave it empty"
    )


def operations(width: int, height: int) -> int:
    """Operations for one picture."""
    channels, total = RGB, 0
    for number, stage in enumerate(STAGES):
        pixels = -(-height >> number) * -(-width >> number)
        for filters in stage:
            total += PER_PRODUCT * KERNEL * pixels * channels * filters
            channels = filters
    return total
