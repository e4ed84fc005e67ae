"""What is sent and told, as scenes."""

from __future__ import annotations

import time
from unittest import mock

import paramiko

from jobs.settings.destinations import Destination
from jobs.settings.spec import JobSpec
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import CheckpointName, Workspace
from jobs.workspace.states import State
from multitrain.farm.notices import Notice, Notices
from render.delivery.courier import Courier
from render.delivery.logins import Login
from render.delivery.sftp import Sftp
from render.delivery.targets import Target

PATIENCE = 30.0  # seconds


def film_to_send(workspace: Workspace) -> None:
    """And a checkpoint, to be sent to a folder."""
    paths = workspace.job("job")
    paths.film().parent.mkdir(parents=True)
    paths.film().write_bytes(b"film")
    paths.checkpoints.mkdir(parents=True)
    paths.checkpoint(CheckpointName(1, 2)).write_bytes(b"weights")
    settings = {"dataset": "tiny", "grid_width": 1, "grid_height": 1, "video_length": 1}
    JobFile(spec=JobSpec(name="job", **settings), image_width=16, image_height=12).save(paths)
    (workspace.root / "nas").mkdir()


def send(workspace: Workspace) -> None:
    """By two workers, one after the other."""
    paths = workspace.job("job")
    target = Target(f"file://{workspace.root}/nas")
    for _ in range(2):
        courier = Courier(workspace)
        courier.offer(paths, target, [paths.film()])
        courier.close()  # a second file would not be tried after a failure
        courier = Courier(workspace)
        courier.back_up(paths, target)
        courier.close()


def film_for_sftp(workspace: Workspace) -> None:
    """A server is met for the first time."""


def meet(workspace: Workspace) -> None:
    with mock.patch.object(paramiko, "SSHClient"):
        Sftp(Destination("sftp", "there"), Login(), workspace.known_hosts).close()


def job_to_tell_of(workspace: Workspace) -> None:
    """Its folder is made by whoever tells."""


def tell(workspace: Workspace) -> None:
    """By a command that writes to the log, and to an address where nobody listens."""
    settings = {"dataset": "tiny", "grid_width": 1, "grid_height": 1, "video_length": 1}
    for state, order in ((State.DONE, "true"), (State.FAILED, "http://127.0.0.1:9")):
        spec = JobSpec(name="job", **settings, on_done=order, on_failed=order)
        job = JobFile(spec=spec, image_width=16, image_height=12)
        notices = Notices()
        notices.begin(Notice.of(workspace.job("job"), job, state, "broken"))
        ends = time.monotonic() + PATIENCE
        while not notices.idle and time.monotonic() < ends:
            notices.take_troubles()
