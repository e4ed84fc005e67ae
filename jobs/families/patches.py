"""The plan of a discriminator of patches, which judges each part of a picture by itself.

Isola et al. 2017, https://arxiv.org/abs/1611.07004, section 3.2.2 and appendix 6.1.2.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from jobs.families.family import Sides
from jobs.families.layer import Layer, Shape, square
from jobs.settings.choices import Activation
from jobs.settings.spec import JobSpec

SIDES = Sides(36, 4096)  # of pictures: with the proportions of most films, 70 pixels are seen
KERNEL = 4
MOST_TIMES = 8  # channels are at most so many times those of the first layer
SHRINKING = {"16": 1, "34": 2, "70": 3, "142": 4, "286": 5}  # layers, by `patch`
LEAKY = Activation("lrelu")


def discriminator(
    spec: JobSpec, before: Shape, inner: Sequence[str], outer: str = "none"
) -> tuple[Layer, ...]:
    """From pictures, perhaps with more channels than their own, to a logit for each patch.

    `inner` are normalizations of the layers between the first and the last, repeated, `outer` is
    that of these two. Where pictures are too small for the patch, maps have no pixels.
    """
    shrinking = SHRINKING[spec.patch]
    layers: list[Layer] = []
    for place in range(shrinking + 2):
        is_last, stride = place == shrinking + 1, 2 if place < shrinking else 1
        channels = 1 if is_last else spec.df_dim * min(MOST_TIMES, 1 << place)
        height, width = (_judged(side, stride) for side in (before.height, before.width))
        is_outer = is_last or place == 0
        layers.append(
            square(
                place + 1,
                "conv",
                before,
                Shape(height, width, channels),
                KERNEL,
                stride=stride,
                activation=None if is_last else LEAKY,
                normalization=outer if is_outer else inner[(place - 1) % len(inner)],
            )
        )
        before = layers[-1].output
    return tuple(layers)


def _judged(side: int, stride: int) -> int:
    """What is left of a side by a convolution of it, padded by one pixel on each end."""
    return max(0, (side + 2 - KERNEL) // stride + 1)


def wrong_patch(spec: JobSpec, picture: Shape) -> Iterator[tuple[str, str]]:
    """Whether pictures are too small for the patch, and which would do."""

    def sees(patch: str) -> bool:
        other = spec.model_copy(update={"patch": patch})
        return discriminator(other, picture, ["none"])[-1].output.values > 0

    if sees(spec.patch):
        return
    fitting = [patch for patch in SHRINKING if sees(patch)]
    advice = f"{fitting[-1]} would do" if fitting else "make them larger, with load_size"
    yield (
        "patch",
        f"{spec.patch} is too large for pictures of {picture.width}x{picture.height}: no patch of "
        f"the last layer is left; {advice}",
    )


def wrong_freeze(spec: JobSpec) -> Iterator[tuple[str, str]]:
    """Whether too many layers are to learn nothing."""
    most = SHRINKING[spec.patch] + 1
    if spec.freeze_d > most:
        yield (
            "freeze_d",
            f"leaves none of the discriminator's {most + 1} layers to learn; at most {most}",
        )
