"""What is made of a film: its poster, exports in other formats, loops that are cut from it."""

from __future__ import annotations

import threading
from pathlib import Path

from jobs.workspace.jobfile import JobFile
from jobs.workspace.outputs import (
    AppliedFile,
    Export,
    Extra,
    LoopFile,
    Pictures,
    StreamFile,
    format_of,
)
from jobs.workspace.paths import JobPaths
from render.clips.exporting import export_film
from render.clips.looping import make_loop
from render.clips.posters import ContactSheet, draw_contact_sheet, draw_poster, save_pictures
from render.encoding.ffmpeg import Stopped
from render.encoding.formats import Quality
from render.files.digests import Damaged
from render.files.reading import FilmReader
from render.films.films import look_at_films
from render.spool.notes import note_made
from render.spool.sources import FileState


def make_extra(paths: JobPaths, job: JobFile, extra: Extra, stop: threading.Event) -> None:
    """Make its files in `renders`, whole and verified, and note that they are there.

    MultitrainError, such as ProgramFailed, or OSError where that fails; UsageError where the film
    is too short for a loop; Stopped soon after `stop` is set: then no file appears. Damaged where
    the film has changed meanwhile: it is joined again, and the extra is to be made of that film.
    """

    def tell(_: int) -> None:
        if stop.is_set():
            raise Stopped

    tell(0)
    assert not isinstance(extra, AppliedFile | StreamFile), "the trainer makes these"
    spec, outputs = job.spec, paths.files_of(extra, job.spec)
    quality = Quality(spec.crf, spec.preset)
    film = paths.film(extra.box, job.plan.suffix)
    before = FileState.of(film)
    try:
        match extra:
            case Pictures():
                picture_film(film, *outputs)
            case Export():
                name, encoder = extra.format, spec.encoder
                export_film(film, name, outputs[0], quality=quality, encoder=encoder, stop=stop)
            case LoopFile():
                settings, name = extra.loop.clip_settings(), format_of(extra.loop, spec)
                make_loop([film], settings, name, outputs[0], tell, quality=quality)
    finally:  # if the film has changed, neither success nor failure counts
        look_at_films(paths, job, [film])
    if FileState.of(film) != before:
        raise Damaged(f"{film} was joined again meanwhile")
    note_made(paths, job, extra)


def picture_film(film: Path, poster: Path, contact_sheet: Path) -> None:
    """Write a film's last frame and its contact sheet."""
    with FilmReader([film]) as reader:
        size, fps = reader.size, round(reader.format.fps)
        sheet = draw_contact_sheet(ContactSheet(reader.frames, fps, *size), reader.__getitem__)
        last = draw_poster(reader[reader.frames - 1])
    save_pictures([sheet, last], [contact_sheet, poster])
