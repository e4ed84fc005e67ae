"""A folder that is reached by FTP, with or without TLS."""

from __future__ import annotations

import ftplib
import hashlib
import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath

from jobs.errors import MultitrainError
from jobs.settings.destinations import Destination
from render.delivery.logins import Login
from render.delivery.place import ANSWER_SECONDS, READ_BYTES, ByRenaming

ON = {"1", "yes", "true", "on"}
_NOT_THERE = "550"
_UNKNOWN = ("500", "501", "502")  # answers to a command that a server does not know


class Ftp(ByRenaming):
    """Uses ftplib: fsspec's own FTP sends a large file in pieces, which not every server joins."""

    def __init__(self, destination: Destination, login: Login, *, to_read: bool = False) -> None:
        is_safe = login.settings.get("tls", "").casefold() in ON
        self._ftp = _FtpTls() if is_safe else _Ftp(timeout=ANSWER_SECONDS)
        try:
            self._ftp.connect(destination.host, destination.port or ftplib.FTP_PORT)
            self._ftp.login(login.user, login.password)
            if isinstance(self._ftp, ftplib.FTP_TLS):
                self._ftp.prot_p()
            if destination.folder.startswith("/"):  # possible only in ftp.ini
                self._ftp.cwd("/")
            for part in PurePosixPath(destination.folder.strip("/")).parts:
                if not to_read:
                    self.make_folder(part)
                self._enter(part)
        except BaseException:
            self._ftp.close()
            raise

    def _enter(self, folder: str) -> None:
        try:
            self._ftp.cwd(folder)
        except ftplib.error_perm as error:
            if str(error)[:3] != _NOT_THERE:
                raise
            raise MultitrainError(f"there is no folder {folder}") from error

    def sizes(self, folder: str = "") -> dict[str, int]:
        try:
            facts = list(self._ftp.mlsd(folder, ["type", "size"]))
        except ftplib.error_perm as error:
            if str(error)[:3] in _UNKNOWN:
                return self._sizes_one_by_one(folder)
            if str(error)[:3] == _NOT_THERE:
                return {}
            raise
        return {name: int(fact["size"]) for name, fact in facts if fact.get("type") == "file"}

    def _sizes_one_by_one(self, folder: str) -> dict[str, int]:
        """Of a server that knows no MLSD."""
        found: dict[str, int] = {}
        try:
            names = [PurePosixPath(each).name for each in self._ftp.nlst(folder)]
        except ftplib.error_perm:  # some answer so where a folder is empty
            return found
        self._ftp.voidcmd("TYPE I")
        for name in names:
            with suppress(ftplib.error_perm):  # a folder has no size
                found[name] = self._ftp.size(str(PurePosixPath(folder) / name)) or 0
        return found

    def read(self, name: str, start: int) -> Iterator[bytes]:
        self._ftp.voidcmd("TYPE I")
        with self._ftp.transfercmd(f"RETR {name}", start or None) as data:
            while block := data.recv(READ_BYTES):
                yield block
            if isinstance(data, ssl.SSLSocket):
                data.unwrap()
        self._ftp.voidresp()

    def close(self) -> None:
        with suppress(OSError, EOFError, ftplib.Error):
            self._ftp.quit()
        self._ftp.close()

    def cut(self) -> None:
        for each in (self._ftp.sock, self._ftp.data):
            if each is not None:
                with suppress(OSError):  # it is closed
                    each.shutdown(socket.SHUT_RDWR)

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


class _KnowsData(ftplib.FTP):
    """Keeps the socket that its data go through, so that it can be cut."""

    data: socket.socket | None = None

    def ntransfercmd(
        self, cmd: str, rest: int | str | None = None
    ) -> tuple[socket.socket, int | None]:
        self.data, size = super().ntransfercmd(cmd, rest)
        return self.data, size


class _Ftp(_KnowsData):
    """Without encryption."""


class _FtpTls(_KnowsData, ftplib.FTP_TLS):
    """With TLS; certificates are verified."""

    def __init__(self) -> None:
        super().__init__(timeout=ANSWER_SECONDS, context=ssl.create_default_context())
