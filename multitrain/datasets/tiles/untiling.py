"""Tiles back into the pictures that they were cut from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from itertools import groupby
from pathlib import Path, PurePath
from threading import Event
from typing import NamedTuple
from warnings import catch_warnings

from PIL import Image

from jobs.errors import DatasetError, UsageError
from jobs.pictures.finding import (
    Unreadable,
    UnreadablePicture,
    describe_unreadable,
    explain,
    find_pictures,
    picture_read,
)
from jobs.settings.kinds import Resolution
from jobs.workspace.paths import Workspace
from multitrain.datasets.decoded.decoding import to_rgba, upright
from multitrain.datasets.decoded.preprocessing import alone_if_large
from multitrain.datasets.made.making import Made, new_folder
from multitrain.datasets.parallel import in_order
from multitrain.datasets.tiles.tiles import TileName
from multitrain.datasets.tiles.tiling import PNG_LEVEL, named

MOST_PIXELS = 2**29  # of a picture: its size is read from file names, which may say anything


class Outcome(NamedTuple):
    """What became of the tiles of one picture."""

    is_made: bool
    left_out: tuple[Unreadable, ...]


Track = Callable[[Iterable[Outcome], int], Iterable[Outcome]]


def untile(
    workspace: Workspace,
    name: str,
    target: Path,
    originals: Path | None = None,
    track: Track = lambda outcomes, _: outcomes,
) -> Made:
    """Lay the tiles of a data set together in the new folder `target`, one PNG for each picture.

    Borders are stripped. What no tile covers is as in the picture of the same name in `originals`,
    or black. `track` gets the outcomes as they come, and their number, to show progress. UsageError
    where there are no such folders; DatasetError where nothing can be made of them.
    """
    folder = workspace.dataset(name)
    if not folder.is_dir():
        raise UsageError(f"there is no data set {name!r} in {workspace.data}")
    tiles, left_out = _tiles(folder)
    groups = [tuple(group) for _, group in groupby(tiles, key=lambda tile: tile.name.picture)]
    old, unreadable = _originals(originals)
    left_out += unreadable
    with new_folder(target) as part, catch_warnings(action="ignore"):  # Pillow's
        made = 0
        assembler = _Assembler(part, old)
        try:
            with closing(in_order(assembler.outcome, groups, assembler.stopping)) as outcomes:
                for outcome in track(outcomes, len(groups)):
                    made += outcome.is_made
                    left_out += outcome.left_out
        except OSError as error:
            raise DatasetError(f"The pictures cannot be written: {explain(error)}") from error
        if not made:
            reasons = describe_unreadable(left_out, folder) if left_out else "there are none"
            raise DatasetError(f"No tiles in {folder} can be laid together: {reasons}")
    return Made(target, made, tuple(left_out))


class Tile(NamedTuple):
    """A file, and what its name says."""

    name: TileName
    path: Path


def _tiles(folder: Path) -> tuple[list[Tile], list[Unreadable]]:
    """The tiles, picture by picture and row by row; and the files not named like a tile."""
    paths, left_out = find_pictures([folder])
    tiles = []
    for path in paths:
        name = TileName.parse(path.relative_to(folder))
        if name is None:
            left_out.append(Unreadable(path, "is not named like a tile"))
        else:
            tiles.append(Tile(name, path))
    return sorted(tiles), left_out


def _originals(folder: Path | None) -> tuple[dict[PurePath, Path], list[Unreadable]]:
    if folder is None:
        return {}, []
    paths, unreadable = find_pictures([folder])
    return named(folder, paths), unreadable


class _Assembler:
    """Lays tiles on what was there before, and writes pictures below `target`."""

    def __init__(self, target: Path, originals: dict[PurePath, Path]) -> None:
        self._target = target
        self._originals = originals
        self.stopping = Event()

    def outcome(self, tiles: Sequence[Tile]) -> Outcome:
        """Lay all tiles of one picture together. OSError where it cannot be written."""
        left_out: list[Unreadable] = []
        first = tiles[0].name
        if first.size.width * first.size.height > MOST_PIXELS:
            return Outcome(False, (Unreadable(tiles[0].path, f"is of {first.size} pixels"),))
        with alone_if_large(first.size):
            picture, laid = self._background(first, left_out), 0
            for tile in tiles:
                if self.stopping.is_set():
                    return Outcome(False, ())
                try:
                    picture = _laid(picture, tile)
                    laid += 1
                except UnreadablePicture as error:
                    left_out.append(Unreadable(tile.path, str(error)))
            if laid:
                path = self._target / first.picture.with_name(f"{first.picture.name}.png")
                path.parent.mkdir(parents=True, exist_ok=True)
                picture.save(path, format="PNG", compress_level=PNG_LEVEL)
        return Outcome(laid > 0, tuple(left_out))

    def _background(self, name: TileName, left_out: list[Unreadable]) -> Image.Image:
        if path := self._originals.get(name.picture):
            try:
                with picture_read(path) as image:
                    original = upright(image)
                if original.size == name.size:
                    original.info.clear()
                    return original
                reason = f"is {Resolution(*original.size)}, its tiles are of {name.size}"
            except UnreadablePicture as error:
                reason = str(error)
            left_out.append(Unreadable(path, reason))
        return Image.new("RGB", name.size)


def _laid(picture: Image.Image, tile: Tile) -> Image.Image:
    """`picture` with this tile: changed, or a copy with alpha where only the tile has any.

    UnreadablePicture where it is none of the picture.
    """
    with picture_read(tile.path) as image:
        decoded = upright(image)
    border, (x, y) = tile.name.border, tile.name.corner
    width, height = decoded.width - 2 * border, decoded.height - 2 * border
    if tile.name.size != picture.size or min(width, height) < 1:
        raise UnreadablePicture(f"is no tile of a picture of {Resolution(*picture.size)}")
    if x + width > picture.width or y + height > picture.height:
        raise UnreadablePicture("lies outside of its picture")
    if decoded.mode == "RGBA" != picture.mode:
        picture = to_rgba(picture)
    picture.paste(decoded.crop((border, border, border + width, border + height)), (x, y))
    return picture
