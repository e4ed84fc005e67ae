"""Who to log in as: from upload.ini, ~/.netrc or ftp.ini, never from a sheet.

upload.ini has a section for each host (for S3: the bucket, or [s3] for all), with `user`,
`password`, and what `SETTINGS` lists. Messages about such a file repeat none of its words.
"""

from __future__ import annotations

import configparser
import ftplib
import logging
import netrc
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from jobs.errors import UsageError
from jobs.reading import read_bounded
from jobs.settings.destinations import Destination
from jobs.workspace.paths import Workspace
from render.delivery.targets import Target

# Besides `user` and `password`, by scheme.
SETTINGS = {
    "ftp": ("tls",),
    "sftp": ("key_file",),
    "s3": ("key", "secret", "token", "endpoint_url", "region", "profile"),
    "file": (),
}

MOST_BYTES = 2**20  # of a file with logins

log = logging.getLogger(__name__)

_warned: set[Path] = set()


@dataclass(frozen=True)
class Login:
    """`user` and `password` are empty where none are known; none of this is ever shown."""

    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    settings: Mapping[str, str] = field(default_factory=dict, repr=False)


def look_up(target: Target, workspace: Workspace) -> tuple[Destination, Login]:
    """Where to send to, and who to log in as; read at every call, so a mended password counts.

    UsageError where a file with logins is of no use.
    """
    if not target.url:
        return _from_ftp_ini(workspace.ftp_settings)
    destination = Destination.parse(target.url)
    settings = _section(workspace.upload_settings, destination)
    user = settings.get("user", destination.user)
    if destination.user and user != destination.user:  # another user's settings
        settings, user = {}, destination.user
    password = settings.get("password", "")
    if destination.scheme in ("ftp", "sftp") and not password:
        user, password = _from_netrc(destination.host, user)
    return destination, Login(user, password, settings)


def _section(path: Path, destination: Destination) -> dict[str, str]:
    """The settings in the first section of [user@host], [host:port], [host] and, for S3, [s3]."""
    if destination.scheme == "file" or not path.exists():
        return {}
    _warn_of_readers(path)
    parser = configparser.ConfigParser(interpolation=None)  # passwords may hold `%`
    try:
        parser.read_string(_text(path))
    except (OSError, ValueError, configparser.Error) as error:
        # Without the parser's own words, which repeat the line, password and all.
        needed = "it needs sections such as [nas.local] with lines such as user = …, password = …"
        raise UsageError(f"{path} is of no use ({type(error).__name__}); {needed}") from None
    host = destination.host
    names = [f"{destination.user}@{host}", f"{host}:{destination.port}", host]
    names += ["s3"] if destination.scheme == "s3" else []
    found = dict(next((parser[name] for name in names if name in parser), {}))
    known = ("user", "password", *SETTINGS[destination.scheme])
    if strange := [key for key in found if key not in known]:
        raise UsageError(
            f"{path}: the section of {host} has lines that mean nothing for "
            f"{destination.scheme} ({len(strange)} of them); there are {', '.join(known)}"
        )
    return found


def _from_netrc(host: str, user: str) -> tuple[str, str]:
    """User and password; `user` and none, where ~/.netrc has nothing for this user and host."""
    try:
        read_bounded(Path("~/.netrc").expanduser(), MOST_BYTES)  # `netrc` reads without end
        known = netrc.netrc().authenticators(host)
    except FileNotFoundError:
        return user, ""
    except (OSError, ValueError, netrc.NetrcParseError) as error:
        raise UsageError(
            f"~/.netrc is of no use ({type(error).__name__}); it needs lines such as "
            "machine nas.local login … password …, and nobody else may read it"
        ) from None
    if not known or (user and known[0] != user):
        return user, ""
    return known[0], known[2] or ""


def _from_ftp_ini(path: Path) -> tuple[Destination, Login]:
    """The server of a file with the section [ftp], or with no section."""
    parser = configparser.ConfigParser(interpolation=None)
    try:
        text = _text(path)
        parser.read_string(text if "[ftp]" in text else f"[ftp]\n{text}")
        ftp = parser["ftp"]
        port, folder = ftp.getint("port", ftplib.FTP_PORT), ftp.get("folder", "")
        login = Login(ftp["user"], ftp["password"])
        return Destination("ftp", ftp["host"], folder, ftp["user"], port), login
    except (OSError, KeyError, ValueError, configparser.Error) as error:
        needed = "it needs the lines host = …, user = … and password = …"
        raise UsageError(f"{path} is of no use ({type(error).__name__}); {needed}") from None


def _text(path: Path) -> str:
    """The text of a file. OSError, or ValueError where it is no text or is too long."""
    return read_bounded(path, MOST_BYTES).decode("utf-8-sig")


def _warn_of_readers(path: Path) -> None:
    if path not in _warned and path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        _warned.add(path)
        log.warning("others may read %s with its passwords; chmod 600 keeps them out", path)
