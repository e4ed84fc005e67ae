"""Sends files to their targets, in a thread for each: a slow or broken target holds up no other."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from jobs.workspace.paths import JobPaths, Workspace
from render.delivery.connecting import connect
from render.delivery.limits import CALL_SECONDS, seconds_for, within
from render.delivery.logins import look_up
from render.delivery.parcels import Backup, Output, Parcel
from render.delivery.place import Place
from render.delivery.reasons import reason_of
from render.delivery.targets import Target, files_in, has_arrived, identity_of, kept_files

PAUSES = (5.0, 15.0, 60.0, 300.0, 900.0)  # seconds after each failure; the last one from then on

log = logging.getLogger(__name__)


class Courier:
    """Sends what it is offered, to each target independently; tries again until it is closed."""

    def __init__(self, workspace: Workspace, pauses: tuple[float, ...] = PAUSES) -> None:
        self._workspace, self._pauses = workspace, pauses
        self._lanes: dict[Target, Lane] = {}

    def offer(self, paths: JobPaths, target: Target, outputs: Iterable[Path]) -> None:
        """Have those of these files in `renders` sent that have not arrived; returns at once."""
        self._offer(paths, target, files_in(outputs, paths.outputs))

    def offer_kept(self, paths: JobPaths, target: Target) -> None:
        """Have those of the weights that the job keeps sent that have not arrived."""
        self._offer(paths, target, kept_files(paths))

    def _offer(self, paths: JobPaths, target: Target, files: Mapping[str, Path]) -> None:
        self._add(
            target,
            [
                Output(paths, target, name, file)
                for name, file in files.items()
                if not has_arrived(paths, target, name, identity_of(file))
            ],
        )

    def back_up(self, paths: JobPaths, target: Target) -> None:
        """Have the newest checkpoint sent; returns at once."""
        self._add(target, [Backup(paths, target)])

    def close(self) -> None:
        """Send what still waits, without pauses, to each target up to its first failure."""
        for lane in self._lanes.values():
            lane.close_soon()
        for lane in self._lanes.values():
            lane.join()

    def _add(self, target: Target, parcels: Sequence[Parcel]) -> None:
        if parcels and target not in self._lanes:
            self._lanes[target] = Lane(self._workspace, target, self._pauses)
        if parcels:
            self._lanes[target].add(parcels)


class Lane:
    """The way to one target: a thread that sends parcels, oldest first, over one connection."""

    def __init__(self, workspace: Workspace, target: Target, pauses: tuple[float, ...]) -> None:
        self._workspace, self._target, self._pauses = workspace, target, pauses
        self._waiting: dict[Parcel, None] = {}
        self._sent: dict[Parcel, str] = {}  # sent, but the disk had no room to note that
        self._changed = threading.Condition()
        self._closing = False
        self._place: Place | None = None
        self._thread = threading.Thread(target=self._work, name="courier", daemon=True)
        self._thread.start()

    def add(self, parcels: Iterable[Parcel]) -> None:
        with self._changed:
            if not self._closing:
                self._waiting |= dict.fromkeys(parcels)
                self._changed.notify()

    def close_soon(self) -> None:
        with self._changed:
            self._closing = True
            self._changed.notify()

    def join(self) -> None:
        self._thread.join()

    def _work(self) -> None:
        failures = 0
        while parcel := self._next(failures):
            failures = 0 if self._try(parcel) else failures + 1
        self._hang_up()

    def _next(self, failures: int) -> Parcel | None:
        """What to send next, after the pause that is due; None at the end."""
        with self._changed:
            if failures:
                pause = self._pauses[min(failures, len(self._pauses)) - 1]
                self._changed.wait_for(lambda: self._closing, timeout=pause)
            is_idle = not self._waiting and not self._closing
        if is_idle:
            self._hang_up()  # without the lock: some take a minute, and `add` must not wait for it
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing)
            parcel = next(iter(self._waiting), None)
            if parcel:  # removed now: a parcel added again meanwhile has changed, and is sent anew
                del self._waiting[parcel]
            return parcel

    def _try(self, parcel: Parcel) -> bool:
        """Whether the far end took it, or there is nothing to send any more."""
        last_chance = self._closing
        done = True
        try:
            self._note(parcel)
            if parcel.is_due():
                self._send(parcel)
                self._note(parcel)
        except FileNotFoundError as error:
            done = self._is_gone(parcel)
            if not done:
                self._tell(parcel, error)
        except Exception as error:  # libraries raise anything; none of it may end the thread
            done = False
            self._tell(parcel, error)
        with self._changed:
            if not done and last_chance:
                self._waiting.clear()
            elif not done:  # what cannot be sent does not block the rest
                self._waiting.pop(parcel, None)
                self._waiting[parcel] = None
        return done

    def _note(self, parcel: Parcel) -> None:
        if parcel in self._sent:
            parcel.note(self._sent[parcel])
            del self._sent[parcel]

    def _send(self, parcel: Parcel) -> None:
        try:
            with parcel.packed() as (file, identity):
                seconds = seconds_for(file.stat().st_size)
                call = _Call(self._connect, self._place)
                try:
                    within(seconds, lambda: call.take(file, parcel.name), call.cut)
                finally:
                    self._place = call.place
        except BaseException:
            self._hang_up()
            raise
        self._sent[parcel] = identity
        log.info("%s was sent to %s", parcel.name, self._target.shown)

    def _connect(self) -> Place:
        return connect(*look_up(self._target, self._workspace), self._workspace)

    def _is_gone(self, parcel: Parcel) -> bool:
        """Whether the file to send is gone: FileNotFoundError may also come from the far end."""
        try:
            with parcel.packed():
                return False
        except FileNotFoundError:
            log.warning("%s is gone: there is nothing to send", parcel.name)
            return True
        except OSError:
            return False

    def _tell(self, parcel: Parcel, error: Exception) -> None:
        failed = "was sent, but that cannot be noted" if parcel in self._sent else "was not sent"
        reason = reason_of(error)
        log.warning("%s %s to %s: %s", parcel.name, failed, self._target.shown, reason)

    def _hang_up(self) -> None:
        if (place := self._place) is not None:
            with suppress(TimeoutError):
                within(CALL_SECONDS, place.close, place.cut)
            self._place = None


class _Call:
    """One file on its way, in a thread that may have to be abandoned.

    An abandoned thread must not touch the lane: if it connects too late, that connection is cut.
    """

    def __init__(self, connect: Callable[[], Place], place: Place | None) -> None:
        self.place = place
        self._connect = connect
        self._is_cut = False

    def take(self, file: Path, name: str) -> None:
        place = self.place or self._connect()
        self.place = place
        if self._is_cut:  # checked after `place` is set: `cut` sets this before it reads `place`
            self.cut()
            return
        place.take(file, name)

    def cut(self) -> None:
        """Cut the connection, whichever thread uses it, and use it no more."""
        self._is_cut = True
        place, self.place = self.place, None
        if place is not None:
            place.cut()
