"""A job that is brought back by its backup, as scenes."""

from __future__ import annotations

import shutil
from unittest import mock

import numpy as np

from jobs.errors import UsageError
from jobs.settings.spec import JobSpec
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import CheckpointName, Workspace
from multitrain.resuming import bringing
from multitrain.resuming.source import Source
from multitrain.weights import checkpoints
from multitrain.weights.checkpoints import Checkpoint
from render.delivery.courier import Courier
from render.delivery.targets import Target, has_arrived, identity_of
from render.files.digests import sha256_of
from render.spool.notes import note_digest

CUT, FRAMES = 20, 60
KIND = ("testcard", "tensorflow")


def sent_away(workspace: Workspace) -> None:
    """What a machine had sent to a folder, before it was gone: weights, too."""
    lost, far = Workspace(workspace.root / "lost"), workspace.root / "nas"
    far.mkdir()
    workspace.dataset("tiny").mkdir(parents=True)
    columns = {"dataset": "tiny", "grid_width": 1, "grid_height": 1, "family": KIND[0], "fps": 10}
    columns |= {"snapshot": "step", "video_length": FRAMES / 600, "auto_render_period": CUT / 10}
    columns |= {"upload_to": f"file://{far}", "backup_period": 1, "keep_checkpoints": 10}
    spec = JobSpec.model_validate({"name": "job", **columns})
    paths = lost.job("job")
    JobFile(spec=spec, image_width=16, image_height=12).save(paths)
    lost.renders.mkdir()
    timecut = paths.timecut(1)
    timecut.write_bytes(b"a timecut")
    note_digest(paths, timecut, sha256_of(timecut))
    state = {"generator/kernel": np.zeros(10, np.float32)}
    checkpoints.keep_weights(paths, 10, KIND[0], state)
    for frame in (CUT, 2 * CUT + 1):
        name = CheckpointName(frame, frame)
        checkpoints.save(paths, Checkpoint(name, *KIND, {}, state), [CUT])
    target = Target(f"file://{far}")
    courier = Courier(lost)
    courier.offer(paths, target, [timecut])
    courier.offer_kept(paths, target)
    courier.back_up(paths, target)
    courier.close()
    shutil.rmtree(lost.root)


def cut_is_gone(workspace: Workspace) -> None:
    """The same, but the film begins later."""
    sent_away(workspace)
    (workspace.root / "nas" / "job_timecut0001.mp4").unlink()


def bring(workspace: Workspace) -> None:
    """From the folder, unless that is done; the request that queues it is not ours."""
    source = Source(f"file://{workspace.root}/nas")
    try:
        with mock.patch.object(bringing, "_queue"):
            bringing.bring_back(workspace, source, None, lambda _: None, lambda _: None)
    except UsageError as error:
        if "already" not in str(error):
            raise
    _leave_out_times(workspace, source)


def _leave_out_times(workspace: Workspace, source: Source) -> None:
    """What is another one at each showing: when files were made."""
    paths, target = workspace.job("job"), Target(source.url)
    timecut = paths.timecut(1)
    marker = paths.delivered(timecut.name, target.key)
    if marker.exists():
        assert has_arrived(paths, target, timecut.name, identity_of(timecut))
        marker.unlink()
