"""Films of several jobs one after another: copied as they are, or faded into each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from jobs.cycles import eased, rounded
from jobs.errors import UsageError
from jobs.outputs import OutputName
from jobs.paths import atomic_write, listing
from jobs.videos import MP4, FormatName
from jobs.words import nearest, quoted
from render.clips.mixing import mixed, with_channels
from render.finished import finished_video
from render.merge import join_whole
from render.probe import count_packets, read_header
from render.reading import FilmReader
from render.streaming import RawVideo, encoding
from render.watching import Told


class Piece(NamedTuple):
    """What a job adds: its film, or its timecuts in their order."""

    job: str
    files: tuple[Path, ...]


class Share(NamedTuple):
    """A frame of one of the films, and its share of a picture."""

    film: int
    frame: int
    weight: float


class Chained(NamedTuple):
    """What became of it."""

    frames: int
    fps: int
    fade: int  # frames of each crossfade


def find_pieces(folder: Path, jobs: Sequence[str], box: int | None = None) -> list[Piece]:
    """The films of `jobs` in `folder`, or their timecuts; of those with boxes, number `box`.

    UsageError where one has none, or has boxes and none is named.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder")
    parsed = filter(None, map(OutputName.parse, listing(folder)))
    there = [each for each in parsed if each.is_film or each.is_timecut]
    return [_find_piece(folder, job, box, there) for job in jobs]


def _find_piece(folder: Path, job: str, box: int | None, there: Sequence[OutputName]) -> Piece:
    known = {each.job for each in there}
    if job not in known:
        raise UsageError(f"{folder} holds no film of {quoted(job)}{nearest(job, known)}")
    own = [each for each in there if (each.job, each.box) == (job, box)]
    if not own:
        boxes = sorted(each.box for each in there if each.job == job and each.box)
        told = f"boxes {boxes[0]} to {boxes[-1]}; name one of them" if boxes else "no boxes"
        raise UsageError(f"{job} has {told}")
    own.sort(key=lambda each: (each.timecut is not None, each.suffix != MP4, each.timecut or 0))
    first = own[0]
    if first.is_film:
        return Piece(job, (folder / str(first),))
    cuts = [each for each in own if each.suffix == first.suffix]
    for number, cut in enumerate(cuts, 1):
        if cut.timecut != number:
            raise UsageError(f"{cut._replace(timecut=number)} is missing in {folder}")
    return Piece(job, tuple(folder / str(cut) for cut in cuts))


def copy_films(pieces: Sequence[Piece], output: Path) -> Chained:
    """Join them without re-encoding; `output` appears whole and verified, or not at all.

    UsageError where they are not alike.
    """
    files = [file for piece in pieces for file in piece.files]
    first = read_header(files[0])
    for file in files[1:]:
        other = read_header(file, like=first)
        if other.format != first.format:
            _require_same_size(pieces)
            raise UsageError(
                f"{file.name} is {other.format}, but {files[0].name} is {first.format}, so they "
                "cannot be joined as they are; name a format, and they are encoded anew"
            )
    with atomic_write(output) as part:
        join_whole(files, part)
        frames = count_packets(part)
    return Chained(frames, int(first.format.fps), 0)


def _require_same_size(pieces: Sequence[Piece]) -> None:
    """UsageError with the names of two that differ in size or speed."""
    forms = [(piece, read_header(piece.files[0]).format) for piece in pieces]
    first, ours = forms[0]
    for piece, theirs in forms[1:]:
        if (ours.width, ours.height, ours.fps) != (theirs.width, theirs.height, theirs.fps):
            raise UsageError(
                f"{piece.job} is {theirs.width}x{theirs.height} at {theirs.fps} fps, but "
                f"{first.job} is {ours.width}x{ours.height} at {ours.fps} fps: they cannot follow "
                "each other in one film"
            )


def chained_frames(pieces: Sequence[Piece], crossfade: float) -> int:
    """How many `chain_films` makes of them. Raises what it would, as far as they do not fit."""
    return _layout(pieces, crossfade).frames


class _Layout(NamedTuple):
    lengths: list[int]
    fps: int
    fade: int  # frames

    @property
    def frames(self) -> int:
        return sum(self.lengths) - self.fade * (len(self.lengths) - 1)


def _layout(pieces: Sequence[Piece], crossfade: float) -> _Layout:
    _require_same_size(pieces)
    headers = [[read_header(file) for file in piece.files] for piece in pieces]
    rate = headers[0][0].format.fps
    if rate.denominator != 1:
        raise UsageError(
            f"{pieces[0].job} has {float(rate):.3f} frames per second, no whole number"
        )
    lengths = [sum(header.frames for header in each) for each in headers]
    fade = rounded(Fraction(str(crossfade)) * rate)
    _require_long_enough(pieces, lengths, fade, int(rate))
    return _Layout(lengths, int(rate), fade)


def chain_films(
    pieces: Sequence[Piece], crossfade: float, name: FormatName, output: Path, told: Told
) -> Chained:
    """Encode them anew, each fading into the next one for `crossfade` seconds.

    `output` appears whole and verified, or not at all. UsageError where sizes differ, or a film is
    shorter than its fades.
    """
    layout = _layout(pieces, crossfade)
    with ExitStack() as stack:
        readers = [stack.enter_context(FilmReader(piece.files)) for piece in pieces]
        channels = max(reader.channels for reader in readers)
        size = readers[0].size
        with (
            finished_video(output, name, layout.frames, layout.fps, size, channels) as part,
            encoding(part, RawVideo(*size, channels, layout.fps), name) as sink,
        ):
            for number, shares in enumerate(chain(layout.lengths, layout.fade), 1):
                pictures = [
                    with_channels(readers[each.film][each.frame], channels) for each in shares
                ]
                sink.write(mixed(pictures, [each.weight for each in shares]))
                told(number)
    return Chained(layout.frames, layout.fps, layout.fade)


def chain(lengths: Sequence[int], fade: int) -> Iterator[tuple[Share, ...]]:
    """The pictures of films of these `lengths`, each fading into the next one for `fade` frames.

    All frames are seen: a fade begins and ends with a picture that is already, or still, mixed.
    """
    for film, length in enumerate(lengths):
        begin = fade if film else 0
        end = length - (fade if film + 1 < len(lengths) else 0)
        for frame in range(begin, end):
            yield (Share(film, frame, 1.0),)
        for number in range(length - end):
            weight = eased((number + 1) / (fade + 1))
            yield Share(film, end + number, 1.0 - weight), Share(film + 1, number, weight)


def _require_long_enough(
    pieces: Sequence[Piece], lengths: Sequence[int], fade: int, fps: int
) -> None:
    for number, (piece, length) in enumerate(zip(pieces, lengths, strict=True)):
        fades = (number > 0) + (number + 1 < len(pieces))
        if length < fades * fade:
            raise UsageError(
                f"{piece.job} has {length} frames ({length / fps:.2f} s), too few for "
                f"{'two crossfades' if fades == 2 else 'a crossfade'} of {fade / fps:g} s; "
                f"{length // fades / fps:.2f} s would do"
            )
