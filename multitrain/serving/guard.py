"""What every request passes first, and what every answer says to the browser.

Refused: names of hosts that are not ours, which pages of strangers let point to this machine (DNS
rebinding); whoever has no cookie; and orders that do not come from our own page. GET changes
nothing.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from multitrain.serving.keys import Keys, same

KEY_HEADER = "x-multitrain-key"
ENTER = "/api/enter"  # where a token is exchanged for the cookie and the key
PUBLIC = "/static/"  # the page itself, which tells nothing

MOST_BYTES = 2**20  # of the body of a request
MOST_SHEET_BYTES = 5 * 2**20
_AS_TEXT = 4 / 3  # base64
_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^:\[\]]+)(?::\d{1,5})?")
LIMITS = {path: int(MOST_SHEET_BYTES * _AS_TEXT) + 4096 for path in ("/api/check", "/api/submit")}

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; media-src 'self'; connect-src 'self'; manifest-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


def cookie_name(port: int) -> str:
    """The name of our cookie: browsers do not tell apart the ports of a host."""
    return f"multitrain-{port}"


def limit_of(path: str) -> int:
    """How many bytes the body of a request to this path may have."""
    return LIMITS.get(path, MOST_BYTES)


@dataclass(frozen=True)
class Guard:
    """Lets requests through to `app`, or answers them itself; `hosts` are in lower case."""

    app: ASGIApp
    keys: Keys
    port: int
    hosts: Collection[str] = field(default=("127.0.0.1", "localhost", "[::1]"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        refusal = self._refusal(scope)
        await (refusal or self.app)(scope, receive, send_with_headers)

    def _refusal(self, scope: Scope) -> Response | None:
        if scope["type"] != "http":
            return _refused(400, "there are no web sockets here")
        headers = Headers(scope=scope)
        path, method = scope["path"], scope["method"]
        hosts = headers.getlist("host")
        if len(hosts) != 1 or _name_of(hosts[0]) not in self.hosts:
            return _refused(421, "this is not the name of this server; see `multitrain serve`")
        is_change = method not in ("GET", "HEAD")
        if is_change and method != "POST":
            return _refused(405, "there is GET and POST")
        site = headers.get("sec-fetch-site")
        if path == "/" or (path.startswith(PUBLIC) and not is_change):
            return None
        if site not in (None, "same-origin") and (is_change or site != "none"):
            return _refused(403, "only the page itself may ask that")
        if is_change and (why := self._wrong_order(headers, hosts[0])):
            return _refused(*why)
        if is_change and int(headers.get("content-length") or 0) > limit_of(path):
            return _refused(413, "that is too much at once")
        if path == ENTER and is_change:
            return None
        if not same(self._cookie(headers), self.keys.cookie):
            return _refused(401, "open the link that `multitrain serve` has printed")
        if is_change and not same(headers.get(KEY_HEADER, ""), self.keys.key):
            return _refused(403, "open the link that `multitrain serve` has printed once more")
        return None

    @staticmethod
    def _wrong_order(headers: Headers, host: str) -> tuple[int, str] | None:
        """Why something is no order of our page, whatever keys it has."""
        origins = headers.getlist("origin")
        if any(origin != f"http://{host}" for origin in origins):
            return 403, "only the page itself may ask that"
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            return 415, "orders are application/json"
        length = headers.get("content-length")
        if length is not None and not (length.isascii() and length.isdigit()):
            return 400, "the length of the order is no number"
        return None

    def _cookie(self, headers: Headers) -> str:
        """The value of our cookie. With several of the name, as others could set them, none."""
        values = []
        for header in headers.getlist("cookie"):
            for piece in header.split(";"):
                try:
                    jar = SimpleCookie(piece.strip())
                except CookieError:
                    continue
                values += [
                    each.value for name, each in jar.items() if name == cookie_name(self.port)
                ]
        return values[0] if len(set(values)) == 1 else ""


def _name_of(host: str) -> str:
    """A host without its port, in lower case: `[::1]`, `localhost`; empty where it is none."""
    found = _HOST.fullmatch(host)
    return found[1].lower() if found else ""


def _refused(status: int, why: str) -> Response:
    return JSONResponse({"error": why}, status)
