"""Connects to the far end that an address names."""

from __future__ import annotations

from pathlib import Path

from jobs.errors import UsageError, how_to_install
from jobs.settings.destinations import Destination
from jobs.workspace.paths import Workspace
from render.delivery.folder import Folder
from render.delivery.ftp import Ftp
from render.delivery.logins import Login
from render.delivery.place import Place


def connect(
    destination: Destination, login: Login, workspace: Workspace, *, to_read: bool = False
) -> Place:
    """A connection to the far end; `to_read`: nothing is made there.

    UsageError where an extra is missing.
    """
    if extra := destination.missing_extra:
        raise UsageError(f"needs the extra {extra}: {how_to_install(extra)}")
    match destination.scheme:
        case "ftp":
            return Ftp(destination, login, to_read=to_read)
        case "sftp":
            from render.delivery.sftp import Sftp  # its libraries come with an extra

            return Sftp(destination, login, workspace.known_hosts)
        case "s3":
            from render.delivery.s3 import S3  # likewise

            return S3(destination, login)
    return Folder(Path(destination.folder))
