"""Films of several jobs one after another: copied as they are, or faded into each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from jobs.errors import UsageError
from jobs.plans.cycles import eased, rounded
from jobs.settings.kinds import Resolution
from jobs.settings.videos import MP4, FormatName
from jobs.settings.words import nearest, quoted
from jobs.workspace.files import listing
from jobs.workspace.outputs import OutputName
from render.encoding.streaming import RawVideo, encoding
from render.encoding.watching import OnProgress
from render.files.claims import making
from render.files.film import Film
from render.files.finished import finished_video
from render.files.merge import HIDDEN, join_whole
from render.files.mixing import mixed, with_channels
from render.files.probe import count_packets, read_header
from render.files.reading import FilmReader


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
    """What was made."""

    frames: int
    fps: int
    fade: int  # frames of each crossfade


def find_pieces(folder: Path, jobs: Sequence[str], box: int | None = None) -> list[Piece]:
    """The films of `jobs` in `folder`, or their timecuts; of jobs with boxes, those of `box`.

    UsageError where a job has neither, or has boxes and `box` is None.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder")
    files = (file for file in listing(folder) if not file.startswith(HIDDEN))
    parsed = filter(None, map(OutputName.parse, files))
    there = [each for each in parsed if each.is_film or each.is_timecut]
    return [_find_piece(folder, job, box, there) for job in jobs]


def _find_piece(folder: Path, job: str, box: int | None, there: Sequence[OutputName]) -> Piece:
    known = {each.job for each in there}
    if job not in known:
        raise UsageError(f"{folder} holds no film of {quoted(job)}{nearest(job, known)}")
    own = [each for each in there if (each.job, each.box) == (job, box)]
    if not own:
        boxes = sorted(each.box for each in there if each.job == job and each.box)
        what = f"boxes {boxes[0]} to {boxes[-1]}; name one of them" if boxes else "no boxes"
        raise UsageError(f"{job} has {what}")
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
    """Join the films without re-encoding; `output` appears whole and verified, or not at all.

    UsageError where films are not alike, or are not shown as they are stored.
    """
    files = [file for piece in pieces for file in piece.files]
    films = [Film.look(file) for file in files]
    first = read_header(files[0])
    for film in films:
        other = read_header(film.path, like=first)
        if other.format != first.format:
            _require_alike(pieces)
            raise UsageError(
                f"{film.path.name} is {other.format}, but {files[0].name} is {first.format}, so "
                "they cannot be joined as they are; name a format, and they are encoded anew"
            )
        if not film.is_as_stored:
            raise UsageError(
                f"{film.path.name} is shown otherwise than it is stored (turned, cut, with pixels "
                "that are not square, or unevenly), so it cannot be joined as it is; name a "
                "format, and it is encoded anew"
            )
    with making(output) as part:
        join_whole(files, part)
        frames = count_packets(part)
    return Chained(frames, int(first.format.fps), 0)


def _require_alike(pieces: Sequence[Piece], scale: Resolution | None = None) -> None:
    """UsageError that names two films of different speed, or of different size without `scale`."""
    films = [(piece.job, Film.look(piece.files[0])) for piece in pieces]
    first, ours = films[0]
    for job, theirs in films[1:]:
        is_faster = theirs.format.fps != ours.format.fps
        if not is_faster and (scale or theirs.size == ours.size):
            continue
        mend = "" if is_faster else f"; --scale {ours.size} brings them to one size"
        raise UsageError(
            f"{job} is {theirs.size} at {theirs.format.fps} fps, but {first} is {ours.size} at "
            f"{ours.format.fps} fps: they cannot follow each other in one film{mend}"
        )


def chained_frames(
    pieces: Sequence[Piece], crossfade: float, scale: Resolution | None = None
) -> int:
    """How many frames `chain_films` makes of the films. UsageError where they do not fit."""
    return _layout(pieces, crossfade, scale).frames


class _Layout(NamedTuple):
    films: list[list[Film]]  # of each piece
    lengths: list[int]
    fps: int
    fade: int  # frames

    @property
    def frames(self) -> int:
        return sum(self.lengths) - self.fade * (len(self.lengths) - 1)


def _layout(pieces: Sequence[Piece], crossfade: float, scale: Resolution | None) -> _Layout:
    _require_alike(pieces, scale)
    films = [[Film.look(file) for file in piece.files] for piece in pieces]
    rate = films[0][0].format.fps
    if rate.denominator != 1:
        raise UsageError(
            f"{pieces[0].job} has {float(rate):.3f} frames per second, no whole number"
        )
    lengths = [sum(film.frames for film in each) for each in films]
    fade = rounded(Fraction(str(crossfade)) * rate)
    _require_long_enough(pieces, lengths, fade, int(rate))
    return _Layout(films, lengths, int(rate), fade)


def chain_films(
    pieces: Sequence[Piece],
    crossfade: float,
    name: FormatName,
    output: Path,
    on_progress: OnProgress,
    scale: Resolution | None = None,
    note: str = "",
) -> Chained:
    """Encode the films anew, each fading into the next one for `crossfade` seconds.

    All get the size `scale`, where that is given; what exceeds it is cut off. `encoding` writes the
    `note` into the file. `output` appears whole and verified, or not at all. UsageError where sizes
    differ, or a film is shorter than its fades.
    """
    layout = _layout(pieces, crossfade, scale)
    with ExitStack() as stack:
        readers = [stack.enter_context(FilmReader(films, scale=scale)) for films in layout.films]
        channels = max(reader.channels for reader in readers)
        size = readers[0].size
        with (
            finished_video(output, name, layout.frames, layout.fps, size, channels) as part,
            encoding(part, RawVideo(*size, channels, layout.fps), name, note=note) as sink,
        ):
            for number, shares in enumerate(chain(layout.lengths, layout.fade), 1):
                pictures = [
                    with_channels(readers[each.film][each.frame], channels) for each in shares
                ]
                sink.write(mixed(pictures, [each.weight for each in shares]))
                on_progress(number)
    return Chained(layout.frames, layout.fps, layout.fade)


def chain(lengths: Sequence[int], fade: int) -> Iterator[tuple[Share, ...]]:
    """The pictures of films of these `lengths`, each fading into the next one for `fade` frames.

    Every frame is seen: the first and the last picture of a fade are mixed, too.
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
