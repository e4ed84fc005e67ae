"""From the jobs of a sheet to the store and their folders: what was decided is carried out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from jobs.errors import MultitrainError, NewerVersion
from jobs.reading import parse_json
from jobs.workspace.disk import means_full
from jobs.workspace.files import write_text
from jobs.workspace.jobfile import JobFile
from jobs.workspace.moves import finish_moves, names_with_moves
from jobs.workspace.outputs import extras
from jobs.workspace.paths import JobPaths, Workspace
from jobs.workspace.states import State
from jobs.workspace.store import JobRow, Store, Submitted, new_row
from multitrain.farm.entries import Action, Entry
from multitrain.farm.submission_plan import plan_submission
from render.files.digests import sha256_of
from render.films.clearing import clear_up, drop_uncovered
from render.films.replacing import begin_anew, begin_longer, set_aside, sweep_beginnings
from render.spool.manifest_facts import Facts, videos_in_manifest
from render.spool.notes import (
    digest_text,
    forget_given_up,
    forget_made,
    note_digest,
    note_film,
    note_found,
    note_what_is_told,
    noted_digest,
    noted_size,
    still_to_draw,
)


def submit(
    workspace: Workspace,
    store: Store,
    jobs: Sequence[JobFile],
    fresh: Collection[str] = (),
    *,
    for_every_farm: bool = False,
) -> list[Entry]:
    """Queue every job that is not done; returns the jobs as they go on, with notes for their user.

    `for_every_farm`: not only a farm that is given their sheet takes them up.

    UsageError where `plan_submission` refuses them: then nothing has changed, except that moves
    which were cut off have been finished.
    """
    stuck = finish_all_moves(workspace)
    rows = store.jobs()
    entries = plan_submission(workspace, rows, jobs, fresh, stuck)
    for entry in entries:
        if not entry.is_new:
            _prepare(workspace.job(entry.job.spec.name), entry)
    known = {row.name: row for row in rows}
    unknown = [each for each in entries if each.job.spec.name not in known]
    new = [new_row(each.job.spec.name, each.job.plan.frames_total) for each in unknown]
    known |= {row.name: row for row in new}
    with store.transaction():
        store.add((row.name, row.frames_total) for row in new)
        for entry in entries:
            _enter(store, workspace, entry, known[entry.job.spec.name])
        store.submit(submitted(entry.job, for_every_farm=for_every_farm) for entry in entries)
    return entries


def submitted(job: JobFile, *, for_every_farm: bool) -> Submitted:
    """What the store keeps of a job as its sheet has it."""
    return Submitted(job.spec.name, job.spec.priority, job.compact_text, for_every_farm)


def told(entry: Entry) -> list[str]:
    """Lines for people: what becomes of a job that was submitted."""
    name = entry.job.spec.name
    if entry.is_held:
        return list(entry.notes)
    standing = {Action.STAY: "is done already", Action.FAIL: f"failed: {entry.failure}"}
    return [f"{name} {standing.get(entry.action, 'is queued')}", *entry.notes]


def unfinished(
    workspace: Workspace, store: Store, *, only_for_every_farm: bool
) -> tuple[list[JobFile], list[str]]:
    """The jobs of before that have not ended, and the names of those whose settings are lost.

    What has begun goes on with what its sheet said last.
    """
    jobs, lost = [], []
    for name, text in store.unfinished(only_for_every_farm=only_for_every_farm).items():
        if job := job_of_before(workspace.job(name), text):
            jobs.append(job)
        else:
            lost.append(name)
    return jobs, lost


def job_of_before(paths: JobPaths, text: str) -> JobFile | None:
    """A job by what the store keeps of its sheet, else by its own file; None without either.

    NewerVersion where a newer version of this program was at work on it.
    """
    with suppress(ValueError):
        return JobFile.model_validate(parse_json(text.encode(), dict))
    try:
        return JobFile.read(paths)
    except NewerVersion:
        raise
    except MultitrainError:  # damaged
        return None


def finish_all_moves(workspace: Workspace) -> dict[str, str]:
    """Finish moves that a kill cut off; returns why that is impossible, by job."""
    stuck = {}
    for name in names_with_moves(workspace.runs):
        try:
            finish_moves(workspace.job(name))
        except (MultitrainError, OSError) as error:
            if means_full(error):
                raise
            stuck[name] = f"its files cannot be moved: {error}"
    return stuck


def make_room(workspace: Workspace, jobs: Sequence[JobFile]) -> None:
    """On a full disk, before anything is written: drop what the jobs would make again anyway."""
    for paths in (workspace.job(job.spec.name) for job in jobs):
        with suppress(MultitrainError):  # `submit` reports what is wrong with it
            if begun := JobFile.read(paths):
                drop_uncovered(paths, begun)


def _prepare(paths: JobPaths, entry: Entry) -> None:
    """Bring the job's files to where it goes on from."""
    if entry.action is Action.FAIL:
        return
    sweep_beginnings(paths)
    match entry.action:
        case Action.START_OVER:
            begin_anew(paths)
        case Action.LENGTHEN:
            _lengthen(paths, entry)
        case Action.REOPEN:
            _reopen(paths, entry)
        case Action.GO_ON:
            _go_on(paths, entry)
        case Action.STAY if paths.is_done:
            clear_up(paths)  # in case of a kill just after the film was done
    if entry.action is not Action.STAY:
        forget_given_up(paths)
        for failure in (paths.training_failure, paths.render_failure):
            failure.unlink(missing_ok=True)


def _go_on(paths: JobPaths, entry: Entry) -> None:
    job, before = entry.job, entry.before
    if before and before.plan != job.plan:
        forget_made(paths)  # what was made of the film as planned before
    if paths.job_file.exists():
        job.save(paths)


def _lengthen(paths: JobPaths, entry: Entry) -> None:
    before = entry.before
    assert before, "only what has begun is made longer"
    cuts = paths.all_timecuts(before.plan) if before.spec.render_video else []
    images = [paths.frames] if before.spec.keeps_images else []
    known = dict.fromkeys(_image_markers(paths, before), "")
    for cut, (digest, size) in _digests(paths, cuts).items():
        known[paths.digest(cut)] = digest_text(digest, size)
    begin_longer(paths, [*cuts, *images], known)
    _forget_done(paths)
    entry.job.save(paths)


def _image_markers(paths: JobPaths, job: JobFile) -> list[Path]:
    """Files that say that all PNG frames of a job are made."""
    batches = job.plan.batches() if job.spec.keeps_images else ()
    return [paths.image_marker(batch) for batch in batches]


def _digests(paths: JobPaths, videos: Sequence[Path]) -> dict[Path, tuple[str, int | None]]:
    """The SHA-256 and the size of each of the `videos`, as far as known."""
    listed = _in_manifest(paths)
    found: dict[Path, tuple[str, int | None]] = {}
    for video in videos:
        if facts := listed.get(video.name):
            found[video] = (facts.sha256, facts.bytes)
        elif digest := noted_digest(paths, video):
            found[video] = (digest, noted_size(paths, video))
    return found


def _in_manifest(paths: JobPaths) -> Mapping[str, Facts]:
    with suppress(OSError, ValueError):  # the manifest is damaged, or not there yet
        return videos_in_manifest(paths)
    return {}


def _reopen(paths: JobPaths, entry: Entry) -> None:
    """Have a job that is done taken up again; its manifest stays until it is done once more."""
    job = entry.job
    write_text(paths.reopened, "")
    set_aside(paths, entry.aside)
    if entry.manifest_is_readable:
        note_what_is_told(paths, job)
    else:
        _note_what_is_there(paths, entry)
    for video in entry.changed:  # they count as they are now
        note_digest(paths, video, sha256_of(video))
    for marker in _image_markers(paths, job):
        paths.segments.mkdir(parents=True, exist_ok=True)
        marker.touch()
    _forget_done(paths)
    job.save(paths)


def _note_what_is_there(paths: JobPaths, entry: Entry) -> None:
    """Note the film and the extras that exist of a job whose manifest cannot be read."""
    job = entry.job
    if entry.film_is_whole:
        note_film(paths, job)
    for extra in extras(job.spec, job.plan):
        if all(file.exists() for file in paths.files_of(extra, job.spec)):
            note_found(paths, job, extra)


def _forget_done(paths: JobPaths) -> None:
    """Have the notice of the job's end sent again."""
    with suppress(OSError):
        paths.notice(State.DONE).unlink(missing_ok=True)


def _enter(store: Store, workspace: Workspace, entry: Entry, row: JobRow) -> None:
    """Bring the store up to what was decided; `row` is how it has the job so far."""
    total = entry.job.plan.frames_total
    if entry.is_new and row == new_row(row.name, total):
        return  # most jobs of a large sheet
    name, paths = row.name, workspace.job(row.name)
    if row.state is State.FAILED:  # to fail again is news
        with suppress(OSError):
            paths.notice(State.FAILED).unlink(missing_ok=True)
    store.plan_frames(name, total)
    if not entry.is_held:
        _transition(store, row, _way(paths, entry), entry.failure)
    if entry.action in (Action.STAY, Action.REOPEN):
        store.record_frames(name, total)
    elif entry.action in (Action.BEGIN, Action.START_OVER):
        store.record_frames(name, 0)


def _way(paths: JobPaths, entry: Entry) -> tuple[State, ...]:
    """The states that the job goes through."""
    match entry.action:
        case Action.STAY:
            return State.QUEUED, State.RENDERING, State.DONE
        case Action.REOPEN if not still_to_draw(paths, entry.job):
            return State.QUEUED, State.RENDERING
        case Action.FAIL:
            return State.QUEUED, State.FAILED
    return (State.QUEUED,)


def _transition(store: Store, row: JobRow, way: Sequence[State], error: str) -> None:
    if row.state is way[-1] and row.error == error:
        return
    for state in way:
        store.transition(row.name, state, attempts=0, error=error if state is way[-1] else "")
