"""Videos joined without re-encoding: segments to timecuts and films, timecuts of a folder to films.

Those of one encoder are copied packet by packet. For others, such as those of two versions of
ffmpeg, its concat demuxer gives the decoder's settings their place, and frames that a user encoded
again with B-frames their time; it joins files that do not belong together, or leaves out a damaged
end, and says nothing. So sources are checked before, and
results are compared with them or decoded after.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from jobs.errors import MultitrainError, UsageError
from jobs.outputs import OutputName
from jobs.paths import PART, atomic_write, listing, part_of
from jobs.videos import FormatName
from render import ffmpeg
from render.commands import LIST, concat_list, join_command
from render.containers import TICKS
from render.copies import NOT_COPIED, copy_packets, is_copy
from render.probe import Header, count_packets, open_packets, read_header, verify


def join(sources: Sequence[Path], output: Path, frames: int) -> None:
    """Join `sources` in their order to `output`, a temporary name, and verify it.

    `frames` is what the result must have. MultitrainError, with the file's name, where a source
    does not fit the others or is damaged.
    """
    _join(sources, _fitting_headers(sources), output, frames)


def _join(sources: Sequence[Path], headers: Sequence[Header], output: Path, frames: int) -> None:
    form = headers[0].format
    fps = int(form.fps)
    output.unlink(missing_ok=True)  # a process that was left behind may still have it open
    are_alike = len({header.settings for header in headers}) == 1
    if are_alike and form.codec not in NOT_COPIED:
        copy_packets(sources, output, frames, TICKS * fps)
        if is_copy(output, sources, frames, fps):
            return
    _refuse_cut_off(sources)
    _concatenate(sources, output, fps, NOT_COPIED.get(form.codec, "h264"))
    if not (are_alike and is_copy(output, sources, frames, fps)):
        verify(output, frames, fps, form.width, form.height)


def _refuse_cut_off(sources: Sequence[Path]) -> None:
    """A cut between keyframes leaves frames in the file that are not shown, but would be joined."""
    for source in sources:
        with open_packets(source) as (_, packets):
            if any(packet.is_discard for packet in packets):
                raise MultitrainError(
                    f"{source} hides frames that were cut off and cannot be joined without them; "
                    "encode it anew"
                )


def _concatenate(sources: Sequence[Path], output: Path, fps: int, name: FormatName) -> None:
    """By an ffmpeg that makes files of this format."""
    list_file = part_of(output.with_name(output.name.removesuffix(PART) + LIST))
    list_file.unlink(missing_ok=True)
    try:
        list_file.write_text(concat_list(sources), encoding="utf-8")
        suffix = sources[0].suffix
        ffmpeg.run(join_command(ffmpeg.find(name), list_file, output, fps, suffix))
    finally:
        list_file.unlink(missing_ok=True)


def merge_folder(folder: Path) -> list[Path]:
    """Join the timecuts in `folder`, per job and box; returns the films, made in that folder.

    The timecuts stay; a film of the same name is replaced once the new one is verified. UsageError
    where there are no timecuts or some are missing, MultitrainError where they do not fit. Timecuts
    of one encoder are not decoded: damage inside their frames is copied, not found.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder")
    found = _timecuts(folder)
    if not found:
        raise UsageError(f"{folder} holds no timecuts (<job>_timecut0001.mp4 or .mov and on)")
    _check_gaps(found)
    films = []
    for film, numbers in sorted(found.items(), key=lambda item: str(item[0])):
        sources = [folder / str(film._replace(timecut=number)) for number in sorted(numbers)]
        with atomic_write(folder / str(film)) as part:
            join_whole(sources, part)
        films.append(folder / str(film))
    return films


def join_whole(sources: Sequence[Path], output: Path) -> None:
    """Join files of which nobody knows how many frames they should have, but from themselves."""
    headers = _fitting_headers(sources)
    try:
        _join(sources, headers, output, sum(header.frames for header in headers))
    except MultitrainError:
        for source, header in zip(sources, headers, strict=True):
            if (there := count_packets(source)) != header.frames:
                raise MultitrainError(
                    f"{source} is damaged: it has {there} of {header.frames} frames"
                ) from None
        raise


def _fitting_headers(sources: Sequence[Path]) -> list[Header]:
    first = read_header(sources[0])
    form = first.format
    if form.fps.denominator != 1 or not form.fps:
        raise MultitrainError(f"{sources[0]} has {form.fps} frames per second, no whole number")
    headers = [first, *(read_header(source, like=first) for source in sources[1:])]
    for source, header in zip(sources, headers, strict=True):
        if header.format != form:
            raise MultitrainError(
                f"{source} does not fit the others and cannot be joined: it is {header.format}, "
                f"but {sources[0].name} is {form}"
            )
    return headers


def _timecuts(folder: Path) -> Mapping[OutputName, set[int]]:
    """The numbers of the timecuts there, by the film that they make."""
    found: defaultdict[OutputName, set[int]] = defaultdict(set)
    for file in listing(folder):
        name = OutputName.parse(file)
        if name and name.is_timecut and name.timecut is not None:
            found[name._replace(timecut=None)].add(name.timecut)
    return found


def _check_gaps(found: Mapping[OutputName, set[int]]) -> None:
    """All boxes of a job must have the same timecuts, from 1 on; .mp4 and .mov are two jobs'."""
    last: defaultdict[tuple[str, str], int] = defaultdict(int)
    for film, numbers in found.items():
        kind = film.job, film.suffix
        last[kind] = max(last[kind], *numbers)
    missing = sorted(
        str(film._replace(timecut=number))
        for film, numbers in found.items()
        for number in range(1, last[film.job, film.suffix] + 1)
        if number not in numbers
    )
    if missing:
        named = ", ".join(missing[:5]) + (f" and {len(missing) - 5} more" if missing[5:] else "")
        raise UsageError(f"Timecuts are missing: {named}; nothing was joined for lack of them")
