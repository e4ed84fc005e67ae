"""What a farm and a spare trainer send each other over their socket."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from jobs.reading import parse_json

READY = b"\n"  # what a spare writes once it is warm


@dataclass(frozen=True)
class Message:
    """A message from the farm, one line: a job to rehearse, or the call.

    Descriptors come with the call: of the log, and of locks.
    """

    arguments: tuple[str, ...]  # of a `Call`
    environment: Mapping[str, str]
    is_call: bool

    def to_bytes(self) -> bytes:
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def from_bytes(cls, line: bytes) -> Message:
        """ValueError where `line` is not the whole of a message."""
        read = parse_json(line, dict)
        return cls(tuple(read["arguments"]), read["environment"], read["is_call"])
