"""The kinds of files that ffmpeg writes: suffixes, and the arguments that make times exact."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from jobs.settings.videos import GIF, PNG, VIDEOS, WEBM, FormatName

Rate = int | Fraction  # frames per second

TICKS = 512  # of the time base per frame: the same for all files, so that they can be joined
BITEXACT = ("-map_metadata", "-1", "-fflags", "+bitexact")
FRAME = "frame_"  # what names of pictures in a folder begin with


def file_arguments(
    name: FormatName, fps: Rate, output: Path, *, index_first: bool = True
) -> list[str]:
    """The end of a command: how `output` is written, whatever it is called.

    Where frames become a folder, `output` is that, and must be there. With `index_first`, players
    can begin before they have the whole file; for that, ffmpeg writes it twice.
    """
    if VIDEOS[name].is_folder:
        pattern = image_pattern(output, FRAME, VIDEOS[name].suffix)
        return ["-fflags", "+bitexact", "-start_number", "0", "-f", "image2", pattern]
    match suffix := VIDEOS[name].suffix:
        case ".mp4" | ".mov":
            own = [*BITEXACT, *(("-movflags", "+faststart") if index_first else ())]
            own += ["-video_track_timescale", str(timescale(fps))]
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
    return {GIF: Fraction(1, 100), WEBM: Fraction(1, 1000)}.get(VIDEOS[name].suffix)


def image_pattern(folder: Path, prefix: str, suffix: str = PNG) -> str:
    """The pattern of the files `<prefix>000000000.png` in `folder`, for ffmpeg's image2."""
    return f"{folder.absolute()}/{prefix}".replace("%", "%%") + f"%09d{suffix}"


def frame_name(number: int, suffix: str) -> str:
    """What a frame is called in a folder of frames; they count from 0."""
    return f"{FRAME}{number:09d}{suffix}"


def muxer(suffix: str) -> str:
    """ffmpeg's name of the kind of file with this suffix."""
    return suffix.removeprefix(".")
