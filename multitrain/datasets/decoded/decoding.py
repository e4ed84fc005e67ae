"""Files into pictures: each decoded, turned and made RGB or RGBA, in the order of the files."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

import multitrain.datasets.decoded.dpx  # noqa: F401  # Pillow loads DPX then
from jobs.pictures.filmed import video_of
from jobs.pictures.finding import (
    MissingPackage,
    Unreadable,
    UnreadablePicture,
    explain,
    open_picture,
    orientation,
    seen_size,
)
from jobs.settings.colours import RGBA
from jobs.settings.kinds import Resolution
from jobs.settings.preprocess import Preprocessing, Step, Unfit
from jobs.settings.translation import Degradation
from multitrain.datasets.decoded import profiles
from multitrain.datasets.decoded.compressing import Stretch, compressed
from multitrain.datasets.decoded.depth import Curve, in_bytes
from multitrain.datasets.decoded.preprocessing import alone_if_large, preprocessed
from multitrain.datasets.filmed.frames import Still
from multitrain.datasets.filmed.stills import Undecoded, square, stills_of
from multitrain.datasets.parallel import in_order

Uint8Array = NDArray[np.uint8]
Source = Path | Still | Undecoded  # a file that holds a picture; a frame, or why there is none

DIGEST_BYTES = 16

_TURNS = {  # EXIF 2.32, table 6
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True)
class Decoded:
    """What became of some files: the pictures that were taken, and the files that were not."""

    count: int
    digest: str  # BLAKE2b of the pictures that were taken, in their order, hexadecimal
    skipped: tuple[Unreadable, ...]
    is_lasting: bool  # False: the system failed for some files; they may be read next time


def decode(
    paths: Sequence[Path],
    width: int,
    height: int,
    channels: int,
    take: Callable[[Uint8Array], None],
    steps: tuple[Step, ...] = (),
    codec: Degradation | None = None,
) -> Decoded:
    """Hand each picture that has this size after these `steps` to `take`, in the order of `paths`.

    It is `(height, width, channels)` uint8, RGB or RGBA. Threads decode a few pictures ahead;
    `take` is called in the thread of the caller. With a `codec`, pictures are as its video keeps
    them; one that cannot be read ends a video, as a folder does.
    """
    count, skipped, is_lasting = 0, list[Unreadable](), True
    digest = hashlib.blake2b(digest_size=DIGEST_BYTES)
    wanted = _Wanted(Resolution(width, height), channels == RGBA, steps)

    def readable() -> Generator[tuple[Stretch, Uint8Array], None, None]:
        nonlocal is_lasting
        with (
            warnings.catch_warnings(action="ignore"),  # Pillow's, about oddities it copes with
            closing(in_order(wanted.picture, _sources(paths))) as found,
        ):
            for path, picture in zip(paths, found, strict=True):
                if isinstance(picture, _Skip):
                    skipped.append(Unreadable(path, picture.reason))
                    is_lasting &= not picture.may_pass
                else:
                    yield (path.parent, len(skipped)), picture

    with closing(readable()) as found:
        pictures = compressed(found, codec) if codec else (each for _, each in found)
        for picture in pictures:
            digest.update(picture.data)
            take(picture)
            count += 1
    return Decoded(count, digest.hexdigest(), tuple(skipped), is_lasting)


def _sources(paths: Sequence[Path]) -> Iterator[Source]:
    """Files that hold a picture each as they are; frames decoded, since they come one by one."""
    for video, group in groupby(paths, key=video_of):
        together = list(group)
        yield from together if video is None else stills_of(video, together)


class _Skip(NamedTuple):
    """Why a file is left out, and whether that may pass although the file stays as it is."""

    reason: str
    may_pass: bool


class _Wanted(NamedTuple):
    """Pictures as a training wants them: their size after these steps, whether as RGBA."""

    size: Resolution
    with_alpha: bool
    steps: tuple[Step, ...]

    def picture(self, source: Source) -> Uint8Array | _Skip:
        """One of them, or why not."""
        try:
            if isinstance(source, Undecoded):
                return _Skip(source.reason, may_pass=False)
            if isinstance(source, Still):
                return self._fitted(square(source), source.seen)
            with open_picture(source) as image:
                return self._fitted(image, seen_size(image))
        except Unfit as error:
            return _Skip(str(error), may_pass=False)
        except MissingPackage as error:
            return _Skip(str(error), may_pass=True)
        except UnreadablePicture as error:
            return _Skip(str(error), _is_of_the_system(error.__cause__))
        except Exception as error:  # Pillow's decoders raise nearly anything on damaged files
            return _Skip(explain(error), _is_of_the_system(error))

    def _fitted(self, image: Image.Image, seen: Resolution) -> Uint8Array | _Skip:
        size = Preprocessing(self.steps).loaded(seen)
        if size != self.size:
            return _Skip(f"is {size}, not {self.size}", may_pass=False)
        with alone_if_large(seen):
            decoded = upright(image, with_alpha=self.with_alpha)
            return np.ascontiguousarray(preprocessed(decoded, self.steps))


def _is_of_the_system(error: BaseException | None) -> bool:
    """Whether the system failed, and not the file: a broken disk, too little memory."""
    return isinstance(error, MemoryError) or (isinstance(error, OSError) and bool(error.errno))


def upright(
    image: Image.Image, *, with_alpha: bool | None = None, curve: Curve | None = None
) -> Image.Image:
    """An opened picture decoded and turned as it is seen: sRGB, as RGB or RGBA.

    `with_alpha` None: RGBA where it has any transparency. A `curve` makes sRGB of its values,
    whatever its profile says. Raises nearly anything on damaged files.
    """
    turn = _TURNS.get(orientation(image))  # read first: decoding may drop it
    with_alpha = image.has_transparency_data if with_alpha is None else with_alpha
    decoded = to_rgba(image, curve) if with_alpha else to_rgb(image, curve)
    return decoded if turn is None else decoded.transpose(turn)


def to_rgb(image: Image.Image, curve: Curve | None = None) -> Image.Image:
    """Any picture as 8-bit RGB: transparent ones over black, more than 8 bits scaled down."""
    image = _seen(image, curve)
    if image.has_transparency_data:
        black = Image.new("RGBA", image.size, (0, 0, 0, 255))
        image = Image.alpha_composite(black, image.convert("RGBA"))
    return _converted(image, "RGB")


def to_rgba(image: Image.Image, curve: Curve | None = None) -> Image.Image:
    """Any picture as 8-bit RGBA, not premultiplied; opaque where it has no alpha."""
    image = _seen(image, curve)
    # Pillow cannot convert every mode without alpha straight to RGBA.
    return _converted(image if image.has_transparency_data else _converted(image, "RGB"), "RGBA")


def _seen(image: Image.Image, curve: Curve | None) -> Image.Image:
    """The picture with at most 8 bits per value, in sRGB: by the `curve`, else by its profile."""
    image = in_bytes(image, curve)
    if curve is not None:
        image.info.pop(profiles.KEY, None)
    return profiles.as_srgb(image)


def _converted(image: Image.Image, mode: str) -> Image.Image:
    """The loaded picture in `mode`; copied only if needed, as it may take a gigabyte."""
    image.load()
    return image if image.mode == mode else image.convert(mode)
