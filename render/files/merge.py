"""Videos joined without re-encoding: segments to timecuts and films, timecuts of a folder to films.

Videos of one encoder are copied packet by packet. Others, such as those of two versions of ffmpeg,
or those that a user encoded again with B-frames, are joined by ffmpeg's concat demuxer, which puts
decoder settings and times right. But it also joins files that do not belong together, or leaves out
a damaged end, without a word. So sources are checked before, and results are compared with them, or
decoded, afterwards.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

from jobs.errors import MultitrainError, UsageError
from jobs.plans.plan import FrameRange
from jobs.settings.videos import FormatName
from jobs.tinkering.earlier_jobs import job_in
from jobs.workspace.disk import means_full
from jobs.workspace.files import PART, listing, part_of, publish
from jobs.workspace.outputs import OF_SOME, OutputName
from render.encoding import ffmpeg
from render.encoding.commands import LIST, join_command
from render.encoding.containers import timescale
from render.encoding.lists import listed
from render.files.claims import claimed
from render.files.copies import NOT_COPIED, copy_packets, have_same_packets, is_copy
from render.files.probe import Header, count_packets, open_packets, read_header, verify

HIDDEN = "."  # what names of hidden files begin with: macOS leaves some beside every file


def join(sources: Sequence[Path], output: Path, frames: int) -> None:
    """Join `sources` in their order to `output`, a temporary name, and verify it.

    `frames` is what the result must have. MultitrainError, with the file's name, where a source
    does not fit the others or is damaged.
    """
    _join(sources, _fitting_headers(sources), output, frames)


def _join(sources: Sequence[Path], headers: Sequence[Header], output: Path, frames: int) -> None:
    form = headers[0].format
    fps = form.fps
    output.unlink(missing_ok=True)  # a process of an earlier run may still have it open
    are_alike = len({header.settings for header in headers}) == 1
    if are_alike and form.codec not in NOT_COPIED:
        copy_packets(sources, output, frames, timescale(fps))
        if is_copy(output, sources, frames, fps):
            return
    _refuse_cut_off(sources)
    _concatenate(sources, output, fps, NOT_COPIED.get(form.codec, "h264"))
    if not (are_alike and is_copy(output, sources, frames, fps)):
        verify(output, frames, fps, form.width, form.height)


def cut(source: Path, output: Path, frames: FrameRange) -> None:
    """Copy these frames of a film to `output`, a temporary name, and verify it.

    They begin with a keyframe, as segments do. MultitrainError where they do not, or the source is
    damaged.
    """
    form = _fitting_headers([source])[0].format
    fps, first = form.fps, frames.start
    output.unlink(missing_ok=True)
    if form.codec not in NOT_COPIED:
        copy_packets([source], output, len(frames), timescale(fps), first)
    if form.codec in NOT_COPIED or not is_copy(output, [source], len(frames), fps, first):
        # Moments are rounded: the last one lies between two frames.
        span = first / fps, Fraction(2 * frames.stop - 1, 2) / fps
        _concatenate([source], output, fps, NOT_COPIED.get(form.codec, "h264"), span)
        if not is_copy(output, [source], len(frames), fps, first):
            raise MultitrainError(f"{source} cannot be cut from frame {first} to {frames.stop}")
    verify(output, len(frames), fps, form.width, form.height)


def _refuse_cut_off(sources: Sequence[Path]) -> None:
    """A cut between keyframes leaves frames in the file that are not shown, but would be joined."""
    for source in sources:
        with open_packets(source) as (_, packets):
            if any(packet.is_discard for packet in packets):
                raise MultitrainError(
                    f"{source} hides frames that were cut off and cannot be joined without them; "
                    "encode it anew"
                )


def _concatenate(
    sources: Sequence[Path],
    output: Path,
    fps: Fraction,
    name: FormatName,
    span: tuple[Fraction, Fraction] | None = None,
) -> None:
    """Join by an ffmpeg that makes files of the format `name`; `span` as of `concat_list`."""
    list_file = part_of(output.with_name(output.name.removesuffix(PART) + LIST))
    list_file.unlink(missing_ok=True)
    try:
        suffix = sources[0].suffix
        with listed(list_file, sources, span):
            ffmpeg.run(join_command(ffmpeg.find(name), list_file, output, fps, suffix))
    finally:
        list_file.unlink(missing_ok=True)


class Merged(NamedTuple):
    """A film joined of timecuts, and how many of how many these are."""

    path: Path
    job: str
    timecuts: int
    planned: int | None  # timecuts that the job is to have; None: unknown
    was_there: bool  # it was complete already, and was left as it is

    @property
    def is_unfinished(self) -> bool:
        return self.planned is not None and self.timecuts < self.planned


def merge_folder(folder: Path, on_merged: Callable[[Merged], None] = lambda _: None) -> list[Path]:
    """Join the timecuts in `folder`, per job and box; returns the films, made in that folder.

    `on_merged` is called with each film. Where a job is to have more timecuts, the result is no
    film and is called `night.part.mp4`. The timecuts stay. An earlier result of the same timecuts
    stays; one of only the first of them is replaced once the new one is verified; any other file of
    that name stays, which counts as a failure. Hidden files are passed over.

    Failures are raised when all other films are there: UsageError where no film is made because
    timecuts are missing, or there are none; MultitrainError where some do not fit. Timecuts of one
    encoder are not decoded: damage inside their frames is copied, not found.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder")
    found = _timecuts(folder)
    if not found:
        raise UsageError(f"{folder} holds no timecuts (<job>_timecut0001.mp4 or .mov and on)")
    films: list[Path] = []
    failures: list[MultitrainError] = []
    for kind in sorted({(film.job, film.suffix) for film in found}):
        own = {film: cuts for film, cuts in found.items() if (film.job, film.suffix) == kind}
        try:
            _check_gaps(own)
            for film, numbers in sorted(own.items(), key=lambda item: str(item[0])):
                merged = _merge(folder, film, sorted(numbers))
                films.append(merged.path)
                on_merged(merged)
        except MultitrainError as error:
            if means_full(error):
                raise
            failures.append(error)
    _raise(failures, films)
    return films


def _merge(folder: Path, film: OutputName, numbers: Sequence[int]) -> Merged:
    sources = [folder / str(film._replace(timecut=number)) for number in numbers]
    job = job_in(folder, film.job)
    planned = len(job.plan.cuts) if job and job.plan.suffix == film.suffix else None
    merged = Merged(folder / str(film), film.job, len(sources), planned, was_there=False)
    if merged.is_unfinished:
        merged = merged._replace(path=folder / str(film._replace(format=OF_SOME)))
    output = merged.path
    with claimed(output) as part:
        if output.exists():
            joined = _joined_before(output, sources, part)
            if joined == len(sources):
                return merged._replace(was_there=True)
            if not joined:
                raise MultitrainError(
                    f"{output} is there already, and is no join of its timecuts; move it away, or "
                    "merge in another folder"
                )
        join_whole(sources, part)
        publish(part, output)
    return merged


def is_join(film: Path, sources: Sequence[Path]) -> bool:
    """Whether `film` was joined of all these, in this order; uses a temporary file beside it."""
    with claimed(film) as part:
        return _joined_before(film, sources, part) == len(sources)


def _joined_before(film: Path, sources: Sequence[Path], part: Path) -> int:
    """How many of these timecuts, from the first one on, `film` was joined of.

    0 where it was made otherwise, by a user, say, or cannot be read. Timecuts of several encoders
    are not copied packet by packet: they are joined once more, at `part`, to compare the results.
    """
    try:
        whole = read_header(film)
        headers = _fitting_headers(sources)
        ends = list(accumulate(header.frames for header in headers))
        if whole.frames not in ends:
            return 0
        count = ends.index(whole.frames) + 1
        first, fps = sources[:count], int(headers[0].format.fps)
        are_alike = len({header.settings for header in headers[:count]}) == 1
        if are_alike and is_copy(film, first, whole.frames, fps):
            return count
        join_whole(first, part)
        return count if have_same_packets(film, part) else 0
    except MultitrainError as error:
        if means_full(error):
            raise
        return 0


def _raise(failures: Sequence[MultitrainError], films: Sequence[Path]) -> None:
    """One error for all failures, if there are any."""
    if len(failures) == 1 and not films:
        raise failures[0]
    if failures:
        only_usage = not films and all(isinstance(each, UsageError) for each in failures)
        words = "\n".join(map(str, failures))
        raise (UsageError if only_usage else MultitrainError)(words)


def join_whole(sources: Sequence[Path], output: Path) -> None:
    """Join files whose number of frames is known only from their own headers."""
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
    if not form.fps:
        raise MultitrainError(f"{sources[0]} does not say how many frames a second it has")
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
        if name and name.is_timecut and name.timecut and not file.startswith(HIDDEN):
            found[name._replace(timecut=None)].add(name.timecut)
    return found


def _check_gaps(found: Mapping[OutputName, set[int]]) -> None:
    """UsageError unless all boxes of a job have the same timecuts, from 1 on without a gap."""
    last = max(number for numbers in found.values() for number in numbers)
    missing = sorted(
        str(film._replace(timecut=number))
        for film, numbers in found.items()
        for number in range(1, last + 1)
        if number not in numbers
    )
    if missing:
        job = next(iter(found)).job
        named = ", ".join(missing[:5]) + (f" and {len(missing) - 5} more" if missing[5:] else "")
        raise UsageError(f"{job} was not joined, for timecuts are missing: {named}")
