"""One stream of events for each open page: what has changed, once a second at most."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

from sse_starlette import ServerSentEvent

from jobs.errors import MultitrainError
from jobs.secrets import hidden
from multitrain.serving.night import Night, overview

EVERY_SECONDS = 1.0
MOST_STREAMS = 64  # open at once: one for each page


class Streams:
    """Counts the streams that are open."""

    def __init__(self, night: Night) -> None:
        self._night = night
        self._open = 0

    @property
    def is_full(self) -> bool:
        return self._open >= MOST_STREAMS

    async def events(self) -> AsyncIterator[ServerSentEvent]:
        """An event `overview` at the beginning, and whenever it has changed."""
        self._open += 1
        try:
            before = ""
            while True:
                try:
                    told = json.dumps(await asyncio.to_thread(overview, self._night))
                except (MultitrainError, OSError) as error:
                    told = json.dumps({"trouble": hidden(str(error))})
                if told != before:
                    yield ServerSentEvent(told, event="overview")
                    before = told
                await asyncio.sleep(EVERY_SECONDS)
        finally:
            self._open -= 1
