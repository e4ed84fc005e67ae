"""The kinds of files that ffmpeg writes: suffixes, and the arguments that make times exact."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from jobs.settings.videos import GIF, MOV, MP4, PNG, VIDEOS, FormatName

Rate = int | Fraction  # frames per second

TICKS = 512  # of the time base per frame: the same for all files, so that they can be joined
BITEXACT = ("-map_metadata", "-1", "-fflags", "+bitexact")
FRAME = "frame_"  # what names of pictures in a folder begin with


def file_arguments(
    name: FormatName, fps: Rate, output: Path, *, index_first: bool = True
) -> list[str]:
    """The end of a command: how `output` is written, whatever it is called.

    For `png`, `output` is a folder that must be there. With `index_first`, players can begin before
    they have the whole file; for that, ffmpeg writes it twice.
    """
    match suffix := VIDEOS[name].suffix:
        case ".mp4" | ".mov":
            own = [*BITEXACT, *(("-movflags", "+faststart") if index_first else ())]
            own += ["-video_track_timescale", str(timescale(fps))]
        case ".png":
            pattern = image_pattern(output, FRAME)
            return ["-fflags", "+bitexact", "-start_number", "0", "-f", "image2", pattern]
        case ".gif":
            own = [*BITEXACT, "-loop", "0"]  # for ever
        case _:
            own = [*BITEXACT]
    return [*own, "-f", muxer(suffix), str(output.absolute())]


def timescale(fps: Rate) -> int:
    """Ticks per second of .mp4 and .mov: a whole number of them per frame."""
    return TICKS * Fraction(fps).numerator


def tick(name: FormatName) -> Fraction | None:
    """The tick in seconds of a format with a coarse clock; None where times are exact."""
    return {GIF: Fraction(1, 100), MP4: None, MOV: None, PNG: None}.get(
        VIDEOS[name].suffix, Fraction(1, 1000)
    )


def image_pattern(folder: Path, prefix: str) -> str:
    """The pattern of the files `<prefix>000000000.png` in `folder`, for ffmpeg's image2."""
    return f"{folder.absolute()}/{prefix}".replace("%", "%%") + "%09d.png"


def muxer(suffix: str) -> str:
    """ffmpeg's name of the kind of file with this suffix."""
    return suffix.removeprefix(".")
