"""What the render worker waits for, without a thread: names on stdin, signals, ended encoders."""

from __future__ import annotations

import os
import select
import signal
from contextlib import suppress


class Doorbell:
    """Waits for a line on `stdin`, a signal or a `ring`, whichever comes first."""

    def __init__(self, stdin: int) -> None:
        self._stdin = stdin
        self._hears, self._rings = os.pipe()
        os.set_blocking(self._hears, False)
        os.set_blocking(self._rings, False)
        self._half_line = b""
        self.stopped = False  # set at the end of stdin or by a signal: nothing new is wanted

    def ring(self) -> None:
        """End the wait, from any thread."""
        with suppress(BlockingIOError):  # full of rings that nobody has heard: enough
            os.write(self._rings, b"\0")

    def stop_at(self, *signals: signal.Signals) -> None:
        """Have these signals set `stopped`; only the main thread may call this."""
        signal.set_wakeup_fd(self._rings, warn_on_full_buffer=False)
        for each in signals:
            signal.signal(each, self._note_signal)

    def wait(self, seconds: float) -> list[str]:
        """Wait at most `seconds` for a reason to go on; returns job names that came on stdin."""
        sources = [self._hears] if self.stopped else [self._hears, self._stdin]
        ready, _, _ = select.select(sources, [], [], seconds)
        if self._hears in ready:
            os.read(self._hears, 4096)
        return self._read_names() if self._stdin in ready else []

    def _note_signal(self, number: int, frame: object) -> None:  # noqa: ARG002
        self.stopped = True

    def _read_names(self) -> list[str]:
        data = os.read(self._stdin, 65536)
        self.stopped = self.stopped or not data
        *lines, self._half_line = (self._half_line + data).split(b"\n")
        return [os.fsdecode(line) for line in lines if line]
