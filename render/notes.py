"""Notes of what a job has made of its frames: a film in `renders` may be an older one of its name.

A note stands in `runs/<job>/made/`, named after the file, and tells the settings that it was made
with. When the job is done, its manifest tells instead.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from jobs.jobfile import JobFile
from jobs.outputs import Extra, LoopFile, extras, is_drawn_by_trainer, loop_files
from jobs.paths import JobPaths, listing, part_of, write_text
from render.clearing import remove

FILM = "film"
GIVEN_UP = "given up: "  # begins the note of what is not made, after all


def note_film(paths: JobPaths, job: JobFile) -> None:
    """Have it known that the film, which is there with all its boxes, is of this job."""
    _note(paths, paths.films(job.plan), FILM)


def note_made(paths: JobPaths, job: JobFile, extra: Extra) -> None:
    """Have it known that its files, which are there, are of this job."""
    _note(paths, paths.files_of(extra, job.spec), str(extra))


def note_given_up(paths: JobPaths, job: JobFile, extra: Extra) -> None:
    """Have it known that its files are not made: nobody waits for them any more."""
    outputs = paths.files_of(extra, job.spec)
    _note(paths, outputs, GIVEN_UP + str(extra))
    for output in outputs:
        remove(part_of(output))  # whoever was making it may have been killed


def forget_given_up(paths: JobPaths) -> None:
    """What was given up is tried again."""
    for name in listing(paths.made_folder):
        note = paths.made_folder / name
        if (_text(note) or "").startswith(GIVEN_UP):
            note.unlink(missing_ok=True)


def film_is_made(paths: JobPaths, job: JobFile) -> bool:
    """Whether this job has made its film, and it is there."""
    films = paths.films(job.plan)
    return _text(paths.made(films[0])) == FILM and all(film.exists() for film in films)


def is_made(paths: JobPaths, job: JobFile, extra: Extra) -> bool:
    """Whether this job has made it, with these settings. Its user may have moved it away since."""
    return _text(_note_of(paths, job, extra)) == str(extra)


def is_over(paths: JobPaths, job: JobFile, extra: Extra) -> bool:
    """Whether nothing is left to do for it: it is made, or given up."""
    return _text(_note_of(paths, job, extra)) in (str(extra), GIVEN_UP + str(extra))


def missing_walks(paths: JobPaths, job: JobFile) -> list[LoopFile]:
    """The loops that the trained network is still to draw."""
    if paths.manifest.exists():  # notes are gone by then
        return []
    files = loop_files(job.spec, job.plan)
    return [each for each in files if is_drawn_by_trainer(each) and not is_over(paths, job, each)]


def made_extras(paths: JobPaths, job: JobFile) -> list[Extra]:
    """What this job has made of its film. Files of those may have been moved away since."""
    if not paths.manifest.exists():
        return [each for each in extras(job.spec, job.plan) if is_made(paths, job, each)]
    told = _told_in_manifest(paths)
    return [each for each in extras(job.spec, job.plan) if str(each) in told]


def outputs_of(paths: JobPaths, job: JobFile) -> list[Path]:
    """What is published and stays as it is: timecuts, the film, what was made of it."""
    plan = job.plan
    numbers = range(1, len(plan.cuts) + 1)
    published = [video for number in numbers for video in paths.timecuts(number, plan)]
    if paths.manifest.exists() or film_is_made(paths, job):  # else a film is an older one's
        published += paths.films(plan)
    for extra in made_extras(paths, job):
        published += paths.files_of(extra, job.spec)
    return [output for output in published if output.exists()]


def _told_in_manifest(paths: JobPaths) -> set[str]:
    """Nothing where it is damaged, or of a version that made no extras."""
    try:
        manifest = json.loads(paths.manifest.read_bytes())
        return {each["made"] for each in manifest["made_of_the_film"]}
    except (OSError, ValueError, KeyError, TypeError):
        return set()


def _note(paths: JobPaths, outputs: Sequence[Path], settings: str) -> None:
    write_text(paths.made(outputs[0]), settings)


def _note_of(paths: JobPaths, job: JobFile, extra: Extra) -> Path:
    return paths.made(paths.files_of(extra, job.spec)[0])


def _text(note: Path) -> str | None:
    try:
        return note.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError, UnicodeDecodeError):
        return None
