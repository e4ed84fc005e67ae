"""Many pictures at a glance: some of them, evenly chosen, as one picture."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from PIL import Image, ImageOps

from jobs.pictures.finding import open_picture
from multitrain.datasets.decoded.decoding import upright
from multitrain.datasets.parallel import in_order

COLUMNS, ROWS = 8, 5
CELL = (160, 90)  # pixels
GAP = 4  # pixels around each cell
PAPER = (16, 16, 18)  # RGB
TRIES = 4  # pictures that are tried for one cell, should the first ones be broken
MOST_PIXELS = 2**27  # of a picture that is decoded to be looked at: half a GB as RGBA


def contact_sheet(
    paths: Sequence[Path], columns: int = COLUMNS, rows: int = ROWS, cell: tuple[int, int] = CELL
) -> Image.Image:
    """Up to `columns` x `rows` of the pictures, row by row in their order, RGB.

    Each is seen whole, as large as its cell (width, height in pixels) allows. Where one cannot be
    read, one that follows it is shown instead. Where there are too few, the sheet has fewer cells.
    """
    groups = _spread(paths, columns * rows)
    with warnings.catch_warnings(action="ignore"):  # Pillow's, about oddities it copes with
        shown = list(in_order(lambda group: _first_readable(group, cell), groups))
    seen = [each for each in shown if each is not None]
    columns = max(1, min(columns, len(seen)))
    rows = max(1, -(-len(seen) // columns))
    width, height = cell
    size = GAP + columns * (width + GAP), GAP + rows * (height + GAP)
    sheet = Image.new("RGB", size, PAPER)
    for number, picture in enumerate(seen):
        row, column = divmod(number, columns)
        corner = (
            GAP + column * (width + GAP) + (width - picture.width) // 2,
            GAP + row * (height + GAP) + (height - picture.height) // 2,
        )
        sheet.paste(picture, corner)
    return sheet


def _spread(paths: Sequence[Path], cells: int) -> Iterator[Sequence[Path]]:
    """For each cell the picture to show and the few to try should it be broken."""
    count = min(cells, len(paths))
    edges = [number * len(paths) // count for number in range(count)] + [len(paths)]
    for start, end in pairwise(edges):
        yield paths[start : min(end, start + TRIES)]


def _first_readable(paths: Sequence[Path], cell: tuple[int, int]) -> Image.Image | None:
    for path in paths:
        try:
            return _fitted(path, cell)
        except Exception:  # Pillow's decoders raise nearly anything on damaged files
            continue
    return None


def _fitted(path: Path, cell: tuple[int, int]) -> Image.Image:
    """The picture at `path` as it is seen, as large as fits into the cell."""
    with open_picture(path) as image:
        image.draft("RGB", (2 * max(cell), 2 * max(cell)))  # JPEG files are decoded smaller
        if image.width * image.height > MOST_PIXELS:
            raise ValueError("too large")
        seen = upright(image, with_alpha=False)
    return ImageOps.contain(seen, cell, Image.Resampling.LANCZOS)
