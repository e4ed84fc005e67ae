"""Videos at addresses: files as they are, pages of video sites with yt-dlp.

What has come stays in `runs/.downloads`: a download that was cut off goes on, and one that is
complete is not made again.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Callable, Sequence
from email.message import Message
from importlib import import_module
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from jobs.errors import UsageError, how_to_install
from jobs.pictures.finding import Unreadable, explain
from jobs.pictures.suffixes import VIDEO_SUFFIXES
from jobs.secrets import hidden, plain_address
from jobs.settings.words import quoted
from jobs.workspace.files import publish
from jobs.workspace.paths import Workspace
from multitrain.datasets.web.transfer import (
    TIMEOUT,
    Busy,
    OnBytes,
    Shown,
    Transfer,
    TransferFailed,
    Unwanted,
    not_shown,
    opened_alone,
    remove,
    require_address,
)

ADDRESS = re.compile(r"https?://", re.IGNORECASE)
# Content types of videos; servers that do not know a video as such send `octet-stream`.
VIDEO_TYPES = ("video/", "application/octet-stream", "application/mp4", "application/mxf")
# `.unknown_video` is yt-dlp's; unfinished files are called `.part`, `.part-Frag7`, `.ytdl`, ...
FINISHED_SUFFIXES = VIDEO_SUFFIXES | {".video", ".unknown_video"}
DIGITS = 12  # of an address's hash: one folder for each
LONGEST_NAME = 80  # characters
NO_YT_DLP = (
    "is no video file but a page; to take videos from pages, run "
    f"`{how_to_install('download')}`, or download the video yourself"
)


class Unavailable(Exception):
    """Why there is no video to be had from an address: one clause for a person."""


def local_files(
    workspace: Workspace,
    videos: Sequence[str],
    shown: Shown = not_shown,
    say: Callable[[str], None] = lambda _: None,
) -> tuple[list[Path], list[Unreadable]]:
    """The files that `videos` name, addresses downloaded, and those that cannot be had.

    UsageError, before anything is downloaded, where a file is not there, or an address is none.
    """
    for each in videos:
        if ADDRESS.match(each):
            require_address(each)
        elif not Path(each).is_file():
            raise UsageError(f"{quoted(each)} is not a file")
    files, unavailable = [], []
    for each in videos:
        try:
            is_elsewhere = ADDRESS.match(each)
            files.append(_download(workspace, each, shown, say) if is_elsewhere else Path(each))
        except Unavailable as error:
            left_out = Unreadable(plain_address(each), hidden(str(error)))
            say(f"{left_out.path}: {left_out.reason}; it is left out")
            unavailable.append(left_out)
    return files, unavailable


def downloaded(workspace: Workspace, address: str) -> Path | None:
    """The video that has come from there; None where it has not, or is there no more."""
    folder = _folder_of(workspace, address)
    return _finished(folder) if folder.is_dir() else None


def _folder_of(workspace: Workspace, address: str) -> Path:
    return workspace.downloads / hashlib.sha256(address.encode()).hexdigest()[:DIGITS]


def _download(workspace: Workspace, address: str, shown: Shown, say: Callable[[str], None]) -> Path:
    folder = _folder_of(workspace, address)
    folder.mkdir(parents=True, exist_ok=True)
    if there := _finished(folder):
        return there
    try:
        _fetch(address, folder, shown(f"fetching {plain_address(address)}"), say)
    except Busy:
        raise Unavailable("is being downloaded by another process") from None
    if there := _finished(folder):
        return there
    raise Unavailable("gave no video")


def _fetch(address: str, folder: Path, on_bytes: OnBytes, say: Callable[[str], None]) -> None:
    """Download a file as it is, or with yt-dlp the video of a page. Raises Busy and Unavailable."""
    part = folder / "video.part"
    with opened_alone(part) as file:
        transfer = Transfer(
            address, part, file, on_bytes,
            wanted=lambda headers: _is_video(headers, address), say=say,
        )  # fmt: skip
        try:
            transfer.complete()
            publish(part, folder / _name(address))
        except Unwanted:
            _fetch_page(address, folder, on_bytes)
        except TransferFailed as error:
            raise Unavailable(str(error)) from error
        finally:
            if not (part.exists() and file.tell()):
                remove(part)


def _finished(folder: Path) -> Path | None:
    """The finished video in `folder`, or None."""
    files = (each for each in folder.iterdir() if each.suffix.casefold() in FINISHED_SUFFIXES)
    return next((each for each in sorted(files) if each.is_file()), None)


def _is_video(headers: Message, address: str) -> bool:
    kind = headers.get_content_type()
    if kind == "text/html":
        return False
    return kind.startswith(VIDEO_TYPES) or PurePosixPath(_name(address)).suffix in VIDEO_SUFFIXES


def _name(address: str) -> str:
    path = PurePosixPath(unquote(urlsplit(address).path, errors="replace"))
    stem = re.sub(r"[^\w-]+", "-", path.stem).strip("-")[:LONGEST_NAME] or "video"
    suffix = path.suffix.casefold()
    return stem + (suffix if suffix in VIDEO_SUFFIXES else ".video")


def _fetch_page(address: str, folder: Path, on_bytes: OnBytes) -> None:
    try:
        yt_dlp = import_module("yt_dlp")
    except ImportError:
        raise Unavailable(NO_YT_DLP) from None
    options = {
        "outtmpl": {"default": f"%(title).{LONGEST_NAME}B.%(ext)s"},
        "format": "bestvideo/best",
        "noplaylist": True,
        "quiet": True,
        "no_warnings": True,
        "noprogress": True,
        "progress_hooks": [
            lambda told: on_bytes(told.get("downloaded_bytes") or 0, told.get("total_bytes"))
        ],
        "restrictfilenames": True,
        "socket_timeout": TIMEOUT,
    }
    # yt-dlp expands variables and the like in names of folders, so it is given a plain name.
    with tempfile.TemporaryDirectory() as plain:
        home = Path(plain, "home")
        home.symlink_to(folder.absolute())
        try:
            with yt_dlp.YoutubeDL(options | {"paths": {"home": str(home)}}) as downloader:
                downloader.download([address])
        except yt_dlp.utils.YoutubeDLError as error:
            raise Unavailable(explain(error)) from error
