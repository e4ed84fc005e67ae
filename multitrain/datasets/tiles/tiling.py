"""Pictures into tiles, as PNG files: of one folder, or of two whose pictures go in pairs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path, PurePath
from threading import Event
from typing import NamedTuple
from warnings import catch_warnings

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from jobs.errors import DatasetError, UsageError
from jobs.pictures.finding import (
    Unreadable,
    UnreadablePicture,
    describe_unreadable,
    explain,
    find_pictures,
    picture_read,
    probe,
)
from jobs.settings.kinds import Resolution
from jobs.workspace.paths import Workspace
from multitrain.datasets.decoded.decoding import upright
from multitrain.datasets.decoded.preprocessing import alone_if_large
from multitrain.datasets.made.making import Made, new_data_set
from multitrain.datasets.parallel import in_order
from multitrain.datasets.tiles.tiles import Corner, TileGrid, TileName, fits_a_file_system

PNG_LEVEL = 3  # of compression: little larger than the best, and several times as fast


@dataclass(frozen=True)
class Tiling:
    """How pictures become tiles.

    Of each picture, the share `quality` of its tiles is kept that has most detail. `black` fills
    borders beyond the picture: 0..1, or None for the darkest value of the first picture.
    """

    grid: TileGrid
    quality: float = 1.0
    black: float | None = None
    shuffle_seed: int | None = None


class Source(NamedTuple):
    """A picture to tile, in each folder, and the path that its tiles are named after."""

    paths: tuple[Path, ...]
    name: PurePath


class Outcome(NamedTuple):
    """What became of a picture: tiles in each folder, or why there are none."""

    tiles: int
    left_out: Unreadable | None = None


Track = Callable[[Iterable[Outcome], int], Iterable[Outcome]]


def tile(
    workspace: Workspace,
    folders: Sequence[Path],
    names: Sequence[str],
    how: Tiling,
    track: Track = lambda outcomes, _: outcomes,
) -> list[Made]:
    """Make a data set of tiles from each folder: of one, or of the inputs and their targets.

    Targets have the names of their inputs, whatever their suffix; their tiles are named alike, and
    those with most detail in the target are kept of both. `track` gets the outcomes as they come,
    and their number, to show progress. UsageError for names that cannot be taken; DatasetError
    where there is no tile or none can be written.
    """
    if len(set(names)) < len(names):
        raise UsageError(f"{names[0]!r} names both data sets; choose two names")
    sources, left_out = _sources(folders)
    with new_data_set(workspace, *names) as targets, catch_warnings(action="ignore"):  # Pillow's
        tiler = Tiler(how, targets, _black(how, sources))
        tiles = pictures = 0
        try:
            # Closed before the folders go, should this be interrupted: threads write to them.
            with closing(in_order(tiler.outcome, sources, tiler.stopping)) as outcomes:
                for outcome in track(outcomes, len(sources)):
                    tiles += outcome.tiles
                    pictures += not outcome.left_out
                    left_out += [outcome.left_out] if outcome.left_out else []
        except OSError as error:
            raise DatasetError(f"The tiles cannot be written: {explain(error)}") from error
        if not tiles:
            reasons = describe_unreadable(left_out, folders[0]) if left_out else "there are none"
            raise DatasetError(f"No picture in {folders[0]} can be tiled: {reasons}")
    each = f"tiles of {how.grid.size}{_why_larger(how.grid)}, of {pictures} pictures"
    first, *others = (Made(workspace.dataset(name), tiles, notes=(each,)) for name in names)
    return [Made(first.folder, tiles, tuple(left_out), first.notes), *others]


def _why_larger(grid: TileGrid) -> str:
    return f" ({grid.tile} and a border of {grid.border} on each side)" if grid.border else ""


def _sources(folders: Sequence[Path]) -> tuple[list[Source], list[Unreadable]]:
    """What is to be tiled, in the order of the first folder, and what is not."""
    left_out: list[Unreadable] = []
    found = []
    for folder in folders:
        paths, unreadable = find_pictures([folder])
        left_out += unreadable
        found.append(named(folder, paths))
    for by_name, partners in zip(found, found[::-1], strict=True):
        alone = [path for name, path in by_name.items() if name not in partners]
        left_out += (Unreadable(path, "has no partner of the same name") for path in alone)
    shared = [name for name in found[0] if name in found[-1]]
    return [Source(tuple(each[name] for each in found), name) for name in shared], left_out


def named(folder: Path, paths: Iterable[Path]) -> dict[PurePath, Path]:
    """Pictures below `folder`, by the path that their tiles are named after.

    That is the path there without its suffix, unless others would have the same name.
    """
    below: dict[PurePath, Path] = {path.relative_to(folder): path for path in paths}
    stems = Counter(each.with_suffix("") for each in below)

    def name(file: PurePath) -> PurePath:
        stem = file.with_suffix("")
        return stem if stems[stem] == 1 and stem not in below else file

    return {name(file): path for file, path in below.items()}


def _black(how: Tiling, sources: Iterable[Source]) -> int:
    """The level 0..255 that fills borders: as given, or the darkest of the first readable input."""
    if how.black is not None:
        return round(255 * how.black)
    for source in sources:
        try:
            extrema = _decode(source.paths[0]).getextrema()
        except _LeftOut:
            continue
        lowest: NDArray[np.uint8] = np.array(extrema)[:3, 0]
        return int(lowest.min())
    return 0


class Tiler:
    """Cuts pictures into tiles and writes them below `targets`, a folder for each of a pair."""

    def __init__(self, how: Tiling, targets: Sequence[Path], black: int) -> None:
        self._how = how
        self._targets = targets
        self._black = black
        self.stopping = Event()  # there may be a hundred thousand tiles in a picture

    def outcome(self, source: Source) -> Outcome:
        """Tile a picture, in any thread. OSError where a tile cannot be written."""
        try:
            size = _common_size(source)
            with alone_if_large(size):
                return self._tile(source, size)
        except _LeftOut as reason:
            return Outcome(0, reason.file)

    def _tile(self, source: Source, size: Resolution) -> Outcome:
        straight, jittered = self._how.grid.corners(size)
        if not straight and not jittered:
            raise _LeftOut(source.paths[0], f"has {size} pixels, too few for these tiles")
        names = self._names(source, size, (*straight, *jittered))
        pictures = [_decode(path) for path in source.paths]
        kept = [*best(pictures[-1], straight, self._how.grid.tile, self._how.quality), *jittered]
        for picture, target in zip(pictures, self._targets, strict=True):
            for corner in kept:
                if self.stopping.is_set():
                    break
                _write(self._cut(picture, corner), target / names[corner])
        return Outcome(len(kept))

    def _names(
        self, source: Source, size: Resolution, corners: Iterable[Corner]
    ) -> dict[Corner, PurePath]:
        border, seed = self._how.grid.border, self._how.shuffle_seed
        names = {each: TileName(source.name, size, each, border).path(seed) for each in corners}
        if not all(map(fits_a_file_system, names.values())):
            raise _LeftOut(source.paths[0], "has too long a name")
        return names

    def _cut(self, picture: Image.Image, corner: Corner) -> Image.Image:
        """A tile with its border; black lies around what is left of the picture."""
        border, (width, height) = self._how.grid.border, self._how.grid.size
        left, top = corner[0] - border, corner[1] - border
        limits = self._how.grid.trimmed(Resolution(*picture.size))
        box = left, top, left + width, top + height
        inside = (
            max(box[0], limits[0]),
            max(box[1], limits[1]),
            min(box[2], limits[2]),
            min(box[3], limits[3]),
        )
        cut = picture.crop(inside)
        if inside == box:
            return cut
        opaque = (self._black,) * 3 + (255,) * (picture.mode == "RGBA")
        whole = Image.new(picture.mode, (width, height), opaque)
        whole.paste(cut, (inside[0] - left, inside[1] - top))
        return whole


def best(
    picture: Image.Image, corners: Sequence[Corner], tile: Resolution, share: float
) -> list[Corner]:
    """The `max(1, int(n * share))` of these tiles that have most detail, in their order.

    Detail is the sum of the absolute differences of horizontal neighbours, borders left aside.
    """
    most = max(1, int(len(corners) * share))
    if most >= len(corners):
        return list(corners)
    details = [_detail(picture.crop((x, y, x + tile.width, y + tile.height))) for x, y in corners]
    ranked = sorted(range(len(corners)), key=lambda place: -details[place])
    return [corners[place] for place in sorted(ranked[:most])]


def _detail(tile: Image.Image) -> int:
    return int(np.abs(np.diff(np.asarray(tile, np.int16), axis=1)).sum())


class _LeftOut(Exception):
    """A file that cannot be tiled, and why."""

    def __init__(self, path: Path, reason: str) -> None:
        self.file = Unreadable(path, reason)
        super().__init__(reason)


def _common_size(source: Source) -> Resolution:
    size, *others = map(_probe, source.paths)
    for other in others:
        if other != size:
            raise _LeftOut(source.paths[0], f"is {size}, but its partner {other}")
    return size


def _probe(path: Path) -> Resolution:
    try:
        return probe(path)
    except UnreadablePicture as error:
        raise _LeftOut(path, str(error)) from error


def _decode(path: Path) -> Image.Image:
    """The picture as RGB or RGBA, without metadata."""
    try:
        with picture_read(path) as image:
            decoded = upright(image)
    except UnreadablePicture as error:
        raise _LeftOut(path, str(error)) from error
    decoded.info.clear()
    return decoded


def _write(picture: Image.Image, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path, format="PNG", compress_level=PNG_LEVEL)
