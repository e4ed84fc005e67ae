"""Which jobs another one comes from: only networks with a common beginning can be mixed."""

from __future__ import annotations

from jobs.errors import UsageError
from jobs.settings.spec import JobSpec
from jobs.sheets.origins import is_path, origins_of, part_of
from jobs.tinkering.earlier_jobs import past_job
from jobs.workspace.paths import Workspace


def ancestors(spec: JobSpec, workspace: Workspace) -> frozenset[str]:
    """Names of jobs, and paths of checkpoints, that this job's weights go back to; itself too.

    Where one of them is not there any more, it is named, and those before it are not known.
    """
    found: set[str] = set()
    coming = [(spec.name, spec)]
    while coming:
        name, each = coming.pop()
        found.add(name)
        whole = {origin for column, origin in origins_of(each).items() if not part_of(column)}
        for origin in whole - found:
            found.add(origin)
            if not is_path(origin):
                try:
                    coming.append((origin, past_job(workspace, origin).spec))
                except UsageError:  # it was removed
                    continue
    return frozenset(found)
