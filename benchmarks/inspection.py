"""What a night has done to its workspace: counted, beside a night that nobody disturbed."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, fields
from pathlib import Path

import av

from benchmarks.farmyard import Farmyard
from benchmarks.films import Picture, Shown, decoded, digest, digest_of_file
from jobs.workspace import requests
from jobs.workspace.jobfile import JobFile
from jobs.workspace.outputs import Pictures, extras
from jobs.workspace.paths import Workspace
from multitrain.families.testcard.session import read_number

# Their names depend on the moment: how many of them there may be is looked at instead.
NAMED_BY_CHANCE = {"checkpoints", "tensorboard", ".cache", ".requests"}

Film = tuple[Shown, ...]


@dataclass(frozen=True)
class Undisturbed:
    """What a night without kills makes: its videos by file name, and the files of its workspace."""

    films: Mapping[str, Film]
    files: frozenset[str]
    checkpoints: int

    @classmethod
    def of(cls, yard: Farmyard) -> Undisturbed:
        """AssertionError where that night has not made what its sheet asks for."""
        looks = [look(yard, job) for job in yard.jobs()]
        assert not any(each.lost or each.doubled for each in looks), yard.last_words()
        films = {name: film for each in looks for name, film in each.films.items()}
        return cls(films, frozenset(files(yard)), len(checkpoints(yard)))


@dataclass(frozen=True)
class Damage:
    """What must not be. Every field is a count."""

    frames_lost: int = 0
    frames_doubled: int = 0
    films_differing: int = 0  # in any pixel or time; timecuts, exports and loops included
    films_changed_once_published: int = 0
    orphans: int = 0  # processes left
    temporary_files_left: int = 0  # and all else that an undisturbed night does not leave
    stores_damaged: int = 0
    requests_unanswered: int = 0
    runs_failed: int = 0  # farms that ended as if their jobs could not be done

    def __add__(self, other: Damage) -> Damage:
        return Damage(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    def counts(self) -> dict[str, int]:
        """By the words of a report."""
        return {each.name.replace("_", " "): getattr(self, each.name) for each in fields(self)}


@dataclass(frozen=True)
class Look:
    """The videos of one job as they are, and which of their frames are missing or there twice."""

    films: Mapping[str, Film]
    lost: int
    doubled: int


def look(yard: Farmyard, job: JobFile) -> Look:
    """Decode all videos of a job that its plan asks for."""
    films, lost, doubled = {}, 0, 0
    for path, planned in videos(yard.workspace, job):
        film, numbers = _watch(path, job, planned)
        films[path.name] = film
        lost += len(set(planned) - set(numbers))
        doubled += len(numbers) - len(set(numbers) & set(planned))
    for path in made_of_films(yard.workspace, job):
        films[path.name], _ = _watch(path, job, range(0))
    return Look(films, lost, doubled)


def videos(workspace: Workspace, job: JobFile) -> Iterator[tuple[Path, range]]:
    """Every timecut and film of a job with the frames that it must show."""
    plan, paths = job.plan, workspace.job(job.spec.name)
    for box in plan.box_numbers:
        yield paths.film(box), range(plan.frames_total)
        for number, cut in enumerate(plan.cuts, 1):
            yield paths.timecut(number, box), range(cut.start, cut.stop)


def made_of_films(workspace: Workspace, job: JobFile) -> Iterator[Path]:
    """Its exports and loops."""
    for extra in extras(job.spec, job.plan):
        if not isinstance(extra, Pictures):
            yield from workspace.job(job.spec.name).files_of(extra, job.spec)


def _watch(path: Path, job: JobFile, planned: range) -> tuple[Film, list[int]]:
    """The frames of a video and the numbers they show; of one that is no video, none."""
    film, numbers = [], []
    try:
        for place, (time, picture) in enumerate(decoded(path), planned.start):
            film.append(Shown(time, digest(picture)))
            numbers.append(_number(job, picture, place))
    except av.FFmpegError:  # it is missing or broken: what was read so far counts
        pass
    return tuple(film), numbers


def _number(job: JobFile, picture: Picture, by_place: int) -> int:
    """What a frame says of itself; only a test card can."""
    if job.spec.family != "testcard":
        return by_place
    plan = job.plan  # a video's sides are even, a grid's need not be
    try:
        cut = picture[: plan.box_height, : plan.box_width]
        return read_number(cut, job.image_width, job.image_height)
    except ValueError:  # a frame that is not whole
        return -1


def inspect(
    yard: Farmyard,
    undisturbed: Undisturbed,
    published: Mapping[str, str],
    tell: Callable[[str], None],
) -> Damage:
    """All that is wrong after a night, told by name and counted.

    `published` are digests of videos that were seen meanwhile, by file name.
    """
    orphans = [" ".join(process.cmdline()) for process in yard.left_behind()]
    looks = [look(yard, job) for job in yard.jobs()]
    films = {name: film for each in looks for name, film in each.films.items()}
    differing = [name for name, film in undisturbed.films.items() if films[name] != film]
    now = digests(yard)
    changed = [name for name, digest in published.items() if now.get(name) != digest]
    left = left_over(yard, undisturbed)
    found = {"left running": orphans, "differs": differing, "changed": changed, "left over": left}
    for what, names in found.items():
        for name in names:
            tell(f"{what}: {name}")
    return Damage(
        frames_lost=sum(each.lost for each in looks),
        frames_doubled=sum(each.doubled for each in looks),
        films_differing=len(differing),
        films_changed_once_published=len(changed),
        orphans=len(orphans),
        temporary_files_left=len(left),
        stores_damaged=int(not store_is_sound(yard.workspace.store)),
        requests_unanswered=len(requests.waiting(yard.workspace)),
    )


def digests(yard: Farmyard) -> dict[str, str]:
    """Of the bytes of all videos that are published now, by file name."""
    return {path.name: digest_of_file(path) for path in yard.workspace.renders.glob("*.mp4")}


def left_over(yard: Farmyard, undisturbed: Undisturbed) -> list[str]:
    """Files that an undisturbed night does not leave; more checkpoints than it leaves, too."""
    strange = sorted(files(yard) - undisturbed.files)
    return strange + checkpoints(yard)[undisturbed.checkpoints :]


def files(yard: Farmyard) -> set[str]:
    """Of the workspace and of the farm's folder for temporary files, relative to the yard."""
    found = (path for top in (yard.workspace.root, yard.temporary) for path in top.rglob("*"))
    return {
        str(path.relative_to(yard.root))
        for path in found
        if NAMED_BY_CHANCE.isdisjoint({path.name, path.parent.name})
    }


def checkpoints(yard: Farmyard) -> list[str]:
    """All files where checkpoints are, relative to the yard."""
    found = yard.workspace.runs.glob("*/checkpoints/*")
    return sorted(str(path.relative_to(yard.root)) for path in found)


def store_is_sound(store: Path) -> bool:
    """Whether SQLite finds nothing wrong with the file."""
    try:
        with closing(sqlite3.connect(f"{store.as_uri()}?mode=ro", uri=True)) as connection:
            return connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    except sqlite3.Error:
        return False
