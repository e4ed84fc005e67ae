"""The far ends: connected, each takes files, which appear there whole or not at all.

A file is sent under a name that ends in `.part`, read back, compared, renamed. S3 shows an object
only when all of it is there; it is compared by the checksum that S3 tells where that is one of the
content, else by reading it back.
"""

from __future__ import annotations

import ftplib
import hashlib
import logging
import ssl
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from jobs.destinations import NO_FOLDER, Destination
from jobs.errors import MultitrainError, UsageError
from jobs.paths import PART, Workspace, atomic_write
from render.delivery.logins import Login

ANSWER_SECONDS = 60.0  # how long a server may keep silent
READ_BYTES = 2**20
S3_PART_BYTES = 2**25  # of objects that are sent in parts; there may be 10,000 of them
S3_PARTS_AT_ONCE = 2
ON = {"1", "yes", "true", "on"}


class Altered(OSError):
    """What arrived is not what was sent."""

    def __init__(self) -> None:
        super().__init__("what arrived there is not what was sent")


class Place(Protocol):
    """A folder at the far end. Its methods raise whatever its library does: see `reasons`."""

    def take(self, file: Path, name: str) -> None:
        """Send a file; it then stands there as `name`, which may have folders in it."""

    def close(self) -> None: ...


def connect(destination: Destination, login: Login, workspace: Workspace) -> Place:
    """UsageError where an extra is missing."""
    if extra := destination.missing_extra:
        raise UsageError(f"needs the extra {extra}: pip install -c constraints.txt -e '.[{extra}]'")
    match destination.scheme:
        case "ftp":
            return Ftp(destination, login)
        case "sftp":
            from render.delivery.sftp import Sftp  # its libraries come with an extra

            return Sftp(destination, login, workspace.known_hosts)
        case "s3":
            return S3(destination, login)
    return Folder(Path(destination.folder))


class ByRenaming(ABC):
    """How a place takes files that could otherwise be seen half there."""

    def take(self, file: Path, name: str) -> None:
        self.make_folder(str(PurePosixPath(name).parent))
        part = name + PART
        self.put(file, part)
        if self.digest(part) != sha256_of(file):
            raise Altered
        self.rename(part, name)

    @abstractmethod
    def make_folder(self, name: str) -> None: ...

    @abstractmethod
    def put(self, file: Path, name: str) -> None: ...

    @abstractmethod
    def digest(self, name: str) -> bytes:
        """SHA-256 of what is there."""

    @abstractmethod
    def rename(self, old: str, new: str) -> None:
        """Whatever is called `new` is replaced."""


class Ftp(ByRenaming):
    """By ftplib: fsspec's own FTP sends a large file in pieces, which not every server joins."""

    def __init__(self, destination: Destination, login: Login) -> None:
        is_safe = login.settings.get("tls", "").casefold() in ON
        self._ftp = _FtpTls() if is_safe else ftplib.FTP(timeout=ANSWER_SECONDS)
        try:
            self._ftp.connect(destination.host, destination.port or ftplib.FTP_PORT)
            self._ftp.login(login.user, login.password)
            if isinstance(self._ftp, ftplib.FTP_TLS):
                self._ftp.prot_p()
            if destination.folder.startswith("/"):  # only ftp.ini can say so
                self._ftp.cwd("/")
            for part in PurePosixPath(destination.folder.strip("/")).parts:
                self.make_folder(part)
                self._ftp.cwd(part)
        except BaseException:
            self._ftp.close()
            raise

    def close(self) -> None:
        with suppress(OSError, EOFError, ftplib.Error):
            self._ftp.quit()
        self._ftp.close()

    def make_folder(self, name: str) -> None:
        with suppress(ftplib.error_perm):  # it is there; else what follows fails
            if name != ".":
                self._ftp.mkd(name)

    def put(self, file: Path, name: str) -> None:
        with file.open("rb") as data:
            self._ftp.storbinary(f"STOR {name}", data, READ_BYTES)

    def digest(self, name: str) -> bytes:
        found = hashlib.sha256()
        self._ftp.retrbinary(f"RETR {name}", found.update, READ_BYTES)
        return found.digest()

    def rename(self, old: str, new: str) -> None:
        try:
            self._ftp.rename(old, new)
        except ftplib.error_perm:  # some servers rename onto nothing that exists
            self._ftp.delete(new)
            self._ftp.rename(old, new)


class _FtpTls(ftplib.FTP_TLS):
    """With certificates that are looked at."""

    def __init__(self) -> None:
        super().__init__(timeout=ANSWER_SECONDS, context=ssl.create_default_context())


class Folder:
    """On this machine, or mounted."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def take(self, file: Path, name: str) -> None:
        """MultitrainError where there is no such folder: a disk that is not mounted has none.

        To make one would fill the disk below it.
        """
        if not self._folder.is_dir():
            raise MultitrainError(NO_FOLDER)
        with atomic_write(self._folder / name) as part:
            with file.open("rb") as data, part.open("wb") as copy:
                while block := data.read(READ_BYTES):
                    copy.write(block)
            if sha256_of(part) != sha256_of(file):
                raise Altered

    def close(self) -> None:
        pass


class S3:
    """By s3fs; keys that upload.ini does not tell are found as AWS's tools find them."""

    def __init__(self, destination: Destination, login: Login) -> None:
        import s3fs  # it comes with an extra

        for library in ("botocore", "aiobotocore"):  # they tell where they found keys
            logging.getLogger(library).setLevel(logging.WARNING)
        told = dict(login.settings)
        region = told.get("region")
        self._root = f"{destination.host}/{destination.folder}".rstrip("/")
        self._files = s3fs.S3FileSystem(
            key=told.get("key") or login.user or None,
            secret=told.get("secret") or login.password or None,
            token=told.get("token"),
            endpoint_url=told.get("endpoint_url"),
            profile=told.get("profile"),
            client_kwargs={"region_name": region} if region else {},
            config_kwargs={"connect_timeout": ANSWER_SECONDS, "read_timeout": ANSWER_SECONDS},
            skip_instance_cache=True,
            use_listings_cache=False,
        )

    def take(self, file: Path, name: str) -> None:
        far = f"{self._root}/{name}"
        self._files.put_file(
            str(file), far, chunksize=S3_PART_BYTES, max_concurrency=S3_PARTS_AT_ONCE
        )
        told = str(self._files.info(far, refresh=True).get("ETag", "")).strip('"')
        if told != etag_of(file) and self._digest(far) != sha256_of(file):
            raise Altered

    def _digest(self, far: str) -> bytes:
        with self._files.open(far, "rb", cache_type="readahead") as data:
            return bytes(_hashed(data.read, hashlib.sha256()).digest())

    def close(self) -> None:
        """Nothing: s3fs closes its connections when it is let go."""


def etag_of(file: Path) -> str:
    """What S3 tells of an object that was sent so, unless it is encrypted with keys of KMS."""
    with file.open("rb") as data:
        if file.stat().st_size < 2 * S3_PART_BYTES:  # as s3fs decides
            return str(_hashed(data.read, hashlib.md5(usedforsecurity=False)).hexdigest())
        parts = []
        while block := data.read(S3_PART_BYTES):
            parts.append(hashlib.md5(block, usedforsecurity=False).digest())
    whole = hashlib.md5(b"".join(parts), usedforsecurity=False).hexdigest()
    return f"{whole}-{len(parts)}"


def sha256_of(file: Path) -> bytes:
    """The digest by which both ends are compared."""
    with file.open("rb") as data:
        return hashlib.file_digest(data, "sha256").digest()


def _hashed(read: Callable[[int], bytes], into: Any) -> Any:
    while block := read(READ_BYTES):
        into.update(block)
    return into
