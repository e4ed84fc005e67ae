"""Files that the page shows and gives away: named by job and kind, never by a path.

Which files there are is read from the job's folders; what a request says is only compared with
that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from jobs.settings.videos import VIDEOS
from jobs.workspace.files import listing
from jobs.workspace.outputs import CONTACT, JPG, OF_SOME, OutputName
from jobs.workspace.paths import JobPaths, Workspace
from multitrain.serving.night import Night

# What browsers are told that files are, by suffix. Nothing else is sent.
TYPES = {
    ".mp4": "video/mp4",
    ".mov": "video/quicktime",
    ".webm": "video/webm",
    ".mkv": "video/x-matroska",
    ".gif": "image/gif",
    ".jpg": "image/jpeg",
}

PREVIEW, LATEST = "preview", "latest"
STILL, CLIP = "still", "clip"  # of a moment, by its frame; a loop that the page made, by its name


MOST_DIGITS = 12  # of a frame's number


class Media(NamedTuple):
    """A file of a job; `kind`: `film`, `timecut`, `loop`, `export`, `poster` or `contact`."""

    kind: str
    number: int  # of a timecut or a loop, from 1; else 0
    box: int  # from 1; 0: the whole frame
    format: str  # of an export or a loop; else empty
    path: Path

    def for_machines(self) -> dict[str, Any]:
        """What the page is told; `version` changes with the file. OSError where it is gone."""
        facts = self.path.stat()
        return {
            "kind": self.kind,
            "number": self.number,
            "box": self.box,
            "format": self.format,
            "file": self.path.name,
            "bytes": facts.st_size,
            "version": version_of(facts.st_mtime_ns),
        }


def media_of(night: Night, paths: JobPaths) -> Iterator[Media]:
    """All of a job that lies in `renders/` as a file of its own."""
    for name, path in night.outputs(paths):
        if path.suffix in TYPES and name.format != OF_SOME:
            kind = _kind(name)
            number = name.timecut or name.loop or name.applied or 0
            yield Media(kind, number, name.box or 0, name.format or "", path)


def find(night: Night, job: str, wanted: Mapping[str, str]) -> Path | None:
    """The file that a request means: `kind` and, where there are several, number, box and format.

    None where there is none, or where it lies outside of the workspace's folders.
    """
    if job not in night.jobs().by_name:
        return None
    paths = night.workspace.job(job)
    kind = wanted.get("kind", "")
    if kind in (PREVIEW, LATEST):
        return _within(paths.preview if kind == PREVIEW else paths.latest, night.workspace)
    if kind == STILL:
        frame = wanted.get("number", "")
        is_number = frame.isascii() and frame.isdigit() and len(frame) <= MOST_DIGITS
        return _within(paths.still(int(frame)), night.workspace) if is_number else None
    if kind == CLIP:
        name = wanted.get("file", "")
        is_ours = name.startswith(job) and name in listing(night.workspace.clips)
        return _within(night.workspace.clips / name, night.workspace) if is_ours else None
    keys = wanted.get("number") or "0", wanted.get("box") or "0", wanted.get("format") or ""
    for each in media_of(night, paths):
        if (each.kind, str(each.number), str(each.box), each.format) == (kind, *keys):
            return _within(each.path, night.workspace)
    return None


def version_of(nanoseconds: int) -> str:
    """A short text that changes with a file."""
    return f"{nanoseconds // 1_000_000:x}"


def version_at(path: Path) -> str:
    """The version of a file; empty where there is none."""
    try:
        return version_of(path.stat().st_mtime_ns)
    except OSError:
        return ""


def _within(path: Path, workspace: Workspace) -> Path | None:
    """The file itself, where it is one, and no link leads out of the folders of the workspace."""
    try:
        found = path.resolve(strict=True)
        places = (workspace.renders, workspace.runs, workspace.clips)
        folders = [folder.resolve() for folder in places]
    except (OSError, RuntimeError):
        return None
    is_inside = any(found.is_relative_to(folder) for folder in folders)
    return found if is_inside and found.is_file() and found.suffix in TYPES else None


def _kind(name: OutputName) -> str:
    if name.suffix == JPG:
        return "contact" if name.format == CONTACT else "poster"
    if name.loop is not None:
        return "loop"
    if name.applied is not None:
        return "applied"
    if name.timecut is not None:
        return "timecut"
    return "export" if name.format else "film"


assert TYPES.keys() >= {each.suffix for each in VIDEOS.values() if not each.is_folder}
