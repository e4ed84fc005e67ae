"""Frames of a camera or an address as they come; those that nobody is ready for are left out."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from weakref import finalize

import av
import numpy as np
from PIL import Image

from jobs.errors import NothingComes
from jobs.settings.preprocess import Step
from jobs.settings.streams import is_device
from multitrain.codec.receiving import Picture
from multitrain.datasets.decoded.preprocessing import preprocessed

PATIENCE = 30.0  # seconds without a frame
AGAIN = 1.0  # seconds between two tries to open it
OPEN_TIMEOUT, READ_TIMEOUT = 10.0, 10.0  # seconds

log = logging.getLogger(__name__)


class Capture:
    """Reads a stream in a thread of its own, and keeps its newest frame alone.

    - steps: of preprocessing.
    - left_out: how many frames came that nobody has taken.
    """

    def __init__(
        self,
        name: str,
        steps: Sequence[Step],
        patience: float = PATIENCE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name, self._steps = name, steps
        self._patience, self._clock = patience, clock
        self._shared = _Shared()
        reading = threading.Thread(
            target=_read, args=(name, self._shared), name="capture", daemon=True
        )
        reading.start()
        self.close = finalize(self, self._shared.is_closed.set)

    @property
    def left_out(self) -> int:
        return self._shared.left_out

    def take(self) -> Picture:
        """The newest frame, once one has come that was not taken before: `(h, w, 3)` uint8.

        NothingComes where none does for a while.
        """
        shared, until = self._shared, self._clock() + self._patience
        with shared.came:
            while shared.frame is None:
                if not shared.came.wait(max(0.0, until - self._clock())):
                    raise NothingComes(
                        f"no frame came from {self._name} for {self._patience:g} s"
                        + (f" ({shared.trouble})" if shared.trouble else "")
                    )
            frame, shared.frame = shared.frame, None
        image = Image.fromarray(frame.to_ndarray(format="rgb24"))
        return np.asarray(preprocessed(image, self._steps))


class _Shared:
    """What the thread and whoever takes frames have in common."""

    def __init__(self) -> None:
        self.came, self.is_closed = threading.Condition(), threading.Event()
        self.frame: av.VideoFrame | None = None
        self.left_out = 0
        self.trouble = ""

    def put(self, frame: av.VideoFrame) -> None:
        with self.came:
            self.left_out += self.frame is not None
            self.frame = frame
            self.came.notify()


def _read(name: str, shared: _Shared) -> None:
    """Put one frame after the other; where the stream ends, or cannot be opened, try again."""
    while not shared.is_closed.is_set():
        try:
            _read_once(name, shared)
            shared.trouble = "it has ended"
        except (av.error.FFmpegError, OSError, ValueError) as error:
            shared.trouble = str(error)
        if not shared.is_closed.is_set():
            log.warning("%s: %s; it is opened again", name, shared.trouble)
        shared.is_closed.wait(AGAIN)


def _read_once(name: str, shared: _Shared) -> None:
    form = "v4l2" if is_device(name) else None
    options = {"rtsp_transport": "tcp"} if name.casefold().startswith("rtsp") else {}
    times = OPEN_TIMEOUT, READ_TIMEOUT
    with av.open(name, format=form, options=options, timeout=times) as container:
        if not container.streams.video:
            raise ValueError("it holds no video")
        for frame in container.decode(video=0):
            if shared.is_closed.is_set():
                return
            shared.put(frame)
