"""Pictures in folders: which there are and how large. Headers are read, nothing is decoded."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from jobs.errors import how_to_install
from jobs.pictures.png import plain_size
from jobs.pictures.suffixes import is_foreign, is_picture, why_not_read
from jobs.settings.kinds import Resolution

if TYPE_CHECKING:
    from PIL.Image import Image

# In Pillow's words; besides these, only HEIF is tried.
FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "BMP", "DIB", "TIFF", "DPX")
# Limits of texts and profiles in a PNG, decompressed: programs keep whole projects there. Beyond
# its own limit of 1 MB, Pillow refuses a picture although its pixels are whole.
MOST_TEXT = 2**26  # bytes of each
MOST_TEXTS = 2**30  # of all together

DEMO = "demo"  # the built-in data set, drawn on first use
DEMO_COUNT = 400
DEMO_SIZE = Resolution(96, 54)

_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")

_ORIENTATION = 0x0112  # of EXIF 2.32, table 4
_TURNED_BY_A_QUARTER = frozenset({5, 6, 7, 8})


class Picture(NamedTuple):
    """A picture with a readable header; `size` is after turning it as its EXIF data says."""

    path: Path
    size: Resolution


class Unreadable(NamedTuple):
    """A file or folder that cannot be used, and why: one clause for a person."""

    path: Path | str  # a text where it is an address: as a path it would lose a slash
    reason: str


def demo_is_built_in(folder: Path) -> bool:
    """Whether `folder` (`data/demo`) is still to be drawn: with anything in it, it is not."""
    try:
        return not os.listdir(folder)
    except FileNotFoundError:
        return True
    except OSError:  # no folder, or a closed one: reported as of any other data set
        return False


class Below(NamedTuple):
    """What lies below some folders.

    `foreign` are hidden files and folders, and those that file managers keep for themselves.
    """

    pictures: list[Path]
    unreadable: list[Unreadable]
    foreign: list[Path]


def find_pictures(folders: Sequence[Path]) -> tuple[list[Path], list[Unreadable]]:
    """Files named like pictures below `folders`, each once, and what cannot be read.

    What cannot be read are folders, videos, and pictures of formats that are not read. The order is
    the same on every machine: folder by folder as given, sorted within. Foreign files and folders
    are passed over.
    """
    return find_all(folders)[:2]


def find_all(folders: Sequence[Path]) -> Below:
    """As `find_pictures`, and also what it passes over."""
    found = Below([], [], [])
    seen: set[tuple[int, int]] = set()  # folders by device and inode: symbolic links may loop
    for top in folders:
        find_below(top, seen, found)
    return found


def find_below(top: Path, seen: set[tuple[int, int]], found: Below) -> None:
    """Add what lies below `top` to `found`, but folders that were `seen`: by device and inode."""
    pending = [top]
    while pending:
        try:
            pending += reversed(_scan(pending.pop(), seen, found))
        except OSError as error:
            found.unreadable.append(Unreadable(Path(error.filename), explain(error)))


def _scan(folder: Path, seen: set[tuple[int, int]], found: Below) -> list[Path]:
    """Add what is in `folder` itself to `found`; its sub-folders. Nothing where it was `seen`."""
    status = folder.stat()
    if (status.st_dev, status.st_ino) in seen:
        return []
    seen.add((status.st_dev, status.st_ino))
    with os.scandir(folder) as scan:
        entries = sorted(scan, key=lambda each: each.name)
    below = []
    for entry in entries:
        path, is_folder = Path(entry.path), _is_folder(entry)
        if entry.name[0] == "." or (is_folder and is_foreign(entry.name)):
            found.foreign.append(path)
        elif is_folder:
            below.append(path)
        elif is_picture(path):
            found.pictures.append(path)
        elif reason := why_not_read(path):
            found.unreadable.append(Unreadable(path, reason))
    return below


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a symbolic link to itself
        return False


class UnreadablePicture(Exception):
    """Why one file cannot be used: one clause for a person."""


class MissingPackage(UnreadablePicture):
    """The picture needs a package that is not installed."""


def open_picture(path: Path) -> Image:
    """A Pillow image, not decoded yet, for the caller to close. UnreadablePicture says why not."""
    from PIL import Image, PngImagePlugin, UnidentifiedImageError

    from jobs.pictures import dpx  # noqa: F401  # adds itself to Pillow's formats

    Image.preinit()  # JPEG and PNG among others; the rest is registered when a file needs it
    # Pillow's guard against huge pictures is for strangers' uploads; these are the user's own, and
    # only those of the size that was planned for are ever decoded.
    Image.MAX_IMAGE_PIXELS = None
    PngImagePlugin.MAX_TEXT_CHUNK = MOST_TEXT
    PngImagePlugin.MAX_TEXT_MEMORY = MOST_TEXTS
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


@contextmanager
def picture_read(path: Path) -> Iterator[Image]:
    """An open picture; whatever goes wrong while it is read is UnreadablePicture, too."""
    try:
        with open_picture(path) as image:
            yield image
    except UnreadablePicture:
        raise
    except Exception as error:  # Pillow's decoders raise nearly anything on damaged files
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
        raise MissingPackage(
            f"is HEIC, which takes the package pillow-heif: {how_to_install('heic')}"
        ) from None
    register_heif_opener()
    return ("HEIF",)


def probe(path: Path) -> Resolution:
    """The size of the picture at `path` as it is seen. UnreadablePicture says why there is none."""
    if size := plain_size(path):
        return Resolution(*size)
    with open_picture(path) as image:
        return seen_size(image)


def seen_size(image: Image) -> Resolution:
    """The size of `image`, not decoded yet, once it is turned as its EXIF data says."""
    width, height = image.size
    quarter = orientation(image) in _TURNED_BY_A_QUARTER
    return Resolution(height, width) if quarter else Resolution(width, height)


def orientation(image: Image) -> int:
    """How the picture must be turned to be seen right, as EXIF counts it: 1 is upright.

    To be asked before the picture is decoded: decoding may drop the EXIF data.
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
    parts = [f"{_within(each.path, root)} ({each.reason})" for each in unreadable[:most]]
    return _with_rest(parts, len(unreadable))


def describe_odd(odd: Sequence[Picture], root: Path, most: int = 3) -> str:
    """The first few with their sizes, paths relative to `root`: `a.jpg (80x60), b.png (…)`."""
    parts = [f"{_within(each.path, root)} ({each.size})" for each in odd[:most]]
    return _with_rest(parts, len(odd))


def _within(path: Path | str, root: Path) -> str:
    is_below = isinstance(path, Path) and path.is_relative_to(root)
    text = os.path.relpath(path, root) if is_below else str(path)
    return text if text.isprintable() else ascii(text)


def _with_rest(parts: Iterable[str], total: int) -> str:
    parts = list(parts)
    rest = total - len(parts)
    return ", ".join(parts) + (f" and {rest} more" if rest else "")
