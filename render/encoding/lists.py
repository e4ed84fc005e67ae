"""Writes the lists of files that ffmpeg's concat demuxer reads."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from pathlib import Path

from render.encoding.commands import concat_list


@contextmanager
def listed(
    list_file: Path, files: Sequence[Path], span: tuple[Fraction, Fraction] | None = None
) -> Iterator[None]:
    """Write `list_file`, by which ffmpeg finds these files while the block runs.

    `span` as of `concat_list`.
    """
    with ExitStack() as opened:
        names = _without_line_ends(files, opened)
        list_file.write_bytes(os.fsencode(concat_list(names, span)))  # a name may be no UTF-8
        yield


def _without_line_ends(files: Sequence[Path], opened: ExitStack) -> list[Path]:
    """The files by paths without line ends, for a list cannot hold these.

    Folders that have a line end in their path are held open and named by their descriptor.
    """
    named: dict[Path, Path] = {}
    for folder in {file.parent for file in files}:
        path = folder.absolute()
        if sys.platform == "linux" and {"\n", "\r"} & {*str(path)}:
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
            opened.callback(os.close, descriptor)
            path = Path(f"/proc/{os.getpid()}/fd/{descriptor}")
        named[folder] = path
    return [named[file.parent] / file.name for file in files]
