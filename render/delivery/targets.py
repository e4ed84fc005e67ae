"""Where the files of a job are to go, and which of them have arrived there."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from jobs.destinations import Destination
from jobs.paths import JobPaths, listing, write_text
from jobs.spec import JobSpec

KEY_LETTERS = 12
GONE = "gone"  # the identity of a file that somebody has moved away


@dataclass(frozen=True)
class Target:
    """What a sheet says; who to log in as is looked up whenever something is sent."""

    url: str = ""  # as in `upload_to`; empty: the server in ftp.ini

    @property
    def key(self) -> str:
        """Names the folder of its markers; empty for ftp.ini."""
        return hashlib.sha256(self.url.encode()).hexdigest()[:KEY_LETTERS] if self.url else ""

    @property
    def shown(self) -> str:
        """For logs."""
        return Destination.parse(self.url).shown if self.url else "the server in ftp.ini"


def targets_of(spec: JobSpec) -> tuple[Target, ...]:
    """Everywhere that a sheet says."""
    found = [Target()] if spec.upload_to_ftp else []
    return (*found, *([Target(spec.upload_to)] if spec.upload_to else []))


def backup_name(paths: JobPaths) -> str:
    """What a backup is called at the far end."""
    return f"{paths.name}_checkpoint.zip"


def files_in(outputs: Iterable[Path], renders: Path) -> dict[str, Path]:
    """By the name at the far end, below `renders` here; of a folder of pictures, each of them."""
    files = {}
    for output in outputs:
        inside = [output / name for name in listing(output)] or [output]
        files.update({str(file.relative_to(renders)): file for file in inside})
    return files


def has_arrived(paths: JobPaths, target: Target, name: str, identity: str) -> bool:
    """Whether the file of this name arrived there as it is now."""
    return arrived(paths, target, name) in (identity, "")  # empty: noted by earlier versions


def arrived(paths: JobPaths, target: Target, name: str) -> str | None:
    """Identity of what arrived last; None where nothing did."""
    try:
        return paths.delivered(name, target.key).read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError, UnicodeDecodeError):  # the last: it is damaged
        return None


def note_arrival(paths: JobPaths, target: Target, name: str, identity: str) -> None:
    """OSError where that finds no room."""
    write_text(paths.delivered(name, target.key), identity)


def identity_of(file: Path) -> str:
    """Changes when the file is made anew: its size in bytes, and when it was made."""
    try:
        facts = file.stat()
    except FileNotFoundError:
        return GONE
    return f"{facts.st_size} {facts.st_mtime_ns}"


def newest_checkpoint(paths: JobPaths) -> str:
    """Its identity for backups; empty where there is none."""
    names = paths.checkpoint_names()
    return str(names[-1]) if names else ""


def unsent(paths: JobPaths, spec: JobSpec, outputs: Iterable[Path]) -> list[str]:
    """Names of what has not arrived everywhere, as it is now; the last backup among them."""
    files = files_in(outputs, paths.workspace.renders)
    missing = []
    for target in targets_of(spec):
        missing += [
            name
            for name, file in files.items()
            if not has_arrived(paths, target, name, identity_of(file))
        ]
        newest, backup = newest_checkpoint(paths), backup_name(paths)
        if spec.backup_period and newest and arrived(paths, target, backup) != newest:
            missing.append(backup)
    return missing
