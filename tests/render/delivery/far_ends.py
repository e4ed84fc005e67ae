"""Servers on the loopback, as those that files are delivered to."""

from __future__ import annotations

import os
import socket
import threading
import warnings
from pathlib import Path

import paramiko

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # its asyncore, on Python 3.11
    from pyftpdlib.authorizers import DummyAuthorizer
    from pyftpdlib.handlers import DTPHandler, FTPHandler
    from pyftpdlib.servers import FTPServer

PASSWORD = "p%ss [word] #1"
SECRETS = ("AKIDENTITY", "s3cr3t", PASSWORD)
PATIENCE = 30.0  # seconds
CUT_AT = 2_000_000  # bytes


class FtpEnd:
    """A small FTP server; `received` counts the files that have got their final names.

    `cuts` uploads are cut off in the middle; of `garbles` uploads the first byte is changed.
    """

    def __init__(self, home: Path, port: int = 0) -> None:
        self.home = home
        self.cuts = self.garbles = 0
        self.received = threading.Semaphore(0)
        authorizer = DummyAuthorizer()
        authorizer.add_user("vj", PASSWORD, str(home), perm="elradfmw")
        end = self

        class Data(DTPHandler):
            def handle_read(self):
                super().handle_read()
                if end.cuts and self.tot_bytes_received > CUT_AT:
                    end.cuts -= 1
                    self.cmd_channel.close()  # and this one with it

            handle_read_event = handle_read

        class Handler(FTPHandler):
            dtp_handler = Data

            def ftp_RNTO(self, path):  # noqa: N802
                result = super().ftp_RNTO(path)
                end.received.release()
                return result

            def on_file_received(self, file):
                if end.garbles:
                    end.garbles -= 1
                    with open(file, "r+b") as data:
                        data.write(b"\0")

        Handler.authorizer = authorizer
        Handler.auth_failed_timeout = 0
        self._server = FTPServer(("127.0.0.1", port), Handler)
        self.port = self._server.address[1]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self):
        while not self._stop.is_set():
            self._server.serve_forever(timeout=0.05, blocking=False, handle_exit=False)

    def close(self):
        self._stop.set()
        self._thread.join()
        self._server.close_all()


class SftpEnd:
    """paramiko's own server, whose root is `home`."""

    def __init__(self, home: Path) -> None:
        self._home, self._key = home, paramiko.RSAKey.generate(2048)
        self._transports: list[paramiko.Transport] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def change_key(self):
        self._key = paramiko.RSAKey.generate(2048)

    def _accept(self):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            transport = paramiko.Transport(connection)
            transport.add_server_key(self._key)
            transport.set_subsystem_handler("sftp", paramiko.SFTPServer, _Files, self._home)
            self._transports.append(transport)
            try:
                transport.start_server(server=_Logins())
            except (paramiko.SSHException, EOFError, ConnectionResetError):  # it dislikes the key
                transport.close()

    def close(self):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()
        for transport in self._transports:
            transport.close()


class _Logins(paramiko.ServerInterface):
    def check_auth_password(self, username, password):
        right = (username, password) == ("vj", PASSWORD)
        return paramiko.AUTH_SUCCESSFUL if right else paramiko.AUTH_FAILED

    def get_allowed_auths(self, username):
        return "password"

    def check_channel_request(self, kind, chanid):
        return paramiko.OPEN_SUCCEEDED


class _Files(paramiko.SFTPServerInterface):
    def __init__(self, server, home):
        self._home = home

    def _path(self, path):
        return self._home / self.canonicalize(path).lstrip("/")

    def stat(self, path):
        try:
            return paramiko.SFTPAttributes.from_stat(self._path(path).stat())
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno)

    def list_folder(self, path):
        try:
            found = list(os.scandir(self._path(path)))
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno)
        return [paramiko.SFTPAttributes.from_stat(each.stat(), each.name) for each in found]

    def mkdir(self, path, attr):
        self._path(path).mkdir()
        return paramiko.SFTP_OK

    def posix_rename(self, oldpath, newpath):
        os.replace(self._path(oldpath), self._path(newpath))
        return paramiko.SFTP_OK

    def open(self, path, flags, attr):
        try:
            number = os.open(self._path(path), flags, 0o644)
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno)
        handle = paramiko.SFTPHandle(flags)
        file = os.fdopen(number, "wb" if flags & os.O_WRONLY else "rb")
        handle.readfile = handle.writefile = file
        handle.stat = lambda: paramiko.SFTPAttributes.from_stat(os.fstat(file.fileno()))
        return handle


def write_ini(workspace, section, **lines):
    text = "".join(f"{key} = {value}\n" for key, value in lines.items())
    workspace.upload_settings.write_text(f"[{section}]\n{text}")
    workspace.upload_settings.chmod(0o600)


def has_arrived(film, target):
    return film[0].delivered(film[1].name, target.key).exists()
