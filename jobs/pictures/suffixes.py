"""Kinds of files by their names: pictures that are read, pictures that are not, videos.

Also folders in which file managers and network disks keep copies of their own.
"""

from __future__ import annotations

import re
from pathlib import PurePath

SUFFIXES = frozenset({
    ".jpg", ".jpeg", ".jpe", ".jfif", ".jif", ".pjpeg", ".pjp", ".mpo", ".png", ".apng", ".webp",
    ".avif", ".avifs", ".heic", ".heics", ".heif", ".heifs", ".hif", ".bmp", ".dib", ".tif",
    ".tiff", ".dpx",
})  # fmt: skip
# Suffixes of sites that send pictures in several sizes: `.jpg_large`, `.png-orig`, `.jpg!d`.
_SIZED = re.compile(r"\.(jpe?g|png|webp)[_:!-]\w{1,20}")

# Pictures of other kinds: all that Pillow reads, what cameras write, what programs draw with.
OTHER_SUFFIXES = frozenset({
    ".blp", ".bufr", ".bw", ".cur", ".dcx", ".dds", ".emf", ".eps", ".fit", ".fits", ".flc",
    ".fli", ".ftc", ".ftu", ".gbr", ".gif", ".grib", ".h5", ".hdf", ".icb", ".icns", ".ico",
    ".iim", ".im", ".j2c", ".j2k", ".jp2", ".jpc", ".jpf", ".jpx", ".msp", ".pbm", ".pcd", ".pcx",
    ".pfm", ".pgm", ".pnm", ".ppm", ".ps", ".psd", ".pxr", ".qoi", ".ras", ".rgb", ".rgba",
    ".sgi", ".tga", ".vda", ".vst", ".wmf", ".xbm", ".xpm",
    ".3fr", ".arw", ".cr2", ".cr3", ".crw", ".dng", ".nef", ".nrw", ".orf", ".pef", ".raf",
    ".raw", ".rw2", ".srw", ".x3f",
    ".ai", ".exr", ".hdr", ".jxl", ".jxr", ".kra", ".pdf", ".psb", ".svg", ".svgz", ".xcf",
})  # fmt: skip
VIDEO_SUFFIXES = frozenset({
    ".3gp", ".avi", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts",
    ".mxf", ".ogv", ".ts", ".vob", ".webm", ".wmv",
})  # fmt: skip

# Folders of thumbnails, deleted files and earlier versions: of Synology, QNAP, macOS, Windows,
# Samba, Linux.
_FOREIGN = frozenset({
    "@eadir", "@tmp", "@__thumb", "#recycle", "@recycle", "#snapshot", "@recently-snapshot",
    "@synoresource", "@sharebin", "__macosx", "$recycle.bin", "recycler", "recycled",
    "system volume information", "network trash folder", "temporary items", "lost+found",
    "found.000",
})  # fmt: skip


def is_picture(path: PurePath) -> bool:
    """Whether a file of this name is a picture that is read."""
    suffix = path.suffix.casefold()
    return suffix in SUFFIXES or bool(_SIZED.fullmatch(suffix))


def is_video(path: PurePath) -> bool:
    """Whether a file of this name is a video."""
    return path.suffix.casefold() in VIDEO_SUFFIXES


def why_not_read(path: PurePath) -> str | None:
    """Why a picture or video of this suffix is not read, in one clause; None for other files."""
    if is_video(path):
        return "is a video, which `multitrain dataset extract` makes pictures of"
    suffix = path.suffix.casefold()
    if suffix in OTHER_SUFFIXES:
        return f"is {suffix[1:].upper()}, which is not read; save it as PNG"
    return None


def is_foreign(folder: str) -> bool:
    """Whether a folder of this name holds what a file manager or a disk keeps for itself."""
    is_hidden = folder.startswith(".") and bool(folder.strip("."))
    return is_hidden or folder.casefold() in _FOREIGN
