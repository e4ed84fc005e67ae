"""Pictures for a data set that does not fit on the device: read ahead, batch by batch."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from multitrain.engine.session import Frames

# From the number of the first batch and that of batches to indices `(batches * batch,)`.
IndicesOf = Callable[[int, int], NDArray[np.integer]]

# Of pictures, handed over at once; as many are being read, and as many are on the device.
READ_BYTES = 256 * 2**20


class PrefetchingReader:
    """Batches by their number; while those of one call are in use, the next ones are read.

    `pictures` are `(n, height, width, channels)` uint8, best a memory map: what is not drawn is not
    read. `indices_of` returns which pictures are in which batch of `batch` pictures; it is called
    in any thread.
    """

    def __init__(
        self, pictures: Frames, indices_of: IndicesOf, batch: int, *, ahead: bool = True
    ) -> None:
        """Not `ahead`: pictures change, and are read when they are taken."""
        self._ahead = ahead
        self._pictures, self._indices_of, self._batch = pictures, indices_of, batch
        self._pool = ThreadPoolExecutor(1, "pictures")
        self._coming: tuple[int, Future[Frames]] | None = None  # first batch's number

    @property
    def most(self) -> int:
        """The most batches that should be taken at once."""
        return max(1, READ_BYTES // (self._batch * int(self._pictures[0].nbytes)))

    def take(self, first: int, batches: int) -> Frames:
        """Batches from number `first` on: `(batches, batch, height, width, channels)` uint8."""
        ready = self._take_coming(first)[:batches]
        lacking = batches - len(ready)
        if lacking:
            more = self._read(first + len(ready), lacking)
            ready = np.concatenate([ready, more]) if len(ready) else more
        following = first + batches
        if batches and self._ahead:
            self._coming = following, self._pool.submit(self._read, following, batches)
        return ready

    def forget(self) -> None:
        """Drop what was read ahead: other pictures are drawn from now on."""
        self._coming = None

    def _take_coming(self, first: int) -> Frames:
        coming, self._coming = self._coming, None
        if coming is None or coming[0] != first:
            return np.empty((0, self._batch, *self._pictures.shape[1:]), np.uint8)
        return coming[1].result()

    def _read(self, first: int, batches: int) -> Frames:
        indices = self._indices_of(first, batches)
        chosen = np.take(self._pictures, indices, axis=0)
        return chosen.reshape(batches, self._batch, *self._pictures.shape[1:])
