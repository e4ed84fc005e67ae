"""Reads the JSON and YAML that this program wrote; damage of any kind raises `DamagedText`.

A file may have been cut off, edited, or replaced by anything at all. The C library of YAML crashes
the process where a text is nested too deep, so the depth is limited. This program writes only a few
levels, and no aliases or tags.
"""

from __future__ import annotations

import io
import json
import os
import select
import stat
from pathlib import Path
from typing import Any, TypeVar

import yaml

MOST_BYTES = 64 * 2**20  # of a file; the manifest of ten thousand timecuts has 5 MiB
PIECE = 2**20  # bytes that are read at once
PIPE_SECONDS = 30.0
DEEPEST = 20  # levels; a manifest has six

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # in C, ten times as fast

T = TypeVar("T")


class DamagedText(ValueError):
    """A file or text is not what it should be; the message says why in one clause."""


class TooLong(DamagedText):
    """The file has more bytes than may be read."""


def read_text(path: Path, errors: str = "strict") -> str:
    """The text of a small UTF-8 file; `errors` is "surrogateescape" for files that hold paths.

    DamagedText where it is no such file, OSError where it cannot be opened.
    """
    try:
        return _content(path).decode(errors=errors)
    except UnicodeDecodeError as error:
        raise DamagedText("it is no text") from error


def escaped(text: str) -> str:
    """A text as JSON and SQLite can hold it: paths may have bytes that are not UTF-8."""
    return text.encode(errors="backslashreplace").decode()


def read_json(path: Path, kind: type[T]) -> T:
    """The value of a JSON file, which must be a `kind`: dict, list … Errors as of `read_text`."""
    return parse_json(_content(path), kind)


def _content(path: Path) -> bytes:
    if not stat.S_ISREG(path.stat().st_mode):  # reading a pipe waits for its writer
        raise DamagedText("it is no file")
    return read_bounded(path, MOST_BYTES)


def read_bounded(path: Path, most: int) -> bytes:
    """All bytes of a file, or of a pipe while they come; OSError where it cannot be opened.

    DamagedText where there are more than `most`, or a pipe is silent for `PIPE_SECONDS`. The size
    that the system reports is not trusted: it is 0 for a device.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    with open(descriptor, "rb", buffering=0) as file:
        facts = os.fstat(descriptor)
        if facts.st_size > most:
            raise TooLong(f"it has more than {most} bytes")
        may_wait = not stat.S_ISREG(facts.st_mode)
        content = bytearray()
        while piece := _piece(file, min(PIECE, most + 1 - len(content)), may_wait=may_wait):
            content += piece
            if len(content) > most:
                raise TooLong(f"it has more than {most} bytes")
        return bytes(content)


def _piece(file: io.FileIO, most: int, *, may_wait: bool) -> bytes:
    """The next bytes, at most `most`; none at the end of the file."""
    if may_wait:
        waiting = select.poll()  # also for the first writer of a pipe that has a name
        waiting.register(file, select.POLLIN)
        if not waiting.poll(PIPE_SECONDS * 1000):
            raise DamagedText(f"nothing came for {PIPE_SECONDS:g} seconds")
    return file.read(most) or b""


def parse_json(text: bytes, kind: type[T]) -> T:
    """The value of a JSON text, which must be a `kind`: dict, list … Else DamagedText."""
    try:
        value = json.loads(text.decode())
    except RecursionError as error:
        raise DamagedText("it is nested too deep") from error
    except ValueError as error:  # also: not UTF-8, or a number of thousands of digits
        raise DamagedText(f"it is no JSON: {error}") from error
    _refuse_deep(value)
    if not isinstance(value, kind):
        raise DamagedText(f"it holds no {kind.__name__}")
    return value


def parse_yaml(text: str) -> object:
    """The value of a YAML text: plain values, lists, mappings. DamagedText for anything else."""
    depth = 0
    try:
        for event in yaml.parse(text, _LOADER):  # without recursion, unlike `yaml.load`
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth > DEEPEST:
                raise DamagedText("it is nested too deep")
            if isinstance(event, yaml.AliasEvent) or getattr(event, "tag", None):
                raise DamagedText("it has an alias or a tag")
        value: object = yaml.load(text, _LOADER)
    except yaml.YAMLError as error:
        raise DamagedText(f"it is no YAML: {error}") from error
    except (ValueError, OverflowError) as error:  # an impossible number or date
        raise error if isinstance(error, DamagedText) else DamagedText(str(error)) from error
    return value


def _refuse_deep(value: object) -> None:
    """Whoever walks through, compares or prints a value recurses: deep nesting would crash it."""
    level = _nested([value])
    for _ in range(DEEPEST):
        level = [child for each in level for child in _nested(each)]
    if level:
        raise DamagedText("it is nested too deep")


def _nested(value: list[Any] | dict[str, Any]) -> list[Any]:
    children = value.values() if isinstance(value, dict) else value
    return [child for child in children if isinstance(child, list | dict)]
