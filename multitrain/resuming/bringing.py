"""Brings a job back by its backup: all of it is in its place, and queued, or nothing is.

What is fetched and made ready lies in `runs/.downloads/` until renames put it in its place. A call
that was ended goes on with what lies there.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from jobs.errors import MultitrainError, UsageError
from jobs.plans.plan import FrameRange
from jobs.settings.destinations import Destination
from jobs.sheets.delivery_rules import unfit_folder
from jobs.workspace.files import flush_to_disk, remove, write_text
from jobs.workspace.jobfile import JobFile
from jobs.workspace.moves import Move, finish_moves, move_all
from jobs.workspace.names import TakenNames
from jobs.workspace.paths import JobPaths, Workspace
from jobs.workspace.requests import Order, Request
from jobs.workspace.store import read_jobs
from multitrain.farm.asking import ask
from multitrain.resuming.later_film import later, name_from
from multitrain.resuming.package import DamagedPackage, Package, unpack
from multitrain.resuming.pictures import check_pictures
from multitrain.resuming.source import FarEnd, Source
from multitrain.weights import checkpoints
from render.delivery.losing import BEGINNING, GoingOn, going_on
from render.delivery.targets import Target, identity_of, kept_folder, note_arrival
from render.files.digests import sha256_of
from render.films.earlier import outputs_by_job
from render.films.segments import verify_box
from render.spool.notes import note_digest

TRIES = 2  # of fetching a file that turns out to be damaged

log = logging.getLogger(__name__)

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Brought:
    """A job as it was brought back, and what its user should know."""

    job: JobFile
    lines: tuple[str, ...]


def bring_back(
    workspace: Workspace,
    source: Source,
    job: str | None,
    tell: Tell,
    prepare: Callable[[JobFile], None],
) -> Brought:
    """Bring back the job that `source` has a backup of; `job` names it where there are several.

    `tell` gets a line now and then; `prepare` draws pictures that are built in. UsageError and
    other MultitrainErrors, with nothing changed but what is fetched already.
    """
    with FarEnd(source, workspace) as far:
        sizes = far.sizes()
        backup = source.choose(list(sizes), job)
        stage = _Stage(workspace, workspace.downloads / f"resume-{source.key(backup)}")
        if (before := stage.placed) and (brought := _finish(workspace, stage, before)):
            return brought
        package = _fetch_package(far, backup, stage)
        name = package.job.spec.name
        _require_free(workspace, name)
        prepare(package.job)
        newest = max(package.pictures)
        check_pictures(workspace, package.job, package.pictures[newest], tell)
        going = _fetch_timecuts(far, sizes, package, stage, tell)
        if going.lost:
            _require_free(workspace, name_from(package.job, going.checkpoint.frame))
        kept = _fetch_kept(far, package, going, stage)
    made = _make_ready(stage, package, going, kept, source)
    placed = stage.job(made.spec.name)
    lines = (*_told(package.job, going, source, sizes), *_told_of_sending(made, source))
    return _place(workspace, stage, placed, Brought(made, lines))


@dataclass(frozen=True)
class _Stage:
    """A workspace within `runs/.downloads`, in which the job is made ready."""

    workspace: Workspace
    root: Path

    @property
    def fetched(self) -> Path:
        return self.root / "fetched"

    @property
    def _ready(self) -> Path:
        return self.root / "ready"

    def job(self, name: str) -> JobPaths:
        return Workspace(self._ready).job(name)

    @property
    def unpacked(self) -> JobPaths:
        """Where a backup is unpacked to, before the job's name is known."""
        return Workspace(self.root / "unpacked").job("backup")

    @property
    def _placed(self) -> Path:
        return self.root / "placed"

    @property
    def placed(self) -> str | None:
        """The name of a job whose files have begun to be put in their places."""
        with suppress(FileNotFoundError):
            return self._placed.read_text(encoding="utf-8")
        return None

    def note_placed(self, name: str) -> None:
        write_text(self._placed, name)

    def forget_placed(self) -> None:
        self._placed.unlink(missing_ok=True)

    def begin(self) -> None:
        """Forget what an earlier call had made ready; what it has fetched stays."""
        for folder in (self._ready, self.unpacked.workspace.root):
            remove(folder)


def _fetch_package(far: FarEnd, backup: str, stage: _Stage) -> Package:
    """The backup, fetched anew once where it is damaged: it may have been replaced meanwhile."""
    shown = f"{far.source.shown}/{backup}"
    file = stage.fetched / backup
    file.unlink(missing_ok=True)
    for last in (False, True):
        size = far.sizes().get(backup)
        if size is None:
            raise MultitrainError(f"{shown} is not there any more")
        far.fetch(backup, size, file)
        stage.begin()
        try:
            return unpack(file, stage.unpacked, shown)
        except DamagedPackage:
            if last:
                raise
        finally:
            file.unlink(missing_ok=True)
    raise AssertionError("the last try returns or raises")


def _require_free(workspace: Workspace, name: str) -> None:
    """UsageError where there is a job of that name, or something that it left."""
    paths = workspace.job(name)
    there = [*outputs_by_job(workspace.renders, {name}).get(name, []), paths.run]
    found = [path for path in there if os.path.lexists(path)]
    elsewhere = "bring this one back in another folder, with --workspace"
    if found:
        raise UsageError(f"there is a job {name} here already ({found[0]}); {elsewhere}")
    if name in {row.name for row in read_jobs(workspace.store)}:
        raise UsageError(f"there is a job {name} here already; {elsewhere}")
    if reason := TakenNames(workspace).reason(name):
        raise UsageError(f"the job {name} cannot be brought back here: {reason}")


def _fetch_timecuts(
    far: FarEnd, sizes: Mapping[str, int], package: Package, stage: _Stage, tell: Tell
) -> GoingOn:
    """Fetch the timecuts that the film begins with; how the job goes on with those that came."""
    job = package.job
    plan, spec = job.plan, job.spec
    paths = JobPaths(stage.unpacked.workspace, spec.name)
    numbers = range(1, len(plan.cuts) + 1)
    there = {number for number in numbers if sizes.keys() >= set(paths.timecut_names(number, plan))}
    names = sorted(package.pictures)
    whole: set[int] = set()
    while True:
        going = going_on(spec, plan, names, there)
        missing = [number for number in range(1, going.timecuts + 1) if number not in whole]
        if not missing:
            return going
        for number in missing:
            if not _fetch_timecut(far, sizes, package, number, stage):
                tell(f"{paths.timecut_names(number, plan)[0]} in {far.source.shown} is damaged")
                there.discard(number)
                break
            whole.add(number)
            tell(f"timecut {number} of {going.timecuts} is here")


def _fetch_timecut(
    far: FarEnd, sizes: Mapping[str, int], package: Package, number: int, stage: _Stage
) -> bool:
    """Whether all boxes of a timecut came whole."""
    plan = package.job.plan
    paths = JobPaths(stage.unpacked.workspace, package.job.spec.name)
    names = paths.timecut_names(number, plan)
    for place, name in enumerate(names):
        file = stage.fetched / name
        for _ in range(TRIES):
            if not file.exists() or file.stat().st_size != sizes[name]:
                far.fetch(name, sizes[name], file)
            if _is_whole(file, package, number, place):
                break
            file.unlink()
        else:
            return False
    return True


def _is_whole(file: Path, package: Package, number: int, place: int) -> bool:
    """Whether a timecut is what was sent, by its digest; where that is not known, it is decoded."""
    job = package.job
    if facts := package.index.timecuts.get(file.name):
        return file.stat().st_size == facts.bytes and sha256_of(file) == facts.sha256
    frames, box = len(job.plan.cuts[number - 1]), job.plan.boxes[place]
    try:
        verify_box(file, job, job.spec.format[0], frames, box)
    except MultitrainError:
        return False
    return True


def _fetch_kept(far: FarEnd, package: Package, going: GoingOn, stage: _Stage) -> list[Path]:
    """The weights that the job has kept, up to where it goes on; later ones are made again."""
    if not package.job.spec.keep_checkpoints:
        return []
    folder = kept_folder(package.job.spec.name)
    found = []
    for name, size in far.sizes(folder).items():
        step = name.removesuffix(".h5")
        if not step.isdecimal() or int(step) > going.checkpoint.step:
            continue
        file = stage.fetched / folder / name
        if not file.exists() or file.stat().st_size != size:
            far.fetch(f"{folder}/{name}", size, file)
        if checkpoints.is_whole(file):
            found.append(file)
        else:
            log.warning("%s/%s/%s is damaged and left out", far.source.shown, folder, name)
            file.unlink()
    return found


def _make_ready(
    stage: _Stage, package: Package, going: GoingOn, kept: Sequence[Path], source: Source
) -> JobFile:
    """Put everything together as it will lie in the workspace; the job as it goes on."""
    job = _as_it_goes_on(package.job, stage.workspace, source)
    name = going.checkpoint
    was = package.paths
    if going.lost:
        job, renamed = later(job, name)
        kind = job.spec.family, job.spec.engine
        checkpoint = checkpoints.load(was.checkpoint(name), name, *kind)
        remove(was.checkpoints)
        checkpoints.save(was, replace(checkpoint, name=renamed))
    else:
        for other in was.checkpoint_names():
            if other != name:
                was.checkpoint(other).unlink()
    paths = stage.job(job.spec.name)
    paths.run.parent.mkdir(parents=True, exist_ok=True)
    flush_to_disk(was.run)
    os.replace(was.run, paths.run)
    write_text(paths.job_file, job.text)
    for file in kept:
        paths.kept.mkdir(exist_ok=True)
        os.replace(file, paths.kept / file.name)
    for number in range(1, going.timecuts + 1):
        for timecut in paths.timecuts(number, job.plan):
            _take_timecut(stage, paths, timecut, job)
    return job


def _take_timecut(stage: _Stage, paths: JobPaths, timecut: Path, job: JobFile) -> None:
    timecut.parent.mkdir(exist_ok=True)
    fetched = stage.fetched / timecut.name
    size, digest = fetched.stat().st_size, sha256_of(fetched)
    os.replace(fetched, timecut)
    note_digest(paths, timecut, digest, size=size)
    if job.spec.upload_to:  # it is there: nothing is to be sent again
        note_arrival(paths, Target(job.spec.upload_to), timecut.name, identity_of(timecut))


def _as_it_goes_on(job: JobFile, workspace: Workspace, source: Source) -> JobFile:
    """The job with what the other machine knew of its surroundings replaced.

    It has begun, so it waits for no other job any more.
    """
    place = Destination.parse(source.url)
    sends_there = not source.is_file and unfit_folder(place, workspace) is None
    sends_to = source.url if sends_there else None
    changes: dict[str, object] = {"after": None, "upload_to": sends_to}
    if job.spec.upload_to_ftp and not workspace.ftp_settings.is_file():
        changes["upload_to_ftp"] = False
    return job.replaced(spec=job.spec.model_copy(update=changes))


def _place(workspace: Workspace, stage: _Stage, ready: JobPaths, brought: Brought) -> Brought:
    """Put the job's files in their places, all of them even after a kill, and queue it."""
    job = brought.job
    paths = workspace.job(job.spec.name)
    files = sorted(ready.workspace.renders.iterdir()) if ready.workspace.renders.exists() else []
    moves = [Move(file, workspace.renders / file.name) for file in files]
    place = ready.workspace.root
    for folder in (place, *(each for each in place.rglob("*") if each.is_dir())):
        flush_to_disk(folder)  # what lies in it is to outlive the move
    stage.note_placed(job.spec.name)
    try:
        move_all(paths, [*moves, Move(ready.run, paths.run)])
    except MultitrainError:  # something has come in the way: nothing was moved
        stage.forget_placed()
        raise
    _queue(workspace, job)
    remove(stage.root)
    return brought


def _finish(workspace: Workspace, stage: _Stage, name: str) -> Brought | None:
    """Go on with a call that was ended while files changed their places; None if none had."""
    paths = workspace.job(name)
    finish_moves(paths)
    job = JobFile.read(paths)
    if job is None:
        stage.forget_placed()
        return None
    if name not in {row.name for row in read_jobs(workspace.store)}:
        _queue(workspace, job)
    remove(stage.root)
    return Brought(job, (f"{name} was brought back by an earlier call",))


def _queue(workspace: Workspace, job: JobFile) -> None:
    answer = ask(workspace, Request.new(Order.SUBMIT, jobs=(job,)), log.info)
    if answer.refused:
        raise MultitrainError("\n".join(answer.refused))


def _told(
    job: JobFile, going: GoingOn, source: Source, sizes: Mapping[str, int]
) -> tuple[str, ...]:
    """Lines for people: where the job goes on, and what is lost."""
    name, total, (step, frame) = job.spec.name, job.frames_total, going.checkpoint
    if going.lost:
        left = [each for each in sizes if each.startswith(f"{name}_timecut")]
        more = f" The timecuts in {source.shown} stay there, as they are." if left else ""
        return (
            f"{_frames(going.lost)} of {name} are lost: no timecut of them is in {source.shown}, "
            f"or not all of those before it.{more}",
            f"The film begins at frame {frame} of {total}, as the job {name_from(job, frame)}: it "
            f"goes on from step {step}.",
        )
    begins = (
        f"{name} begins anew: what it had made is less than its first timecuts."
        if going.checkpoint == BEGINNING
        else f"{name} goes on from step {step}, frame {frame} of {total}."
    )
    if not going.timecuts:
        return (begins, "Its film is whole: nothing was made before that frame.")
    until = FrameRange(0, going.start)
    again = f"; frames {frame} to {going.start - 1} are trained again" if frame < until.stop else ""
    return (begins, f"Its film is whole: {_frames(until)} are in timecuts that are here{again}.")


def _told_of_sending(job: JobFile, source: Source) -> tuple[str, ...]:
    if job.spec.upload_to:
        return (f"What it makes is sent to {source.shown}, as before.",)
    return ("What it makes is not sent anywhere: submit its row with upload_to for that.",)


def _frames(frames: FrameRange) -> str:
    return f"frames {frames.start} to {frames.stop - 1}"
