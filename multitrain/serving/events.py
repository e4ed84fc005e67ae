"""One stream of events for each open page: what has changed, once a second at most."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator

from sse_starlette import ServerSentEvent

from jobs.errors import MultitrainError
from jobs.secrets import hidden
from multitrain.serving.night import Night, overview

EVERY_SECONDS = 1.0
SHARED_SECONDS = 0.5  # so long, what one stream has told is new enough for the others
MOST_STREAMS = 64  # open at once: one for each page


class Streams:
    """Counts the streams that are open."""

    def __init__(self, night: Night) -> None:
        self._night = night
        self._open = 0
        self._turn = asyncio.Lock()
        self._told, self._told_at = "", float("-inf")

    @property
    def is_full(self) -> bool:
        return self._open >= MOST_STREAMS

    async def events(self) -> AsyncIterator[ServerSentEvent]:
        """An event `overview` at the beginning, and whenever it has changed."""
        self._open += 1
        try:
            before = ""
            while True:
                told = await self._tell()
                if told != before:
                    yield ServerSentEvent(told, event="overview")
                    before = told
                await asyncio.sleep(EVERY_SECONDS)
        finally:
            self._open -= 1

    async def _tell(self) -> str:
        """What there is to tell; streams that ask at about the same time share it."""
        async with self._turn:
            if time.monotonic() - self._told_at >= SHARED_SECONDS:
                try:
                    self._told = json.dumps(await asyncio.to_thread(overview, self._night))
                except (MultitrainError, OSError) as error:
                    self._told = json.dumps({"trouble": hidden(str(error))})
                self._told_at = time.monotonic()
            return self._told
