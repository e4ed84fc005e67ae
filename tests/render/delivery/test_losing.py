"""What a job loses with its machine, decided by what has left it."""

import pytest

from jobs.plans.plan import FrameRange
from jobs.workspace.paths import CheckpointName
from render.delivery.losing import (
    BEGINNING,
    backed_up,
    going_on,
    told_beforehand,
    told_now,
    unbroken,
)

NAMES = [CheckpointName(step, step) for step in (130, 200, 310, 350)]


@pytest.fixture
def decide(make_job):
    """`decide(there, names=NAMES, **columns)`: of 400 frames in timecuts of 100."""

    def make(there, names=NAMES, cut=100, **columns):
        _, job = make_job("night", frames=400, cut=cut, **columns)
        return going_on(job.spec, job.plan, names, there)

    return make


@pytest.mark.parametrize(
    ("there", "step", "timecuts", "start"),
    [
        ({1, 2}, 200, 2, 200),  # just at their end
        ({1, 2, 3}, 200, 3, 300),  # the next one lies behind them: frames are trained again
        ({1, 2, 3, 4}, 350, 4, 400),
        ({1, 2, 4}, 200, 2, 200),  # behind a gap, a timecut is of no use
    ],
)
def test_the_film_is_whole_where_a_checkpoint_lies_within_timecuts(
    decide, there, step, timecuts, start
):
    going = decide(there)
    assert going.checkpoint == CheckpointName(step, step)
    assert (going.timecuts, going.start, going.lost) == (timecuts, start, None)


def test_without_such_a_checkpoint_the_frames_before_the_newest_are_lost(decide):
    going = decide({1})
    assert (going.checkpoint, going.timecuts) == (NAMES[-1], 0)
    assert going.lost == FrameRange(0, 350)
    assert decide(set(), cut=None).lost == FrameRange(0, 350)


def test_a_few_frames_are_made_again_rather_than_lost(decide):
    assert decide(set(), NAMES[:2]).checkpoint == BEGINNING
    assert decide({1}, NAMES[:2]).start == 100
    assert decide(set(), NAMES[:3]).lost == FrameRange(0, 310)
    assert decide(set(), NAMES[:2], cut=None).lost == FrameRange(0, 200)


def test_before_the_first_frame_nothing_is_lost(decide):
    silent = [CheckpointName(50, 0)]
    going = decide(set(), silent, cut=None)
    assert (going.checkpoint, going.lost) == (silent[0], None)


def test_pictures_do_not_come_back(decide):
    going = decide({1, 2, 3, 4}, delete_images_after_render=False)
    assert going.lost == FrameRange(0, 350)


def test_a_backup_holds_the_newest_and_one_within_what_was_sent():
    assert backed_up(NAMES, 300) == [NAMES[1], NAMES[3]]
    assert backed_up(NAMES, 400) == [NAMES[3]]
    assert backed_up(NAMES, 0) == [NAMES[3]]
    assert backed_up([], 100) == []


def test_only_timecuts_without_a_gap_count():
    assert [unbroken(there) for there in ({1, 2, 4}, {2}, set())] == [2, 0, 0]


def test_a_loss_is_told_before_it_comes(decide, make_job):
    _, job = make_job("night", frames=400, cut=100, upload_to="ftp://h", backup_period=10)
    assert told_beforehand(job.spec).endswith("and no frame of the film")
    one = job.spec.model_copy(update={"auto_render_period": None})
    assert "all frames made until then" in told_beforehand(one)
    assert "with auto_render_period no frame is lost" in told_beforehand(one)
    pictures = job.spec.model_copy(update={"delete_images_after_render": False})
    assert "pictures are not sent" in told_beforehand(pictures)
    assert told_beforehand(job.spec.model_copy(update={"backup_period": None})) is None

    assert told_now("night", decide({1, 2}), 350) == (
        "night: a loss costs at most the training from step 200 on, 150 steps so far; "
        "no frame of the film"
    )
    assert told_now("night", decide({1}), 350) == (
        "night: a loss costs at most frames 0 to 349 of the film, and the training from step 350 "
        "on, 0 steps so far"
    )
