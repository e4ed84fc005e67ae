"""Going back: what is dropped, what stays, and where training goes on."""

import fcntl
import os
from contextlib import contextmanager, suppress
from functools import cache

import numpy as np
import pytest

from jobs.errors import FramesLost
from jobs.plans.plan import FrameRange
from jobs.workspace.files import listing, part_of
from render.films.due import Wanted, due
from render.films.films import drop_batches
from render.films.inventory import take_inventory
from render.spool.rewinding import published_until
from render.spool.spool import SpoolWriter, batches, rewind
from tests.render.numbered import checkpoint, frames, spool

CHANGES = ("unlink", "replace", "rename", "truncate")  # in os; pathlib calls them too


def encode(paths, batch):
    """Make its segment: here, a copy."""
    paths.segments.mkdir(exist_ok=True)
    paths.segment(batch).write_bytes(paths.batch(batch).read_bytes())


def drop(paths, job):
    """What the render worker does once a tick."""
    found = take_inventory(paths, job)
    drop_batches(paths, job, due(job.plan, Wanted.by(job.spec, job.plan), found).drop)


def contents(folder):
    return {name: (folder / name).read_bytes() for name in listing(folder)}


def test_an_encoded_batch_around_an_older_checkpoint_stays(make_job):
    """The newest checkpoint is damaged; the raw batch went when that one covered it."""
    paths, job = make_job(frames=60)
    spool(paths, job, 0, 24)
    for batch in batches(paths):
        encode(paths, batch)
    checkpoint(paths, 24)
    drop(paths, job)
    assert batches(paths) == []
    assert rewind(paths, job.plan, 13) == 20
    assert listing(paths.segments) == [paths.segment(each).name for each in job.plan.batches()][:2]
    assert listing(paths.spool) == []
    spool(paths, job, 20, 60)
    assert rewind(paths, job.plan, 13) == 60


def test_a_raw_batch_around_the_checkpoint_is_cut_though_it_is_encoded(make_job):
    paths, job = make_job(frames=60)
    spool(paths, job, 0, 24)
    for batch in batches(paths):
        encode(paths, batch)
    assert rewind(paths, job.plan, 13) == 13
    assert listing(paths.segments) == [paths.segment(FrameRange(0, 10)).name]


def test_where_frames_are_lost_nothing_is_dropped(make_job):
    paths, job = make_job(frames=60)
    spool(paths, job, 0, 37)
    encode(paths, FrameRange(20, 30))
    paths.batch(FrameRange(10, 20)).unlink()
    before = contents(paths.spool), contents(paths.segments)
    with pytest.raises(FramesLost, match="frames 10 to 14 were lost"):
        rewind(paths, job.plan, 15)
    assert (contents(paths.spool), contents(paths.segments)) == before


@pytest.mark.parametrize("going", ["back", "on"])
def test_every_change_is_made_under_the_lock(make_job, monkeypatch, going):
    paths, job = make_job(frames=60, cut=30)
    spool(paths, job, 0, 37)
    for batch in batches(paths):
        encode(paths, batch)
    checkpoint(paths, 37)
    locked = []

    def watched(real):
        def call(*arguments, **named):
            locked.append(is_locked(paths))
            real(*arguments, **named)

        return call

    for name in CHANGES:
        monkeypatch.setattr(os, name, watched(getattr(os, name)))
    if going == "back":
        rewind(paths, job.plan, 13)
    else:
        drop(paths, job)
    assert len(locked) >= 3
    assert all(locked)
    assert not is_locked(paths)


def is_locked(paths):
    with paths.spool_lock.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


# --- kills at any moment -------------------------------------------------------------------------


class Killed(BaseException): ...


@contextmanager
def killed_before(count):
    """Ends, as a kill does, before so many changes are made and one more."""
    left = count

    def limited(real):
        def call(*arguments, **named):
            nonlocal left
            if not left:
                raise Killed
            left -= 1
            real(*arguments, **named)

        return call

    with pytest.MonkeyPatch.context() as patch:
        for name in CHANGES:
            patch.setattr(os, name, limited(getattr(os, name)))
        with suppress(Killed):
            yield


@pytest.mark.parametrize("count", range(8))
def test_a_complete_name_never_has_too_few_frames(make_job, count):
    paths, job = make_job(frames=60)
    spool(paths, job, 0, 37)
    with killed_before(count):
        rewind(paths, job.plan, 13)
    for batch in batches(paths):
        assert paths.batch(batch).stat().st_size == len(batch) * job.plan.frame_bytes
    assert rewind(paths, job.plan, 13) == 13
    spool(paths, job, 13, 60)
    assert is_whole(paths, job, 60)


def is_whole(paths, job, until):
    """Whether every frame below `until` is there, raw or encoded, and shows its number."""
    found = b""
    for batch in job.plan.batches():
        raw = paths.batch(batch)
        files = [file for file in (raw, paths.segment(batch), part_of(raw)) if file.exists()]
        found += files[0].read_bytes() if files else b""
    return found[: until * job.plan.frame_bytes] == all_frames(job.plan)[:until].tobytes()


@cache
def all_frames(plan):
    return frames(plan, range(plan.frames_total))


class Night:
    """A job whose trainer and render worker are ended at any time, and whose checkpoints break."""

    def __init__(self, paths, job, random):
        self.paths, self.job, self.random = paths, job, random
        self.trained = 0  # the frame at which the trainer stands
        self.written = 0  # that at which its writer stands

    @property
    def covered(self):
        return [name.frame for name in self.paths.checkpoint_names()]

    def train(self):
        self.trained = min(self.job.plan.frames_total, self.trained + self.any(1, 13))
        if self.trained > self.written:
            writer = SpoolWriter(self.paths, self.job.plan, self.written)
            writer.write(all_frames(self.job.plan)[self.written : self.trained])
            writer.close()
            self.written = self.trained

    def save(self):
        checkpoint(self.paths, self.trained)
        for old in self.paths.checkpoint_names()[:-2]:
            self.paths.checkpoint(old).unlink()

    def render(self):
        for batch in batches(self.paths):
            encode(self.paths, batch)
        drop(self.paths, self.job)

    def publish(self):
        found = take_inventory(self.paths, self.job)
        for cut in due(self.job.plan, Wanted.by(self.job.spec, self.job.plan), found).timecuts:
            self.paths.workspace.renders.mkdir(exist_ok=True)
            self.paths.timecut(cut.number).touch()

    def start_again(self):
        self.trained = self.covered[-1] if self.covered else 0
        with killed_before(self.any(0, 6)):
            rewind(self.paths, self.job.plan, self.trained)
        self.written = rewind(self.paths, self.job.plan, self.trained)
        assert self.written >= max(self.trained, published_until(self.paths, self.job.plan))

    def go_behind_the_newest_checkpoint(self):
        if self.covered:
            self.paths.checkpoint(self.paths.checkpoint_names()[-1]).unlink()
        self.start_again()

    def any(self, low, high):
        return int(self.random.integers(low, high))


@pytest.mark.parametrize("seed", range(30))
def test_any_interruption_and_rewind_gives_the_same_frames(make_job, seed):
    paths, job = make_job(frames=90, cut=35, size=(16, 16))
    night = Night(paths, job, np.random.default_rng(seed))
    moves = 3 * [night.train, night.save, night.render]
    moves += [night.publish, night.start_again, night.go_behind_the_newest_checkpoint]
    published = 0
    while night.written < 90:
        moves[night.any(0, len(moves))]()
        assert is_whole(paths, job, night.written)
        assert len(listing(paths.workspace.renders)) >= published
        published = len(listing(paths.workspace.renders))
    assert rewind(paths, job.plan, 0) == 90
    assert is_whole(paths, job, 90)
