"""Pictures in folders: which there are and how large. Headers are read, nothing is decoded."""

from __future__ import annotations

import os
import warnings
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from jobs.kinds import Resolution

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".png", ".webp", ".avif", ".heic", ".heif", ".bmp", ".tif", ".tiff", ".dpx"}
)
# In Pillow's words; besides these, only HEIF is tried.
FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "BMP", "TIFF", "DPX")

DEMO = "demo"  # the built-in data set, drawn on first use
DEMO_COUNT = 400
DEMO_SIZE = Resolution(96, 54)

_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")

_ORIENTATION = 0x0112  # of EXIF 2.32, table 4
_TURNED_BY_A_QUARTER = frozenset({5, 6, 7, 8})


class Picture(NamedTuple):
    """A picture with a readable header; its size is as it is seen, turned as EXIF data says."""

    path: Path
    size: Resolution


class Unreadable(NamedTuple):
    """A file or folder that cannot be used, and why: one clause for a person."""

    path: Path
    reason: str


@dataclass(frozen=True)
class Survey:
    """What the folders of a data set hold.

    `size` is that of most pictures (None where there are none), `count` is how many have it, `odd`
    are those of other sizes.
    """

    size: Resolution | None
    count: int
    odd: tuple[Picture, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()


def demo_is_built_in(folder: Path) -> bool:
    """Whether `folder` (`data/demo`) is still to be drawn: with anything in it, it is not."""
    try:
        return not os.listdir(folder)
    except FileNotFoundError:
        return True
    except OSError:  # no folder, or a closed one: what is wrong with it is told as of any other
        return False


def survey(folders: Sequence[Path], *, with_demo: bool = False) -> Survey:
    """Look at all pictures in `folders`; `with_demo` counts the built-in ones, drawn or not."""
    paths, unreadable = find_pictures(folders)
    pictures = []
    with warnings.catch_warnings(action="ignore"):  # of Pillow, about oddities it copes with
        for path in paths:
            try:
                pictures.append(Picture(path, probe(path)))
            except UnreadablePicture as error:
                unreadable.append(Unreadable(path, str(error)))
    sizes = Counter({DEMO_SIZE: DEMO_COUNT} if with_demo else {})
    sizes.update(picture.size for picture in pictures)
    if not sizes:
        return Survey(None, 0, (), tuple(unreadable))
    size, count = sizes.most_common(1)[0]  # of equals the first one met
    odd = tuple(picture for picture in pictures if picture.size != size)
    return Survey(size, count, odd, tuple(unreadable))


def find_pictures(folders: Sequence[Path]) -> tuple[list[Path], list[Unreadable]]:
    """Files named like pictures below `folders`, each once, and the folders that cannot be read.

    Folder by folder as given, sorted within; hidden files and folders are passed over. The order is
    the same on every machine.
    """
    pictures: list[Path] = []
    unreadable: list[Unreadable] = []
    seen: set[tuple[int, int]] = set()  # folders by device and inode: symbolic links may loop
    for top in folders:
        pending = [top]
        while pending:
            try:
                files, below = _scan(pending.pop(), seen)
            except OSError as error:
                unreadable.append(Unreadable(Path(error.filename), explain(error)))
                continue
            pictures += files
            pending += reversed(below)
    return pictures, unreadable


def _scan(folder: Path, seen: set[tuple[int, int]]) -> tuple[list[Path], list[Path]]:
    """What is named like a picture in `folder`, and its folders; nothing where it was `seen`."""
    status = folder.stat()
    if (status.st_dev, status.st_ino) in seen:
        return [], []
    seen.add((status.st_dev, status.st_ino))
    with os.scandir(folder) as scan:
        entries = sorted((each for each in scan if each.name[0] != "."), key=lambda each: each.name)
    below = [Path(each.path) for each in entries if _is_folder(each)]
    named = (Path(each.path) for each in entries if not _is_folder(each))
    return [path for path in named if path.suffix.casefold() in SUFFIXES], below


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a symbolic link to itself
        return False


class UnreadablePicture(Exception):
    """Why one file cannot be used: one clause for a person."""


class MissingPackage(UnreadablePicture):
    """Another installation may read it."""


def open_picture(path: Path) -> Image:
    """A lazily opened Pillow image: close it. UnreadablePicture where its header tells of none."""
    from PIL import Image, UnidentifiedImageError

    from jobs import dpx  # noqa: F401  # adds itself to Pillow's formats

    Image.init()  # registers the others; once
    # Pillow's guard against huge pictures is for strangers' uploads; these are the user's own, and
    # only those of the size that was planned for are ever decoded.
    Image.MAX_IMAGE_PIXELS = None
    try:
        if not path.is_file():  # a broken link, or a pipe: waiting for it would take for ever
            raise UnreadablePicture("is not a file")
        try:
            return Image.open(path, formats=FORMATS)
        except UnidentifiedImageError:
            return Image.open(path, formats=_heif(path))
    except UnreadablePicture:
        raise
    except UnidentifiedImageError:
        empty = path.stat().st_size == 0
        raise UnreadablePicture("is empty" if empty else "is not a picture") from None
    except Exception as error:  # Pillow's plug-ins raise nearly anything on damaged headers
        raise UnreadablePicture(explain(error)) from error


def _heif(path: Path) -> tuple[str, ...]:
    """The format HEIF if that is what `path` holds, whatever its suffix: phones call it .jpg too.

    MissingPackage without the plug-in for Pillow, which is not installed with the project.
    """
    with path.open("rb") as file:
        start = file.read(12)
    if start[4:8] != b"ftyp" or start[8:] not in _HEIF_BRANDS:
        return ()
    try:
        from pillow_heif import register_heif_opener
    except ImportError:
        raise MissingPackage("is HEIC, which takes the package pillow-heif") from None
    register_heif_opener()
    return ("HEIF",)


def probe(path: Path) -> Resolution:
    """The size of the picture at `path` as it is seen. UnreadablePicture says why there is none."""
    with open_picture(path) as image:
        return seen_size(image)


def seen_size(image: Image) -> Resolution:
    """The size of `image`, not decoded yet, once it is turned as its EXIF data says."""
    width, height = image.size
    quarter = orientation(image) in _TURNED_BY_A_QUARTER
    return Resolution(height, width) if quarter else Resolution(width, height)


def orientation(image: Image) -> int:
    """How the picture must be turned to be seen right, as EXIF counts it: 1 is upright.

    Asked before the picture is decoded, which may forget it.
    """
    if image.format == "TIFF":
        return 1  # Pillow turns it by itself, its size included
    if image.format == "PNG" and "exif" not in image.info:
        return 1  # Pillow would decode the whole picture to look for it behind the pixels
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # damaged EXIF data is no reason to leave a picture out
        return 1


def explain(error: Exception) -> str:
    """What Pillow or the system says, on one line."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.casefold()
    return " ".join(str(error).split()) or type(error).__name__


def describe_unreadable(unreadable: Sequence[Unreadable], root: Path, most: int = 3) -> str:
    """The first few with their reasons, paths relative to `root`: `a.jpg (is empty), b.png (…)`."""
    told = [f"{_within(each.path, root)} ({each.reason})" for each in unreadable[:most]]
    return _with_rest(told, len(unreadable))


def describe_odd(odd: Sequence[Picture], root: Path, most: int = 3) -> str:
    """The first few with their sizes, paths relative to `root`: `a.jpg (80x60), b.png (…)`."""
    told = [f"{_within(each.path, root)} ({each.size})" for each in odd[:most]]
    return _with_rest(told, len(odd))


def _within(path: Path, root: Path) -> str:
    text = str(path.relative_to(root) if path.is_relative_to(root) else path)
    return text if text.isprintable() else ascii(text)


def _with_rest(told: Iterable[str], total: int) -> str:
    told = list(told)
    rest = total - len(told)
    return ", ".join(told) + (f" and {rest} more" if rest else "")
