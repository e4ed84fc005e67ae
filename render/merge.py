"""Videos joined without re-encoding: segments to timecuts and films, timecuts of a folder to films.

ffmpeg's concat demuxer joins files that do not belong together, or leaves out a damaged end, and
says nothing. So the sources are checked before and the result is decoded after.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from jobs.errors import MultitrainError, UsageError
from jobs.paths import PART, OutputName, atomic_write, listing, part_of
from render import ffmpeg
from render.commands import LIST, concat_list, join_command
from render.probe import Format, count_packets, read_header, verify


def join(sources: Sequence[Path], output: Path, frames: int) -> None:
    """Join `sources` in their order to `output`, a temporary name, and verify it by decoding.

    `frames` is what the result must have. MultitrainError, with the file's name, where a source
    does not fit the others or is damaged.
    """
    form = _common_format(sources)
    fps = int(form.fps)
    list_file = part_of(output.with_name(output.name.removesuffix(PART) + LIST))
    for left in (list_file, output):  # an ffmpeg that was left behind may still have them open
        left.unlink(missing_ok=True)
    try:
        list_file.write_text(concat_list(sources), encoding="utf-8")
        ffmpeg.run(join_command(ffmpeg.find(), list_file, output, fps))
    finally:
        list_file.unlink(missing_ok=True)
    verify(output, frames, fps, form.width, form.height)


def merge_folder(folder: Path) -> list[Path]:
    """Join the timecuts in `folder`, per job and box; returns the films, made in that folder.

    The timecuts stay; a film of the same name is replaced once the new one is verified. UsageError
    where there are no timecuts or some are missing, MultitrainError where they do not fit.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder")
    found = _timecuts(folder)
    if not found:
        raise UsageError(f"{folder} holds no timecuts (<job>_timecut0001.mp4 and on)")
    _check_gaps(found)
    films = []
    for film, numbers in sorted(found.items(), key=lambda item: str(item[0])):
        sources = [folder / str(film._replace(timecut=number)) for number in sorted(numbers)]
        with atomic_write(folder / str(film)) as part:
            join(sources, part, sum(map(_whole_frames, sources)))
        films.append(folder / str(film))
    return films


def _common_format(sources: Sequence[Path]) -> Format:
    form = read_header(sources[0]).format
    if form.fps.denominator != 1 or not form.fps:
        raise MultitrainError(f"{sources[0]} has {form.fps} frames per second, no whole number")
    for source in sources[1:]:
        other = read_header(source).format
        if other != form:
            raise MultitrainError(
                f"{source} does not fit the others and cannot be joined: it is {other}, "
                f"but {sources[0].name} is {form}"
            )
    return form


def _whole_frames(source: Path) -> int:
    """The frames of a file that is all there."""
    promised, there = read_header(source).frames, count_packets(source)
    if promised != there:
        raise MultitrainError(f"{source} is damaged: it has {there} of {promised} frames")
    return there


def _timecuts(folder: Path) -> Mapping[OutputName, set[int]]:
    """The numbers of the timecuts there, by the film that they make."""
    found: defaultdict[OutputName, set[int]] = defaultdict(set)
    for file in listing(folder):
        name = OutputName.parse(file)
        if name and name.timecut is not None:
            found[name._replace(timecut=None)].add(name.timecut)
    return found


def _check_gaps(found: Mapping[OutputName, set[int]]) -> None:
    """All boxes of a job must have the same timecuts, from 1 on."""
    last: defaultdict[str, int] = defaultdict(int)
    for film, numbers in found.items():
        last[film.job] = max(last[film.job], *numbers)
    missing = sorted(
        str(film._replace(timecut=number))
        for film, numbers in found.items()
        for number in range(1, last[film.job] + 1)
        if number not in numbers
    )
    if missing:
        named = ", ".join(missing[:5]) + (f" and {len(missing) - 5} more" if missing[5:] else "")
        raise UsageError(f"Timecuts are missing: {named}; nothing was joined for lack of them")
