"""Two fields in one frame: telling video that is interlaced or telecined, and mending it.

Interlaced video shows the odd and even rows of a frame one after the other. Telecine spreads four
frames of film over ten fields, so that two frames of five are combed, up to a break in the cadence.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from fractions import Fraction
from itertools import pairwise

import numpy as np
from av.filter import Graph
from av.video.frame import VideoFrame
from numpy.typing import NDArray

Filters = Sequence[tuple[str, dict[str, str]]]  # of FFmpeg, with their options

COLUMNS = 640  # from the middle of a frame: enough to judge it by
MOVED = 12  # levels of grey between two frames
COMBED_LEVELS = 9  # the measure and this limit are those of the filter `fieldmatch`
COMBED_PIXELS = 1 / 2000  # of those looked at
TIMES_OF_FIELD = 3  # combed pixels in whole frames beside those in fields, which have detail only

LEAST_COMBED = {True: 0.3, False: 0.1}  # of what moves; more where the file says: progressive
# Two frames of five are 0.4, as far as they move; of interlaced video nearly all are combed.
MOST_OF_TELECINE = 0.7
TELECINE_RATES = (29.9, 30.1)  # frames per second

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


def judge(frames: Sequence[VideoFrame]) -> list[bool]:
    """Which of some frames that follow each other are combed; where nothing moves, none is told."""
    greys = [_middle(frame) for frame in frames]
    judged = []
    for before, grey in pairwise(greys):
        moved = before.shape == grey.shape and abs(grey - before) > MOVED
        if np.count_nonzero(moved) > COMBED_PIXELS * grey.size:
            judged.append(_is_combed(grey, np.asarray(moved)))
    return judged


def _middle(frame: VideoFrame) -> Grey:
    grey = frame.reformat(format="gray", threads=1).to_ndarray()
    left = max(0, (grey.shape[1] - COLUMNS) // 2)
    return grey[:, left : left + COLUMNS].astype(np.int16)


def _is_combed(grey: Grey, moved: NDArray[np.bool_]) -> bool:
    """Whether rows lie off both their neighbours where it moves, and not so within each field."""
    whole = _combed_pixels(grey, moved)
    fields = sum(_combed_pixels(grey[each::2], moved[each::2]) for each in (0, 1))
    return whole > COMBED_PIXELS * grey.size and whole > TIMES_OF_FIELD * fields


def _combed_pixels(grey: Grey, moved: NDArray[np.bool_]) -> int:
    above, row, below = grey[1:-3], grey[2:-2], grey[3:-1]
    up, down, limit = row - above, row - below, COMBED_LEVELS
    off = ((up > limit) & (down > limit)) | ((up < -limit) & (down < -limit))
    bent = abs(grey[:-4] + 4 * row + grey[4:] - 3 * (above + below)) > 6 * limit
    return int(np.count_nonzero(off & bent & moved[2:-2]))


def choose(combed: Sequence[bool], rate: float, *, progressive: bool) -> Mending:
    """What suits a video of `rate` frames per second, by those of its frames that move.

    `progressive`: that is what the file says, as many do that are not.
    """
    share = sum(combed) / max(1, len(combed))
    if share < LEAST_COMBED[progressive]:
        return Mending.NONE
    is_film = share < MOST_OF_TELECINE and TELECINE_RATES[0] < rate < TELECINE_RATES[1]
    return Mending.IVTC if is_film else Mending.YADIF


def mended(
    frames: Sequence[VideoFrame], time: float, mending: Mending, rate: Fraction
) -> VideoFrame:
    """The frame nearest to `time`, as theirs are, of `frames` that follow each other, mended.

    `rate` is how many there are in a second, of which film has four fifths.
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
