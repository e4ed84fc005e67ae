"""The farm's side of the store: states that wait until they can be written.

The farm knows its jobs by heart. A disk that is full, or a store that somebody else keeps locked,
makes what `multitrain status` shows old for a while; it does not end the night.
"""

from __future__ import annotations

import sqlite3

from jobs.workspace.store import BUSY_SECONDS, JobRow, Store

BLINK_SECONDS = 0.05  # how long a tick may wait for another writer
PAUSE_SECONDS = 2.0  # after a failure


class StateWriter:
    """Writes the rows that have changed, all in one transaction, when asked to."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._unsaved: dict[str, JobRow] = {}
        self._trouble = ""
        self._not_before = float("-inf")

    def note(self, row: JobRow, stored: JobRow | None = None) -> None:
        """Have `row` written with the next `save`, unless that is how the store has it."""
        if row == stored:
            self._unsaved.pop(row.name, None)
        else:
            self._unsaved[row.name] = row

    def save(self, now: float) -> str:
        """Write what was noted; returns why that is impossible, or an empty text.

        What was not written stays noted.
        """
        if self._unsaved and now >= self._not_before:
            self._trouble = self._write(BLINK_SECONDS)
            self._not_before = now + PAUSE_SECONDS if self._trouble else now
        return self._trouble

    def save_patiently(self) -> str:
        """Write for the last time; returns why that was impossible, or an empty text."""
        return self._write(BUSY_SECONDS) if self._unsaved else ""

    def _write(self, seconds: float) -> str:
        try:
            self._store.wait_at_most(seconds)
            with self._store.transaction():
                self._store.save(self._unsaved.values())
        except sqlite3.Error as error:
            return str(error)
        self._unsaved.clear()
        return ""
