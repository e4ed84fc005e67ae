"""Frames of videos taken at some times and saved, by several threads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from threading import Event, Lock
from typing import Any, NamedTuple, Self

from jobs.errors import UsageError
from jobs.videos.opening import UnreadableVideo
from multitrain.datasets.filmed.fields import Mending
from multitrain.datasets.filmed.frames import FrameReader, Still
from multitrain.datasets.filmed.seeking import Run, plan
from multitrain.datasets.looking.likeness import perceptual_hash
from multitrain.datasets.parallel import in_order
from multitrain.datasets.video.crops import Crop, Scale, cut
from multitrain.datasets.video.moments import Moment, Span


class Shot(NamedTuple):
    """A frame that was taken: a file for each crop, and the hash of the whole."""

    moment: Moment
    pts: int
    crops: tuple[Crop, ...]
    files: tuple[Path, ...]
    likeness: int  # 0 where it is not asked for


class Saving(NamedTuple):
    """The suffix of files, and the options with which Pillow saves them."""

    suffix: str
    options: Mapping[str, Any]


class Missed(NamedTuple):
    """A time that there is no picture of, and why."""

    moment: Moment
    reason: str


class _Job(NamedTuple):
    video: int
    run: Run
    moments: Mapping[int, Moment]


class Shots:
    """Takes frames of `spans` and saves their crops in `folder`; close it.

    `met_again` counts times that fell on a frame which had been taken for another time.
    """

    def __init__(
        self,
        folder: Path,
        spans: Sequence[Span],
        mendings: Sequence[Mending],
        crops: Sequence[Crop],
        scale: Scale,
        saving: Saving,
        *,
        hashing: bool,
    ) -> None:
        self._hashing = hashing
        self._folder, self._crops, self._scale, self._saving = folder, crops, scale, saving
        self._readers = [
            _Readers(span, mending) for span, mending in zip(spans, mendings, strict=True)
        ]
        self._taken: defaultdict[int, set[int]] = defaultdict(set)
        self.met_again = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for readers in self._readers:
            readers.close()

    def take(self, moments: Sequence[Moment]) -> Generator[Shot | Missed, None, None]:
        """The shots at `moments`, in any order; each frame once. Close this to end its threads."""
        stopping = Event()
        work = partial(self._work, stopping)
        with closing(in_order(work, self._jobs(moments), stopping)) as done:
            for results in done:
                yield from results

    def _jobs(self, moments: Sequence[Moment]) -> Iterator[_Job | Missed]:
        by_video: defaultdict[int, dict[int, Moment]] = defaultdict(dict)
        for number, moment in enumerate(moments):
            by_video[moment.video][number] = moment
        for video, numbered in by_video.items():
            readers = self._readers[video]
            times = {number: moment.seconds for number, moment in numbered.items()}
            try:
                runs = plan(readers.span.video, times, readers.mending.around)
            except UnreadableVideo as error:
                yield from (Missed(moment, str(error)) for moment in numbered.values())
                continue
            found = {wanted.number for run in runs for wanted in run.wanted}
            for number in times.keys() - found:
                yield Missed(numbered[number], "there is no frame")
            for run in runs:
                if fresh := self._fresh(video, run):
                    yield _Job(video, fresh, numbered)

    def _fresh(self, video: int, run: Run) -> Run | None:
        """`run` without the frames that have been taken; None where none is left."""
        taken, fresh = self._taken[video], []
        for wanted in run.wanted:
            if wanted.pts in taken:
                self.met_again += 1
            else:
                taken.add(wanted.pts)
                fresh.append(wanted)
        return Run(run.start, tuple(fresh)) if fresh else None

    def _work(self, stopping: Event, job: _Job | Missed) -> list[Shot | Missed]:
        if isinstance(job, Missed):
            return [job]
        results: list[Shot | Missed] = []
        left = {wanted.number for wanted in job.run.wanted}
        try:
            with self._readers[job.video].one() as reader:
                for wanted, still in reader.stills(job.run):
                    if stopping.is_set():
                        break
                    left.discard(wanted.number)
                    moment = job.moments[wanted.number]
                    results.append(self._shot(moment, wanted.pts, still))
        except UnreadableVideo as error:
            results += [Missed(job.moments[number], str(error)) for number in sorted(left)]
        return results

    def _shot(self, moment: Moment, pts: int, still: Still | None) -> Shot | Missed:
        if still is None:
            return Missed(moment, "the frame is damaged or missing")
        try:
            cuts = cut(still, self._crops, self._scale)
        except UsageError as error:  # of a frame of another size than the first one
            return Missed(moment, str(error))
        files = []
        for crop, picture in cuts:
            stem = f".{moment.video}_{pts}{crop.name}"
            files.append(self._folder / f"{stem}{self._saving.suffix}")
            picture.save(files[-1], **self._saving.options)
        crops = tuple(crop for crop, _ in cuts)
        likeness = perceptual_hash(still.image) if self._hashing else 0
        return Shot(moment, pts, crops, tuple(files), likeness)


class _Readers:
    """Open files of one video: as many as threads are at work on it."""

    def __init__(self, span: Span, mending: Mending) -> None:
        self.span, self.mending = span, mending
        self._idle: list[FrameReader] = []
        self._lock = Lock()

    @contextmanager
    def one(self) -> Iterator[FrameReader]:
        with self._lock:
            reader = self._idle.pop() if self._idle else None
        reader = reader or FrameReader(self.span.video, self.mending)
        try:
            yield reader
        finally:
            with self._lock:
                self._idle.append(reader)

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()
