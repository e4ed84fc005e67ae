"""What came live, recorded without loss as far as there is room, so that it can be run again."""

from __future__ import annotations

import logging
from contextlib import ExitStack, suppress
from pathlib import Path

from jobs.errors import MultitrainError
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
    """Videos in a folder, one after the other; none is begun where they have so many bytes.

    One that cannot be written is told in the log, and costs the recording alone.
    """

    def __init__(self, folder: Path, size: Resolution, fps: int, most_bytes: float) -> None:
        self._folder, self._most = folder, most_bytes
        self._raw = RawVideo(*size, RGB, fps)
        self._frames = max(1, round(PIECE_SECONDS * fps))
        self._files = ExitStack()
        self._left = 0  # frames of the video that is being written
        self._is_over = False

    def write(self, frame: Picture) -> None:
        """Record a frame, where there is room."""
        try:
            if not self._left and not self._begin():
                return
            self._sink.write(frame)
        except (OSError, MultitrainError) as error:
            self._give_up(error)
            return
        self._left -= 1
        if not self._left:
            self.close()

    def close(self) -> None:
        """The video that is being written is whole."""
        self._left = 0
        try:
            self._files.close()
        except (OSError, MultitrainError) as error:
            self._give_up(error)

    def _give_up(self, why: object) -> None:
        log.warning("%s: %s; what comes is not recorded any more", self._folder, why)
        self._left, self._is_over = 0, True
        with suppress(OSError, MultitrainError):
            self._files.close()  # which knows that it has failed

    def _begin(self) -> bool:
        """Begin a video; False where there is no room for any more."""
        if self._is_over:
            return False
        self._folder.mkdir(parents=True, exist_ok=True)
        names = listing(self._folder)
        if sum((self._folder / name).stat().st_size for name in names) >= self._most:
            self._give_up("it is full")
            return False
        numbers = [int(stem) for stem in (Path(name).stem for name in names) if stem.isdecimal()]
        output = self._folder / f"{max(numbers, default=0) + 1:05}{VIDEOS[LOSSLESS].suffix}"
        part = self._files.enter_context(making(output))
        self._sink = self._files.enter_context(encoding(part, self._raw, LOSSLESS))
        self._left = self._frames
        return True
