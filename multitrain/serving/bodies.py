"""Bodies of requests and their fields: bounded, and refused in a sentence where they are wrong."""

from __future__ import annotations

import base64
import binascii
from typing import Any, TypeVar

from starlette.requests import Request

from jobs.reading import DamagedText, parse_json
from multitrain.serving.guard import limit_of

T = TypeVar("T")


class Refused(Exception):
    """A request that is answered with an error: a status of HTTP, and why."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status, self.why = status, why


async def json_of(request: Request) -> dict[str, Any]:
    """The JSON object that a request has sent; Refused where it is none, too large or too deep."""
    most, content = limit_of(request.url.path), bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > most:
            raise Refused(413, "that is too much at once")
    try:
        return parse_json(bytes(content), dict)
    except DamagedText as error:
        raise Refused(400, str(error)) from error


def take(fields: dict[str, Any], name: str, kind: type[T], default: T | None = None) -> T:
    """Remove a field of an object and return it; Refused where it is missing or another kind."""
    value = fields.pop(name, default)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise Refused(400, f"{name} is missing, or is no {kind.__name__}")
    return value


def nothing_else(fields: dict[str, Any]) -> None:
    """Refused where there are fields that nobody has taken."""
    if fields:
        raise Refused(400, f"there is no field {ascii(min(fields))[:60]}")


def bytes_of(text: str, most: int) -> bytes:
    """What a text is in base64; Refused where it is none, or has more than `most` bytes."""
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refused(400, "the file is not in base64") from error
    if len(content) > most:
        raise Refused(413, f"the file has more than {most} bytes")
    return content


def number_in(text: str | None, least: int, most: int, default: int | None = None) -> int:
    """A whole number of an address's query, between its bounds; Refused where it is none."""
    if text is None and default is not None:
        return default
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 12:
        raise Refused(400, f"{ascii(text)[:40]} is no number")
    if not least <= int(text) <= most:
        raise Refused(400, f"{text} is not between {least} and {most}")
    return int(text)
