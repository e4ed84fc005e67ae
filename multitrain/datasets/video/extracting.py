"""Pictures out of videos: at which times, which repeat others, what their files are called."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass, field, replace
from itertools import count as counting
from pathlib import Path

from jobs.errors import DatasetError, UsageError
from jobs.pictures.finding import Unreadable, describe_unreadable
from jobs.videos.opening import UnreadableVideo
from jobs.videos.video import look
from jobs.workspace.files import write_text
from jobs.workspace.paths import Workspace
from multitrain.datasets.filmed.fields import Mending
from multitrain.datasets.filmed.judging import suitable
from multitrain.datasets.looking.likeness import near_duplicates
from multitrain.datasets.made.making import Made, new_data_set, plain_name
from multitrain.datasets.made.sources import SOURCE
from multitrain.datasets.video.crops import Crop, Scale
from multitrain.datasets.video.moments import Moment, Span, between, evenly, every, share_out
from multitrain.datasets.video.shots import Missed, Saving, Shot, Shots
from multitrain.datasets.web.downloading import local_files
from multitrain.datasets.web.transfer import Shown, not_shown

FINENESSES = (2, 4)  # parts into which gaps between times are cut to try other times instead
LEAST_BATCH = 16  # frames that are tried at once
SAID = {
    Mending.YADIF: "interlaced; its fields were made whole frames (yadif)",
    Mending.IVTC: "telecined; it was taken back to film (fieldmatch, decimate)",
}

Progress = Callable[[Iterable[Shot | Missed], str, int], Iterator[Shot | Missed]]
Downloads = Callable[[], AbstractContextManager[Shown]]


@dataclass(frozen=True)
class Request:
    """What to take, times in seconds: `count` pictures of each crop, or one `every` so often, or
    as many `frames` of each video that follow each other.

    `mending` None: what suits each video.
    """

    crops: tuple[Crop, ...]
    scale: Scale
    count: int | None = None
    every: float | None = None
    frames: int | None = None
    start: float = 0.0
    end: float | None = None
    mending: Mending | None = None
    dedupe: bool = False
    suffix: str = ".png"
    quality: int = 95  # of JPEG


@dataclass
class _Outcome:
    shots: list[Shot] = field(default_factory=list)
    left_out: list[Unreadable] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def extract(
    workspace: Workspace,
    name: str,
    videos: Sequence[str],
    request: Request,
    progress: Progress,
    downloads: Downloads = lambda: nullcontext(not_shown),
    say: Callable[[str], None] = lambda _: None,
    source: str = "",
) -> Made:
    """A new data set of frames of `videos`, files or addresses.

    `downloads` shows how far those of addresses are, `say` is told at once what is wrong with them.
    `source`, what it is made of, is kept in it.

    DatasetError where there is none to be had, UsageError where the call is wrong.
    """
    with new_data_set(workspace, name) as (folder,):
        with downloads() as shown:
            sources, unavailable = local_files(workspace, videos, shown, say)
        outcome = _Outcome(left_out=unavailable)
        spans = list(_spans(sources, request, outcome))
        _require(bool(spans), outcome, name)
        mendings = [request.mending or suitable(span.video) for span in spans]
        outcome.notes += [
            f"{span.video.path.name}: {SAID[mending]}"
            for span, mending in zip(spans, mendings, strict=True)
            if request.mending is None and mending in SAID
        ]
        with Shots(
            folder, spans, mendings, request.crops, request.scale, _saving(request),
            hashing=request.dedupe,
        ) as shots:  # fmt: skip
            _take(shots, spans, request, progress, outcome)
        _require(bool(outcome.shots), outcome, name)
        pictures = _name_files(folder, spans, outcome.shots, request)
        if source:
            write_text(folder / SOURCE, source)
    facts: dict[str, object] = {"frames": len(outcome.shots)}
    target = workspace.dataset(name)
    return Made(target, pictures, tuple(outcome.left_out), tuple(outcome.notes), facts)


def _spans(sources: Sequence[Path], request: Request, outcome: _Outcome) -> Iterator[Span]:
    """What is to be taken of which video; those that cannot be used are left out."""
    for path in sources:
        try:
            video = look(path)
            for crop in request.crops:
                crop.box(video.size)
        except (UnreadableVideo, UsageError) as error:
            outcome.left_out.append(Unreadable(path, str(error)))
            continue
        end = video.seconds if request.end is None else min(request.end, video.seconds)
        if request.start >= end:
            reason = f"ends after {video.seconds:.3f} s, so nothing lies between start and end"
            outcome.left_out.append(Unreadable(path, reason))
            continue
        yield Span(video, request.start, end)


def _require(fulfilled: bool, outcome: _Outcome, name: str) -> None:
    if not fulfilled:
        reasons = describe_unreadable(outcome.left_out, Path())
        raise DatasetError(f"nothing could be taken for {name}: {reasons}")


def _saving(request: Request) -> Saving:
    options = {} if request.suffix == ".png" else {"quality": request.quality, "subsampling": 0}
    return Saving(request.suffix, options)


def _take(
    shots: Shots, spans: Sequence[Span], request: Request, progress: Progress, outcome: _Outcome
) -> None:
    if request.every or request.frames:
        moments = [
            each for place, span in enumerate(spans) for each in _following(place, span, request)
        ]
        wanted = len(moments)
    else:
        wanted = request.count or 0
        counts = share_out([span.seconds for span in spans], wanted)
        moments = [
            Moment(place, seconds)
            for place, (span, number) in enumerate(zip(spans, counts, strict=True))
            for seconds in evenly(span, number)
        ]
    with closing(shots.take(moments)) as results:
        _sort(progress(results, "frames", len(moments)), spans, outcome)
    if request.dedupe:
        _replace_repeats(shots, spans, request, wanted, progress, outcome)
    if len(outcome.shots) < wanted:
        outcome.notes += _shortfall(len(outcome.shots), shots.met_again, spans, request)


def _shortfall(taken: int, met_again: int, spans: Sequence[Span], request: Request) -> list[str]:
    """Why there are fewer frames than were asked for, where the videos have no more.

    Of the last moments before --end, the nearest frame may be the one behind it.
    """
    there = sum(max(1, round(span.seconds / span.video.frame_seconds)) for span in spans)
    there = max(there, taken)
    if request.count and there < request.count:
        is_part = request.start or request.end is not None
        told = f"the videos have {there} frames{' between --start and --end' * bool(is_part)}"
        return [f"{told}, fewer than the {request.count} asked for"]
    if met_again:
        return [f"{met_again} of the times asked for are those of frames that were taken already"]
    return []


def _following(place: int, span: Span, request: Request) -> list[Moment]:
    if request.every:
        return every(place, span, request.every)
    frame = float(span.video.frame_seconds)
    frames = min(span.seconds, (request.frames or 0) * frame - frame / 2)
    return every(place, replace(span, end=span.start + frames), frame)


def _sort(results: Iterable[Shot | Missed], spans: Sequence[Span], outcome: _Outcome) -> None:
    for each in results:
        if isinstance(each, Shot):
            outcome.shots.append(each)
        else:
            path = spans[each.moment.video].video.path
            outcome.left_out.append(
                Unreadable(path, f"at {each.moment.seconds:.3f} s: {each.reason}")
            )


def _replace_repeats(
    shots: Shots, spans: Sequence[Span], request: Request, wanted: int, progress: Progress,
    outcome: _Outcome,
) -> None:  # fmt: skip
    """Drop what looks like an earlier frame; for a count, try other times, ever closer ones."""
    dropped = _drop_repeats(outcome)
    if not dropped:
        return
    note = f"{dropped} frames looked like others and were left out"
    if request.count:
        others = _replacements(shots, spans, wanted, outcome)
        replaced = sum(1 for _ in progress(others, "replacements", wanted - len(outcome.shots)))
        note += f"; {replaced} were replaced by frames of other times"
    outcome.notes.append(note)


def _replacements(
    shots: Shots, spans: Sequence[Span], wanted: int, outcome: _Outcome
) -> Iterator[Shot]:
    for fineness in FINENESSES:
        others = between(spans, wanted, fineness)
        while others and (lacking := wanted - len(outcome.shots)):
            batch = max(lacking, LEAST_BATCH)
            before = len(outcome.shots)
            with closing(shots.take(others[:batch])) as results:
                _sort(results, spans, outcome)
            _drop_repeats(outcome)
            _remove(outcome.shots[wanted:])
            del outcome.shots[wanted:]
            yield from outcome.shots[before:]
            others = others[batch:]


def _drop_repeats(outcome: _Outcome) -> int:
    repeated = near_duplicates([shot.likeness for shot in outcome.shots])
    pairs = list(zip(outcome.shots, repeated, strict=True))
    repeats = [shot for shot, earlier in pairs if earlier is not None]
    outcome.shots = [shot for shot, earlier in pairs if earlier is None]
    _remove(repeats)
    return len(repeats)


def _remove(shots: Iterable[Shot]) -> None:
    for shot in shots:
        for file in shot.files:
            file.unlink()


def _name_files(
    folder: Path, spans: Sequence[Span], shots: Sequence[Shot], request: Request
) -> int:
    """Name the files in the order of the videos and of time; returns the number of pictures."""
    numbers = [counting() for _ in spans]
    stems = stems_of([span.video.path for span in spans])
    pictures = 0
    for shot in sorted(shots, key=lambda each: (each.moment.video, each.pts)):
        number = next(numbers[shot.moment.video])
        for crop, file in zip(shot.crops, shot.files, strict=True):
            stem = f"{stems[shot.moment.video]}_{number:06d}{crop.name}"
            os.replace(file, folder / f"{stem}{request.suffix}")
            pictures += 1
    return pictures


def stems_of(paths: Sequence[Path]) -> list[str]:
    """The videos' names, reduced to what every system takes as part of a file's; all different."""
    stems: list[str] = []
    for path in paths:
        stem = plain_name(path.stem)
        numbered = (f"{stem}-{number}" for number in counting(2))
        stems.append(stem if stem not in stems else next(n for n in numbered if n not in stems))
    return stems
