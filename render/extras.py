"""What is made of a film: its poster, exports in other formats, loops that are cut from it."""

from __future__ import annotations

import threading
from pathlib import Path

from jobs.jobfile import JobFile
from jobs.outputs import Export, Extra, LoopFile, Pictures, format_of
from jobs.paths import JobPaths
from render.clips.exporting import export_film
from render.clips.looping import make_loop
from render.clips.posters import ContactSheet, draw_contact_sheet, draw_poster, save_pictures
from render.ffmpeg import Stopped
from render.formats import Quality
from render.notes import note_made
from render.reading import FilmReader


def make_extra(paths: JobPaths, job: JobFile, extra: Extra, stop: threading.Event) -> None:
    """Make its files in `renders`, whole and verified, and note that they are there.

    MultitrainError, such as ProgramFailed, or OSError where that fails; UsageError where the film
    is too short for a loop; Stopped soon after `stop` is set. Then no file appears.
    """

    def tell(_: int) -> None:
        if stop.is_set():
            raise Stopped

    tell(0)
    spec, outputs = job.spec, paths.files_of(extra, job.spec)
    quality = Quality(spec.crf, spec.preset)
    film = paths.film(extra.box, job.plan.suffix)
    match extra:
        case Pictures():
            picture_film(film, *outputs)
        case Export():
            name, encoder = extra.format, spec.encoder
            export_film(film, name, outputs[0], quality=quality, encoder=encoder, stop=stop)
        case LoopFile():
            settings, name = extra.loop.clip_settings(), format_of(extra.loop, spec)
            make_loop([film], settings, name, outputs[0], tell, quality=quality)
    note_made(paths, job, extra)


def picture_film(film: Path, poster: Path, contact_sheet: Path) -> None:
    """Write a film's last frame and its contact sheet."""
    with FilmReader([film]) as reader:
        size, fps = reader.size, round(reader.format.fps)
        sheet = draw_contact_sheet(ContactSheet(reader.frames, fps, *size), reader.__getitem__)
        last = draw_poster(reader[reader.frames - 1])
    save_pictures([sheet, last], [contact_sheet, poster])
