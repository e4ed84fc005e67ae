"""Why queued jobs do not get a slot, for people."""

from __future__ import annotations

from contextlib import suppress

from jobs.workspace.states import State
from multitrain.farm.disk_watch import DiskWatch
from multitrain.farm.job_table import JobTable
from multitrain.farm.placement import Placement, memory_needed
from multitrain.slots.slots import Pool


def waiting_reasons(
    table: JobTable, pool: Pool, disk: DiskWatch, placement: Placement
) -> dict[str, str]:
    """The reasons, keyed by what is missing, or by job; none where no job is queued."""
    queued = table.in_state(State.QUEUED)
    if not queued:
        return {}
    reasons = pool.busy_reasons()
    if disk.shortage:
        reasons["the disk"] = disk.shortage
    with suppress(OSError):  # `tick` reports a workspace that cannot be reached
        reasons |= placement.backlog()
    usable = pool.widest
    for job in queued if table.most_gpus > usable else ():
        if job.file.spec.gpus > usable:
            reasons[job.name] = f"needs {job.file.spec.gpus} slots, and {usable} are left"
    if table.asks_for_memory:
        most = max((pool.reading(slot).memory_free or 0 for slot in pool.slots), default=0)
        for job in queued:
            if most and memory_needed(job) > most:
                needed, there = job.file.spec.memory_gb, most / 2**30
                reasons[job.name] = (
                    f"needs {needed:g} GB of a GPU (memory_gb); {there:.1f} are free"
                )
    still_queued = {job.name for job in queued}
    short = placement.short_of_memory.items()
    reasons |= {name: why for name, why in short if name in still_queued}
    return reasons | _waiting_for_others(table)


def _waiting_for_others(table: JobTable) -> dict[str, str]:
    """The reason of the first job that waits for another: thousands may wait for the same."""
    waiting = table.awaiting()
    if not waiting:
        return {}
    (first, awaited), *others = waiting.items()
    more = f" ({len(others)} more jobs wait like that)" if others else ""
    does = "starts from" if awaited.starts_from else "comes after"
    return {first: f"{does} {awaited}{more}"}
