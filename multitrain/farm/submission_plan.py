"""What becomes of each job of a sheet in a workspace with history: decided, nothing changed.

`multitrain check` shows it, `multitrain run` carries it out (`multitrain.farm.submission`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from jobs.errors import MultitrainError, NewerVersion, UsageError
from jobs.settings.words import nearest, quoted, start_over
from jobs.tinkering.earlier_jobs import made_with
from jobs.workspace.changes import Begun, Changed, change, length_said
from jobs.workspace.files import listing
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import JobPaths, Workspace
from jobs.workspace.states import State
from jobs.workspace.store import JobRow
from multitrain.farm.done_jobs import in_manifest, of_done
from multitrain.farm.entries import Action, Entry, trains_anew
from render.films.earlier import outputs_by_job, outputs_in
from render.films.extent import fits_plan, frames_made, has_begun
from render.films.integrity import losses
from render.spool.notes import film_is_made

ALL = "all"  # of `--fresh`: every job of the sheet


def plan_submission(
    workspace: Workspace,
    rows: Sequence[JobRow],
    jobs: Sequence[JobFile],
    fresh: Collection[str],
    stuck: Mapping[str, str] | None = None,
) -> list[Entry]:
    """An entry for each job; `fresh` names those that start over, or is `all`.

    `stuck` says, by job, why its files cannot be moved to their places.

    UsageError where a job cannot go on with the settings of its row, where `fresh` names a job that
    the sheet lacks, and where a newer version of this program was at work here.
    """
    states = {row.name: row.state for row in rows}
    names = {job.spec.name for job in jobs}
    there = outputs_by_job(workspace.renders, names)
    known = _names_there(workspace)
    chosen = _chosen(workspace, names, there, fresh)
    entries = []
    for job in jobs:
        name = job.spec.name
        if stuck and name in stuck:
            entries.append(Entry(job, Action.FAIL, failure=stuck[name]))
            continue
        state = states.get(name)
        # Most jobs of a large sheet are new, and looking for each of their files takes long.
        if name in known or name in there or state is State.DONE:
            found = _Found(workspace.job(name), state, there.get(name, []))
            entry = _decide(found, job, starts_over=name in chosen)
        else:
            entry = Entry(job, Action.BEGIN, is_new=True)
        entries.append(_held(entry, state))
    refused = [f"{each.job.spec.name} {each.refusal}" for each in entries if each.refusal]
    if refused:
        raise UsageError("\n".join(refused))
    return entries


def _held(entry: Entry, state: State | None) -> Entry:
    """The entry of a job in this state: what its user has paused or cancelled stays so."""
    order = {State.PAUSED: "resume", State.CANCELLED: "requeue"}.get(state) if state else None
    if order is None or entry.action not in (Action.BEGIN, Action.GO_ON):
        return entry
    name = entry.job.spec.name
    note = f"{name} stays {state}; `multitrain {order} {name}` takes it up again"
    return replace(entry, is_held=True, notes=(*entry.notes, note))


@dataclass(frozen=True)
class _Found:
    """What is known of a job before its folder is looked into."""

    paths: JobPaths
    state: State | None  # None: the store does not know it
    outputs: Sequence[Path]  # in `renders/`


def _names_there(workspace: Workspace) -> frozenset[str]:
    """The names of all jobs that have folders, hidden ones too, and perhaps other names."""
    folders = (workspace.runs, workspace.next, workspace.earlier_runs)
    names = [name for folder in folders for name in listing(folder)]
    of_hidden = [name[1:].rpartition(".")[0] for name in names if name.startswith(".")]
    return frozenset((*names, *of_hidden))


def _chosen(
    workspace: Workspace,
    names: Collection[str],
    there: Mapping[str, Sequence[Path]],
    fresh: Collection[str],
) -> frozenset[str]:
    """Names of the jobs that start over."""
    if "" in fresh:
        raise UsageError(
            "--fresh takes the names of the jobs that are to start over, or `all`; nothing was "
            f"started. {_what_all_means(workspace, there)}"
        )
    if ALL in fresh and ALL not in names:
        return frozenset(names)
    for name in fresh:
        if name not in names:
            raise UsageError(
                f"--fresh {quoted(name)}: there is no such job in this sheet{nearest(name, names)}"
            )
    return frozenset(fresh)


def _what_all_means(workspace: Workspace, there: Mapping[str, Sequence[Path]]) -> str:
    films = [f"{name} ({len(files)} files)" for name, files in there.items()]
    if not films:
        return "None of this sheet's jobs has made anything yet."
    return (
        f"--fresh {ALL} would train these anew, and set aside in {workspace.earlier} what they "
        f"have made: {', '.join(films)}."
    )


def _decide(found: _Found, job: JobFile, *, starts_over: bool) -> Entry:
    paths, state = found.paths, found.state
    if paths.removed.exists() or (starts_over and not _has_started_over(paths, job)):
        return _anew(found, job)
    begun, note = _begun(paths, job, state)
    if starts_over:
        restored = f"`multitrain earlier --restore {paths.name}` takes the earlier film back"
        note += (f"{paths.name} has started over already, and goes on; {restored}",)
    if begun is None:
        if state is State.DONE and not paths.replaces.exists():
            gone = f"{job.spec.name} is done, but its film and its folder are not there any more"
            return Entry(job, Action.STAY, notes=(f"{gone}; {trains_anew(job)}",))
        # Films of that name whose job is unknown keep their place for now.
        is_marked = paths.replaces.exists()
        unknown = outputs_in(paths.outputs, paths.name) if is_marked else found.outputs
        return _anew(found, job) if unknown else Entry(job, Action.BEGIN)
    if begun.job is job and (unlike := _unlike_film(paths, job)):
        return Entry(job, Action.FAIL, notes=note, failure=f"{unlike}; {trains_anew(job)}")
    changed = change(begun, job)
    if changed.refusal:
        return Entry(job, Action.FAIL, refusal=_refusal(paths, job, changed))
    notes = (*note, *_note_on_format(job, changed))
    if begun.made and not fits_plan(paths, changed.job.plan):
        reason = (
            f"{paths.segments} and {paths.spool} hold frames of other settings than "
            f"{paths.job_file} tells; {trains_anew(job)}"
        )
        return Entry(changed.job, Action.FAIL, begun.job, notes, failure=reason)
    return _go_on(paths, begun, changed, state, notes)


def _go_on(
    paths: JobPaths, begun: Begun, changed: Changed, state: State | None, notes: tuple[str, ...]
) -> Entry:
    job = changed.job
    was_done = state is State.DONE and not paths.replaces.exists()
    films = paths.films(begun.job.plan)
    has_film = film_is_made(paths, begun.job.plan) or (
        was_done and all(film.exists() for film in films)
    )
    if changed.is_longer and (has_film or paths.manifest.exists()):
        return _longer(paths, begun, job, notes)
    if paths.manifest.exists() or was_done:
        return of_done(paths, job, notes)
    return Entry(job, Action.GO_ON, begun.job, notes)


def _has_started_over(paths: JobPaths, job: JobFile) -> bool:
    """Whether a take with exactly these settings is being made: the command was given twice."""
    if not (paths.replaces.exists() and has_begun(paths)):
        return False
    try:
        begun = JobFile.read(paths)
    except MultitrainError:
        return False
    return begun is not None and begun.spec == job.spec


def _anew(found: _Found, job: JobFile) -> Entry:
    paths = found.paths
    if not (found.outputs or paths.run.exists() or paths.removed.exists()):
        return Entry(job, Action.BEGIN)
    note = f"{paths.name} starts over"
    if found.outputs:
        note += (
            f"; what it has made stays in {paths.workspace.renders} until the new film is there, "
            f"and is then kept in {paths.workspace.earlier}"
        )
    return Entry(job, Action.START_OVER, notes=(note,))


def _longer(paths: JobPaths, begun: Begun, job: JobFile, notes: tuple[str, ...]) -> Entry:
    before = begun.job
    if before.spec.render_video:
        facts, _ = in_manifest(paths)
        unlike = losses(paths, paths.all_timecuts(before.plan), facts).unlike
        if unlike:
            reason = (
                f"cannot be made longer: {unlike[0]}, which the longer film begins with, is not "
                "there any more, or another video by now. Put it back; or move it away and run "
                f"the row as it was, with {length_said(before)}, which cuts it from the "
                "film"
            )
            return Entry(job, Action.FAIL, refusal=reason)
    note = (
        f"{paths.name} goes on from frame {begun.made} to {job.plan.frames_total}; its film stays "
        f"in {paths.outputs} until the longer one is there"
    )
    return Entry(job, Action.LENGTHEN, before, (*notes, note))


def _begun(
    paths: JobPaths, job: JobFile, state: State | None
) -> tuple[Begun | None, tuple[str, ...]]:
    """What is known of a job that has begun, and a note where that had to be guessed."""
    notes: tuple[str, ...] = ()
    known: JobFile | None = None
    is_begun = has_begun(paths)
    if is_begun:
        try:
            known = JobFile.read(paths)
        except NewerVersion:
            raise
        except MultitrainError:
            notes = (f"{paths.job_file} was damaged; it is written anew from the sheet",)
    known = known or _job_in_manifest(paths)
    has_film = state is State.DONE and all(film.exists() for film in paths.films(job.plan))
    if known is None and not (is_begun or has_film or paths.manifest.exists()):
        return None, ()
    known = known or job
    made = frames_made(paths, known.plan)
    if not known.spec.use_checkpoints and made < known.plan.frames_total:
        made = 0  # it begins anew whenever it is stopped
    return Begun(known, made, bool(paths.checkpoint_names())), notes


def _unlike_film(paths: JobPaths, job: JobFile) -> str:
    """Why an existing film cannot be that of this row; for a job of which only the film is left."""
    from render.files.probe import read_header  # here: FFmpeg's libraries take a while to load

    for film in paths.films(job.plan) if job.spec.render_video else ():
        with suppress(MultitrainError):
            header = read_header(film)
            if header.frames != job.plan.frames_total:
                length = f"{header.frames} frames, and this row asks for {job.plan.frames_total}"
                column = job.spec.length_column
                return f"its settings are lost, and {film} has {length}: set {column} back"
    return ""


def _job_in_manifest(paths: JobPaths) -> JobFile | None:
    """The job by the manifest of its film, for a job whose folder was removed."""
    try:
        return made_with(paths)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _refusal(paths: JobPaths, job: JobFile, changed: Changed) -> str:
    name = job.spec.name
    restore = (
        f" `multitrain earlier --restore {name}` gives up the take in the making."
        if paths.replaces.exists()
        else ""
    )
    return (
        f"has begun with other settings: {changed.refusal}. Give the row another name, or run it "
        f"with {start_over(name)}, which keeps what it has made until the new film is there."
        f"{restore}"
    )


def _note_on_format(job: JobFile, changed: Changed) -> Iterator[str]:
    if changed.film_stays:
        others = ", ".join(changed.job.spec.format[1:])
        yield (
            f"{job.spec.name}: its film stays {changed.film_stays}, as it began; {others} is made "
            "of it"
        )
