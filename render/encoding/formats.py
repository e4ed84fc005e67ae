"""The one table of formats: ffmpeg's arguments that make each, and what it is for.

Sizes, alpha and names of files stand in `jobs.settings.videos`, filters in `pixels`, suffixes and
clocks in `containers`. Files that were made are verified by `render.files.verifying`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import NamedTuple

from jobs.settings.colours import RGBA
from jobs.settings.kinds import Preset
from jobs.settings.videos import VIDEOS, FormatName
from render.encoding import containers, pixels
from render.encoding.containers import Rate
from render.encoding.pixels import Pixels, Source, yuv

ENCODER_THREADS = 4  # x264's output depends on it; shared between the boxes of one call
FASTER_PNG = ("-pred", "mixed", "-compression_level", "1")  # 2.6 times as fast at 1080p; smaller
BT709 = ("-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709")
RGB_BT709 = ("-colorspace", "rgb", "-color_primaries", "bt709", "-color_trc", "bt709")
LIMITED_709 = ("-color_range", "tv", *BT709)
FULL_709 = ("-color_range", "pc", *RGB_BT709)

NVENC_PRESETS: dict[Preset, str] = {  # by their names in ffmpeg: fast is p3, medium p4, slow p5
    "ultrafast": "p1",
    "superfast": "p1",
    "veryfast": "p1",
    "faster": "p2",
    "fast": "p3",
    "medium": "p4",
    "slow": "p5",
    "slower": "p6",
    "veryslow": "p7",
}
VP9_SPEEDS: dict[Preset, str] = {  # of libvpx's `-cpu-used`, where it need not be in real time
    "ultrafast": "5",
    "superfast": "5",
    "veryfast": "5",
    "faster": "5",
    "fast": "4",
    "medium": "3",
    "slow": "2",
    "slower": "1",
    "veryslow": "0",
}
LARGEST_CRF, LARGEST_VP9_CRF = 51, 63
# So much more makes keyframes alone as fine as `h264` at the same crf: to 0.2 dB (luma) on three
# films of trainings.
INTRA_CRF = 4


class Quality(NamedTuple):
    """What a sheet asks of x264, x265, NVENC and VP9; the others have a quality of their own."""

    crf: int = 17
    preset: Preset = "medium"


Arguments = Callable[[Rate, Quality, str], Sequence[str]]  # the last: how many threads


class Format(NamedTuple):
    """How ffmpeg makes videos of one format."""

    title: str  # what people call it, and what an ffmpeg needs for it
    use: str  # what it is for: one clause
    pixels: Pixels
    arguments: Arguments
    is_lossless: bool = False


def keeps_depth(name: FormatName) -> bool:
    """Whether a video in this format has more than 8 bits where its frames have."""
    return bool(FORMATS[name].pixels.deep)


def pixels_for(
    name: FormatName, width: int, height: int, channels: int, *, is_deep: bool = False
) -> str:
    """The filters from RGB or RGBA frames (full range) to the pixels that the format takes.

    Sides that it does not take are filled up (`shown_size`). Use it once in a filter graph, as its
    labels are fixed.
    """
    size, shown = (width, height), shown_size(name, width, height)
    has_alpha = channels == RGBA
    return pixels.from_frames(
        FORMATS[name].pixels, size, shown, has_alpha=has_alpha, is_deep=is_deep
    )


def pixels_from_video(name: FormatName, width: int, height: int, source: Source) -> str:
    """As `pixels_for`, from the pixels of a video."""
    return pixels.from_video(
        FORMATS[name].pixels, source, (width, height), shown_size(name, width, height)
    )


def encoder_arguments(name: FormatName, fps: Rate, quality: Quality, threads: int) -> list[str]:
    """The encoder and its settings.

    Of formats that can be joined: closed groups of pictures without B-frames, or every frame a
    keyframe; the same bits for the same frames, but for NVENC.
    """
    return list(FORMATS[name].arguments(fps, quality, str(max(1, threads))))


def file_arguments(name: FormatName, fps: Rate, output: Path) -> list[str]:
    """The end of a command: how `output` is written; for frames, a folder that is there."""
    return containers.file_arguments(name, shown_fps(name, fps), output)


def shown_size(name: FormatName, width: int, height: int) -> tuple[int, int]:
    """The size of the video that shows `width` x `height` pixels."""
    return VIDEOS[name].shown_size(width, height)


def shown_fps(name: FormatName, fps: Rate) -> Rate:
    """Frames per second of a video whose source has `fps`: the same, unless it has a limit."""
    return VIDEOS[name].shown_fps(fps)


def shown_frames(name: FormatName, frames: int, fps: Rate) -> int:
    """How many frames a video has that shows `frames` at `fps`, the last one to its end."""
    return ceil(frames * Fraction(shown_fps(name, fps)) / Fraction(fps))


def _x264(quality: Quality) -> tuple[str, ...]:
    # 0 is lossless, which profile high is not
    profile = ("-profile:v", "high") if quality.crf else ()
    return ("-c:v", "libx264", *profile, "-crf", str(quality.crf), "-preset", quality.preset)


def _h264(fps: Rate, quality: Quality, threads: str) -> Sequence[str]:
    return *_x264(quality), *_closed(_per_second(fps), threads)


def _h264_intra(fps: Rate, quality: Quality, threads: str) -> Sequence[str]:  # noqa: ARG001
    # Every frame as fine as the others. By itself, x264 makes the first one of a file much finer,
    # which would be seen wherever a loop comes round, and where the pieces of a film meet.
    crf = min(quality.crf + INTRA_CRF, LARGEST_CRF) if quality.crf else 0
    return *_x264(quality._replace(crf=crf)), "-x264-params", "qcomp=1", *_closed(1, threads)


def _h265(layout: str) -> Arguments:
    """x265 for pixels of this layout."""

    def arguments(fps: Rate, quality: Quality, threads: str) -> Sequence[str]:
        """Threads within a frame (`pools`) do not change the bits; several frames at once would."""
        parameters: dict[str, object] = {
            "keyint": _per_second(fps),
            "min-keyint": 1,
            "bframes": 0,
            "open-gop": 0,
        }
        parameters |= {"frame-threads": 1, "pools": threads, "info": 0, "log-level": "error"}
        parameters |= {} if quality.crf else {"lossless": 1}
        return (
            *("-c:v", "libx265", "-crf", str(quality.crf), "-preset", quality.preset),
            *("-x265-params", ":".join(f"{key}={value}" for key, value in parameters.items())),
            *("-tag:v", "hvc1", "-flags", "+cgop+bitexact", "-pix_fmt", layout, *LIMITED_709),
        )

    return arguments


def _nvenc(codec: str, profile: str, tag: Sequence[str] = ()) -> Arguments:
    def arguments(fps: Rate, quality: Quality, threads: str) -> Sequence[str]:
        """Constant quality on the scale of `crf`; for NVENC, 0 would mean its own choice."""
        asked = ("-profile:v", profile, "-rc", "vbr", "-cq", str(quality.crf), "-b:v", "0")
        return (
            *("-c:v", codec, "-preset", NVENC_PRESETS[quality.preset]),
            *(asked if quality.crf else ("-tune", "lossless")),
            *("-forced-idr", "1"),  # every keyframe begins anew: files are cut and joined there
            *tag,
            *_closed(_per_second(fps), threads),
        )

    return arguments


def _per_second(fps: Rate) -> int:
    """Frames from one keyframe to the next: a second, for scrubbing."""
    return max(1, round(fps))


def _closed(keyframes: int, threads: str) -> Sequence[str]:
    return (
        *("-g", str(keyframes), "-bf", "0", "-flags", "+cgop+bitexact"),
        *("-threads", threads, "-pix_fmt", "yuv420p", *LIMITED_709),
    )


def _hap(kind: str) -> Arguments:
    """Vidvox' textures, which a graphics card shows as they are."""
    return _own("-c:v", "hap", "-format", kind, behind=("-pix_fmt", "rgba", *FULL_709))


def _own(*encoder: str, behind: Sequence[str] = ()) -> Arguments:
    """Arguments of an encoder that knows neither crf nor preset; every frame is a keyframe."""

    def arguments(fps: Rate, quality: Quality, threads: str) -> Sequence[str]:  # noqa: ARG001
        return *encoder, "-flags", "+bitexact", "-threads", threads, *behind

    return arguments


def _vp9(fps: Rate, quality: Quality, threads: str) -> Sequence[str]:
    crf = round(quality.crf * LARGEST_VP9_CRF / LARGEST_CRF)
    return (
        *("-c:v", "libvpx-vp9", "-crf", str(crf), "-b:v", "0", "-deadline", "good"),
        *("-cpu-used", VP9_SPEEDS[quality.preset], "-row-mt", "1", "-g", str(_per_second(fps))),
        *("-auto-alt-ref", "0"),  # frames that are not shown, which it cannot make with alpha
        *("-flags", "+bitexact", "-threads", threads, *LIMITED_709),
    )


_YUV420 = yuv("yuv420p")
_RGBA = Pixels("rgba")
_PRORES = ("-c:v", "prores_ks", "-vendor", "apl0", "-profile:v")

FORMATS: dict[FormatName, Format] = {
    "h264": Format("H.264", "plays everywhere", _YUV420, _h264),
    "h264-intra": Format("H.264", "scrubs and reverses well", _YUV420, _h264_intra),
    "h265": Format("H.265", "small; Apple's players, televisions", _YUV420, _h265("yuv420p")),
    "h265-10bit": Format(
        "H.265 with 10 bits, which takes an FFmpeg whose x265 was built for them",
        "as h265, finer in gradients",
        yuv("yuv420p10le", is_deep=True),
        _h265("yuv420p10le"),
    ),
    "h264-nvenc": Format(
        "H.264 with NVENC", "h264, made by a GPU", _YUV420, _nvenc("h264_nvenc", "high")
    ),
    "h265-nvenc": Format(
        "H.265 with NVENC",
        "h265, made by a GPU",
        _YUV420,
        _nvenc("hevc_nvenc", "main", ("-tag:v", "hvc1")),
    ),
    "hap": Format(
        "HAP, which takes an FFmpeg that was built with libsnappy",
        "Resolume, VDMX, TouchDesigner, MadMapper: light to play",
        _RGBA,
        _hap("hap"),
    ),
    "hap-alpha": Format(
        "HAP Alpha, which takes an FFmpeg that was built with libsnappy",
        "as hap, with alpha",
        Pixels("rgba", "rgba"),
        _hap("hap_alpha"),
    ),
    "hap-q": Format(
        "HAP Q, which takes an FFmpeg that was built with libsnappy",
        "as hap, finer and twice as large",
        _RGBA,
        _hap("hap_q"),
    ),
    "dxv": Format(
        "DXV",
        "Resolume's own: light to play",
        _RGBA,
        _own("-c:v", "dxv", "-format", "dxt1", behind=("-pix_fmt", "rgba", *FULL_709)),
    ),
    "prores": Format(
        "ProRes 422 HQ",
        "editing",
        yuv("yuv422p10le", is_deep=True),
        _own(*_PRORES, "hq", behind=("-pix_fmt", "yuv422p10le", *LIMITED_709)),
    ),
    "prores-4444": Format(
        "ProRes 4444",
        "editing, with alpha",
        yuv("yuva444p10le", "yuva444p10le", is_deep=True),
        # Alpha in 8 bits, as frames have it: in 16 it takes twice the room.
        _own(
            *_PRORES,
            *("4444", "-alpha_bits", "8"),
            behind=("-pix_fmt", "yuva444p10le", *LIMITED_709),
        ),
    ),
    "ffv1": Format(
        "FFV1",
        "archives: every pixel as it was",
        Pixels("bgr0", "bgra", deep="gbrp16le", deep_clear="gbrap16le"),
        _own("-c:v", "ffv1", "-level", "3", "-g", "1", "-slices", "4", behind=FULL_709),
        is_lossless=True,
    ),
    "png": Format(
        "PNG",
        "a picture for each frame, exact",
        # Untagged, as pictures for screens are: a tag would let some programs change colours.
        Pixels("rgb24", "rgba", behind="null", deep="rgb48be", deep_clear="rgba64be"),
        _own("-c:v", "png", *FASTER_PNG),
        is_lossless=True,
    ),
    "dpx": Format(
        "DPX",
        "a picture for each frame, for grading and compositing",
        Pixels("gbrp10be", deep="gbrp10be", through="rgb48le"),
        _own("-c:v", "dpx", behind=FULL_709),
        is_lossless=True,
    ),
    "webm": Format("VP9", "browsers, with alpha", yuv("yuv420p", "yuva420p"), _vp9),
    "gif": Format(
        "GIF",
        "messages and forums: 256 colours a frame",
        Pixels("rgba", "rgba", behind=pixels.PALETTE, fastest=VIDEOS["gif"].fastest),
        _own("-c:v", "gif"),
    ),
}
