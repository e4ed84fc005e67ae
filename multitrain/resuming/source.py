"""Where backups lie: an address as in `upload_to`, a folder, or one zip file. It is only read."""

from __future__ import annotations

import ftplib
import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Self, TypeVar

from jobs.errors import MultitrainError, UsageError
from jobs.settings.destinations import Destination
from jobs.settings.words import nearest, quoted
from jobs.workspace.disk import means_full
from jobs.workspace.files import part_of, publish
from jobs.workspace.paths import Workspace
from render.delivery.connecting import connect
from render.delivery.limits import CALL_SECONDS, seconds_for, within
from render.delivery.logins import look_up
from render.delivery.place import Place
from render.delivery.reasons import reason_of
from render.delivery.targets import Target

BACKUP = "_checkpoint.zip"  # ends the names of backups
PAUSES = (1.0, 5.0)  # seconds before each further try

KEY_LETTERS = 12

T = TypeVar("T")


@dataclass(frozen=True)
class Source:
    """A folder, here or elsewhere, and perhaps the name of the one backup in it that is meant."""

    url: str  # as in `upload_to`
    backup: str = ""
    is_file: bool = False  # somebody has the zip file here: its address is no place to send to

    @classmethod
    def parse(cls, text: str) -> Self:
        """What an address or a path names. UsageError, which repeats no password, if nothing."""
        if "://" not in text:
            return cls._local(Path(text))
        try:
            destination = Destination.parse(text)
        except ValueError as error:
            raise UsageError(f"the address {error}") from error
        folder = PurePosixPath(destination.folder)
        if not folder.name.endswith(".zip"):
            return cls(str(destination))
        above = "" if str(folder.parent) == "." else str(folder.parent)
        place = Destination(
            destination.scheme, destination.host, above, destination.user, destination.port
        )
        return cls(str(place), folder.name)

    @classmethod
    def _local(cls, path: Path) -> Self:
        whole = path.absolute()
        if not whole.exists():
            raise UsageError(f"there is no file {quoted(str(path))}, and it is no address")
        folder = whole if whole.is_dir() else whole.parent
        url = str(Destination("file", "", str(folder)))
        return cls(url, "" if whole.is_dir() else whole.name, is_file=True)

    @property
    def shown(self) -> str:
        """For people: without the user."""
        return Target(self.url).shown

    def choose(self, names: Sequence[str], job: str | None) -> str:
        """The backup that is meant, of the files that lie there. UsageError where none is."""
        found = [name for name in names if name.endswith(BACKUP)]
        jobs = [name.removesuffix(BACKUP) for name in found]
        wanted = self.backup or (f"{job}{BACKUP}" if job else "")
        if wanted:
            if wanted in names:
                return wanted
            hint = nearest(job, jobs) if job and not self.backup else ""
            raise UsageError(f"there is no {wanted} in {self.shown}{hint}")
        if not found:
            raise UsageError(f"there is no backup in {self.shown}: no file ends in {BACKUP}")
        if len(found) > 1:
            known = ", ".join(sorted(jobs))
            raise UsageError(f"{self.shown} has backups of {known}; name one of them with --job")
        return found[0]

    def key(self, backup: str) -> str:
        """Names the folder where what is fetched of this backup lies."""
        return hashlib.sha256(f"{self.url} {backup}".encode()).hexdigest()[:KEY_LETTERS]


@dataclass
class FarEnd:
    """A connection to a source, opened when it is needed, and again where it broke."""

    source: Source
    workspace: Workspace
    pauses: tuple[float, ...] = PAUSES
    wait: Callable[[float], None] = time.sleep
    _place: Place | None = field(default=None, init=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._hang_up()

    def sizes(self, folder: str = "") -> dict[str, int]:
        """Bytes of each file there, by name. MultitrainError where it cannot be looked at."""
        return self._try(lambda place: place.sizes(folder), CALL_SECONDS, "cannot be looked at")

    def fetch(self, name: str, size: int, file: Path) -> None:
        """Have the far end's file of `size` bytes as `file`; what is there of it is gone on with.

        MultitrainError where it does not come, or is of another size by now.
        """
        file.parent.mkdir(parents=True, exist_ok=True)
        part = part_of(file)
        if part.exists() and part.stat().st_size > size:
            part.unlink()

        def take(place: Place) -> None:
            with part.open("ab") as data:
                for block in place.read(name, data.tell()):
                    data.write(block)

        self._try(take, seconds_for(size), f"does not give {name}")
        if part.stat().st_size != size:
            part.unlink()
            raise MultitrainError(f"{name} in {self.source.shown} changes; try again in a moment")
        publish(part, file)

    def _try(self, call: Callable[[Place], T], seconds: float, what: str) -> T:
        for pause in (*self.pauses, None):
            try:
                return within(seconds, lambda: call(self._connected()), self._cut)
            except Exception as error:  # libraries raise anything
                self._hang_up()
                is_final = isinstance(error, UsageError | TimeoutError)  # its thread may live on
                if means_full(error):  # of the disk here
                    raise
                if pause is None or is_final or _is_certain(error):
                    shown = self.source.shown
                    kind = UsageError if isinstance(error, UsageError) else MultitrainError
                    raise kind(f"{shown} {what}: {reason_of(error)}") from error
                self.wait(pause)
        raise AssertionError("the last try returns or raises")

    def _connected(self) -> Place:
        if self._place is None:
            known = look_up(Target(self.source.url), self.workspace)
            self._place = connect(*known, self.workspace, to_read=True)
        return self._place

    def _cut(self) -> None:
        if self._place is not None:
            self._place.cut()
            self._place = None

    def _hang_up(self) -> None:
        place, self._place = self._place, None
        if place is not None:
            try:
                within(CALL_SECONDS, place.close, place.cut)
            except Exception:  # it had broken
                return


def _is_certain(error: BaseException) -> bool:
    """Whether to try again is of no use."""
    if isinstance(error, MultitrainError | FileNotFoundError | PermissionError):
        return True
    refused = type(error).__name__ in ("AuthenticationException", "BadHostKeyException")
    return refused or isinstance(error, ftplib.error_perm)
