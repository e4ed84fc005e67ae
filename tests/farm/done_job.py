"""Jobs that are done, by what lies in their folders; and what became of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from jobs.workspace.jobfile import JobFile
from jobs.workspace.outputs import Pictures, extras
from jobs.workspace.paths import CheckpointName, Workspace
from jobs.workspace.states import State
from jobs.workspace.store import Store
from multitrain.farm.entries import Entry
from multitrain.farm.submission import submit
from render.films.manifest import write_manifest


def states(store: Store) -> dict[str, str]:
    return {row.name: str(row.state) for row in store.jobs()}


def notes(entries: list[Entry]) -> list[str]:
    return [note for entry in entries for note in entry.notes]


@dataclass
class Done:
    """A job that is done, by its files: one timecut, its film, a poster, one checkpoint."""

    workspace: Workspace
    store: Store
    job: JobFile

    def __post_init__(self) -> None:
        self.paths = self.workspace.job(self.job.spec.name)
        submit(self.workspace, self.store, [self.job])
        for state in (State.RUNNING, State.RENDERING, State.DONE):
            self.store.transition(self.paths.name, state, attempts=1)
        self.job.save(self.paths)
        total = self.job.plan.frames_total
        files = [self.paths.checkpoint(CheckpointName(total // 2, total)), *self.videos()]
        files += self.paths.files_of(Pictures(None), self.job.spec)
        for file in files:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"the earlier {file.name}")
        write_manifest(self.paths, self.job)
        told = json.loads(self.paths.manifest.read_text())
        made = [{"made": str(each)} for each in extras(self.job.spec, self.job.plan)]
        self.paths.manifest.write_text(json.dumps({**told, "made_of_the_film": made}))

    def videos(self) -> list[Path]:
        numbers = range(1, len(self.job.plan.cuts) + 1)
        cuts = [cut for number in numbers for cut in self.paths.timecuts(number, self.job.plan)]
        return [*cuts, *self.paths.films(self.job.plan)]

    def submit(self, job: JobFile | None = None, *fresh: str) -> Entry:
        (entry,) = submit(self.workspace, self.store, [job or self.job], fresh)
        return entry

    def files(self, folder: Path) -> dict[str, str]:
        """What lies there, and what each file says."""
        return {path.name: path.read_text() for path in folder.iterdir() if path.is_file()}


def encode(film: Path, frames: int) -> None:
    with av.open(str(film), "w") as container:
        stream = container.add_stream("libx264", rate=60)
        stream.width = stream.height = 32
        for _ in range(frames):
            picture = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
