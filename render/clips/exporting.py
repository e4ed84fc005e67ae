"""Exports: a film in another format, beside it, frame for frame.

The film is any video file without sound, shown as players do (`render.shown`): upright, with square
pixels, at a constant rate. Its colours are read as its tags say; where it has none, its height
decides.
"""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import NamedTuple

from jobs.errors import MultitrainError, UsageError
from jobs.settings.colours import RGB, RGBA
from jobs.settings.videos import VIDEOS, WITH_NVENC, EncoderName, FormatName, notes_on
from jobs.videos.opening import alpha_decoder, opened
from jobs.workspace.disk import means_full
from jobs.workspace.files import listing
from jobs.workspace.outputs import export_name as name_of_export
from render.clips.asked import export_of, is_as_asked
from render.encoding import ffmpeg
from render.encoding.commands import FILTER_THREADS, QUIET, Command
from render.encoding.comments import comment_arguments
from render.encoding.completing import complete
from render.encoding.containers import Rate, file_arguments
from render.encoding.formats import (
    ENCODER_THREADS,
    Quality,
    encoder_arguments,
    keeps_depth,
    pixels_from_video,
    shown_fps,
    shown_frames,
)
from render.encoding.pixels import FLAGS, Source
from render.encoding.streaming import FINE, RawVideo, encoding
from render.encoding.watching import OnProgress, watched
from render.files.film import Film
from render.files.finished import finished_video
from render.files.reading import FilmReader, frames_in_order
from render.shown.screen import FULL_RANGE, HD_LINES

MATRICES = {1: "bt709", 4: "fcc", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 9: "bt2020"}

SQUARE = f"scale={{}}:{{}}:{FLAGS},setsar=1"

log = logging.getLogger(__name__)


def export_name(film: Path, name: FormatName) -> Path:
    """Beside the film: `night.mp4` as HAP is `night.hap.mov`, as GIF `night.gif`."""
    return film.with_name(name_of_export(film.stem, name, VIDEOS[name].suffix))


def is_export(film: Path, name: FormatName, path: Path) -> bool:
    """Whether what lies at `path` is the film in this format, by its note; with all its frames.

    True also where the film cannot be read: exporting it reports that.
    """
    try:
        look = Film.look(film)
    except MultitrainError as error:
        if means_full(error):
            raise
        return True
    frames = shown_frames(name, look.frames, look.format.fps)
    try:
        there = len(listing(path)) if VIDEOS[name].is_folder else Film.look(path).frames
    except MultitrainError:
        return False
    return there == frames and is_as_asked(path, export_of(film, name))


def notes(film: Path, name: FormatName) -> list[str]:
    """How the export will differ from the film. MultitrainError where that is no video."""
    look = Film.look(film)
    sentences = notes_on(name, *look.size, look.format.fps, has_alpha=look.has_alpha)
    if look.seen is not None:
        sentences.append(
            f"its frames come at uneven times; shown at {float(look.format.fps):g} fps, "
            f"{len(look.times)} of them become {look.frames}"
        )
    return sentences


def export_film(
    film: Path,
    name: FormatName,
    output: Path,
    on_progress: OnProgress = lambda _: None,
    *,
    quality: Quality = FINE,
    encoder: EncoderName = "x264",
    stop: threading.Event | None = None,
    note: str = "",
) -> None:
    """Write the film in this format to `output`, which appears whole and verified, or not at all.

    The `note` in the file says what was asked for; empty: the film in this format.

    With the encoder `nvenc`, H.264 and H.265 are made by a GPU, where that works. UsageError where
    `output` is the film itself; MultitrainError where the film cannot be read, where no ffmpeg here
    makes the format, or where what it made is not the whole film; Stopped soon after `stop` is set.
    """
    if output.exists() and output.samefile(film):
        raise UsageError(f"{film} cannot be replaced by its own export; name another place")
    note = note or export_of(film, name)
    if encoder == "nvenc" and (faster := WITH_NVENC.get(name)):
        try:
            _export(film, faster, output, on_progress, quality, stop, note)
        except MultitrainError as failure:
            if means_full(failure):
                raise
            log.warning("%s: made without NVENC, which failed: %s", output.name, failure)
        else:
            return
    _export(film, name, output, on_progress, quality, stop, note)


def _export(
    film: Path,
    name: FormatName,
    output: Path,
    on_progress: OnProgress,
    quality: Quality,
    stop: threading.Event | None,
    note: str,
) -> None:
    program = ffmpeg.find(name)
    look = Film.look(film)
    fps: Rate = int(look.format.fps) if look.format.fps.denominator == 1 else look.format.fps
    channels = RGBA if look.has_alpha else RGB
    with finished_video(output, name, look.frames, fps, look.size, channels) as part:
        export = _Export(look, name, fps, part, on_progress, quality, stop, note)
        if _suits_ffmpeg(look):
            _convert(export, program)
        else:
            _encode_frames(export)


class _Export(NamedTuple):
    """An export that is being made."""

    film: Film
    name: FormatName
    fps: Rate
    part: Path
    on_progress: OnProgress
    quality: Quality
    stop: threading.Event | None
    note: str


def _suits_ffmpeg(look: Film) -> bool:
    """Whether ffmpeg alone does it right: it maps no HDR, and mixes in colours of hidden pixels."""
    return look.in_step and not look.is_hdr and not (look.has_alpha and look.pixel_shape != 1)


def _convert(export: _Export, program: str) -> None:
    """Export by ffmpeg alone, which takes all frames one after the other, with all their bits."""
    film, name = export.film, export.name
    source, decoder = _source(film)
    with ffmpeg.passing_file("progress") as progress:
        reading = [*decoder, "-i", str(film.path.absolute())]
        filters = pixels_from_video(name, *film.size, source)
        if film.pixel_shape != 1:
            filters = f"{SQUARE.format(*film.size)},{filters}"
        command = export_command(
            program, reading, filters, name, export.fps, export.quality, progress, export.part,
            export.note,
        )  # fmt: skip
        with watched(progress, export.on_progress):
            ffmpeg.run(command, ffmpeg.FILM_SECONDS, export.stop)
        complete(name, export.part, export.note)
        export.on_progress(film.frames)


def _encode_frames(export: _Export) -> None:
    """Export the frames as this program reads them, where ffmpeg alone would get them wrong."""
    with FilmReader([export.film.path], is_deep=keeps_depth(export.name)) as reader:
        raw = RawVideo(*reader.size, reader.channels, export.fps, is_deep=reader.is_deep)
        quality, note = export.quality, export.note
        with encoding(export.part, raw, export.name, quality=quality, note=note) as sink:
            for number, picture in enumerate(frames_in_order(reader), 1):
                if export.stop and export.stop.is_set():
                    raise ffmpeg.Stopped
                sink.write(picture)
                export.on_progress(number)


def export_command(
    program: str,
    reading: list[str],
    filters: str,
    name: FormatName,
    fps: Rate,
    quality: Quality,
    progress: Path,
    output: Path,
    note: str = "",
) -> Command:
    """ffmpeg's command: `reading` is what opens the film, whose frames get their exact times."""
    exact = "/".join(map(str, reversed(fps.as_integer_ratio())))
    return [
        *(program, *QUIET, "-filter_threads", str(FILTER_THREADS), "-xerror"),
        *("-progress", str(progress), *reading, "-map", "0:v:0"),
        *("-vf", f"settb={exact},setpts=N,{filters}", "-r", str(shown_fps(name, fps))),
        *encoder_arguments(name, fps, quality, ENCODER_THREADS),
        *comment_arguments(name, note),
        *file_arguments(name, shown_fps(name, fps), output),
    ]


def _source(look: Film) -> tuple[Source, list[str]]:
    """The film's pixels, and ffmpeg's arguments for a decoder that must be named."""
    with opened(look.path) as (_, stream):
        context, form = stream.codec_context, stream.codec_context.format
        hidden = alpha_decoder(stream)
        decoder = ["-c:v", hidden] if hidden else []
        if form is None or form.is_rgb:
            own = Source(look.has_alpha, range="pc", is_deep=look.is_deep, is_rgb=True)
            return own, decoder
        is_full = context.color_range == FULL_RANGE or form.name.startswith("yuvj")
        usual = "bt709" if context.height >= HD_LINES else "smpte170m"
        matrix = MATRICES.get(int(context.colorspace), usual)
        return Source(look.has_alpha, matrix, "pc" if is_full else "tv", look.is_deep), decoder
