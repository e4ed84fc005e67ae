"""A folder that is reached by SFTP. Needs the extra sftp."""

from __future__ import annotations

import hashlib
import logging
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import paramiko
from fsspec.implementations.sftp import SFTPFileSystem

from jobs.settings.destinations import Destination
from jobs.workspace.files import write_text
from render.delivery.logins import Login
from render.delivery.place import ANSWER_SECONDS, READ_BYTES, ByRenaming

HOME = "/~"

logging.getLogger("paramiko").setLevel(logging.CRITICAL)  # we log what it raises


class Sftp(ByRenaming):
    """Uses fsspec and paramiko. A server's first key is trusted and kept in `known_hosts`.

    A key that differs from the one there, or in ~/.ssh/known_hosts, is refused.
    """

    def __init__(self, destination: Destination, login: Login, known_hosts: Path) -> None:
        if not known_hosts.exists():
            write_text(known_hosts, "")
        options: dict[str, Any] = {"username": login.user or None, "port": destination.port or 22}
        if login.password:  # else keys are tried first, and servers refuse after too many
            options |= {"password": login.password, "allow_agent": False, "look_for_keys": False}
        if "key_file" in login.settings:
            options |= {"key_filename": str(Path(login.settings["key_file"]).expanduser())}
            options |= {"allow_agent": False, "look_for_keys": False}
        self._files = _Files(destination.host, known_hosts=known_hosts, **options)
        folder = destination.folder
        if folder == HOME or folder.startswith(f"{HOME}/"):
            folder = folder.removeprefix(HOME).lstrip("/") or "."
        self._folder = folder or "/"

    def close(self) -> None:
        self._files.client.close()

    cut = close

    def make_folder(self, name: str) -> None:
        self._files.makedirs(self._path(name), exist_ok=True)

    def put(self, file: Path, name: str) -> None:
        self._files.ftp.put(str(file), self._path(name))

    def digest(self, name: str) -> bytes:
        found = hashlib.sha256()
        with self._files.ftp.open(self._path(name), "rb") as data:
            data.prefetch(data.stat().st_size)
            while block := data.read(READ_BYTES):
                found.update(block)
        return found.digest()

    def sizes(self, folder: str = "") -> dict[str, int]:
        try:
            facts = self._files.ftp.listdir_attr(self._path(folder or "."))
        except FileNotFoundError:
            return {}
        return {
            each.filename: each.st_size or 0 for each in facts if stat.S_ISREG(each.st_mode or 0)
        }

    def read(self, name: str, start: int) -> Iterator[bytes]:
        with self._files.ftp.open(self._path(name), "rb") as far:
            far.seek(start)
            far.prefetch(far.stat().st_size)  # from there on
            while block := far.read(READ_BYTES):
                yield block

    def rename(self, old: str, new: str) -> None:
        try:
            self._files.mv(self._path(old), self._path(new))
        except OSError:  # a server that cannot replace
            with suppress(FileNotFoundError):
                self._files.ftp.remove(self._path(new))
            self._files.ftp.rename(self._path(old), self._path(new))

    def _path(self, name: str) -> str:
        return self._folder if name == "." else f"{self._folder.rstrip('/')}/{name}"


class _Files(SFTPFileSystem):  # type: ignore[misc]  # fsspec has no types
    """fsspec's SFTP, with host keys that are remembered, and time limits."""

    cachable = False

    def __init__(self, host: str, known_hosts: Path, **options: Any) -> None:
        self._known_hosts = known_hosts
        super().__init__(host, **options)

    def _connect(self) -> None:
        self.client = paramiko.SSHClient()
        try:
            self.client.load_system_host_keys()
            self.client.load_host_keys(str(self._known_hosts))
            self.client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
            limits = dict.fromkeys(("timeout", "banner_timeout", "auth_timeout"), ANSWER_SECONDS)
            self.client.connect(self.host, **limits, **self.ssh_kwargs)
            self.ftp = self.client.open_sftp()
            self.ftp.get_channel().settimeout(ANSWER_SECONDS)
        except BaseException:
            self.client.close()
            raise
