"""Exports: a film in another format, beside it, frame for frame.

The film is any video file with one stream and frames at even times. Its colours are taken as they
are tagged; where they are not, as players do.
"""

from __future__ import annotations

import logging
import threading
from pathlib import Path

import av

from jobs.colours import RGB, RGBA
from jobs.disk import means_full
from jobs.errors import MultitrainError, UsageError
from jobs.outputs import export_name as name_of_export
from jobs.videos import VIDEOS, WITH_NVENC, EncoderName, FormatName, notes_on
from render import ffmpeg
from render.commands import FILTER_THREADS, QUIET, Command
from render.containers import Rate, file_arguments
from render.finished import finished_video
from render.formats import (
    ENCODER_THREADS,
    Quality,
    encoder_arguments,
    pixels_from_video,
    shown_fps,
)
from render.pixels import Source
from render.probe import VP9_WITH_ALPHA, hides_alpha, only_video
from render.reading import FULL_RANGE, HIGH, MATRICES, Film
from render.streaming import FINE
from render.watching import Told, watched

log = logging.getLogger(__name__)


def export_name(film: Path, name: FormatName) -> Path:
    """Beside the film: `night.mp4` as HAP is `night.hap.mov`, as GIF `night.gif`."""
    return film.with_name(name_of_export(film.stem, name, VIDEOS[name].suffix))


def notes(film: Path, name: FormatName) -> list[str]:
    """What will be other than in the film. MultitrainError where it is no video."""
    form = Film.look(film).format
    return notes_on(name, form.width, form.height, form.fps)


def export_film(
    film: Path,
    name: FormatName,
    output: Path,
    told: Told = lambda _: None,
    *,
    quality: Quality = FINE,
    encoder: EncoderName = "x264",
    stop: threading.Event | None = None,
) -> None:
    """Write the film in this format to `output`, which appears whole and verified, or not at all.

    With the encoder `nvenc`, H.264 and H.265 are made by a GPU, where that works. UsageError where
    `output` is the film itself; MultitrainError where the film cannot be read, where no ffmpeg here
    makes the format, or where what it made is not the whole film; Stopped soon after `stop` is set.
    """
    if output.exists() and output.samefile(film):
        raise UsageError(f"{film} cannot be replaced by its own export; name another place")
    if encoder == "nvenc" and (faster := WITH_NVENC.get(name)):
        try:
            _export(film, faster, output, told, quality, stop)
        except MultitrainError as failure:
            if means_full(failure):
                raise
            log.warning("%s: made without NVENC, which failed: %s", output.name, failure)
        else:
            return
    _export(film, name, output, told, quality, stop)


def _export(
    film: Path,
    name: FormatName,
    output: Path,
    told: Told,
    quality: Quality,
    stop: threading.Event | None,
) -> None:
    program = ffmpeg.find(name)
    look = Film.look(film)
    form, frames = look.format, look.frames
    fps: Rate = int(form.fps) if form.fps.denominator == 1 else form.fps
    size = form.width, form.height
    source, decoder = _source(film)
    channels = RGBA if source.has_alpha else RGB
    with (
        ffmpeg.passing_file("progress") as progress,
        finished_video(output, name, frames, fps, size, channels) as part,
    ):
        reading = [*decoder, "-i", str(film.absolute())]
        filters = pixels_from_video(name, *size, source)
        command = export_command(program, reading, filters, name, fps, quality, progress, part)
        with watched(progress, told):
            ffmpeg.run(command, ffmpeg.FILM_SECONDS, stop)
        told(frames)


def export_command(
    program: str,
    reading: list[str],
    filters: str,
    name: FormatName,
    fps: Rate,
    quality: Quality,
    progress: Path,
    output: Path,
) -> Command:
    """ffmpeg's command: `reading` is what opens the film, whose frames get their exact times."""
    exact = "/".join(map(str, reversed(fps.as_integer_ratio())))
    return [
        *(program, *QUIET, "-filter_threads", str(FILTER_THREADS), "-xerror"),
        *("-progress", str(progress), *reading, "-map", "0:v:0"),
        *("-vf", f"settb={exact},setpts=N,{filters}", "-r", str(shown_fps(name, fps))),
        *encoder_arguments(name, fps, quality, ENCODER_THREADS),
        *file_arguments(name, shown_fps(name, fps), output),
    ]


def _source(film: Path) -> tuple[Source, list[str]]:
    """The film's pixels, and the decoder that must be named."""
    with av.open(str(film)) as container:
        stream = only_video(container, film)
        context, form = stream.codec_context, stream.codec_context.format
        hidden = hides_alpha(stream)
        decoder = ["-c:v", VP9_WITH_ALPHA] if hidden else []
        has_alpha = hidden or (form is not None and any(c.is_alpha for c in form.components))
        if form is None or form.is_rgb:
            return Source(has_alpha, range="pc"), decoder
        is_full = context.color_range == FULL_RANGE or form.name.startswith("yuvj")
        usual = "bt709" if context.height >= HIGH else "smpte170m"
        matrix = MATRICES.get(int(context.colorspace), usual)
        return Source(has_alpha, matrix, "pc" if is_full else "tv"), decoder
