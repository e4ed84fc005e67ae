"""Curves for TensorBoard: not essential, so their errors never reach a training.

TensorBoard's own writer hands events to a thread. An error of that thread, such as a full disk,
comes up at a later call, or as a wait at the end. Here each event is written at once.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from jobs.workspace.paths import JobPaths

log = logging.getLogger(__name__)


class Curves:
    """Appends scalars to an event file of its own in the job's TensorBoard folder."""

    def __init__(self, paths: JobPaths) -> None:
        self._paths = paths
        self._records: Any = None
        self._given_up = False

    def draw(self, time: float, step: int, values: Mapping[str, float]) -> None:
        """Draw a point on each of these curves; `time` in unix seconds. Never raises.

        After a failure no more points are drawn: what follows half a record cannot be read.
        """
        if self._given_up:
            return
        try:
            if self._records is None:
                self._open(time)
            self._append(time, step, values)
        except Exception as error:
            log.warning("no more curves for TensorBoard until the next start: %s", error)
            self._given_up = True
            self.close()

    def close(self) -> None:
        """Never raises."""
        records, self._records = self._records, None
        if records is not None:
            with suppress(OSError):  # for data that could not be written before
                records.close()

    def _open(self, time: float) -> None:
        # Imported here: it takes a fifth of a second, and the test card draws no curves.
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.summary.writer.record_writer import RecordWriter

        folder = self._paths.tensorboard
        folder.mkdir(parents=True, exist_ok=True)
        name = f"events.out.tfevents.{int(time):010d}.{os.getpid()}"
        self._records = RecordWriter((folder / name).open("ab"))
        self._write(Event(wall_time=time, file_version="brain.Event:2"))

    def _append(self, time: float, step: int, values: Mapping[str, float]) -> None:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.plugins.scalar.summary_v2 import scalar_pb

        points = [scalar_pb(name, value).value[0] for name, value in values.items()]
        self._write(Event(wall_time=time, step=step, summary=Summary(value=points)))

    def _write(self, event: Any) -> None:
        self._records.write(event.SerializeToString())
        self._records.flush()
