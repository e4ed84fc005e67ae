"""What becomes of a job that is done when its sheet is run again: decided, nothing changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from jobs.workspace.jobfile import JobFile
from jobs.workspace.outputs import extras
from jobs.workspace.paths import JobPaths
from multitrain.farm.entries import Action, Entry, trains_anew
from render.films.integrity import Losses, losses
from render.spool.manifest_facts import Facts, extras_in_manifest, videos_in_manifest


@dataclass(frozen=True)
class _Videos:
    """What is left of the film and the timecuts of a job that is done."""

    films: Losses
    timecuts: Losses

    @property
    def changed(self) -> tuple[Path, ...]:
        return self.films.changed + self.timecuts.changed

    @property
    def are_lost(self) -> bool:
        """Whether some can no longer be made from the others."""
        films, timecuts = self.films, self.timecuts
        return bool((films.unusable and timecuts.unlike) or (timecuts.unusable and films.unlike))


def of_done(paths: JobPaths, job: JobFile, notes: tuple[str, ...]) -> Entry:
    """Whether anything is to be made of the job's film, or the film itself again."""
    facts, is_readable = in_manifest(paths)
    if not (is_readable or job.spec.render_video):
        note = f"{paths.name} is done, but {paths.manifest} cannot be read; {trains_anew(job)}"
        return Entry(job, Action.STAY, notes=(*notes, note))
    found = _look(paths, job, facts) if job.spec.render_video else _Videos(Losses(), Losses())
    notes += tuple(
        f"{video} is not the video that was published; it is left as it is. To have it made again, "
        "move it away"
        for video in found.changed
    )
    films, timecuts = found.films, found.timecuts
    if found.are_lost:
        lost = ", ".join(path.name for path in (*films.unlike, *timecuts.unlike)[:3])
        note = f"{paths.name} is done, but {lost} cannot be used any more; {trains_anew(job)}"
        return Entry(job, Action.STAY, notes=(*notes, note))
    for losses_of, source in ((films, "its timecuts"), (timecuts, "its film")):
        troubles = dict.fromkeys(losses_of.missing, "is not there any more")
        troubles |= dict.fromkeys(losses_of.damaged, "is damaged")
        notes += tuple(
            f"{video.name} {trouble}; it is made again from {source}"
            for video, trouble in troubles.items()
        )
    late = _late_extras(paths, job) if is_readable else {}
    notes += tuple(f"{paths.name}: {extra} is made now" for extra in late)
    aside = [*films.damaged, *timecuts.damaged]
    aside += [path for files in late.values() for path in files if path.exists()]
    entry = Entry(
        job,
        Action.REOPEN,
        notes=notes,
        aside=tuple(aside),
        changed=found.changed,
        film_is_whole=not films.unusable,
        manifest_is_readable=is_readable,
    )
    nothing_to_do = not (films.unusable or timecuts.unusable or late) and is_readable
    if nothing_to_do and not paths.reopened.exists():
        return replace(entry, action=Action.STAY)
    return entry


def in_manifest(paths: JobPaths) -> tuple[Mapping[str, Facts], bool]:
    """What the manifest says of videos, and whether it can be read."""
    try:
        return videos_in_manifest(paths), True
    except (OSError, ValueError):
        return {}, False


def _look(paths: JobPaths, job: JobFile, facts: Mapping[str, Facts]) -> _Videos:
    return _Videos(
        films=losses(paths, paths.films(job.plan), facts),
        timecuts=losses(paths, paths.all_timecuts(job.plan), facts),
    )


def _late_extras(paths: JobPaths, job: JobFile) -> dict[str, list[Path]]:
    """Extras that the sheet asks for only since the job was done, and the files of each."""
    made = extras_in_manifest(paths)
    return {
        str(extra): paths.files_of(extra, job.spec)
        for extra in extras(job.spec, job.plan)
        if str(extra) not in made
    }
