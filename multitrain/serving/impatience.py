"""Connections of clients that send slowly, or nothing: they end in time, whatever trickles in."""

from __future__ import annotations

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_SECONDS = 10.0  # from the connection, or the first byte of a further request, to its headers
BODY_SECONDS = 120.0  # from there to the end of its body: five MiB on a slow line


class Impatient(H11Protocol):
    """One connection. What is sent to it may take as long as it likes: streams have no end."""

    _awaited: object = None  # what is still to come of a request, as h11 calls it
    _due: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)  # type: ignore[arg-type]
        self._wait()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def _wait(self) -> None:
        awaited = self.conn.their_state
        if awaited is self._awaited:
            return
        self._stop_waiting()
        self._awaited = awaited
        seconds = {h11.IDLE: HEAD_SECONDS, h11.SEND_BODY: BODY_SECONDS}.get(awaited)
        if seconds is not None:
            self._due = self.loop.call_later(seconds, self.transport.abort)

    def _stop_waiting(self) -> None:
        self._awaited = None
        if self._due is not None:
            self._due.cancel()
            self._due = None
