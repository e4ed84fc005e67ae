"""Videos at addresses: files as they are, pages of video sites with yt-dlp.

What has come stays in `runs/.downloads`: a download that was cut off goes on, and one that is
complete is not made again.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from http.client import HTTPException, HTTPResponse
from importlib import import_module
from pathlib import Path, PurePosixPath
from urllib.error import HTTPError, URLError
from urllib.parse import unquote, urlsplit
from urllib.request import Request, urlopen

from jobs.errors import UsageError
from jobs.paths import Workspace, publish, write_text
from jobs.pictures import Unreadable

ADDRESS = re.compile(r"https?://", re.IGNORECASE)
# What servers call videos that they know as such; others say that a file is some bytes.
VIDEO_TYPES = ("video/", "application/octet-stream", "application/mp4", "application/mxf")
VIDEO_SUFFIXES = frozenset({
    ".avi", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".mxf",
    ".ogv", ".ts", ".vob", ".webm", ".wmv",
})  # fmt: skip
TIMEOUT = 60.0  # seconds without a byte
PARTIAL, RANGE_NOT_SATISFIABLE = 206, 416
DIGITS = 12  # of an address's hash: one folder for each
LONGEST_NAME = 80  # characters
STATE = "address.json"  # beside an unfinished file: which version of it that is
NO_YT_DLP = (
    "is no video file but a page; to take videos from pages, run `pip install yt-dlp`, or download "
    "the video yourself"
)


class Unavailable(Exception):
    """Why there is no video to be had from an address: one clause for a person."""


def local_files(workspace: Workspace, videos: Sequence[str]) -> tuple[list[Path], list[Unreadable]]:
    """The files that `videos` name, addresses downloaded, and those that cannot be had.

    UsageError, before anything is downloaded, where a file is not there.
    """
    for each in videos:
        if not ADDRESS.match(each) and not Path(each).is_file():
            raise UsageError(f"{each!r} is not a file")
    files, unavailable = [], []
    for each in videos:
        try:
            files.append(_download(workspace, each) if ADDRESS.match(each) else Path(each))
        except Unavailable as error:
            unavailable.append(Unreadable(Path(each), str(error)))
    return files, unavailable


def _download(workspace: Workspace, address: str) -> Path:
    digest = hashlib.sha256(address.encode(errors="surrogateescape")).hexdigest()[:DIGITS]
    folder = workspace.downloads / digest
    folder.mkdir(parents=True, exist_ok=True)
    if there := _finished(folder):
        return there
    if not _fetch_file(address, folder):
        _fetch_page(address, folder)
    if there := _finished(folder):
        return there
    raise Unavailable("gave no video")


def _finished(folder: Path) -> Path | None:
    """The video in a folder of its own, if it is complete."""
    unfinished = {".part", ".json", ".ytdl"}
    files = (each for each in folder.iterdir() if each.suffix not in unfinished)
    return next((each for each in sorted(files) if each.is_file()), None)


def _fetch_file(address: str, folder: Path) -> bool:
    """Whether the address is that of a file, which is there then."""
    part = folder / "video.part"
    try:
        with _answer(address, part, folder / STATE) as answer:
            if not _is_video(answer, address):
                return False
            goes_on = answer.status == PARTIAL
            write_text(folder / STATE, json.dumps(_version(answer)))
            with part.open("ab" if goes_on else "wb") as file:
                shutil.copyfileobj(answer, file)
                arrived, expected = file.tell(), _size(answer)
    except (URLError, HTTPException, TimeoutError, ConnectionError, ValueError) as error:
        raise Unavailable(_explain(error)) from error
    if expected is not None and arrived != expected:
        raise Unavailable(f"broke off after {arrived} of {expected} bytes; run it again to go on")
    publish(part, folder / _name(address))
    return True


def _answer(address: str, part: Path, state: Path) -> HTTPResponse:
    """To a request for what is still missing, as long as the file there is the same one."""
    headers = {"User-Agent": "multitrain"}
    with suppress(OSError, ValueError):
        version = json.loads(state.read_text(encoding="utf-8"))
        if version and (there := part.stat().st_size):
            headers |= {"Range": f"bytes={there}-", "If-Range": version}
    try:
        answer: HTTPResponse = urlopen(Request(address, headers=headers), timeout=TIMEOUT)
    except HTTPError as error:
        if error.code != RANGE_NOT_SATISFIABLE:
            raise
        part.unlink(missing_ok=True)  # it had everything already, or more than there is
        return _answer(address, part, state)
    return answer


def _version(answer: HTTPResponse) -> str:
    """What `If-Range` takes (RFC 9110, 13.1.5): a strong tag, or the time of the last change."""
    tag: str = answer.headers.get("ETag", "")
    if tag and not tag.startswith("W/"):
        return tag
    changed: str = answer.headers.get("Last-Modified", "")
    return changed


def _size(answer: HTTPResponse) -> int | None:
    """Of the whole file, as the answer tells it."""
    if answer.status == PARTIAL:
        whole = answer.headers.get("Content-Range", "").rpartition("/")[2]
    else:
        whole = answer.headers.get("Content-Length", "")
    return int(whole) if whole.isdecimal() else None


def _is_video(answer: HTTPResponse, address: str) -> bool:
    kind = answer.headers.get_content_type()
    if kind == "text/html":
        return False
    return kind.startswith(VIDEO_TYPES) or PurePosixPath(_name(address)).suffix in VIDEO_SUFFIXES


def _name(address: str) -> str:
    path = PurePosixPath(unquote(urlsplit(address).path, errors="replace"))
    stem = re.sub(r"[^\w-]+", "-", path.stem).strip("-")[:LONGEST_NAME] or "video"
    suffix = path.suffix.casefold()
    return stem + (suffix if suffix in VIDEO_SUFFIXES else ".video")


def _fetch_page(address: str, folder: Path) -> None:
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
        "restrictfilenames": True,
    }
    # It expands variables and the like in names of folders, so it gets to know a plain one.
    with tempfile.TemporaryDirectory() as plain:
        home = Path(plain, "home")
        home.symlink_to(folder.absolute())
        try:
            with yt_dlp.YoutubeDL(options | {"paths": {"home": str(home)}}) as downloader:
                downloader.download([address])
        except yt_dlp.utils.YoutubeDLError as error:
            raise Unavailable(_explain(error)) from error


def _explain(error: Exception) -> str:
    is_answer = isinstance(error, HTTPError)
    reason = error if is_answer else getattr(error, "reason", None) or error
    return " ".join(str(reason).split()) or type(error).__name__
