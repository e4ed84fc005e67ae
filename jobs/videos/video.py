"""What a video file is, as far as pictures are taken of it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from av.container import InputContainer
from av.video.stream import VideoStream

from jobs.settings.kinds import Resolution
from jobs.videos.opening import UnreadableVideo, opened
from jobs.videos.orientation import UPRIGHT, Orientation, orientation_of, seen_size
from jobs.videos.seeking import Times, from_beginning, from_keyframe, times_of

if TYPE_CHECKING:
    from jobs.videos.seeking import Packets

DRAWN = ("gif", "apng", "webp", "webp_anim", "png")  # FFmpeg's names of decoders
PROGRESSIVE = 1  # as FFmpeg counts orders of fields; 0 is unknown


@dataclass(frozen=True)
class Video:
    """What is needed to find and show frames of a file.

    `first` and `last` are presentation times of frames, in units of `time_base` (seconds), as all
    times called `pts`. `size` is as it is seen: upright, with square pixels.
    """

    path: Path
    time_base: Fraction
    first: int
    last: int
    frame_seconds: Fraction  # of most frames
    size: Resolution
    pixel_shape: Fraction  # width / height of a stored pixel
    progressive: bool  # as the file says
    drawn: bool = False  # an animated picture, which has no fields
    orientation: Orientation = UPRIGHT
    times: Times = Times.TOLD

    @property
    def seconds(self) -> float:
        """The time from the first frame's beginning to the last one's end."""
        return float((self.last - self.first) * self.time_base + self.frame_seconds)

    def pts_at(self, seconds: float) -> int:
        """The presentation time that lies `seconds` after the first frame."""
        return self.first + round(Fraction(seconds) / self.time_base)

    def seconds_at(self, pts: int) -> float:
        """The inverse of `pts_at`."""
        return float((pts - self.first) * self.time_base)


def look(path: Path) -> Video:
    """Read the header, the first frame and the last times. UnreadableVideo where that fails."""
    with opened(path) as (container, stream):
        if stream.time_base is None:
            raise UnreadableVideo("does not tell when its frames are shown")
        times = times_of(container, stream)
        frame = next(container.decode(stream), None)
        if frame is None or frame.pts is None:
            raise UnreadableVideo(
                "has no frame that can be decoded, or it does not tell its time: then "
                "`ffmpeg -i IT -c copy new.mkv` helps"
            )
        first = _first_pts(container, stream, frame.pts, times)
        orientation = orientation_of(frame)
        rate = stream.average_rate or stream.guessed_rate or Fraction(25)
        shape = Fraction(stream.sample_aspect_ratio or 1)
        return Video(
            path=path,
            time_base=Fraction(stream.time_base),
            first=first,
            last=_last_pts(container, stream, first, times),
            frame_seconds=1 / Fraction(rate),
            size=seen_size(Resolution(frame.width, frame.height), shape, orientation),
            pixel_shape=shape,
            progressive=stream.codec_context.field_order == PROGRESSIVE,
            drawn=stream.codec_context.name in DRAWN,
            orientation=orientation,
            times=times,
        )


def shown_times(video: Video) -> tuple[int, ...]:
    """When each frame is shown, in order. Only packets are read; UnreadableVideo where that fails.

    A frame that cannot be decoded has its time all the same.
    """
    with opened(video.path) as (container, stream):
        packets = from_keyframe(container, stream, video.first, video.first, video.times)
        return tuple(sorted({pts for pts in _shown(packets) if pts >= video.first}))


def _first_pts(container: InputContainer, stream: VideoStream, decoded: int, times: Times) -> int:
    """The first frame's time; `decoded` is its time by the decoder, which does not count them."""
    if times is not Times.COUNTED:
        return decoded
    packets = from_beginning(container, stream, times)
    return next(
        (each.pts for each in packets if each.is_keyframe and each.pts is not None), decoded
    )


def _last_pts(container: InputContainer, stream: VideoStream, first: int, times: Times) -> int:
    """When the last frame is shown: by the file's end, whatever its header says."""
    if stream.duration and not times.from_beginning:
        packets = from_keyframe(container, stream, first + stream.duration, first)
        if shown := _shown(packets):
            return max(first, *shown)
    return max([first, *_shown(from_keyframe(container, stream, first, first, times))])


def _shown(packets: Packets) -> list[int]:
    seen = (each for each in packets if each.size and not each.is_discard)
    return [each.pts for each in seen if each.pts is not None]
