"""What an earlier run could not send is sent by a later one, also of jobs that are done."""

import pytest

from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace
from multitrain.slots.cpu import CpuPool
from tests.farm.simulation import Simulation, make_job


def nas(workspace):
    return f"file://{workspace.root}/nas".replace("%", "%25")


@pytest.fixture
def run_farm(workspace: Workspace):
    def run(*jobs: JobFile) -> Simulation:
        simulation = Simulation(workspace, jobs, CpuPool(1))
        simulation.run()
        simulation.store.close()
        return simulation

    return run


def test_a_worker_is_started_for_jobs_that_are_done_and_owe_files(workspace, run_farm):
    url = nas(workspace)
    run_farm(make_job("night"), make_job("day"))
    late = run_farm(make_job("night", upload_to=url), make_job("day"))
    [worker] = late.workers
    assert worker.jobs == ["night"]
    assert worker.code == 0, "it is told to end once it has sent them"
    assert JobFile.read(workspace.job("night")).spec.upload_to == url
    assert late.started() == []


def test_other_jobs_run_meanwhile(workspace, run_farm):
    run_farm(make_job("night"))
    late = run_farm(make_job("night", upload_to=nas(workspace)), make_job("day"))
    assert late.started() == ["day"]
    [worker] = late.workers
    assert worker.jobs == ["night", "day"]


def test_nothing_is_started_where_nothing_is_owed(workspace, run_farm):
    job = make_job("night", upload_to=nas(workspace))
    run_farm(job)
    paths = workspace.job("night")
    for video in (paths.film(), paths.timecut(1)):
        video.unlink()  # somebody took them away
    assert run_farm(job).workers == []
