"""How good a network is at enlarging: pictures made low, enlarged, and compared with themselves."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
from PIL import Image

from jobs.pictures.finding import Unreadable, UnreadablePicture, picture_read
from jobs.settings.colours import CHANNELS, RGB, RGBA
from jobs.settings.kinds import Resolution
from jobs.settings.preprocess import shrunk
from multitrain.applying.asked import Asked
from multitrain.applying.course import Course
from multitrain.applying.making import Networks
from multitrain.applying.tiles import Pictures
from multitrain.datasets.decoded.decoding import upright
from multitrain.diagnosis.memory import memory_watched
from multitrain.networks.distances import WINDOW
from multitrain.networks.metrics import quality
from multitrain.networks.perception import Perception, read_vgg16
from multitrain.networks.quality import Quality
from multitrain.networks.resizing import resized
from render.files.claims import making

FLAT = 128  # the level of a difference picture where there is none

OnPicture = Callable[[Path, Pictures, Pictures], None]


class Measured(NamedTuple):
    """A picture, how good what the network made of it is, and what scaling makes of it."""

    path: Path
    own: Quality
    bicubic: Quality


class Measure(NamedTuple):
    """What is asked for, of which network, and how pictures are compared."""

    asked: Asked
    shave: int
    perception: Perception | None

    @classmethod
    def of(cls, asked: Asked, shave: int | None) -> Self:
        """`shave` None: the job's scale. MultitrainError where VGG16's weights cannot be read."""
        weights = asked.job.spec.perceptual
        perception = Perception(read_vgg16(Path(weights))) if weights else None
        return cls(asked, asked.times if shave is None else shave, perception)

    @property
    def least(self) -> int:
        """How many pixels a side of a picture needs."""
        return max(self.asked.least_side * self.asked.times, 2 * self.shave + WINDOW)


def measured(
    measure: Measure,
    course: Course,
    paths: Sequence[Path],
    networks: Networks,
    on_picture: OnPicture | None = None,
) -> Iterator[Measured | Unreadable]:
    """Each picture, or why it cannot be used. OutOfMemory, OriginUnfit.

    Whoever hands over those of one size together has each network built once. `on_picture` is
    called with what was made and what was wanted, `(height, width, 3)` uint8.
    """
    for number, path in enumerate(paths):
        try:
            high = _high(path, measure)
        except UnreadablePicture as error:
            yield Unreadable(path, str(error))
            continue
        height, width = high.shape[1:3]
        network = networks.following(course, shrunk(Resolution(width, height), measure.asked.times))
        low = network.lowered(high)
        made = network.made(number, low)
        if on_picture:
            on_picture(path, made[0, ..., :RGB], high[0, ..., :RGB])
        with memory_watched():
            scaled = np.asarray(resized(low.astype(np.float32), height, width))
            own, bicubic = (
                quality(each, high, measure.shave, measure.perception) for each in (made, scaled)
            )
        yield Measured(path, own, bicubic)


def save_difference(path: Path, made: Pictures, wanted: Pictures) -> None:
    """As a PNG file, grey where there is none; it appears whole or not at all. OSError."""
    difference = FLAT + (made.astype(int) - wanted) // 2
    with making(path) as part:
        Image.fromarray(difference.astype(np.uint8)).save(part, "PNG")


def _high(path: Path, measure: Measure) -> Pictures:
    """`(1, height, width, 3 or 4)` uint8, as far as the scale divides it. UnreadablePicture."""
    has_alpha = CHANNELS[measure.asked.job.spec.colour_model].picture == RGBA
    with warnings.catch_warnings(action="ignore"), picture_read(path) as image:
        high = np.asarray(upright(image, with_alpha=has_alpha))
    height, width = (side - side % measure.asked.times for side in high.shape[:2])
    if min(height, width) < measure.least:
        raise UnreadablePicture(
            f"is {high.shape[1]}x{high.shape[0]}, and {measure.least} pixels a side are needed "
            f"where {measure.shave} at each edge do not count"
        )
    return high[None, :height, :width]
