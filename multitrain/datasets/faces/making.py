"""A data set of faces, cut out of pictures or of the frames of a video."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from math import ceil
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Literal, NamedTuple
from warnings import catch_warnings

import numpy as np
from PIL import Image

from jobs.errors import DatasetError
from jobs.pictures.finding import (
    Unreadable,
    UnreadablePicture,
    describe_unreadable,
    explain,
    find_pictures,
    picture_read,
    seen_size,
)
from jobs.settings.kinds import Resolution
from jobs.videos.opening import UnreadableVideo
from jobs.videos.video import Video, look
from jobs.workspace.paths import Workspace
from multitrain.datasets.decoded.decoding import upright
from multitrain.datasets.decoded.preprocessing import alone_if_large
from multitrain.datasets.faces.finding import find_faces, part_of
from multitrain.datasets.filmed.fields import Mending
from multitrain.datasets.filmed.frames import FrameReader
from multitrain.datasets.filmed.judging import suitable
from multitrain.datasets.filmed.seeking import Run, plan
from multitrain.datasets.looking.contact_sheet import contact_sheet
from multitrain.datasets.made.converting import JPEG_QUALITY, named, notes_on
from multitrain.datasets.made.making import Made, new_data_set
from multitrain.datasets.parallel import in_order
from multitrain.datasets.video.extracting import stems_of
from multitrain.datasets.video.moments import Span, every
from render.files.claims import making

if TYPE_CHECKING:
    from skimage.feature import Cascade

NO_FACE = "no face was found in it"
CELL = (128, 128)  # pixels, of the contact sheet
SQUARE = Resolution(1, 1)


@dataclass(frozen=True)
class Cutting:
    """How faces are found and cut out; `size` None leaves them as large as they are."""

    cascade: Cascade
    margin: float = 0.3  # of a face's side, on each side
    size: Resolution | None = None
    least: int | None = None  # pixels of a face's side
    format: Literal["png", "jpg"] = "png"


class Frame(NamedTuple):
    """A picture that is decoded already, or why there is none, and a name for its faces."""

    name: PurePath
    picture: Image.Image | Unreadable


class _Planned(NamedTuple):
    """Which frames are taken of a video, and how its fields become whole frames."""

    video: Video
    mending: Mending
    runs: list[Run]


class Outcome(NamedTuple):
    """What became of a picture: files of its faces with the sizes that they had in it."""

    files: list[Path]
    sizes: list[Resolution]
    left_out: Unreadable | None = None


Track = Callable[[Iterable[Outcome], str, int], Iterable[Outcome]]


def faces_of_pictures(
    workspace: Workspace,
    folder: Path,
    name: str,
    how: Cutting,
    sheet: Path | None = None,
    track: Track = lambda outcomes, *_: outcomes,
) -> Made:
    """Make the data set `name` of the faces in the pictures below `folder`.

    Some are shown in the PNG file `sheet`. `track` gets the outcomes as they come, what they are
    of, and their number. UsageError for a name that cannot be taken; DatasetError where there are
    no faces.
    """
    paths, left_out = find_pictures([folder])
    sources = list(named(paths, [folder]))
    with new_data_set(workspace, name) as (target,), catch_warnings(action="ignore"):  # Pillow's
        work = in_order(lambda each: _of_file(each.path, target / each.name, how), sources)
        outcomes = _all(work, track, "pictures", len(sources))
        left_out += [each.left_out for each in outcomes if each.left_out]
        _require_faces(outcomes, folder, left_out)
        _show(outcomes, sheet)
    without = sum(each.reason == NO_FACE for each in left_out)
    notes = (f"in {without} of {len(sources)} pictures no face was found",) if without else ()
    return _made(workspace, name, outcomes, how, left_out, notes)


def faces_of_video(
    workspace: Workspace,
    video: Path,
    name: str,
    how: Cutting,
    seconds: float,
    sheet: Path | None = None,
    track: Track = lambda outcomes, *_: outcomes,
) -> Made:
    """As `faces_of_pictures`, of frames of a video: one every so many `seconds`."""
    with new_data_set(workspace, name) as (target,):
        try:
            planned = _planned(video, seconds)
        except UnreadableVideo as error:
            raise DatasetError(f"{video} cannot be used: it {error}") from error
        total = len({wanted.pts for run in planned.runs for wanted in run.wanted})
        with closing(_frames(planned)) as frames:
            work = in_order(lambda each: _of_frame(each, target, how), frames)
            outcomes = _all(work, track, "frames", total)
        left_out = [each.left_out for each in outcomes if each.left_out]
        _require_faces(outcomes, video, left_out)
        _show(outcomes, sheet)
    without = sum(not (each.files or each.left_out) for each in outcomes)
    notes = (f"in {without} of {total} frames no face was found",) if without else ()
    return _made(workspace, name, outcomes, how, left_out, notes)


def _all(
    work: Generator[Outcome, None, None], track: Track, what: str, total: int
) -> list[Outcome]:
    """Ended before the folder goes, should this be interrupted: threads write to it."""
    with closing(work):
        try:
            return list(track(work, what, total))
        except OSError as error:
            raise DatasetError(f"The faces cannot be written: {explain(error)}") from error


def _planned(video: Path, seconds: float) -> _Planned:
    seen = look(video)
    mending = suitable(seen)
    moments = every(0, Span(seen, 0.0, seen.seconds), seconds)
    times = {number: moment.seconds for number, moment in enumerate(moments)}
    return _Planned(seen, mending, plan(seen, times, mending.around))


def _frames(planned: _Planned) -> Generator[Frame, None, None]:
    """Each once, also where several times fall on it; up to where the file cannot be read."""
    video, mending, runs = planned
    (stem,) = stems_of([video.path])
    taken: set[int] = set()
    try:
        with FrameReader(video, mending) as reader:
            for wanted, still in chain.from_iterable(map(reader.stills, runs)):
                if wanted.pts in taken:
                    continue
                name = PurePath(f"{stem}_{len(taken):06d}")
                taken.add(wanted.pts)
                if still is None:
                    at = video.seconds_at(wanted.pts)
                    reason = f"at {at:.3f} s: the frame is damaged or missing"
                    yield Frame(name, Unreadable(video.path, reason))
                elif still.image.size == still.seen:
                    yield Frame(name, still.image)
                else:  # its pixels are not square
                    yield Frame(name, still.image.resize(still.seen, Image.Resampling.LANCZOS))
    except UnreadableVideo as error:
        yield Frame(PurePath(stem), Unreadable(video.path, str(error)))


def _of_file(path: Path, target: Path, how: Cutting) -> Outcome:
    try:
        with picture_read(path) as image, alone_if_large(seen_size(image)):
            picture = upright(image, with_alpha=False)
    except UnreadablePicture as error:
        return Outcome([], [], Unreadable(path, str(error)))
    outcome = _cut(picture, target, how)
    return outcome if outcome.files else Outcome([], [], Unreadable(path, NO_FACE))


def _of_frame(frame: Frame, target: Path, how: Cutting) -> Outcome:
    if isinstance(frame.picture, Unreadable):
        return Outcome([], [], frame.picture)
    return _cut(frame.picture, target / frame.name, how)


def _cut(picture: Image.Image, target: Path, how: Cutting) -> Outcome:
    """Save the faces of an RGB picture, in any thread. OSError where one cannot be written."""
    outcome = Outcome([], [])
    whole = Resolution(*picture.size)
    for number, face in enumerate(find_faces(np.asarray(picture), how.cascade, how.least), 1):
        box = part_of(whole, face, how.margin, how.size or SQUARE)
        size = Resolution(box[2] - box[0], box[3] - box[1])
        path = target.with_name(f"{target.name}_{number:03d}.{how.format}")
        path.parent.mkdir(parents=True, exist_ok=True)
        part = picture.resize(how.size or size, Image.Resampling.LANCZOS, box)
        part.info = {}
        if how.format == "jpg":
            part.save(path, quality=JPEG_QUALITY, subsampling=0)
        else:
            part.save(path)
        outcome.files.append(path)
        outcome.sizes.append(size)
    return outcome


def _require_faces(
    outcomes: Sequence[Outcome], source: Path, left_out: Sequence[Unreadable]
) -> None:
    if not any(each.files for each in outcomes):
        others = [each for each in left_out if each.reason != NO_FACE]
        why = f": {describe_unreadable(others, source)}" if others else ""
        raise DatasetError(
            f"No face was found in {source}{why}. Faces are looked for that look at the camera; "
            f"for others, drawn ones too, name a file for them: --cascade"
        )


def _show(outcomes: Sequence[Outcome], sheet: Path | None) -> None:
    if sheet:
        files = [file for each in outcomes for file in each.files]
        with making(sheet) as part:
            contact_sheet(files, cell=CELL).save(part, format="PNG")


def _made(
    workspace: Workspace,
    name: str,
    outcomes: Sequence[Outcome],
    how: Cutting,
    left_out: Sequence[Unreadable],
    notes: tuple[str, ...],
) -> Made:
    sizes = [size for each in outcomes for size in each.sizes]
    with_faces = sum(bool(each.files) for each in outcomes)
    final = Counter(str(how.size or size) for size in sizes)
    notes = (*notes_on(dict(final.most_common())), *notes)
    if how.size and (small := [each for each in sizes if each.width < how.size.width]):
        least = ceil(min(how.size) / (1 + 2 * how.margin))
        notes += (
            f"enlarged to that: {len(small)} that are smaller in their pictures, from {min(small)} "
            f"on; --least {least} leaves them out",
        )
    facts: dict[str, object] = {"sizes": dict(final.most_common()), "with_faces": with_faces}
    return Made(workspace.dataset(name), len(sizes), tuple(left_out), notes, facts)
