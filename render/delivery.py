"""Published videos to an FTP server, in a thread of its own: trouble there holds nothing up."""

from __future__ import annotations

import configparser
import ftplib
import logging
import threading
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from jobs.errors import UsageError
from jobs.paths import PART, JobPaths

PAUSES = (5.0, 15.0, 60.0, 300.0, 900.0)  # seconds after each failure; the last one from then on
ANSWER_SECONDS = 60.0  # how long a server may keep silent

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Server:
    """Where videos go; `folder` is made where it is missing, empty for where the login leads."""

    host: str
    user: str
    password: str = field(repr=False)
    port: int = ftplib.FTP_PORT
    folder: str = ""

    @classmethod
    def read(cls, settings: Path) -> Server:
        """From a file with the section [ftp] or none; UsageError where it does not serve."""
        parser = configparser.ConfigParser(interpolation=None)  # passwords may hold `%`
        try:
            text = settings.read_text(encoding="utf-8-sig")
            parser.read_string(text if "[ftp]" in text else f"[ftp]\n{text}")
            ftp = parser["ftp"]
            place = ftp.getint("port", ftplib.FTP_PORT), ftp.get("folder", "")
            return cls(ftp["host"], ftp["user"], ftp["password"], *place)
        except (OSError, KeyError, ValueError, configparser.Error) as error:
            # Without the parser's own words, which repeat the line, password and all.
            needed = "it needs the lines host = …, user = … and password = …"
            raise UsageError(
                f"{settings} is of no use ({type(error).__name__}); {needed}"
            ) from None

    def send(self, file: Path) -> None:
        """Send a file, which appears there whole. Any of `ftplib.all_errors` where it fails."""
        with ftplib.FTP(timeout=ANSWER_SECONDS) as ftp, file.open("rb") as data:
            ftp.connect(self.host, self.port)
            ftp.login(self.user, self.password)
            if self.folder:
                with suppress(ftplib.error_perm):
                    ftp.mkd(self.folder)
                ftp.cwd(self.folder)
            ftp.storbinary(f"STOR {file.name}{PART}", data)
            with suppress(ftplib.error_perm):  # some servers rename onto nothing that exists
                ftp.delete(file.name)
            ftp.rename(file.name + PART, file.name)


class Courier:
    """Sends what it is offered, oldest first, each file once, trying again until it is closed."""

    def __init__(self, settings: Path, pauses: tuple[float, ...] = PAUSES) -> None:
        self._settings, self._pauses = settings, pauses
        self._waiting: dict[Path, JobPaths] = {}
        self._sent: set[Path] = set()  # those whose marker found no room on the disk
        self._changed = threading.Condition()
        self._closing = False
        self._thread: threading.Thread | None = None

    def offer(self, paths: JobPaths, outputs: Iterable[Path]) -> None:
        """Have these files sent, those that were not; returns at once."""
        with self._changed:  # a file that waits no more has its marker by now
            new = {each: paths for each in outputs if not paths.delivered(each).exists()}
            if self._closing or self._waiting.keys() >= new.keys():
                return
            self._waiting |= new
            self._changed.notify()
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="courier", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """Send what still waits, without pauses, up to the first failure; then give up."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._thread:
            self._thread.join()

    def _work(self) -> None:
        failures = 0
        while waiting := self._next(failures):
            failures = 0 if self._try(*waiting) else failures + 1

    def _next(self, failures: int) -> tuple[Path, JobPaths] | None:
        """The file to send next, after the pause that is due; None at the end."""
        with self._changed:
            if failures:
                pause = self._pauses[min(failures, len(self._pauses)) - 1]
                self._changed.wait_for(lambda: self._closing, timeout=pause)
            self._changed.wait_for(lambda: self._waiting or self._closing)
            return next(iter(self._waiting.items()), None)

    def _try(self, output: Path, paths: JobPaths) -> bool:
        """Whether the server took the file, or there is none to send any more."""
        last_chance = self._closing
        try:
            if output not in self._sent:
                Server.read(self._settings).send(output)
                self._sent.add(output)
                log.info("%s was sent", output.name)
            paths.delivered(output).parent.mkdir(parents=True, exist_ok=True)
            paths.delivered(output).touch()
            self._sent.discard(output)
        except FileNotFoundError:
            log.warning("%s is gone and was not sent", output.name)
        except (ftplib.Error, UsageError, OSError, EOFError, ValueError) as error:
            # ValueError: a host whose name cannot be one.
            # Only the number of a server's answer: its words may hold the user's name.
            reason = f"answer {str(error)[:3]}" if isinstance(error, ftplib.Error) else error
            failed = (
                "was sent, but that cannot be noted" if output in self._sent else "was not sent"
            )
            log.warning("%s %s: %s", output.name, failed, reason)
            if last_chance:
                self._waiting.clear()
            return False
        with self._changed:
            del self._waiting[output]
        return True
