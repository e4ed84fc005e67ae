"""Encoders: from raw frames to the pixels that each takes, and what ffmpeg is told for it.

Colours: RGB is turned into BT.709 limited range and tagged so, which is what players assume for
video of any size; HAP holds RGB itself. H.264 has no alpha: RGBA frames are shown over black. Odd
sizes: H.264 with yuv420p takes even ones only, so a last column or row is repeated.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from jobs.colours import RGBA
from jobs.kinds import Preset
from jobs.plan import Box, FramePlan
from jobs.videos import Encoder

ENCODER_THREADS = 4  # x264's output depends on it; shared between the boxes of one call

SCALER = (
    "scale=out_color_matrix=bt709:out_range=tv:flags=bicubic+accurate_rnd+full_chroma_int+bitexact"
)
LIMITED = "setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709"
FULL_RGB = "setparams=range=pc:color_primaries=bt709:color_trc=bt709:colorspace=gbr"
OVER_BLACK = "format=gbrap,premultiply=inplace=1,"
BT709 = ("-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709")
RGB_BT709 = ("-colorspace", "rgb", "-color_primaries", "bt709", "-color_trc", "bt709")

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


class Quality(NamedTuple):
    """What a sheet asks of x264 and NVENC; ProRes and HAP have a quality of their own."""

    crf: int
    preset: Preset


def pixels_for(encoder: Encoder, plan: FramePlan, box: Box) -> str:
    """The filters from a box of raw frames to the pixels that `encoder` takes."""
    return _FORMATS[encoder].pixels(plan, box)


def encoder_arguments(encoder: Encoder, plan: FramePlan, quality: Quality) -> list[str]:
    """Videos that can be joined by copying: closed GOPs, no B-frames, or every frame a keyframe."""
    threads = str(max(1, ENCODER_THREADS // len(plan.boxes)))
    return _FORMATS[encoder].arguments(plan, quality, threads)


def shown_side(encoder: Encoder, pixels: int) -> int:
    """The side of the video that shows `pixels` pixels."""
    return pixels + pixels % 2 if _FORMATS[encoder].is_even else pixels


def _yuv420(plan: FramePlan, box: Box) -> str:
    width, height = shown_side("x264", box.width), shown_side("x264", box.height)
    right, bottom = width - box.width, height - box.height
    pad = OVER_BLACK if plan.channels == RGBA else ""
    if right or bottom:
        # fillborders knows planar formats only
        pad += f"format=gbrp,pad={width}:{height},fillborders=right={right}:bottom={bottom},"
    return f"{pad}{SCALER},format=yuv420p,{LIMITED}"


def _yuva444(plan: FramePlan, box: Box) -> str:  # noqa: ARG001
    return f"{SCALER},format=yuva444p10le,{LIMITED}"


def _rgba(plan: FramePlan, box: Box) -> str:  # noqa: ARG001
    return f"format=rgba,{FULL_RGB}"


def _x264(plan: FramePlan, quality: Quality, threads: str) -> list[str]:
    # 0 is lossless, which profile high is not
    profile = ("-profile:v", "high") if quality.crf else ()
    own = ("-c:v", "libx264", *profile, "-crf", str(quality.crf), "-preset", quality.preset)
    return [*own, *_h264(plan, threads)]


def _nvenc(plan: FramePlan, quality: Quality, threads: str) -> list[str]:
    """Constant quality on the scale of `crf`, where 0 would mean: as the encoder likes."""
    asked = ("-profile:v", "high", "-rc", "vbr", "-cq", str(quality.crf), "-b:v", "0")
    return [
        *("-c:v", "h264_nvenc", "-preset", NVENC_PRESETS[quality.preset]),
        *(asked if quality.crf else ("-tune", "lossless")),
        *("-forced-idr", "1"),  # every keyframe begins anew: files are cut and joined there
        *_h264(plan, threads),
    ]


def _h264(plan: FramePlan, threads: str) -> list[str]:
    """A keyframe a second, for scrubbing."""
    return [
        *("-g", str(plan.fps), "-bf", "0", "-flags", "+cgop+bitexact"),
        *("-threads", threads, "-pix_fmt", "yuv420p", "-color_range", "tv", *BT709),
    ]


def _prores(plan: FramePlan, quality: Quality, threads: str) -> list[str]:  # noqa: ARG001
    """Apple ProRes 4444. Alpha in 8 bits, as frames have it: in 16 it takes twice the room."""
    return [
        *("-c:v", "prores_ks", "-profile:v", "4444", "-vendor", "apl0", "-alpha_bits", "8"),
        *("-flags", "+bitexact", "-threads", threads),
        *("-pix_fmt", "yuva444p10le", "-color_range", "tv", *BT709),
    ]


def _hap(plan: FramePlan, quality: Quality, threads: str) -> list[str]:  # noqa: ARG001
    """Vidvox' HAP Alpha: DXT5 textures, which a graphics card shows as they are."""
    return [
        *("-c:v", "hap", "-format", "hap_alpha", "-flags", "+bitexact", "-threads", threads),
        *("-pix_fmt", "rgba", "-color_range", "pc", *RGB_BT709),
    ]


class _Format(NamedTuple):
    pixels: Callable[[FramePlan, Box], str]
    arguments: Callable[[FramePlan, Quality, str], list[str]]  # the last: how many threads
    is_even: bool = False


_FORMATS: dict[Encoder, _Format] = {
    "x264": _Format(_yuv420, _x264, is_even=True),
    "nvenc": _Format(_yuv420, _nvenc, is_even=True),
    "prores-4444": _Format(_yuva444, _prores),
    "hap-alpha": _Format(_rgba, _hap),
}
