"""Nights that are stopped somewhere, to be gone on with after a file was damaged.

The night of a sheet is lived through once for each moment, and what lies there then is kept. A
round begins with a copy of that; where pictures count, at the same place, for the names of decoded
ones depend on it.

`cards` are two test cards: `boxes` cuts its frames into boxes and has loops, `stills` keeps its
frames as PNG files and has an export. `nets` is a DCGAN of some hundred weights.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from benchmarks.farmyard import Farmyard
from benchmarks.harms import Moment
from jobs.errors import ExitCode
from jobs.workspace.files import PART, listing
from jobs.workspace.paths import JobPaths

HEADER = (
    "name,family,dataset,grid_width,grid_height,video_length,auto_render_period,fps,render_res,"
    "preset,format,delete_images_after_render,nbr_of_layers_g,nbr_of_layers_d,gf_dim,df_dim,z_dim,"
    "snapshot,keep_checkpoints,loops,retries,stall_minutes"
)
# A job that hangs is noticed within seconds, and one that fails does so soon.
PATIENCE = "1,0.3"
CARDS = (
    "boxes,testcard,noise,4,2,0.08,1.1,60,96x64,ultrafast,h264,,,,,,,,,"
    f"pingpong(frames=20),{PATIENCE}",
    f'stills,testcard,noise,2,2,0.04,1.1,60,,ultrafast,"h264,ffv1",False,,,,,,,,,{PATIENCE}',
)
NETS = (
    f"nets,dcgan,noise,2,2,0.1,1.1,30,,ultrafast,h264,,2,2,8,8,8,step,60,walk(frames=9),{PATIENCE}",
)

ATTEMPTS = 10  # to stop a night where it is to be stopped
LATER_SECONDS = 0.05
HANGS_SECONDS = 90.0  # a farm that takes longer than this: ten times as long as it should
POLL_SECONDS = 0.002


class Stage:
    """What was kept of the nights of one sheet, by their moments.

    AT_WORK stands for a night that has not begun. `files` are those that a case may be about and
    their bytes, relative to the workspace; for AT_WORK, all that the night ever had, at the most.
    """

    def __init__(self, folder: Path, rows: Sequence[str], moments: Iterable[Moment]) -> None:
        """Live through the nights. AssertionError where one cannot be stopped as asked for."""
        self.files: dict[Moment, dict[str, int]] = {}
        self._folder, self._rows = folder, rows
        self.yard = self.another_yard("yard")
        self.yard.save(self._saved(Moment.AT_WORK))
        self._live_through()
        for moment in sorted({*moments} - {Moment.AT_WORK, Moment.DONE}):
            self._stop_at(moment)

    def another_yard(self, name: str) -> Farmyard:
        """For rounds beside those in the first one."""
        return Farmyard(self._folder / name, self._rows, HEADER)

    @property
    def undisturbed(self) -> Path:
        """The workspace of a night that nobody disturbed."""
        return self._saved(Moment.DONE) / "workspace"

    def begin_at(self, moment: Moment, yard: Farmyard) -> None:
        """Have everything in the yard as it was then."""
        yard.restore(self._saved(moment))

    def _saved(self, moment: Moment) -> Path:
        return self._folder / moment.name.lower()

    def _live_through(self) -> None:
        """A night that nobody disturbs: all files that it ever has are those of AT_WORK."""
        most: dict[str, int] = {}
        self.yard.start()
        for _ in self._while_it_runs():
            for file, size in files_of(self.yard).items():
                most[file] = max(size, most.get(file, 0))
        assert self.yard.exit_code == ExitCode.DONE, self.yard.last_words()
        self.files[Moment.AT_WORK] = {each: most[each] for each in most if PART not in each}
        self._keep(Moment.DONE)

    def _stop_at(self, moment: Moment) -> None:
        """Each attempt a little later than the one before, for trainers drain where blocks end."""
        for attempt in range(ATTEMPTS):
            self.begin_at(Moment.AT_WORK, self.yard)
            self.yard.start()
            self._stop_when_it_is_time(moment, attempt * LATER_SECONDS)
            # A night that ends with a batch is drained as well: less is left of it.
            enough = attempt >= ATTEMPTS // 2 and self.yard.exit_code == ExitCode.DRAINED
            if self._is_time(moment) or enough:
                self._keep(moment)
                return
        raise AssertionError(f"no night could be stopped as one {moment}")

    def _stop_when_it_is_time(self, moment: Moment, later: float) -> None:
        for _ in self._while_it_runs():
            if self._is_time(moment):
                if moment is Moment.DRAINED:
                    time.sleep(later)
                    self.yard.drain(HANGS_SECONDS)
                else:
                    self.yard.kill_all()
                return

    def _is_time(self, moment: Moment) -> bool:
        first = self._rows[0].partition(",")[0]
        return IS_TIME[moment](self.yard.workspace.job(first))

    def _while_it_runs(self) -> Iterator[None]:
        """Again and again, until the farm has ended. AssertionError where it hangs."""
        deadline = time.monotonic() + HANGS_SECONDS
        while self.yard.exit_code is None:
            assert time.monotonic() < deadline, self.yard.last_words()
            yield
            time.sleep(POLL_SECONDS)

    def _keep(self, moment: Moment) -> None:
        self.yard.save(self._saved(moment))
        self.files[moment] = files_of(self.yard)


def _is_midway(job: JobPaths) -> bool:
    """Some of it is published, some encoded, some not yet; and a checkpoint is there."""
    begun = (job.segments, job.spool, job.checkpoints)
    published = any(name.startswith(f"{job.name}_timecut") for name in listing(job.frames.parent))
    return published and all(map(listing, begun)) and not _has_film(job)


def _is_among_extras(job: JobPaths) -> bool:
    return _has_film(job) and not job.manifest.exists()


def _has_film(job: JobPaths) -> bool:
    """Whether more than timecuts is noted as made."""
    return any("_timecut" not in name for name in listing(job.made_folder))


IS_TIME: Mapping[Moment, Callable[[JobPaths], bool]] = {
    Moment.KILLED: _is_midway,
    Moment.DRAINED: _is_midway,
    Moment.AMONG_EXTRAS: _is_among_extras,
}


def files_of(yard: Farmyard) -> dict[str, int]:
    """All files of its workspace and their bytes; not the sheet: another one is another night."""
    place, sizes = yard.workspace, {}
    for top in (place.data, place.renders, place.runs):
        for at, _, names in os.walk(top):
            for path in (Path(at, name) for name in names):
                with suppress(FileNotFoundError):  # gone meanwhile
                    sizes[os.path.relpath(path, place.root)] = path.stat().st_size
    return sizes
