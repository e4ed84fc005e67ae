"""The process of the page: everything put together, served until somebody ends it."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import psutil
import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp

from jobs.errors import UsageError
from jobs.workspace.paths import Workspace
from multitrain.serving.clips import Clips
from multitrain.serving.events import Streams
from multitrain.serving.guard import Guard
from multitrain.serving.highlights import Highlights
from multitrain.serving.impatience import Impatient
from multitrain.serving.keys import Keys, Tries, read_or_make
from multitrain.serving.night import Night
from multitrain.serving.programs import AT_ONCE, Programs
from multitrain.serving.routes import Page, routes_of
from multitrain.serving.shared import Shared
from multitrain.serving.sheets import Sheets
from multitrain.serving.stars import Stars

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
ANY = ("0.0.0.0", "::")  # to listen at all addresses
PORT = 8765
GRACE_SECONDS = 1  # for what is being sent when the process is to end
MOST_CONNECTIONS = 256  # at once; beyond, the answer is 503


@dataclass(frozen=True)
class Serving:
    """What `multitrain serve` was asked for."""

    host: str
    port: int | None  # 0: any that is free; None: the usual one, or else any
    names: tuple[str, ...] = ()  # further names of this machine
    allows_commands: bool = False
    new_link: bool = False

    @property
    def is_local(self) -> bool:
        """Whether only programs on this machine can connect."""
        return self.host in ("127.0.0.1", "localhost", "::1")


def open_socket(asked: Serving) -> socket.socket:
    """A socket that listens where it is asked for. UsageError where that is impossible."""
    if asked.port is None:
        with suppress(UsageError):
            return open_socket(replace(asked, port=PORT))
        return open_socket(replace(asked, port=0))
    try:
        family = socket.AF_INET6 if ":" in asked.host else socket.AF_INET
        listening = socket.socket(family, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((asked.host, asked.port))
        listening.listen(128)
    except OSError as error:
        raise UsageError(
            f"the page cannot be served at {asked.host}, port {asked.port}: {error.strerror}; "
            "choose another --port, or --port 0 for any that is free"
        ) from error
    return listening


def application(
    workspace: Workspace,
    keys: Keys,
    port: int,
    program: Sequence[str],
    *,
    hosts: Collection[str] = LOOPBACK,
    allows_commands: bool = False,
    version: str = "",
    clock: Callable[[], float] = time.monotonic,
) -> Guard:
    """The whole page as an ASGI application; `program` is the command `multitrain`."""
    night = Night(workspace, clock)
    # Orders do not wait for sheets, which may take minutes.
    programs, checks, moments, clips = (
        Programs(tuple(program), workspace.root, asyncio.Semaphore(most))
        for most in (AT_ONCE, AT_ONCE, 1, 1)
    )
    page = Page(
        night=night,
        keys=keys,
        port=port,
        programs=programs,
        sheets=Sheets(workspace, checks, allows_commands=allows_commands),
        stars=Stars(workspace),
        highlights=Highlights(night, moments),
        clips=Clips(night, clips),
        streams=Streams(night),
        tries=Tries(clock),
        tables=Shared(clock),
        version=version,
    )
    app = Starlette(routes=routes_of(page))
    app.router.redirect_slashes = False
    return Guard(app, keys, port, frozenset(hosts))


def serve(
    workspace: Workspace,
    asked: Serving,
    program: Sequence[str],
    tell: Callable[[str], None],
    *,
    version: str = "",
    ends_with_stdin: bool = False,
) -> None:
    """Serve the page until SIGTERM or SIGINT, or, `ends_with_stdin`, until stdin closes.

    `tell` gets the lines for whoever started it. UsageError, OSError where it cannot begin.
    """
    keys = read_or_make(workspace.page_key, new=asked.new_link)
    with open_socket(asked) as listening:
        port = listening.getsockname()[1]
        for line in greeting(asked, port, keys):
            tell(line)
        hosts = host_names(asked)
        app = application(
            workspace,
            keys,
            port,
            program,
            hosts=hosts,
            allows_commands=asked.allows_commands,
            version=version,
        )
        server = server_of(app)
        if ends_with_stdin:
            threading.Thread(target=_end_with_stdin, args=(server,), daemon=True).start()
        server.run([listening])


def server_of(app: ASGIApp) -> uvicorn.Server:
    """What serves an application, on sockets that it is given."""
    config = uvicorn.Config(
        app,
        http=Impatient,
        log_level="critical",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_graceful_shutdown=GRACE_SECONDS,
        lifespan="off",
        ws="none",
    )
    return uvicorn.Server(config)


def host_names(asked: Serving) -> frozenset[str]:
    """The names by which browsers may call this server; all others are somebody's trick."""
    names = {*LOOPBACK, *asked.names}
    if not asked.is_local:
        names |= {socket.gethostname(), asked.host, *_addresses()} - set(ANY)
    return frozenset(map(_as_in_links, names))


def _as_in_links(host: str) -> str:
    return f"[{host}]" if ":" in host and "[" not in host else host.lower()


def greeting(asked: Serving, port: int, keys: Keys) -> list[str]:
    """What is printed at the start: the link, and what it means to be seen from elsewhere."""
    shown = "127.0.0.1" if asked.is_local else asked.host
    if shown in ANY:
        outer = (each for each in _addresses() if "." in each and not each.startswith("127."))
        shown = next(outer, LOOPBACK[0])
    lines = [f"The page: http://{_as_in_links(shown)}:{port}/#token={keys.token}"]
    if not asked.is_local:
        lines.append(
            "note: everybody in this network can reach the page, and whoever has the link can "
            "steer the farm and see its films; nothing is encrypted. An SSH tunnel is safer: "
            f"ssh -L {port}:127.0.0.1:{port} {socket.gethostname()}"
        )
    if asked.allows_commands:
        lines.append(
            "note: whoever has the link can run commands on this machine, by sheets with on_done "
            "or on_failed (--allow-commands-from-page)"
        )
    return lines


def _addresses() -> list[str]:
    """The addresses of this machine."""
    families = (socket.AF_INET, socket.AF_INET6)
    found = [each for cards in psutil.net_if_addrs().values() for each in cards]
    return [each.address.partition("%")[0] for each in found if each.family in families]


def _end_with_stdin(server: uvicorn.Server) -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    server.should_exit = True
