"""What came live, recorded without loss as far as there is room, so that it can be run again."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from pathlib import Path

from jobs.settings.colours import RGB
from jobs.settings.kinds import Resolution
from jobs.settings.videos import VIDEOS, FormatName
from jobs.workspace.files import listing
from multitrain.codec.receiving import Picture
from render.encoding.streaming import RawVideo, encoding
from render.files.claims import making

LOSSLESS: FormatName = "ffv1"
PIECE_SECONDS = 10.0  # of which a kill costs one at most

log = logging.getLogger(__name__)


class Recorder:
    """Videos in a folder, one after the other, of at most so many bytes together."""

    def __init__(self, folder: Path, size: Resolution, fps: int, most_bytes: float) -> None:
        self._folder, self._most = folder, most_bytes
        self._raw = RawVideo(*size, RGB, fps)
        self._frames = max(1, round(PIECE_SECONDS * fps))
        self._files = ExitStack()
        self._left = 0  # frames of the video that is being written
        self._is_full = False

    def write(self, frame: Picture) -> None:
        """Record a frame, where there is room. ProgramFailed, OSError."""
        if not self._left and not self._begin():
            return
        self._sink.write(frame)
        self._left -= 1
        if not self._left:
            self.close()

    def close(self) -> None:
        """The video that is being written is whole."""
        self._left = 0
        self._files.close()

    def _begin(self) -> bool:
        """Begin a video; False where there is no room for any more."""
        self._folder.mkdir(parents=True, exist_ok=True)
        names = listing(self._folder)
        taken = sum((self._folder / name).stat().st_size for name in names)
        if taken >= self._most:
            if not self._is_full:
                log.info("%s is full; what comes is not recorded any more", self._folder)
            self._is_full = True
            return False
        suffix = VIDEOS[LOSSLESS].suffix
        numbers = [int(stem) for stem in (Path(name).stem for name in names) if stem.isdecimal()]
        output = self._folder / f"{max(numbers, default=0) + 1:05}{suffix}"
        part = self._files.enter_context(making(output))
        self._sink = self._files.enter_context(encoding(part, self._raw, LOSSLESS))
        self._left = self._frames
        return True
