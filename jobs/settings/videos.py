"""Formats of video that a sheet can name: how files are called, which sizes and alpha they take.

ffmpeg's arguments for each stand in `render.encoding.formats`.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Literal, NamedTuple

FormatName = Literal[
    "h264", "h264-intra", "h265", "h265-10bit", "h264-nvenc", "h265-nvenc", "hap", "hap-alpha",
    "hap-q", "dxv", "prores", "prores-4444", "ffv1", "png", "dpx", "webm", "gif",
]  # fmt: skip
EncoderName = Literal["x264", "nvenc"]  # what makes H.264 and H.265

Rate = int | Fraction  # frames per second

MP4, MOV, WEBM, GIF, PNG, DPX = ".mp4", ".mov", ".webm", ".gif", ".png", ".dpx"


class Video(NamedTuple):
    """The files of one format."""

    suffix: str  # of a folder, also that of the frames in it
    multiple: int = 1  # pixels: sides are filled up to a multiple of this
    wide: int = 1  # pixels: widths are filled up to a multiple of this as well
    least: int = 1  # pixels that a side must have
    has_alpha: bool = False  # otherwise RGBA frames are shown over black
    is_joinable: bool = True  # by copying packets, at exact times
    is_folder: bool = False  # of frames, `frame_000000000.png` and on
    fastest: int | None = None  # frames per second, where there is a limit

    def shown_size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height of the video that shows `width` x `height` pixels."""
        wide = max(self.multiple, self.wide)
        sides = ((width, wide), (height, self.multiple))
        shown = [max(self.least, -(-side // multiple) * multiple) for side, multiple in sides]
        return shown[0], shown[1]

    def shown_fps(self, fps: Rate) -> Rate:
        """Frames per second of a video that is to have `fps`: the same, unless there is a limit."""
        return fps if self.fastest is None else min(fps, self.fastest)

    @property
    def sizes(self) -> str:
        """Which sizes the format takes, in words."""
        multiples = f"multiples of {self.multiple}" if self.multiple > 1 else "any size"
        if self.wide > self.multiple:
            multiples = f"multiples of {self.wide} wide and {self.multiple} high"
        return f"{multiples} from {self.least} on" if self.least > 1 else multiples


VIDEOS: dict[FormatName, Video] = {
    "h264": Video(MP4, 2),  # colour has half of the resolution
    "h264-intra": Video(MP4, 2),
    "h265": Video(MP4, 2, least=16),  # of x265
    "h265-10bit": Video(MP4, 2, least=16),
    "h264-nvenc": Video(MP4, 2, is_joinable=False),  # NVENC may fail before the job's end
    "h265-nvenc": Video(MP4, 2, is_joinable=False),
    "hap": Video(MOV, 4),  # a texture of blocks of 4x4 pixels
    "hap-alpha": Video(MOV, 4, has_alpha=True),
    "hap-q": Video(MOV, 4),
    "dxv": Video(MOV, 4, wide=16, least=16),  # decoders disagree on rows that end within 16
    "prores": Video(MOV, 2),
    "prores-4444": Video(MOV, has_alpha=True),
    "ffv1": Video(MOV, least=2, has_alpha=True),
    "png": Video(PNG, has_alpha=True, is_joinable=False, is_folder=True),
    "dpx": Video(DPX, is_joinable=False, is_folder=True),
    "webm": Video(WEBM, 2, has_alpha=True, is_joinable=False),  # its clock counts milliseconds
    "gif": Video(GIF, has_alpha=True, is_joinable=False, fastest=50),  # hundredths of a second
}

WITH_NVENC: dict[FormatName, FormatName] = {"h264": "h264-nvenc", "h265": "h265-nvenc"}

# What loops are made in, by the format of their film: here every frame is a keyframe. Otherwise the
# step from the last frame to the first, a keyframe, is seen: in noisy films it is twice the others.
_FOR_LOOPS: dict[FormatName, FormatName] = {
    "h264": "h264-intra",
    "h265": "h264-intra",
    "h265-10bit": "h264-intra",  # of 8 bits, as loops are
}

# Formerly values of the column `encoder`.
_WERE_ENCODERS: tuple[FormatName, ...] = ("prores-4444", "hap-alpha")


def checked_encoder(value: object) -> object:
    """`value`; ValueError where it is a format, saying that it belongs into the column `format`."""
    if value in VIDEOS:
        was = " now" if value in _WERE_ENCODERS else ""
        raise ValueError(f"{value} is a format{was}: write it into format, and leave this empty")
    return value


def unfit_film(name: FormatName) -> str | None:
    """Why a film can only be exported to this format, not made in it; None where it can."""
    if VIDEOS[name].is_joinable:
        return None
    for plain, with_nvenc in WITH_NVENC.items():
        if name == with_nvenc:
            return f"{name} may fail on the way; write {plain}, and nvenc into encoder"
    return (
        f"a film cannot be joined from pieces of {name}; name another format first, as h264,{name}"
    )


def holds_sound(name: FormatName) -> bool:
    """Whether files of the format can have sound."""
    return VIDEOS[name].suffix in (MP4, MOV, WEBM)


def for_loops(name: FormatName) -> FormatName:
    """The format of a loop that asks for none, of a film in the format `name`."""
    return _FOR_LOOPS.get(name, name)


def notes_on(
    name: FormatName, width: int, height: int, fps: Rate, *, has_alpha: bool = False
) -> list[str]:
    """How a film in this format differs from what was asked for: size, alpha, frames left out."""
    notes = _notes(name, (width, height), fps, "the film", "frames are left out")
    if has_alpha and not VIDEOS[name].has_alpha:
        notes.append(f"the film is shown over black: {name} holds no alpha, as prores-4444 does")
    return notes


def notes_on_loop(name: FormatName, width: int, height: int, fps: Rate) -> list[str]:
    """As `notes_on`; a loop is planned for the frames that its format can show."""
    fastest = VIDEOS[name].fastest
    return _notes(name, (width, height), fps, "the loop", f"the loop has {fastest} fps")


def _notes(name: FormatName, size: tuple[int, int], fps: Rate, what: str, slower: str) -> list[str]:
    video, notes = VIDEOS[name], []
    shown = video.shown_size(*size)
    if shown != size:
        notes.append(f"{what} becomes {shown[0]}x{shown[1]}: {name} takes {video.sizes}")
    if video.shown_fps(fps) != fps:
        most = f"{name} shows at most {video.fastest} a second"
        notes.append(f"{slower}: {most}, not {float(fps):g}")
    return notes


def of_box(number: int | None) -> str:
    """What stands for a box in the name of its file; empty for the whole frame."""
    return "" if number is None else f"_box{number:04d}"
