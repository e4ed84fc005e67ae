"""Who to log in as: from upload.ini, ~/.netrc or ftp.ini, never from a sheet.

upload.ini has a section for each host (for S3: the bucket, or [s3] for all), with `user`,
`password`, and what `SETTINGS` lists. What is wrong with such a file is told without its words.
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

from jobs.destinations import Destination
from jobs.errors import UsageError
from jobs.paths import Workspace
from render.delivery.targets import Target

# Besides `user` and `password`, by scheme.
SETTINGS = {
    "ftp": ("tls",),
    "sftp": ("key_file",),
    "s3": ("key", "secret", "token", "endpoint_url", "region", "profile"),
    "file": (),
}

log = logging.getLogger(__name__)

_warned: set[Path] = set()


@dataclass(frozen=True)
class Login:
    """`user` and `password` are empty where none are known; nothing of it is ever shown."""

    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    settings: Mapping[str, str] = field(default_factory=dict, repr=False)


def look_up(target: Target, workspace: Workspace) -> tuple[Destination, Login]:
    """Read anew at every call, so that a mended password counts at once.

    UsageError where a file with logins is of no use.
    """
    if not target.url:
        return _from_ftp_ini(workspace.ftp_settings)
    destination = Destination.parse(target.url)
    settings = _section(workspace.upload_settings, destination)
    user = settings.get("user", destination.user)
    if destination.user and user != destination.user:  # it is somebody else's
        settings, user = {}, destination.user
    password = settings.get("password", "")
    if destination.scheme in ("ftp", "sftp") and not password:
        user, password = _from_netrc(destination.host, user)
    return destination, Login(user, password, settings)


def _section(path: Path, destination: Destination) -> dict[str, str]:
    """The first that there is of [user@host], [host:port], [host] and, for S3, [s3]."""
    if destination.scheme == "file" or not path.exists():
        return {}
    _warn_of_readers(path)
    parser = configparser.ConfigParser(interpolation=None)  # passwords may hold `%`
    try:
        parser.read_string(path.read_text(encoding="utf-8-sig"))
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
    """User and password; those given, where ~/.netrc knows nothing of this user there."""
    try:
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
    """From a file with the section [ftp] or none."""
    parser = configparser.ConfigParser(interpolation=None)
    try:
        text = path.read_text(encoding="utf-8-sig")
        parser.read_string(text if "[ftp]" in text else f"[ftp]\n{text}")
        ftp = parser["ftp"]
        port, folder = ftp.getint("port", ftplib.FTP_PORT), ftp.get("folder", "")
        login = Login(ftp["user"], ftp["password"])
        return Destination("ftp", ftp["host"], folder, ftp["user"], port), login
    except (OSError, KeyError, ValueError, configparser.Error) as error:
        needed = "it needs the lines host = …, user = … and password = …"
        raise UsageError(f"{path} is of no use ({type(error).__name__}); {needed}") from None


def _warn_of_readers(path: Path) -> None:
    if path not in _warned and path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        _warned.add(path)
        log.warning("others may read %s with its passwords; chmod 600 keeps them out", path)
