"""Walks of a sheet, as a scene."""

from __future__ import annotations

import threading

from jobs.families.feed import PICTURES
from jobs.settings.spec import JobSpec
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import CheckpointName, Workspace
from multitrain.datasets.decoded.folders import Fingerprint
from multitrain.engine.session import SessionSettings
from multitrain.trainer.drawing import draw_the_rest
from multitrain.trainer.progress import ProgressLog
from multitrain.weights import checkpoints
from multitrain.weights.checkpoints import Checkpoint

SIZE = (16, 12)  # of a picture, in pixels


def a_network(workspace: Workspace) -> None:
    """A job whose sheet asks for two walks, of which the second one cannot be."""
    from multitrain.families.dcgan import describing as dcgan

    spec = JobSpec(
        name="job", dataset="d", grid_width=1, grid_height=1, video_length=4 / 3600,
        nbr_of_layers_g=2, nbr_of_layers_d=2, gf_dim=2, df_dim=2, z_dim=2, preset="ultrafast",
        loops="walk(frames=2), walk(frames=2,checkpoint=3)",
    )  # fmt: skip
    job, paths = JobFile(spec=spec, image_width=SIZE[0], image_height=SIZE[1]), workspace.job("job")
    job.save(paths)
    network = dcgan.describe_sampler(job).network
    weights = {f"generator/{each.path}": each.numpy() for each in network.variables}
    checkpoint = Checkpoint(
        CheckpointName(2, 4), "dcgan", "tensorflow", {PICTURES: Fingerprint(2, *SIZE, "")}, weights
    )
    checkpoints.save(paths, checkpoint)


def draw(workspace: Workspace) -> None:
    paths = workspace.job("job")
    job = JobFile.load(paths)
    assert job
    ProgressLog(paths).tell_complete(2, 4)  # as a trainer begins that finds all frames there
    assert draw_the_rest(paths, job, SessionSettings(), threading.Event())
