from __future__ import annotations

from jobs.workspace.paths import CheckpointName, JobPaths, Workspace
from render.films.clearing import clear_up


def test_of_a_job_that_is_done_the_newest_checkpoint_stays(workspace: Workspace) -> None:
    """Other jobs start from it."""
    paths: JobPaths = workspace.job("job")
    names = [CheckpointName(step, 2 * step) for step in (1, 5, 9)]
    kept = [paths.checkpoint(names[-1]), paths.log, paths.job_file]
    gone = [*map(paths.checkpoint, names[:-1]), paths.beginning]
    gone += [paths.spool / "batch", paths.segments / "segment"]
    for path in (*kept, *gone):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(path.name)
    for _ in range(2):  # the second time, nothing is left to do
        clear_up(paths)
        assert [path.read_text() for path in kept] == [path.name for path in kept]
        assert not any(path.exists() for path in gone)
        assert paths.checkpoint_names() == names[-1:]
