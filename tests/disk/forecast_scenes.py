"""Speeds that are kept, as a scene."""

from __future__ import annotations

from jobs.workspace.paths import Workspace
from multitrain.commands.run.measuring import scratch_workspace
from multitrain.forecasts.speeds import Cost, Speed, add_speeds

SPEED = Speed("card", Cost("dcgan", 10**9, 5000), 9, step_seconds=0.5, start_seconds=7.0)


def time_jobs(workspace: Workspace) -> None:
    """Without the jobs, which are scenes of their own."""
    with scratch_workspace(workspace):
        add_speeds(workspace.speeds, [SPEED])
