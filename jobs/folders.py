"""The folders that sheets name: whether they are there and what pictures they hold."""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath

from jobs.kinds import Resolution
from jobs.paths import Workspace
from jobs.pictures import (
    DEMO,
    Picture,
    Survey,
    Unreadable,
    demo_is_built_in,
    describe_odd,
    describe_unreadable,
    survey,
)
from jobs.preprocess import AND, AS_THEY_ARE, COVER, CROP, Preprocessing, Unfit
from jobs.words import nearest

_NOTHING = Survey(None, 0)


@dataclass(frozen=True)
class Found:
    """What the folders of a job hold once it is preprocessed, and why that cannot be trained with.

    `reason` is about the folders, `unfit` about a cut that is larger than the pictures. `size` is
    what networks see, where there is neither.
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

    def look_at(
        self, folders: tuple[str, ...], preprocessing: Preprocessing = AS_THEY_ARE
    ) -> Found:
        which = folders, preprocessing
        if which not in self._found:
            self._found[which] = self._find(*which)
        return self._found[which]

    def misplaced(self, folders: tuple[str, ...]) -> str | None:
        """What is wrong with folders whatever is made of their pictures."""
        survey = self._survey(folders)
        return survey if isinstance(survey, str) else self._empty(survey)

    def warnings(self) -> Iterator[str]:
        """A sentence for each set of folders that can be used, but not all of it."""
        told = dict.fromkeys(
            (folders, found.survey.unreadable)
            for (folders, _), found in self._found.items()
            if found.survey.unreadable and not (found.reason or found.unfit)
        )
        for folders, unreadable in told:
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
        """What they hold as it is, or why they cannot be looked into."""
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
        if pure.is_absolute() or ".." in pure.parts:
            return f"{folder!r} must be a folder under data/, named without '..' or a leading '/'"
        try:
            mode = self._workspace.dataset(folder).stat().st_mode
        except (OSError, ValueError):  # ValueError: a name that holds a NUL
            return f"there is no folder {folder!r} in data/{self._nearest(pure)}"
        if not stat.S_ISDIR(mode):
            return f"{folder!r} is a file; name the folder that holds the pictures"
        return None

    def _nearest(self, folder: PurePath) -> str:
        """A suggestion among the folders beside the one that is missing."""
        parent = self._workspace.data / folder.parent
        try:
            beside = [each.name for each in os.scandir(parent) if each.is_dir()]
        except OSError:
            beside = []
        names = {str(folder.parent / name) for name in beside if name[0] != "."} | {DEMO}
        return nearest(str(folder), sorted(names))

    def _empty(self, found: Survey) -> str | None:
        if found.size is not None:
            return None
        if found.unreadable:
            told = describe_unreadable(found.unreadable, self._workspace.data)
            return f"holds no picture that can be read: {told}"
        return "holds no pictures (jpg, png, webp, avif, heic, bmp, tif, dpx)"

    def _mixed(self, folders: tuple[str, ...], found: Survey, preprocessing: Preprocessing) -> str:
        assert found.size, "there are pictures"
        mode = COVER + AND + CROP if preprocessing.crop else COVER
        done = " once they are preprocessed" if preprocessing.fixed else ""
        paths = map(self._workspace.dataset, folders)
        command = converting(paths, found.size, self._workspace.root)
        return (
            f"all pictures must have one size{done}: {found.count} are {found.size}, "
            f"but {describe_odd(found.odd, self._workspace.data)}; set preprocess to {mode} and "
            f"load_size to {found.size}, or make a data set of one size: {command}"
        )


def preprocessed(found: Survey, preprocessing: Preprocessing) -> Survey:
    """What becomes of pictures once they are decoded; Unfit where most of them are too small."""
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
