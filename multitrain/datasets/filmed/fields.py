"""Two fields in one frame: telling video that is interlaced or telecined, and mending it.

Interlaced video shows the odd and even rows of a frame one after the other. Telecine spreads four
frames of film over ten fields, so that two frames of five are combed, up to a break in the cadence.

Rows that lie off their neighbours are no proof: those of fine patterns do, too. In a frame of two
moments, the rows of the later one fit to the next frame and those of the earlier one to the frame
before. Telecine repeats: of five frames, one has the upper field of the frame before, and another
one the lower field, while the other field moves on.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from av.filter import Graph
from av.video.frame import VideoFrame
from numpy.typing import NDArray

Filters = Sequence[tuple[str, dict[str, str]]]  # of FFmpeg, with their options

COLUMNS = 640  # from the middle of a frame: enough to judge it by
MOVED = 12  # levels of grey between two frames
COMBED_LEVELS = 9  # the measure and this limit are those of the filter `fieldmatch`
COMBED_PIXELS = 1 / 2000  # of those looked at
TIMES_OF_FIELD = 3  # combed pixels of whole frames for each one of fields, which are only detail

TIMES_OF_ORDER = 1.2  # how much worse rows fit to the frames on their wrong sides, at least
TIMES_OF_REPEATED = 2  # how much more a field moves than one that is repeated, at least

LEAST_COMBED = {True: 0.3, False: 0.1}  # of moving frames, by whether the file says: progressive
CYCLE = 5  # frames of telecine, made of four
LEAST_TELECINED = 2 / 3  # of the places that were looked at, up to breaks in the cadence
TELECINE_RATES = (29.95, 29.99)  # frames per second: 30000/1001, as files state it

Grey = NDArray[np.int16]


class Mending(Enum):
    """What is done to fields."""

    NONE = "none"
    YADIF = "yadif"
    IVTC = "ivtc"

    @property
    def around(self) -> int:
        """Neighbours that it needs on both sides: yadif's, or two cycles of telecine."""
        return {Mending.NONE: 0, Mending.YADIF: 1, Mending.IVTC: 10}[self]


# FFmpeg's filters and their options. A frame that cannot be matched, as behind a break in the
# cadence, is still combed: only then is it interpolated. Of five, one repeats another and goes.
FILTERS: dict[Mending, Filters] = {
    Mending.YADIF: (("yadif", {"mode": "send_frame"}),),
    Mending.IVTC: (
        ("fieldmatch", {"combmatch": "full"}),
        ("yadif", {"deint": "interlaced"}),
        ("decimate", {}),
    ),
}


class Fields(NamedTuple):
    """What some frames that follow each other show of their fields."""

    combed: list[int]  # of those that move: 1 upper field first, -1 lower field first, 0 not combed
    is_telecined: bool | None  # None: too little moves


def judge(frames: Sequence[VideoFrame]) -> Fields:
    """The fields of the frames at one place of a video; where nothing moves, nothing is known."""
    greys = [_middle(frame) for frame in frames]
    if len({grey.shape for grey in greys}) > 1:
        return Fields([], None)
    combed = []
    for before, grey, after in zip(greys, greys[1:], greys[2:], strict=False):
        moved = (abs(grey - before) > MOVED) | (abs(after - grey) > MOVED)
        if np.count_nonzero(moved) > COMBED_PIXELS * grey.size:
            is_combed = _is_combed(grey, moved)
            combed.append(_first_field(before, grey, after, moved) if is_combed else 0)
    return Fields(combed, _is_telecined(greys))


def _middle(frame: VideoFrame) -> Grey:
    grey = frame.reformat(format="gray", threads=1).to_ndarray()
    left = max(0, (grey.shape[1] - COLUMNS) // 2)
    return grey[:, left : left + COLUMNS].astype(np.int16)


def _is_combed(grey: Grey, moved: NDArray[np.bool_]) -> bool:
    """Whether rows lie off both their neighbours where it moves, and not so within each field."""
    whole = _combed_pixels(grey, moved)
    fields = sum(_combed_pixels(grey[each::2], moved[each::2]) for each in (0, 1))
    return whole > COMBED_PIXELS * grey.size and whole > TIMES_OF_FIELD * fields


def _first_field(before: Grey, grey: Grey, after: Grey, moved: NDArray[np.bool_]) -> int:
    """1 where the upper field is of an earlier moment, -1 where the lower one is, 0 for neither.

    Rows of the frames on both sides are put between those of the other field, as FFmpeg's `idet`
    does: those of an earlier field fit when they come from the next frame, of a later one from the
    frame before.
    """
    around, weight = grey[:-2] + grey[2:], moved[1:-1]
    by_before, by_after = (
        [int((abs(around - 2 * frame[1:-1]) * weight)[first::2].sum()) for first in (1, 0)]
        for frame in (before, after)
    )  # of the upper rows, of the lower ones
    upper = by_after[0] + by_before[1]  # how badly they fit, the upper field being first
    lower = by_before[0] + by_after[1]
    if max(upper, lower) <= TIMES_OF_ORDER * min(upper, lower):
        return 0
    return 1 if upper < lower else -1


def _is_telecined(greys: Sequence[Grey]) -> bool | None:
    """Whether of each five steps of these one repeats the upper field, and one the lower field.

    Those of all fives are taken together, so that noise and a poor coding count little. None where
    too little moves, or there are fewer than two fives.
    """
    moved = np.zeros((CYCLE, 2))  # in the upper field and in the lower one
    moving = 0
    for number, (before, grey) in enumerate(pairwise(greys)):
        apart = np.maximum(abs(grey - before) - MOVED, 0)
        moving += int(np.count_nonzero(apart) > COMBED_PIXELS * grey.size)
        moved[number % CYCLE] += apart[::2].sum(), apart[1::2].sum()
    if len(greys) <= 2 * CYCLE or moving < CYCLE:
        return None
    upper, lower = moved.T
    repeated = np.sign(upper - lower) * (moved.max(axis=1) > TIMES_OF_REPEATED * moved.min(axis=1))
    return sorted(repeated) == [-1, 0, 0, 0, 1]


def _combed_pixels(grey: Grey, moved: NDArray[np.bool_]) -> int:
    above, row, below = grey[1:-3], grey[2:-2], grey[3:-1]
    up, down, limit = row - above, row - below, COMBED_LEVELS
    off = ((up > limit) & (down > limit)) | ((up < -limit) & (down < -limit))
    bent = abs(grey[:-4] + 4 * row + grey[4:] - 3 * (above + below)) > 6 * limit
    return int(np.count_nonzero(off & bent & moved[2:-2]))


def choose(places: Sequence[Fields], rate: float, *, progressive: bool) -> Mending:
    """The mending for a video of `rate` frames per second, judged by some places of it.

    `progressive`: whether the file says so, as many do that are not.
    """
    verdicts = [each.is_telecined for each in places if each.is_telecined is not None]
    is_film = sum(verdicts) >= LEAST_TELECINED * max(1, len(verdicts))
    if is_film and TELECINE_RATES[0] < rate < TELECINE_RATES[1]:
        return Mending.IVTC
    combed = [first for each in places for first in each.combed]
    of_one_order = max(combed.count(1), combed.count(-1))
    share = of_one_order / max(1, len(combed))
    return Mending.NONE if share < LEAST_COMBED[progressive] else Mending.YADIF


def mended(
    frames: Sequence[VideoFrame], time: float, mending: Mending, rate: Fraction
) -> VideoFrame:
    """Of consecutive `frames`, the one nearest to `time`, mended.

    `time` is in seconds, as `frame.time`. `rate` is the number of frames per second, of which film
    has four fifths.
    """
    if mending in FILTERS:
        frames = _filtered(frames, FILTERS[mending], rate) or frames
    return min(frames, key=lambda frame: abs(frame.time - time))


def _filtered(frames: Sequence[VideoFrame], filters: Filters, rate: Fraction) -> list[VideoFrame]:
    graph, first = Graph(), frames[0]
    source = graph.add(
        "buffer",
        video_size=f"{first.width}x{first.height}",
        pix_fmt=first.format.name,
        time_base=str(first.time_base),
        frame_rate=str(rate),
    )
    nodes = [source, *(graph.add(name, **options) for name, options in filters)]
    nodes.append(graph.add("buffersink"))
    for one, following in pairwise(nodes):
        one.link_to(following)
    graph.configure()
    made: list[VideoFrame] = []
    for frame in [*frames, None]:
        graph.push(frame)
        made += _pulled(graph)
    return made


def _pulled(graph: Graph) -> list[VideoFrame]:
    made: list[VideoFrame] = []
    while True:
        try:
            frame = graph.pull()
        except (BlockingIOError, EOFError):
            return made
        if isinstance(frame, VideoFrame):
            made.append(frame)
