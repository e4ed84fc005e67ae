"""Other lengths for films that have begun: what is made keeps its batches and timecuts."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from jobs.plans.plan import FramePlan, FrameRange, Resplit, Stretch
from jobs.plans.settling import settled_by, shortest
from jobs.plans.timing import Timing

PLAN = FramePlan(
    frame_width=8, frame_height=8, box_width=8, box_height=8,
    fps=60, frames_total=1500, timing=Timing(frames_per_step=2), cut_frames=600,
)  # fmt: skip


def longer(plan: FramePlan, made: int, total: int, cut: int) -> FramePlan:
    settled = settled_by(plan, made, total)
    return replace(plan, frames_total=total, cut_frames=min(cut, total), settled=settled)


def test_a_film_that_was_one_cut_gets_a_second_one() -> None:
    whole = replace(PLAN, frames_total=1000, cut_frames=1000)
    assert longer(whole, 1000, 1600, 1600).cuts == (FrameRange(0, 1000), FrameRange(1000, 1600))


def test_the_last_cut_stays_short_once_it_has_begun() -> None:
    assert settled_by(PLAN, 1300, 2000) == (Stretch(1500, 600),)
    assert [cut.stop for cut in longer(PLAN, 1300, 2000, 300).cuts] == [600, 1200, 1500, 1800, 2000]
    assert [cut.stop for cut in longer(PLAN, 700, 2000, 600).cuts] == [600, 1200, 1800, 2000]
    assert settled_by(PLAN, 0, 2000) == ()


def test_a_film_may_end_within_the_cut_that_is_being_made() -> None:
    assert shortest(PLAN, 1201) == 1350  # its batch runs from 1200 on
    shorter = longer(PLAN, 1201, 1400, 600)
    assert shorter.settled == (Stretch(1200, 600), Stretch(1400, 200, (Resplit(1350, 1500),)))
    assert shorter.batches_of(shorter.cuts[-1]) == [FrameRange(1200, 1350), FrameRange(1350, 1400)]


@given(st.data())
def test_what_is_made_keeps_its_boundaries(data: st.DataObject) -> None:
    """Through four changes in a row, each at any moment."""
    number = lambda low, high: data.draw(st.integers(low, high))  # noqa: E731
    total = number(1, 3000)
    plan = replace(PLAN, frames_total=total, cut_frames=min(number(50, 2000), total))
    made = 0
    for _ in range(4):
        made = number(made, plan.frames_total)
        before = plan
        plan = longer(plan, made, shortest(plan, made) + number(0, 1500), number(50, 2000))
        batches = list(plan.batches())
        assert [batch.start for batch in batches] == [0, *(batch.stop for batch in batches)][:-1]
        assert batches[-1].stop == plan.cuts[-1].stop == plan.frames_total
        assert {cut.stop for cut in plan.cuts} <= {batch.stop for batch in batches}
        begun = [batch for batch in before.batches() if batch.start < made]
        assert batches[: len(begun)] == begun
        whole = [cut for cut in before.cuts if cut.stop <= made]
        assert list(plan.cuts[: len(whole)]) == whole
        frame = number(0, plan.frames_total - 1)
        holding = [batch for batch in batches if batch.start <= frame < batch.stop]
        assert [plan.batch_containing(frame)] == holding
