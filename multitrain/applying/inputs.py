"""The files that others are to be made of, and where these go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import starmap
from pathlib import Path
from typing import NamedTuple

from jobs.errors import UsageError
from jobs.pictures.finding import Unreadable, find_all
from jobs.pictures.suffixes import is_picture, is_video
from jobs.settings.videos import PNG, VIDEOS, FormatName
from jobs.settings.words import nearest, quoted
from jobs.tinkering.earlier_jobs import jobs_left, past_job
from jobs.workspace.paths import Workspace


class File(NamedTuple):
    """A picture or a video, and where what is made of it goes."""

    source: Path
    output: Path

    @property
    def is_picture(self) -> bool:
        return is_picture(self.source)


class Inputs(NamedTuple):
    """What a user names: a file, a folder, or a job with its films."""

    title: str  # what its output is called after
    files: tuple[Path, ...]
    folder: Path | None  # that the files lie in, at any depth; None: it is one file
    left_out: tuple[Unreadable, ...] = ()  # what lies there, too, and cannot be used

    @classmethod
    def find(cls, place: Workspace, named: str) -> Inputs:
        """UsageError where there is no such thing, or nothing in it."""
        path = Path(named)
        if path.is_dir():
            below = find_all([path])
            videos = [Path(each.path) for each in below.unreadable if is_video(Path(each.path))]
            others = [each for each in below.unreadable if not is_video(Path(each.path))]
            files = tuple(sorted([*below.pictures, *videos]))
            if not files:
                raise UsageError(f"{path} holds no pictures and no videos")
            return cls(path.resolve().name, files, path, tuple(others))
        if path.is_file():
            return cls(path.stem, (path,), None)
        known = jobs_left(place)
        if named not in known:
            hint = nearest(named, known)
            raise UsageError(f"there is no file, folder or job {quoted(named)}{hint}")
        return cls._films(place, named)

    @classmethod
    def _films(cls, place: Workspace, job: str) -> Inputs:
        videos = place.job(job).films(past_job(place, job).plan)
        films = tuple(film for film in videos if film.is_file())
        if not films:
            raise UsageError(f"{job} has no film yet; name a file or a folder")
        return cls(job, films, films[0].parent if len(films) > 1 else None)

    def outputs(self, by: str, name: FormatName, wanted: Path | None) -> list[File]:
        """Each file with what is made of it `by` a job: a video in the format `name`, or a PNG.

        `wanted` is where the user wants it. UsageError where that has another suffix, or where the
        files themselves lie.
        """
        found = self._outputs(by, name, wanted)
        for each in found:
            if each.output.exists() and each.output.samefile(each.source):
                raise UsageError(
                    f"{each.source} would be replaced by what is made of it; name another -o"
                )
        return found

    def _outputs(self, by: str, name: FormatName, wanted: Path | None) -> list[File]:
        title = f"{self.title}_{by}"
        if self.folder is None:
            (source,) = self.files
            suffix = _suffix(source, name)
            if not is_picture(source) and VIDEOS[name].is_folder:
                suffix = ""
            output = wanted or Path(title + suffix)
            if suffix and output.suffix.casefold() != suffix:
                what = "a picture" if is_picture(source) else name
                other = "" if is_picture(source) else "; or name another --format"
                raise UsageError(f"{output} must end in {suffix}, as {what} does{other}")
            return [File(source, output)]
        folder = wanted or Path(title)
        if folder.exists() and not folder.is_dir():
            raise UsageError(f"{folder} is a file, and a folder is to be made; name another -o")
        if folder.resolve().is_relative_to(self.folder.resolve()):
            raise UsageError(
                f"{folder} lies in {self.folder}, and the next call would make others of what is "
                "made; name another -o"
            )
        return list(starmap(File, _into(folder, self.folder, self.files, name)))


def _into(
    folder: Path, root: Path, files: Sequence[Path], name: FormatName
) -> Iterator[tuple[Path, Path]]:
    """Each of the files below `root`, with its output in the folder. UsageError where two meet."""
    names = [file.relative_to(root).with_suffix(_suffix(file, name)) for file in files]
    shared = {each for each, count in Counter(names).items() if count > 1}
    taken: dict[Path, Path] = {}
    for file, below in zip(files, names, strict=True):
        # Of `a.png` and `a.jpg`, whichever was there before, none takes the other's name.
        is_other = below in shared and file.suffix != below.suffix
        output = folder / (below.with_name(file.name + below.suffix) if is_other else below)
        if output in taken:
            raise UsageError(f"{taken[output]} and {file} would both become {output}; rename one")
        taken[output] = file
        yield file, output


def _suffix(source: Path, name: FormatName) -> str:
    return PNG if is_picture(source) else VIDEOS[name].suffix
