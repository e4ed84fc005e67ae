"""The arithmetic of frames: whatever the numbers, the parts tile the whole."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from random import Random

import pytest

from jobs.plans.plan import BATCH_BYTES, BATCH_FRAMES, FramePlan, FrameRange
from jobs.plans.timing import frames_asked_for
from jobs.settings.parsing import parse_cells


def plan(width: int = 160, height: int = 90, **cells: object) -> FramePlan:
    required = {"name": "a", "dataset": "a", "grid_width": 4, "grid_height": 3, "video_length": 1}
    spec, reasons = parse_cells({column: str(v) for column, v in (required | cells).items()})
    assert spec is not None, reasons
    return FramePlan.of(spec, width, height, frames_asked_for(spec, Fraction(0)))


def random_plans() -> list[FramePlan]:
    random = Random(7)
    return [
        plan(
            random.randint(1, 900),
            random.randint(1, 900),
            grid_width=random.randint(1, 6),
            grid_height=random.randint(1, 6),
            fps=random.choice([1, 24, 25, 30, 60]),
            video_length=random.choice([0.02, 0.34, 1, 2.517]),
            auto_render_period=random.choice(["", 0.01, 0.7, 3, 11.3, 5000]),
            snapshot=random.choice(["step", "update", "every 7 steps"]),
            first_frame_after=random.choice([0, 1, 50]),
        )
        for _ in range(200)
    ]


def tiles(parts: list[FrameRange], start: int, stop: int) -> bool:
    edges = all(one.stop == other.start for one, other in pairwise(parts))
    return edges and parts[0].start == start and parts[-1].stop == stop and all(map(len, parts))


def test_cuts_tile_the_film_and_are_equally_long_but_for_the_last() -> None:
    for each in random_plans():
        assert tiles(list(each.cuts), 0, each.frames_total)
        assert {len(cut) for cut in each.cuts[:-1]} <= {each.cut_frames}
        assert len(each.cuts[-1]) <= each.cut_frames


def test_batches_tile_the_film_never_cross_a_cut_and_keep_within_their_limits() -> None:
    for each in random_plans():
        batches = list(each.batches())
        assert tiles(batches, 0, each.frames_total)
        assert {cut.start for cut in each.cuts} <= {batch.start for batch in batches}
        assert max(map(len, batches)) <= BATCH_FRAMES
        assert all(len(b) == 1 or len(b) * each.frame_bytes <= BATCH_BYTES for b in batches)


def test_every_frame_finds_its_cut_and_its_batch() -> None:
    each = plan(video_length=0.1, auto_render_period=1.3)
    batches = list(each.batches())
    for frame in range(each.frames_total):
        assert each.cut_containing(frame).start <= frame < each.cut_containing(frame).stop
        batch = each.batch_containing(frame)
        assert batch in batches
        assert batch.start <= frame < batch.stop


def test_frames_follow_from_minutes_and_rate() -> None:
    each = plan(video_length="0.51", fps="25", auto_render_period="1.5", snapshot="step")
    assert (each.frames_total, each.cut_frames, each.steps_total) == (765, 38, 765)


def test_without_a_period_one_cut_holds_the_film() -> None:
    each = plan(video_length="0.5")
    assert each.cut_frames == each.frames_total == 1800


def test_a_training_ends_with_the_last_frame_of_its_film() -> None:
    for each in random_plans():
        last = each.steps_total
        assert each.frame_after(last) == each.frames_total
        assert each.frame_after(last - 1) < each.frames_total


@pytest.mark.parametrize("length", [1, 2, 239, 240, 241, 719, 1000])
def test_a_split_is_even_and_no_part_is_too_long(length: int) -> None:
    parts = FrameRange(5, 5 + length).split(240)
    lengths = [len(part) for part in parts]
    assert tiles(parts, 5, 5 + length)
    assert max(lengths) <= 240
    assert max(lengths) - min(lengths) <= 1
    assert len(parts) == -(-length // 240)


def test_huge_frames_go_one_by_one() -> None:
    each = plan(4000, 4000, video_length=0.01)
    assert each.frame_bytes > BATCH_BYTES
    assert each.batch_frames == 1


def test_steps_make_at_least_the_frames_and_no_step_too_many() -> None:
    for each in random_plans():
        assert each.frame_after(each.steps_total) == each.frames_total
        assert each.frame_after(each.steps_total - 1) < each.frames_total
        assert each.frame_after(0) == 0


def test_boxes_tile_the_frame_row_by_row() -> None:
    each = plan(grid_width=4, grid_height=2, render_res="320x90")
    assert each.has_boxes
    assert [(box.x, box.y) for box in each.boxes] == [(0, 0), (320, 0), (0, 90), (320, 90)]
    assert {(box.width, box.height) for box in each.boxes} == {(320, 90)}
    assert each.box_numbers == (1, 2, 3, 4)


@pytest.mark.parametrize("cells", [{}, {"render_res": "640x270"}])
def test_one_box_is_the_whole_frame(cells: dict[str, object]) -> None:
    each = plan(**cells)
    assert not each.has_boxes
    assert each.boxes == ((0, 0, 640, 270),)
    assert each.box_numbers == (None,)


def test_ranges_and_their_text_form() -> None:
    for each in (FrameRange(0, 120), FrameRange(120, 1_234_567_890)):
        assert FrameRange.parse(str(each)) == each
    assert str(FrameRange(0, 120)) == "000000000-000000120"
    for text in ("", "0-120", "000000000-000000120.part", "000000000_000000120", " 0"):
        assert FrameRange.parse(text) is None


def test_ranges_sort_by_frame_as_their_names_do() -> None:
    ranges = [FrameRange(9, 10), FrameRange(0, 9), FrameRange(10, 100)]
    assert sorted(map(str, ranges)) == [str(each) for each in sorted(ranges)]


@pytest.mark.parametrize("longest", [1, 2, 3, 7, 10, 50, 240])
def test_the_part_that_holds_a_frame_is_the_one_of_the_split(longest: int) -> None:
    for frames in (FrameRange(0, 1), FrameRange(5, 55), FrameRange(100, 341)):
        for part in frames.split(longest):
            for frame in range(part.start, part.stop):
                assert frames.part_containing(frame, longest) == part


def test_frames_of_rgba_have_a_fourth_value_per_pixel() -> None:
    assert (plan().channels, plan().frame_bytes) == (3, 640 * 270 * 3)
    assert plan(colour_model="packed24").channels == 3
    clear = plan(colour_model="rgba")
    assert (clear.channels, clear.frame_bytes) == (4, 640 * 270 * 4)
