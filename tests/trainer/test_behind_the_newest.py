from __future__ import annotations

from collections.abc import Callable

import pytest

from jobs.plans import plan
from jobs.workspace.files import listing
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import JobPaths
from render.films.due import Wanted, due
from render.films.films import drop_batches
from render.films.inventory import take_inventory
from render.spool.spool import batches
from tests.trainer.training_bench import Bench


def train_until(each: Bench, step: int) -> None:
    """Stopped there, which leaves a checkpoint."""
    training = each.training()
    each.session.before_run = lambda: each.stop.set() if each.session.step >= step - 1 else None
    assert training.run() is False
    each.stop.clear()
    assert each.checkpoint_steps()[-1] == step


def render(paths: JobPaths, job: JobFile) -> None:
    """What the render worker does, with copies for segments."""
    paths.segments.mkdir(exist_ok=True)
    for batch in batches(paths):
        paths.segment(batch).write_bytes(paths.batch(batch).read_bytes())
    now = due(job.plan, Wanted.by(job.spec, job.plan), take_inventory(paths, job))
    drop_batches(paths, job, now.drop)


@pytest.mark.usefixtures("_one_step_blocks")
def test_a_damaged_newest_checkpoint_costs_no_frames_that_are_encoded(
    bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one before stands within a batch whose raw frames went when the newest covered them."""
    monkeypatch.setattr(plan, "BATCH_FRAMES", 10)
    each = bench(60, auto_render_period=6.0)
    train_until(each, 7)  # frame 14
    train_until(each, 17)  # frame 34
    render(each.paths, each.job)
    assert [batch.start for batch in batches(each.paths)] == []
    newest = each.paths.checkpoint(each.paths.checkpoint_names()[-1])
    newest.write_bytes(newest.read_bytes()[:3000])

    assert each.training().run() is True

    assert listing(each.paths.segments) == [
        "000000000-000000010.mp4",
        "000000010-000000020.mp4",
    ]
    assert each.spooled_numbers() == list(range(20, 60))
    assert each.told_steps()[-1] == 30
