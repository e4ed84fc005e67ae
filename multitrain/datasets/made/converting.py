"""Pictures into a data set of the size, light and format that a training wants."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import reduce
from itertools import chain, count
from pathlib import Path, PurePath
from typing import Literal, NamedTuple
from unicodedata import normalize
from warnings import catch_warnings

import numpy as np
from PIL import Image

from jobs.errors import DatasetError
from jobs.pictures.dpx import DpxImageFile, Transfer
from jobs.pictures.finding import (
    Unreadable,
    UnreadablePicture,
    describe_unreadable,
    explain,
    find_pictures,
    open_picture,
    seen_size,
)
from jobs.settings.kinds import Resolution
from jobs.settings.preprocess import NO_SIDES, Preprocessing, Sides, Unfit
from jobs.workspace.paths import Workspace
from multitrain.datasets.decoded.decoding import upright
from multitrain.datasets.decoded.depth import Curve
from multitrain.datasets.decoded.dpx import light_of_film, srgb
from multitrain.datasets.decoded.preprocessing import alone_if_large, preprocessed
from multitrain.datasets.decoded.shaving import black_sides
from multitrain.datasets.made.making import Made, new_data_set
from multitrain.datasets.parallel import in_order

Light = Literal["auto", "srgb", "linear", "log"]  # how values stand for light
Format = Literal["png", "jpg"]

JPEG_QUALITY = 95
JPEG_SIDE = 65500  # pixels: as many as libjpeg writes
LONGEST_STEM = 200  # bytes: leaves room for a number and a suffix
OF_A_PICTURE = re.compile(r"(_\d+)?\.(png|jpg)$", re.IGNORECASE)  # what is added to a name

_TRANSFERS: dict[str, Transfer] = {"srgb": "display", "linear": "linear", "log": "log"}
_CURVES: dict[Light, Curve | None] = {
    "auto": None,
    "srgb": lambda values: values,
    "linear": srgb,
    "log": lambda values: srgb(light_of_film(values)),
}


@dataclass(frozen=True)
class Conversion:
    """How pictures are converted.

    Where the preprocessing has random parts, `copies` are made of each picture, drawn by `seed`.
    `light` overrules what files say of theirs; `auto` follows them.
    """

    preprocessing: Preprocessing
    copies: int = 1
    seed: int = 0
    light: Light = "auto"
    format: Format = "png"
    shave: Sides = NO_SIDES  # cut off before anything else


class Source(NamedTuple):
    """A file, its number, and the path below the data set of what it becomes, without a suffix."""

    number: int
    path: Path
    name: PurePath


class Outcome(NamedTuple):
    """What became of a file: the size of its copies, or why there are none."""

    size: Resolution | None
    left_out: Unreadable | None = None


Track = Callable[[Iterable[Outcome], int], Iterable[Outcome]]
Measuring = Callable[[Iterable[Sides | None], int], Iterable[Sides | None]]


def convert(
    workspace: Workspace,
    folders: Sequence[Path],
    name: str,
    how: Conversion,
    track: Track = lambda outcomes, _: outcomes,
    measuring: Measuring | None = None,
) -> Made:
    """Make the data set `name` of the pictures below `folders`.

    `track` gets the outcomes as they come, and their number, to show progress. With `measuring`,
    black borders that all pictures have are cut off first; it gets those of each, likewise.
    UsageError for a name that cannot be taken; DatasetError where no picture is left or one cannot
    be written.
    """
    paths, left_out = find_pictures(folders)
    sources = list(named(paths, folders))
    sizes: Counter[Resolution] = Counter()
    with new_data_set(workspace, name) as (target,), catch_warnings(action="ignore"):  # Pillow's
        if measuring:
            how = replace(how, shave=_black_border(paths, how, measuring))
        try:
            # Closed before the folder goes, should this be interrupted: threads write to it.
            work = in_order(lambda source: _convert(source, target, how), sources)
            with closing(work) as outcomes:
                for size, unreadable in track(outcomes, len(sources)):
                    sizes.update([size] if size else [])
                    left_out += [unreadable] if unreadable else []
        except OSError as error:
            raise DatasetError(f"The pictures cannot be written: {explain(error)}") from error
        if not sizes:
            where = ", ".join(map(str, folders))
            why = describe_unreadable(left_out, folders[0]) if left_out else "there are none"
            raise DatasetError(f"No picture in {where} can be converted: {why}")
    counts = {str(size): how.copies * files for size, files in sizes.most_common()}
    facts: dict[str, object] = {"sizes": counts}
    notes = notes_on(counts)
    if measuring or any(how.shave):
        notes += (_told(how.shave),)
        facts["shaved"] = list(how.shave)
    return Made(workspace.dataset(name), sum(counts.values()), tuple(left_out), notes, facts)


def _told(shaved: Sides) -> str:
    if not any(shaved):
        return "nothing was cut off first: there is no black border that all have"
    sides = zip(shaved, Sides._fields, strict=True)
    return f"cut off first: {', '.join(f'{pixels} {side}' for pixels, side in sides if pixels)}"


def notes_on(sizes: dict[str, int]) -> tuple[str, ...]:
    """Of how many sizes pictures are; the most common ones come first."""
    if len(sizes) == 1:
        return (f"of {next(iter(sizes))} pixels",)
    most = ", ".join(f"{count} of {size}" for size, count in list(sizes.items())[:3])
    return (f"in {len(sizes)} sizes ({most}): to train on them takes one, as by `cover`",)


def named(paths: Sequence[Path], folders: Sequence[Path]) -> Iterator[Source]:
    """The pictures, each under a name of its own: that of its file where that is free."""
    found = [
        next(path.relative_to(each) for each in folders if path.is_relative_to(each))
        for path in paths
    ]
    taken = {key for below in found for folder in below.parents for key in _as_pictures(folder)}
    for number, (path, below) in enumerate(zip(paths, found, strict=True)):
        stem = os.fsencode(below.stem)
        if len(stem) > LONGEST_STEM:
            stem = stem[:LONGEST_STEM].decode(errors="ignore").encode()
        first = below.with_name(os.fsdecode(stem))
        others = (first.with_name(f"{first.name}~{again}") for again in count(2))
        name = next(each for each in chain([first], others) if _key(each) not in taken)
        taken.add(_key(name))
        yield Source(number, path, name)


def _as_pictures(folder: PurePath) -> Iterator[str]:
    """The keys of names that no picture may have, because a folder is called, say, `x.png`."""
    if match := OF_A_PICTURE.search(name := str(folder)):
        yield _key(PurePath(name[: match.start()]))
        yield _key(PurePath(name[: match.end(1)] if match[1] else name[: match.start()]))


def _key(name: PurePath) -> str:
    """Equal for names that a file system may confuse: case and Unicode form do not count."""
    return normalize("NFC", str(name)).casefold()


def _convert(source: Source, target: Path, how: Conversion) -> Outcome:
    """Convert one picture, in any thread. OSError where it cannot be written."""
    try:
        picture = _prepared(source.path, how)
    except (UnreadablePicture, Unfit) as error:
        return Outcome(None, Unreadable(source.path, str(error)))
    except Exception as error:  # Pillow's decoders raise nearly anything on damaged files
        return Outcome(None, Unreadable(source.path, explain(error)))
    for copy in range(how.copies):
        suffix = f"_{copy + 1:03d}" if how.copies > 1 else ""
        path = target / source.name.with_name(f"{source.name.name}{suffix}.{how.format}")
        path.parent.mkdir(parents=True, exist_ok=True)
        random = np.random.default_rng([how.seed, source.number, copy])
        part = _part(picture, how.preprocessing, random)
        if how.format == "jpg":
            part.save(path, quality=JPEG_QUALITY, subsampling=0)
        else:
            part.save(path)
    return Outcome(Resolution(*part.size))


def _prepared(path: Path, how: Conversion) -> Image.Image:
    """The decoded picture after the steps that all copies share. Raises nearly anything."""
    with open_picture(path) as image:
        size = seen_size(image)
        left, top, right, bottom = box = how.shave.within(size)
        shaved = Resolution(right - left, bottom - top)
        _require_jpeg(how.preprocessing.seen(how.preprocessing.loaded(shaved)), how.format)
        with alone_if_large(size):
            decoded = _decoded(image, how, with_alpha=False if how.format == "jpg" else None)
            if shaved != size:
                decoded = decoded.crop(box)
            return preprocessed(decoded, how.preprocessing.fixed)


def _decoded(image: Image.Image, how: Conversion, *, with_alpha: bool | None) -> Image.Image:
    curve = _CURVES[how.light]
    if isinstance(image, DpxImageFile) and how.light != "auto":
        image.transfer, curve = _TRANSFERS[how.light], None  # at its full depth
    decoded = upright(image, with_alpha=with_alpha, curve=curve)
    decoded.info = {}
    return decoded


def _black_border(paths: Sequence[Path], how: Conversion, measuring: Measuring) -> Sides:
    """The black sides that all pictures have, by their values after decoding.

    Pictures that are all black, or cannot be read, do not count.
    """
    with closing(in_order(lambda path: _border(path, how), paths)) as looks:
        found = [sides for sides in measuring(looks, len(paths)) if sides is not None]
    return reduce(Sides.common, found) if found else NO_SIDES


def _border(path: Path, how: Conversion) -> Sides | None:
    try:
        with open_picture(path) as image, alone_if_large(seen_size(image)):
            return black_sides(np.asarray(_decoded(image, how, with_alpha=False)))
    except Exception:  # told when it is converted
        return None


def _require_jpeg(size: Resolution, kind: Format) -> None:
    """Raises Unfit for what JPEG cannot hold."""
    if kind == "jpg" and max(size) > JPEG_SIDE:
        raise Unfit(f"is {size}, and a side of a JPEG has at most {JPEG_SIDE:,} pixels")


def _part(image: Image.Image, how: Preprocessing, random: np.random.Generator) -> Image.Image:
    """A copy of the picture, with what is left to chance: where to cut, whether to mirror."""
    if how.crop:
        width, height = how.crop
        left = int(random.integers(image.width - width + 1))
        top = int(random.integers(image.height - height + 1))
        image = image.crop((left, top, left + width, top + height))
    if how.flip and random.random() < 0.5:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return image
