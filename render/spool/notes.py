"""Notes of what a job has made of its frames: a film in `renders` may be an older one of its name.

A note lies in `runs/<job>/made/`, is named after the file, and holds the settings that the file was
made with. When the job is done, its manifest replaces the notes. Where the job is taken up again
(`JobPaths.reopened`), notes are made of the manifest.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

from jobs.plans.plan import FramePlan
from jobs.reading import DamagedText, read_text
from jobs.workspace.files import listing, modified, part_of, remove, write_text
from jobs.workspace.jobfile import JobFile
from jobs.workspace.outputs import Extra, extras, is_drawn_by_trainer
from jobs.workspace.paths import DIGEST, JobPaths
from render.files.digests import marked, sha256_of
from render.spool.manifest_facts import extras_in_manifest, videos_in_manifest

FILM = "film"
_SHA256 = re.compile("[0-9a-f]{64}")
GIVEN_UP = "given up: "  # begins the note of what is not made, after all


def note_film(paths: JobPaths, job: JobFile) -> None:
    """Note that the film, which is there with all its boxes, is of this job."""
    _note(paths, paths.films(job.plan), FILM)


def note_of_film(paths: JobPaths, plan: FramePlan) -> Path:
    """The file that says that the film is made; without it, the film is joined again."""
    return paths.made(paths.films(plan)[0])


def note_digest(
    paths: JobPaths,
    output: Path,
    sha256: str,
    written_at: int | None = None,
    size: int | None = None,
) -> None:
    """Note the digest of a timecut or film that this job is about to publish.

    `written_at` is when the file was last written to, in ns (None: before now); `size` is in bytes,
    where it is known.
    """
    note = paths.digest(output)
    write_text(note, digest_text(sha256, size))
    if written_at:
        os.utime(note, ns=(written_at, written_at))  # a later write to the file is seen by this


def digest_text(sha256: str, size: int | None = None) -> str:
    """The text of a digest's note (`JobPaths.digest`); `size` is in bytes, where it is known."""
    return sha256 if size is None else f"{sha256} {size}"


def noted_digest(paths: JobPaths, output: Path) -> str | None:
    """The digest of a timecut or film when this job published it; None where it is not known.

    An earlier version did not note it; and a note may be damaged.
    """
    first = "".join(_noted(paths, output)[:1])
    return first if _SHA256.fullmatch(first) else None


def noted_size(paths: JobPaths, output: Path) -> int | None:
    """How many bytes a file had when this job published it; None where that is not known."""
    size = "".join(_noted(paths, output)[1:2])
    return int(size) if size.isdecimal() else None


def _noted(paths: JobPaths, output: Path) -> list[str]:
    return (_text(paths.digest(output)) or "").split()


def note_what_is_told(paths: JobPaths, job: JobFile) -> None:
    """Turn the manifest's contents into notes, for a job that is taken up again.

    Of its film and timecuts, those that are gone are then made again of the others. Nothing is
    noted where the manifest cannot be read.
    """
    try:
        published = videos_in_manifest(paths)
    except (OSError, ValueError):
        return
    for name, facts in published.items():
        note_digest(paths, paths.outputs / name, facts.sha256, size=facts.bytes)
    if any(film.name in published for film in paths.films(job.plan)):
        note_film(paths, job)
    known = extras_in_manifest(paths)
    for extra in extras(job.spec, job.plan):
        if str(extra) in known:
            note_found(paths, job, extra)


def note_made(paths: JobPaths, job: JobFile, extra: Extra) -> None:
    """Note that the files of an extra are of this job, with their digests when verified."""
    _note_files(paths, job, extra, lambda output: marked(output) or sha256_of(output))


def note_found(paths: JobPaths, job: JobFile, extra: Extra) -> None:
    """Note that the files of an extra, as they are now, are of this job."""
    _note_files(paths, job, extra, sha256_of)


def _note_files(
    paths: JobPaths, job: JobFile, extra: Extra, digest_of: Callable[[Path], str]
) -> None:
    outputs = paths.files_of(extra, job.spec)
    for output in outputs:
        if output.is_file():
            note_digest(paths, output, digest_of(output))
    _note(paths, outputs, str(extra))


def has_changed(paths: JobPaths, output: Path) -> bool:
    """Whether a file differs from what this job published. Read only if written to since."""
    return was_written_to(paths, output) and not is_as_noted(paths, output)


def was_written_to(paths: JobPaths, output: Path) -> bool:
    """Whether a file was written to since this job published it."""
    return modified(output) > modified(paths.digest(output))


def is_as_noted(paths: JobPaths, output: Path) -> bool:
    """Whether a file is what this job published, as far as that is known. It is read whole."""
    noted = noted_digest(paths, output)
    return noted is None or noted == sha256_of(output)


def note_of_extra(paths: JobPaths, job: JobFile, extra: Extra) -> Path:
    """The file that says that an extra is made, or given up; without it, it is made again."""
    return paths.made(paths.files_of(extra, job.spec)[0])


def note_given_up(paths: JobPaths, job: JobFile, extra: Extra) -> None:
    """Note that an extra is given up: nobody waits for its files any more."""
    outputs = paths.files_of(extra, job.spec)
    _note(paths, outputs, GIVEN_UP + str(extra))
    for output in outputs:
        remove(part_of(output))  # whoever was making it may have been killed


def forget_made(paths: JobPaths) -> None:
    """Forget what is made of the film, which is to be another one; digests stay."""
    for name in listing(paths.made_folder):
        if not name.endswith(DIGEST):
            (paths.made_folder / name).unlink(missing_ok=True)


def forget_given_up(paths: JobPaths) -> None:
    """Forget which extras were given up, so that they are tried again."""
    for name in listing(paths.made_folder):
        note = paths.made_folder / name
        if (_text(note) or "").startswith(GIVEN_UP):
            note.unlink(missing_ok=True)


def film_is_made(paths: JobPaths, plan: FramePlan) -> bool:
    """Whether this job has made its film, and it is there."""
    films = paths.films(plan)
    return _text(paths.made(films[0])) == FILM and all(film.exists() for film in films)


def is_made(paths: JobPaths, job: JobFile, extra: Extra) -> bool:
    """Whether this job has made an extra with these settings. Users may have moved it since."""
    return _text(note_of_extra(paths, job, extra)) == str(extra)


def is_over(paths: JobPaths, job: JobFile, extra: Extra) -> bool:
    """Whether nothing is left to do for an extra: it is made, or given up."""
    return _tells_end(note_of_extra(paths, job, extra), extra)


def extras_over(paths: JobPaths, job: JobFile) -> frozenset[Extra]:
    """All extras that are made or given up; quicker than `is_over` for each."""
    there = set(listing(paths.made_folder))
    return frozenset(
        extra
        for extra, note in _notes_of_all(paths, job)
        if note.name in there and _tells_end(note, extra)
    )


def still_to_draw(paths: JobPaths, job: JobFile) -> list[Extra]:
    """What the trained network is still to draw: walks, and what it makes of videos."""
    if paths.is_done:  # notes are gone by then
        return []
    files = extras(job.spec, job.plan)
    return [each for each in files if is_drawn_by_trainer(each) and not is_over(paths, job, each)]


def made_extras(paths: JobPaths, job: JobFile) -> list[Extra]:
    """The extras that this job has made. Their files may have been moved away since."""
    if not paths.is_done:
        return [each for each in extras(job.spec, job.plan) if is_made(paths, job, each)]
    known = extras_in_manifest(paths)
    return [each for each in extras(job.spec, job.plan) if str(each) in known]


def outputs_of(paths: JobPaths, job: JobFile) -> list[Path]:
    """What is published and stays as it is: timecuts, the film, what was made of it."""
    plan = job.plan
    published = paths.all_timecuts(plan)
    if paths.is_done or film_is_made(paths, plan):  # else the film is an older one
        published += paths.films(plan)
    for extra in made_extras(paths, job):
        published += paths.files_of(extra, job.spec)
    return [output for output in published if output.exists()]


def _note(paths: JobPaths, outputs: Sequence[Path], settings: str) -> None:
    write_text(paths.made(outputs[0]), settings)


@lru_cache(maxsize=64)  # as in `render.films.inventory`
def _notes_of_all(paths: JobPaths, job: JobFile) -> tuple[tuple[Extra, Path], ...]:
    return tuple((each, note_of_extra(paths, job, each)) for each in extras(job.spec, job.plan))


def _tells_end(note: Path, extra: Extra) -> bool:
    return _text(note) in (str(extra), GIVEN_UP + str(extra))


def _text(note: Path) -> str | None:
    try:
        return read_text(note)
    except (FileNotFoundError, NotADirectoryError, DamagedText):
        return None
