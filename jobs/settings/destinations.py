"""Where finished files are sent to, as a sheet says it: `sftp://vj@nas.local/films`.

ftp://user@host/folder    relative to where the login leads
sftp://user@host/folder   from the root; /~/folder is relative to the login
s3://bucket/folder        the beginning of the objects' names
file:///folder            a folder that is there on this machine, such as one of a mounted disk
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Self
from urllib.parse import quote, unquote

from jobs.secrets import NO_SECRETS, holds_colon, holds_key
from jobs.settings.words import nearest

SCHEMES = ("ftp", "s3", "sftp", "file")
EXTRAS = {
    "s3": "s3fs",
    "sftp": "paramiko",
}  # packages by scheme, which is also the extra's name

NO_FOLDER = "there is no folder {}; make it, or mount its disk"

_FORM = "must be ftp://user@host/folder, sftp://…, s3://bucket/folder or file:///folder"
_URL = re.compile(r"(?P<scheme>[\w+.-]+)://(?P<place>[^/]*)(?P<folder>/.*)?", re.DOTALL)
_HOST = re.compile(r"(?P<host>\[[0-9a-fA-F:.]+\]|[^\s:\[\]]+)(?::(?P<port>\d{1,5}))?")


@dataclass(frozen=True)
class Destination:
    """A folder at the far end. `folder` begins with a slash only for `file` and `sftp`."""

    scheme: str
    host: str = ""  # of s3: the bucket
    folder: str = ""
    user: str = ""
    port: int | None = None

    @property
    def shown(self) -> str:
        """For logs: without the user."""
        return f"{self.scheme}://{self._place}{self._path}"

    @property
    def _place(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port is None else f"{host}:{self.port}"

    @property
    def _path(self) -> str:
        return self.folder if self.folder[:1] in ("", "/") else f"/{self.folder}"

    @property
    def missing_extra(self) -> str | None:
        """The extra that must be installed before anything can be sent there."""
        package = EXTRAS.get(self.scheme)
        return self.scheme if package and find_spec(package) is None else None

    def __str__(self) -> str:
        """The address, as `parse` reads it back."""
        user = f"{quote(self.user, safe='')}@" if self.user else ""
        path = self._path.replace("%", "%25")
        if self.scheme != "file":
            path = path.replace("@", "%40")
        return f"{self.scheme}://{user}{self._place}{path}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The destination at an address. ValueError says in one clause what is wrong with it.

        That clause repeats nothing that could be a password.
        """
        match = _URL.fullmatch(text.strip())
        if not match:
            raise ValueError(_FORM)
        scheme, folder = match["scheme"].lower(), unquote(match["folder"] or "")
        folder = re.sub("/+", "/", folder).rstrip("/")
        if scheme not in SCHEMES:
            raise ValueError(f"{_FORM}, not {scheme}://…{nearest(scheme, SCHEMES)}")
        user, at, place = match["place"].rpartition("@")
        # A password may hold a slash: then what stands behind it looks like a path.
        behind = match["folder"] or ""
        if (
            holds_colon(user)
            or (scheme != "file" and not at and "@" in behind)
            or holds_key(behind)
        ):
            raise ValueError(NO_SECRETS)
        if not folder.isprintable() or not user.isprintable():
            raise ValueError("holds a character that cannot be printed; a % is written %25")
        if scheme == "file":
            return cls._local(user + at + place, match["folder"], folder)
        found = _HOST.fullmatch(place)
        if not found or (found["port"] and not 0 < int(found["port"]) < 65536):
            raise ValueError(_FORM)
        if scheme == "s3" and (at or found["port"]):
            raise ValueError(f"{_FORM}; keys and endpoint_url of S3 stand in upload.ini")
        port = int(found["port"]) if found["port"] else None
        folder = folder if scheme == "sftp" else folder.lstrip("/")
        return cls(scheme, found["host"].strip("[]"), folder, unquote(user), port)

    @classmethod
    def _local(cls, place: str, written: str | None, folder: str) -> Self:
        if place not in ("", "localhost") or not written:
            raise ValueError("must begin with three slashes, as file:///mnt/films")
        return cls("file", "", folder or "/")


def checked_destination(text: str) -> str:
    """The destination in its normal spelling; ValueError says what is wrong."""
    return str(Destination.parse(text))
