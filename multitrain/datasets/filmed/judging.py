"""Which mending suits a video, judged by some of its frames."""

from __future__ import annotations

from contextlib import suppress

from jobs.videos.opening import UnreadableVideo
from jobs.videos.video import Video
from multitrain.datasets.filmed.fields import Fields, Mending, choose, judge
from multitrain.datasets.filmed.frames import FrameReader
from multitrain.datasets.filmed.seeking import plan

LOOKED_AT = 5  # places of a video
AROUND = 5  # frames on both sides there: eleven are two cycles of telecine, and one


def suitable(video: Video) -> Mending:
    """The mending for `video`, judged by a few frames at some places.

    What files say of their fields is often wrong, or missing. The places are keyframes: to reach
    other frames, all those before would have to be decoded. Where frames are counted that has to be
    done anyway, and any place will do.
    """
    if video.drawn:
        return Mending.NONE
    places: list[Fields] = []
    with suppress(UnreadableVideo), FrameReader(video, Mending.NONE) as reader:
        moments = [(part + 0.5) * video.seconds / LOOKED_AT for part in range(LOOKED_AT)]
        if not video.times.from_beginning:
            runs = plan(video, dict(enumerate(moments)))
            moments = [video.seconds_at(run.start) for run in runs]
        behind = [at + AROUND * float(video.frame_seconds) for at in moments]
        for run in plan(video, dict(enumerate(behind)), AROUND):
            for _, frames in reader.windows(run):
                places.append(judge(frames))
    rate = float(1 / video.frame_seconds)
    return choose(places, rate, progressive=video.progressive)
