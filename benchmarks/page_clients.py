"""Walls that nobody sees: `python -m benchmarks.page_clients PORT COOKIE COUNT`, until killed.

Each reads the stream of events and asks, as often as a wall does, for the jobs that it shows. It
prints a line when all have heard of the night. A process of `serving_load`.
"""

from __future__ import annotations

import asyncio
import sys

HOST = "127.0.0.1"
WALL_SECONDS = 3.0  # `static/views/wall.js`
ASKED = (
    "/api/status?state=running%2Crendering&count=200",
    "/api/status?state=done&count=24&newest=1",
)


class Client:
    """One open page."""

    def __init__(self, port: int, cookie: str) -> None:
        self._port, self._cookie = port, cookie
        self.has_heard = asyncio.Event()

    async def live(self) -> None:
        """Read events and ask for jobs."""
        await asyncio.gather(self._listen(), self._ask())

    async def _listen(self) -> None:
        reader, _ = await self._request("/api/events")
        while line := await reader.readline():
            if line.startswith(b"event: overview"):
                self.has_heard.set()
        raise SystemExit("the page has ended its stream")

    async def _ask(self) -> None:
        await self.has_heard.wait()
        while True:
            for path in ASKED:
                reader, writer = await self._request(path)
                await reader.read()
                writer.close()
            await asyncio.sleep(WALL_SECONDS)

    async def _request(self, path: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection(HOST, self._port)
        lines = (
            f"GET {path} HTTP/1.1",
            f"Host: {HOST}:{self._port}",
            f"Cookie: {self._cookie}",
            *([] if path.endswith("events") else ["Connection: close"]),
        )
        writer.write("\r\n".join([*lines, "", ""]).encode())
        await writer.drain()
        return reader, writer


async def main(port: int, cookie: str, count: int) -> None:
    """So many of them."""
    clients = [Client(port, cookie) for _ in range(count)]
    living = asyncio.gather(*(client.live() for client in clients))
    for client in clients:
        await client.has_heard.wait()
    print("all have heard", flush=True)
    await living


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
