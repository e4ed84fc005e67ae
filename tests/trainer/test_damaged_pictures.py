"""Decoded pictures whose file is damaged, before a training or just after it has begun."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from jobs.families.feed import PICTURES
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import JobPaths
from multitrain.datasets.cached.picture_file import PIXELS_AT
from multitrain.engine.feeds import Feeds
from multitrain.families import open_session
from multitrain.protocol.call import Call
from multitrain.trainer.feeds import open_job_pictures
from multitrain.trainer.process import train
from render.spool.spool import spooled_bytes


def flip(path: Path) -> None:
    """A bit of the first picture, in place."""
    with path.open("r+b") as file:
        file.seek(PIXELS_AT + 10)
        (value,) = file.read(1)
        file.seek(PIXELS_AT + 10)
        file.write(bytes([value ^ 1]))


@pytest.mark.parametrize("use_checkpoints", [True, False])
@pytest.mark.parametrize("moment", ["before", "while the session is opened"])
def test_a_training_on_damaged_pictures_begins_again(
    submit: Callable[..., JobFile],
    paths: JobPaths,
    make_pictures: Callable[..., list[Path]],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    moment: str,
    use_checkpoints: bool,
) -> None:
    job = submit(20, family="testcard", use_checkpoints=use_checkpoints)
    make_pictures(paths.workspace.dataset("d"), count=10, size=(16, 12))
    whole = open_job_pictures(job, paths.workspace, keep_free=0).pictures[PICTURES]
    assert whole.mapped is not None
    file, wanted = whole.mapped, np.array(whole.images)
    if moment == "before":
        flip(file)
    seen = []

    def open_and_note(job: JobFile, feeds: Feeds, *others: object) -> object:
        if moment != "before" and not seen:
            flip(file)
        seen.append(np.array(feeds[PICTURES].pictures))
        assert not paths.checkpoint_names(), "nothing counts that was made with damaged pictures"
        assert spooled_bytes(paths) < job.plan.frames_total * job.plan.frame_bytes
        return open_session(job, feeds, *others)  # type: ignore[arg-type]

    monkeypatch.setattr("multitrain.families.open_session", open_and_note)

    assert train(Call(paths.workspace.root, "job"), threading.Event())

    damaged, again = seen
    assert not (damaged == wanted).all()
    assert (again == wanted).all()
    assert f"{file} is damaged; the pictures are decoded anew" in caplog.text
    assert open_job_pictures(job, paths.workspace, keep_free=0).are_intact()
