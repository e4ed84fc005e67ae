"""The farm's side of the store: states that wait until they can be written.

The farm knows its jobs by heart. A disk that is full, or a store that somebody else keeps locked,
makes what `multitrain status` shows old for a while; it does not end the night.
"""

from __future__ import annotations

import sqlite3

from jobs.store import JobRow, Store


class Ledger:
    """Writes the rows that have changed, all in one transaction, when asked to."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._unsaved: dict[str, JobRow] = {}

    def note(self, row: JobRow) -> None:
        """To be written with the next `save`."""
        self._unsaved[row.name] = row

    def save(self) -> str:
        """Write; why that was impossible, or an empty text. What was not written stays noted."""
        if not self._unsaved:
            return ""
        try:
            with self._store.transaction():
                self._store.save(self._unsaved.values())
        except sqlite3.OperationalError as error:
            return str(error)
        self._unsaved.clear()
        return ""
