"""Videos that take hours to make, in pieces: a kill costs the piece that was in the making.

The pieces lie in a folder of their own, which has the name of what is made: whoever asks for the
same again goes on there. Each appears whole and verified, with its digest; one that was damaged
since is made again. Formats that cannot be joined are made of lossless pieces.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from jobs.errors import MultitrainError
from jobs.plans.plan import FrameRange
from jobs.settings.colours import RGBA
from jobs.settings.videos import VIDEOS, FormatName, holds_sound
from jobs.workspace import locks
from jobs.workspace.disk import means_full
from jobs.workspace.files import flush_to_disk, listing, part_of, publish, remove
from render.clips.exporting import export_film
from render.encoding.formats import Quality
from render.encoding.streaming import FINE, FrameSink, RawVideo, encoding
from render.files.claims import BeingMade, claimed
from render.files.digests import append_digest, is_unchanged, mark, sha256_of
from render.files.merge import join
from render.files.sound import Beside, Shape, add_sound
from render.files.verifying import verify_made

LOCK = ".lock"  # the ending of a file that whoever makes the pieces holds
LOSSLESS: FormatName = "ffv1"  # of pieces that are encoded once more


@dataclass(frozen=True)
class Pieces:
    """A video of `frames` frames in the format `name`, made in `folder`, `length` frames a piece.

    `beside` is what comes from the video that it is made of, besides its frames; `quality` is for
    formats that have none of their own.
    """

    folder: Path
    name: FormatName
    raw: RawVideo
    frames: int
    length: int
    beside: Beside | None = None
    quality: Quality = FINE

    @property
    def all(self) -> list[FrameRange]:
        """The pieces, in their order."""
        starts = range(0, self.frames, self.length)
        return [FrameRange(start, min(start + self.length, self.frames)) for start in starts]

    @cached_property
    def format(self) -> FormatName:
        """That of the pieces."""
        return self.name if VIDEOS[self.name].is_joinable else LOSSLESS

    def missing(self) -> list[FrameRange]:
        """Those that are still to be made; damaged ones are removed."""
        for each in self.all:
            if (path := self._path(each)).is_file() and not is_unchanged(path):
                remove(path)
        return [each for each in self.all if not self._path(each).is_file()]

    @contextmanager
    def held(self) -> Iterator[None]:
        """Meanwhile no other process makes these. BeingMade where one does."""
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        lock = locks.take(self.folder.with_suffix(LOCK))
        if lock is None:
            raise BeingMade("another process makes the same video; wait for it")
        try:
            yield
        finally:
            os.close(lock)

    @contextmanager
    def making(self, frames: FrameRange) -> Iterator[FrameSink]:
        """Takes the frames of a piece, which appears once all are there and verified."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self._path(frames)
        part = part_of(path)
        remove(part)
        try:
            with encoding(part, self.raw, self.format, quality=self.quality) as sink:
                yield sink
            size = (self.raw.width, self.raw.height)
            has_alpha = self.raw.channels == RGBA
            verify_made(self.format, part, len(frames), self.raw.fps, size, has_alpha=has_alpha)
            append_digest(part)
            publish(part, path)
        finally:
            remove(part)

    def finish(self, output: Path, note: str) -> str | None:
        """Join all pieces to `output`, which appears whole and verified, and remove the folder.

        Returns a sentence where its sound had to be left out. BeingMade where another process makes
        the same file; other MultitrainErrors.
        """
        joined = part_of(self.folder / f"joined{VIDEOS[self.format].suffix}")
        try:
            join([self._path(each) for each in self.all], joined, self.frames)
            silent = self._make_of(joined, output, note)
        finally:
            remove(joined)
        remove(self.folder)
        remove(self.folder.with_suffix(LOCK))
        return silent

    def _make_of(self, joined: Path, output: Path, note: str) -> str | None:
        if self.format == self.name:
            return self._publish(joined, output, note)
        if holds_sound(self.name):
            encoded = self.folder / f"encoded{VIDEOS[self.name].suffix}"
            export_film(joined, self.name, encoded, quality=self.quality)
            return self._publish(encoded, output, note)
        export_film(joined, self.name, output, quality=self.quality, note=note)
        return None

    def _publish(self, video: Path, output: Path, note: str) -> str | None:
        """Hours of work are not lost for a track of sound that cannot be kept."""
        shape = Shape(self.name, self.raw.fps, note, has_alpha=self.raw.channels == RGBA)
        silent = None
        with claimed(output) as part:
            try:
                add_sound(video, part, shape, self.beside)
            except MultitrainError as failure:
                if means_full(failure) or not (self.beside and self.beside.sounds):
                    raise
                silent = f"its sound is left out, for it cannot be kept: {failure}"
                add_sound(video, part, shape, self.beside.silent)
            flush_to_disk(part)
            mark(part, sha256_of(part))
            publish(part, output)
        return silent

    def _path(self, frames: FrameRange) -> Path:
        return self.folder / f"{frames}{VIDEOS[self.format].suffix}"


def unfinished(among: Path) -> list[Path]:
    """Folders of pieces there that no process works on now."""
    folders = (among / name for name in listing(among))
    return [each for each in folders if each.is_dir() and not _is_held(each)]


def _is_held(folder: Path) -> bool:
    with suppress(OSError):  # nobody has begun, or a file system without locks
        descriptor = locks.open_file(folder.with_suffix(LOCK), create=False)
        try:
            return not locks.lock(descriptor, shared=True)
        finally:
            os.close(descriptor)
    return False
