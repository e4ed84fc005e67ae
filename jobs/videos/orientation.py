"""Films that must be turned or mirrored to be shown, as their display matrix says."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple, TypeVar

import numpy as np
from av.sidedata.sidedata import SideData
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from jobs.settings.kinds import Resolution

Pixel = TypeVar("Pixel", bound=np.generic)


class Orientation(NamedTuple):
    """One of eight: rows become columns first, then both may be reversed."""

    transposed: bool = False
    mirrored: bool = False  # left and right
    flipped: bool = False  # top and bottom

    def size(self, stored: Resolution) -> Resolution:
        """The size as it is seen of a frame of size `stored`, or the other way round."""
        return Resolution(stored.height, stored.width) if self.transposed else stored

    def upright(self, picture: NDArray[Pixel]) -> NDArray[Pixel]:
        """A picture `(height, width, channels)` as it is seen, from one as it is stored."""
        if self.transposed:
            picture = picture.swapaxes(0, 1)
        picture = picture[:: -1 if self.flipped else 1, :: -1 if self.mirrored else 1]
        return np.ascontiguousarray(picture)

    @property
    def filters(self) -> list[str]:
        """FFmpeg's filters that do the same as `upright`."""
        done = {"transpose=cclock_flip": self.transposed}  # rows become columns
        done |= {"hflip": self.mirrored, "vflip": self.flipped}
        return [name for name, is_needed in done.items() if is_needed]


UPRIGHT = Orientation()


def orientation_of(frame: VideoFrame) -> Orientation:
    """The orientation in the display matrix of a decoded frame; upright where there is none."""
    data = frame.side_data.get("DISPLAYMATRIX")
    if not isinstance(data, SideData):
        return UPRIGHT
    return from_matrix(np.frombuffer(bytes(data), "=i4").tolist())


def from_matrix(matrix: list[int]) -> Orientation:
    """The orientation of a matrix: nine numbers, row by row (ISO/IEC 14496-12, 6.2.2).

    (x, y, 1) times the matrix is where a pixel is shown. Angles between quarter turns count as the
    nearest one.
    """
    a, b, _, c, d = matrix[:5]
    if abs(b) + abs(c) > abs(a) + abs(d):
        return Orientation(True, mirrored=c < 0, flipped=b < 0)
    return Orientation(False, mirrored=a < 0, flipped=d < 0)


def seen_size(stored: Resolution, pixel_shape: Fraction, orientation: Orientation) -> Resolution:
    """The size of a frame upright, with square pixels; `pixel_shape` is width / height of a pixel.

    The stored height stays, so that no row is resampled.
    """
    wide = Resolution(max(1, round(stored.width * pixel_shape)), stored.height)
    return orientation.size(wide)
