"""The folders that sheets name: whether they are there and what pictures they hold."""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

from jobs.pictures.filmed import video_of
from jobs.pictures.finding import (
    DEMO,
    Picture,
    Unreadable,
    demo_is_built_in,
    describe_odd,
    describe_unreadable,
)
from jobs.pictures.pairing import Name, names_of_pictures
from jobs.pictures.suffixes import is_video
from jobs.pictures.surveying import Survey, find_trainable, survey
from jobs.settings.kinds import Folder, Resolution, share_in
from jobs.settings.preprocess import AND, AS_THEY_ARE, COVER, CROP, Preprocessing, Unfit
from jobs.settings.streams import is_live
from jobs.settings.words import nearest, quoted
from jobs.workspace.paths import Workspace

_NOTHING = Survey(None, 0)


@dataclass(frozen=True)
class Found:
    """The pictures of a job's folders after preprocessing, or why they cannot be trained with.

    `reason` says what is wrong with the folders, `unfit` that a cut is larger than the pictures.
    Where both are None, `size` is what networks see.
    """

    survey: Survey
    size: Resolution | None = None
    reason: str | None = None
    unfit: str | None = None


class DatasetFolders:
    """Looks at each set of folders once, however many jobs name it."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._surveys: dict[tuple[str, ...], Survey | str] = {}
        self._found: dict[tuple[tuple[str, ...], Preprocessing], Found] = {}
        self._names: dict[tuple[str, ...], dict[Name, int]] = {}
        self._paths: dict[tuple[str, ...], list[str]] = {}

    @property
    def _data(self) -> str:
        """The folder of data sets, as messages name it."""
        return str(self._workspace.pictures or "data/")

    def placed(self, dataset: tuple[Folder, ...]) -> tuple[Folder, ...]:
        """`dataset`, with whole paths where pictures lie outside `data`, which others look below.

        The built-in data set stays where it is, unless there is a folder of that name.
        """
        place = self._workspace.pictures
        if place is None:
            return dataset
        return tuple(
            each
            if (each.name == DEMO and not (place / DEMO).is_dir())
            or share_in(each.name) is not None
            or is_live(each.name)
            else replace(each, name=str(place / each.name))
            for each in dataset
        )

    def look_at(
        self, folders: tuple[str, ...], preprocessing: Preprocessing = AS_THEY_ARE
    ) -> Found:
        """The pictures of these folders, looked at once."""
        which = folders, preprocessing
        if which not in self._found:
            self._found[which] = self._find(*which)
        return self._found[which]

    def names(self, folders: tuple[str, ...]) -> Collection[Name]:
        """The names of the files in these folders by which pictures are paired."""
        if folders not in self._names:
            self._names[folders] = names_of_pictures(self.paths(folders), self.tops(folders))
        return self._names[folders]

    def paths(self, folders: tuple[str, ...]) -> list[str]:
        """All pictures of these folders, and frames of videos, whether they can be read or not."""
        if folders not in self._paths:
            tops = [self._workspace.dataset(folder) for folder in folders]
            self._paths[folders] = list(map(str, find_trainable(tops).paths))
        return self._paths[folders]

    def tops(self, folders: tuple[str, ...]) -> list[str]:
        """The paths of these folders, with a separator behind."""
        return [f"{self._workspace.dataset(folder)}{os.sep}" for folder in folders]

    def misplaced(self, folders: tuple[str, ...]) -> str | None:
        """What is wrong with folders, however their pictures are preprocessed; else None."""
        survey = self._survey(folders)
        return survey if isinstance(survey, str) else self._empty(survey)

    def warnings(self) -> Iterator[str]:
        """A sentence for each set of folders that can be used but holds unreadable files.

        Each file is named once, however many sets have it.
        """
        named: set[Unreadable] = set()
        for (folders, _), found in self._found.items():
            unreadable = [each for each in found.survey.unreadable if each not in named]
            if not unreadable or found.reason or found.unfit:
                continue
            named.update(unreadable)
            which = describe_unreadable(unreadable, self._workspace.data)
            count = "1 file is" if len(unreadable) == 1 else f"{len(unreadable)} files are"
            yield f"dataset {','.join(folders)}: {count} left out: {which}"

    def _find(self, folders: tuple[str, ...], preprocessing: Preprocessing) -> Found:
        if reason := self.misplaced(folders):
            return Found(_NOTHING, reason=reason)
        before = self._survey(folders)
        assert isinstance(before, Survey), "nothing is misplaced"
        assert before.size, "there are pictures"
        try:
            after = preprocessed(before, preprocessing)
            size = preprocessing.seen(after.size or before.size)
        except Unfit as unfit:
            return Found(before, unfit=f"most pictures are {before.size}, and {unfit}")
        reason = self._mixed(folders, after, preprocessing) if after.odd else None
        return Found(after, size, reason)

    def _survey(self, folders: tuple[str, ...]) -> Survey | str:
        """The pictures of the folders before preprocessing, or why there are none."""
        if folders not in self._surveys:
            self._surveys[folders] = self._look(folders)
        return self._surveys[folders]

    def _look(self, folders: tuple[str, ...]) -> Survey | str:
        paths: dict[Path, None] = {}
        with_demo = False
        for folder in folders:
            path = self._workspace.dataset(folder)
            if PurePath(folder) == PurePath(DEMO) and demo_is_built_in(path):
                with_demo = True
            elif reason := self._misplaced(folder):
                return reason
            else:
                paths[path] = None
        return survey(list(paths), with_demo=with_demo)

    def _misplaced(self, folder: str) -> str | None:
        pure = PurePath(folder)
        if ".." in pure.parts:
            return f"{quoted(folder)} must be a folder under data/, or a whole path, without '..'"
        try:
            mode = self._workspace.dataset(folder).stat().st_mode
        except (OSError, ValueError):  # ValueError: a name that holds a NUL
            where = "" if pure.is_absolute() else f" in {self._data}"
            what = "video" if is_video(pure) else "folder"
            return f"there is no {what} {quoted(folder)}{where}{self._nearest(pure)}"
        if not stat.S_ISDIR(mode) and not (stat.S_ISREG(mode) and is_video(pure)):
            return f"{quoted(folder)} is a file; name a folder that holds the pictures, or a video"
        return None

    def _nearest(self, folder: PurePath) -> str:
        """A suggestion among the folders and videos beside the one that is missing."""
        parent = self._workspace.data / folder.parent
        try:
            beside = [
                each.name
                for each in os.scandir(parent)
                if each.is_dir() or is_video(PurePath(each.name))
            ]
        except OSError:
            beside = []
        names = {str(folder.parent / name) for name in beside if name[0] != "."} | {DEMO}
        return nearest(str(folder), sorted(names))

    def _empty(self, found: Survey) -> str | None:
        if found.size is not None:
            return None
        if found.unreadable:
            which = describe_unreadable(found.unreadable, self._workspace.data)
            return f"holds no picture that can be read: {which}"
        return "holds no pictures (jpg, png, webp, avif, heic, bmp, tif, dpx) and no videos"

    def _mixed(self, folders: tuple[str, ...], found: Survey, preprocessing: Preprocessing) -> str:
        assert found.size, "there are pictures"
        mode = COVER + AND + CROP if preprocessing.crop else COVER
        done = " once they are preprocessed" if preprocessing.fixed else ""
        reason = (
            f"all pictures must have one size{done}: {found.count} are {found.size}, "
            f"but {describe_odd(found.odd, self._workspace.data)}; set preprocess to {mode} and "
            f"load_size to {found.size}"
        )
        if any(map(is_filmed, found.odd)):
            return reason
        paths = map(self._workspace.dataset, folders)
        command = converting(paths, found.size, self._workspace.root)
        return f"{reason}, or make a data set of one size: {command}"


def preprocessed(found: Survey, preprocessing: Preprocessing) -> Survey:
    """The survey once pictures are decoded and cut; Unfit where most of them are too small."""
    if not found.size:
        return found
    size, count = preprocessing.loaded(found.size), found.count
    odd, left_out = [], []
    for path, before in found.odd:
        try:
            after = preprocessing.loaded(before)
        except Unfit as error:
            left_out.append(Unreadable(path, str(error)))
            continue
        if after == size:
            count += 1
        else:
            odd.append(Picture(path, after))
    return Survey(size, count, tuple(odd), (*found.unreadable, *left_out))


def is_filmed(each: Picture | Unreadable) -> bool:
    """Whether it is a video, or a frame of one: no data set is made of these by converting."""
    path = Path(each.path)
    return is_video(path) or video_of(path) is not None


def converting(folders: Iterable[Path], size: Resolution, root: Path | None = None) -> str:
    """The command that makes a data set of pictures of this `size` out of those below `folders`.

    `root` is the workspace's; None: the current folder.
    """
    folders, here = list(folders), Path.cwd()
    sources = [each.relative_to(here) if each.is_relative_to(here) else each for each in folders]
    name = "-".join([*(folder.name for folder in folders), str(size)])
    words = ["multitrain", "dataset", "convert", *map(str, sources), name]
    words += ["--preprocess", COVER, "--load-size", str(size)]
    if root and root.absolute() != here:
        words += ["--workspace", str(root)]
    command = shlex.join(words)
    return command if command.isprintable() else "multitrain dataset convert"


def to_come(preprocessing: Preprocessing) -> Found:
    """What is known of pictures that are still to come: what is made of them."""
    try:
        sizes = {preprocessing.loaded(guess) for guess in _GUESSES}
    except Unfit:
        sizes = set()
    if len(sizes) != 1:
        return Found(
            _NOTHING,
            reason="is live, so how large its pictures are has to be said: set preprocess to "
            f"{COVER} and load_size, such as 320x180",
        )
    (size,) = sizes
    return Found(Survey(size, 0), preprocessing.seen(size))


# Sizes of cameras: what is made of all of them has the same size, whatever else may come.
_GUESSES = (Resolution(641, 479), Resolution(1921, 1079))
