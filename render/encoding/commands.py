"""ffmpeg's command lines, as plain lists, by pure functions.

The same frames give the same bits on every machine, but for NVIDIA's encoder: thread counts, time
bases and scaler flags are fixed, and nothing of the day or the program's version is written beside
them. What differs from encoder to encoder stands in `render.encoding.formats`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TypeVar

from jobs.plans.plan import Box, FramePlan
from jobs.settings.colours import RGBA
from jobs.settings.kinds import Preset
from jobs.settings.videos import FormatName
from render.encoding.containers import BITEXACT, TICKS, Rate, file_arguments, muxer, timescale
from render.encoding.formats import (
    ENCODER_THREADS,
    FASTER_PNG,
    Quality,
    encoder_arguments,
    pixels_for,
)

FILTER_THREADS = 2
QUIET = ("-hide_banner", "-loglevel", "error", "-nostdin", "-y")

LIST = ".ffconcat"  # the ending of a list for the concat demuxer

# Boxes that one call makes: the filters of hundreds would be longer than the system takes as one
# argument, and that many encoders at once need much memory.
MOST_OUTPUTS = 32

# Of 320 pixels and 30 frames per second, a browser plays 24 at once; of 640 and 60, 6.
PREVIEW_WIDTH, PREVIEW_FPS, PREVIEW_CRF = 320, 30, 28

Command = list[str]
T = TypeVar("T")


def calls(plan: FramePlan, outputs: Sequence[T]) -> Iterator[tuple[Sequence[Box], Sequence[T]]]:
    """The boxes of each call and their outputs: all boxes in order, at most `MOST_OUTPUTS` each."""
    for start in range(0, len(plan.boxes), MOST_OUTPUTS):
        these = slice(start, start + MOST_OUTPUTS)
        yield plan.boxes[these], outputs[these]


def encode_command(
    ffmpeg: str,
    batch: Path,
    plan: FramePlan,
    outputs: Sequence[Path],
    *,
    crf: int,
    preset: Preset,
    name: FormatName = "h264",
    boxes: Sequence[Box] | None = None,
) -> Command:
    """Encode a raw batch to videos, one per box, in the order of `boxes`: all, if not given."""
    chains = [
        f"{_crop(plan, box)}{pixels_for(name, box.width, box.height, plan.channels)}"
        for box in boxes or plan.boxes
    ]
    own = encoder_arguments(name, plan.fps, Quality(crf, preset), _threads(plan))
    command = [ffmpeg, *QUIET, *_raw_input(batch, plan), "-filter_complex", _split(chains)]
    for number, output in enumerate(outputs):
        command += ["-map", f"[out{number}]", *own]
        command += file_arguments(name, plan.fps, output, index_first=False)
    return command


def encode_again_command(
    ffmpeg: str,
    segment: Path,
    plan: FramePlan,
    output: Path,
    *,
    crf: int,
    preset: Preset,
    name: FormatName = "h264",
) -> Command:
    """Encode a segment anew as x264 or x265 would have made it; its colours stay as they are."""
    return [
        *(ffmpeg, *QUIET, "-xerror", "-i", str(segment.absolute()), "-map", "0:v:0"),
        *encoder_arguments(name, plan.fps, Quality(crf, preset), _threads(plan)),
        *file_arguments(name, plan.fps, output, index_first=False),
    ]


def images_command(
    ffmpeg: str,
    batch: Path,
    plan: FramePlan,
    first: int,
    patterns: Sequence[str],
    *,
    boxes: Sequence[Box] | None = None,
) -> Command:
    """Write a raw batch as PNG files, one pattern (`image_pattern`) per box, from `first` on."""
    chains = [f"{_crop(plan, box)}null" for box in boxes or plan.boxes]
    command = [ffmpeg, *QUIET, *_raw_input(batch, plan), "-filter_complex", _split(chains)]
    for number, pattern in enumerate(patterns):
        command += ["-map", f"[out{number}]", "-c:v", "png", "-pix_fmt", _pixels(plan)]
        command += [*FASTER_PNG, "-threads", str(FILTER_THREADS), "-fflags", "+bitexact"]
        command += ["-start_number", str(first), "-f", "image2", pattern]
    return command


def join_command(ffmpeg: str, list_file: Path, output: Path, fps: Rate, suffix: str) -> Command:
    """Join the files of a concat list without re-encoding; fails on the first damaged one.

    `output` becomes a file of the kind that ends in `suffix`, whatever it is called. Times of a
    list are in millionths of a second. Where a rate needs finer ones, frames are counted: they
    must be shown in the order in which they are stored, which they are not with B-frames.
    """
    ticks = TICKS * Fraction(fps).denominator
    counted = ("-bsf:v", f"setts=ts=N*{ticks}:duration={ticks}") if ticks > TICKS else ()
    return [
        *(ffmpeg, *QUIET, "-xerror", "-f", "concat", "-safe", "0", "-i", str(list_file.absolute())),
        *("-map", "0:v:0", "-c", "copy", *counted, *BITEXACT, "-movflags", "+faststart"),
        *("-video_track_timescale", str(timescale(fps)), "-f", muxer(suffix)),
        str(output.absolute()),
    ]


def preview_command(
    ffmpeg: str, video: Path, output: Path, channels: int, *, seconds: float
) -> Command:
    """The last `seconds` of a video, small and light: dozens play side by side in a browser."""
    over_black = "format=rgba,premultiply=inplace=1," if channels == RGBA else ""
    filters = (
        f"fps='min({PREVIEW_FPS},source_fps)',{over_black}"
        f"scale='max(2,trunc(min({PREVIEW_WIDTH},iw)/2)*2)':-2:flags=area,setsar=1,format=yuv420p"
    )
    return [
        *(ffmpeg, *QUIET, "-sseof", f"-{seconds:g}", "-i", str(video.absolute())),
        *("-map", "0:v:0", "-vf", filters, "-c:v", "libx264", "-crf", str(PREVIEW_CRF)),
        *("-preset", "veryfast", "-threads", "1", *BITEXACT, "-movflags", "+faststart"),
        *("-f", "mp4", str(output.absolute())),
    ]


def concat_list(files: Sequence[Path], span: tuple[Fraction, Fraction] | None = None) -> str:
    """The text of a list for ffmpeg's concat demuxer: quoted as its documentation asks.

    With `span`, two moments in seconds, only what is shown between them of each file.
    """
    quoted = (str(file.absolute()).replace("'", r"'\''") for file in files)
    points = "inpoint {:.6f}\noutpoint {:.6f}\n".format(*map(float, span)) if span else ""
    return "ffconcat version 1.0\n" + "".join(f"file '{each}'\n{points}" for each in quoted)


def _pixels(plan: FramePlan) -> str:
    return "rgba" if plan.channels == RGBA else "rgb24"


def _raw_input(batch: Path, plan: FramePlan) -> list[str]:
    return [
        *("-filter_complex_threads", str(FILTER_THREADS)),
        *("-f", "rawvideo", "-pixel_format", _pixels(plan)),
        *("-video_size", f"{plan.frame_width}x{plan.frame_height}"),
        *("-framerate", str(plan.fps), "-i", str(batch.absolute())),
    ]


def _split(chains: Sequence[str]) -> str:
    """One filter graph that sends the input through every chain, to `[out0]`, `[out1]` …"""
    if len(chains) == 1:
        return f"[0:v]{chains[0]}[out0]"
    inner = [f"[in{number}]" for number in range(len(chains))]
    graph = [f"[0:v]split={len(chains)}{''.join(inner)}"]
    graph += [f"{inner[number]}{chain}[out{number}]" for number, chain in enumerate(chains)]
    return ";".join(graph)


def _crop(plan: FramePlan, box: Box) -> str:
    return f"crop={box.width}:{box.height}:{box.x}:{box.y}," if plan.has_boxes else ""


def _threads(plan: FramePlan) -> int:
    """Threads of each encoder of one call."""
    return ENCODER_THREADS // len(plan.boxes)
