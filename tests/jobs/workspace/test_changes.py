"""When a setting may change of a job that has begun: each column has its answer."""

from __future__ import annotations

import pytest

from jobs.plans.plan import Stretch
from jobs.settings.parsing import parse_cells
from jobs.settings.spec import COLUMNS, facets
from jobs.workspace.changes import Begun, change
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace


def job(pictures: int = 10, **cells: str) -> JobFile:
    """Of 10 pictures, 2.5 steps are an epoch."""
    row = {"name": "a", "dataset": "demo", "grid_width": "2", "grid_height": "2"}
    length = {} if {"steps", "epochs"} & cells.keys() else {"video_length": "0.1"}
    spec, mistakes = parse_cells({**row, **length, **cells})
    assert spec, mistakes
    return JobFile(spec=spec, image_width=96, image_height=54, picture_count=pictures)


def begun(made: int = 360, *, can_go_on: bool = True, **cells: str) -> Begun:
    return Begun(job(**cells), made, can_go_on)


def test_only_what_no_frame_depends_on_may_change() -> None:
    told = {
        kind: {each for each in COLUMNS if facets(each).may_change == kind}
        for kind in ("at once", "any", "later")
    }
    assert told == {
        "at once": {"priority", "owner", "after", "on_done", "on_failed", "retries", "memory_gb"},
        "any": {
            "record_gb",
            "format", "crf", "preset", "encoder", "loops", "upload_to", "upload_to_ftp",
            "backup_period", "stall_minutes", "gpus", "apply_to", "validation",
            "validate_every", "keep_best",
        },
        "later": {
            "video_length", "steps", "epochs", "keep_checkpoints", "auto_render_period",
        },
    }  # fmt: skip


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        ({"seed": "1"}, "seed was 0, is now 1"),
        (
            {"learning_rate_g": "0.1", "fps": "30"},
            "learning_rate_g was 0.0002, is now 0.1; fps was",
        ),
        ({"video_length": "0.01"}, "360 frames are made already: it must be at least 0.1"),
        ({"crf": "20", "video_length": "0.2"}, ""),
    ],
)
def test_refusals_name_the_columns(cells: dict[str, str], told: str) -> None:
    refusal = change(begun(), job(**cells)).refusal
    assert told in refusal
    assert bool(told) == bool(refusal)


@pytest.mark.parametrize(
    ("was", "now", "told"),
    [
        ({"steps": "180"}, {"steps": "90"}, "steps was 180, is now 90, and 360 frames are made "
         "already: it must be at least 180"),
        ({"epochs": "72"}, {"epochs": "7"}, "epochs was 72.0, is now 7.0, and 360 frames are made "
         "already: it must be at least 72"),
        ({}, {"steps": "90"}, "video_length 0.1 is now steps 90, and 360 frames are made already: "
         "it must be at least 180"),
        ({"steps": "180"}, {"video_length": "0.01"}, "steps 180 is now video_length 0.01, and 360 "
         "frames are made already: it must be at least 0.1"),
    ],
)  # fmt: skip
def test_films_that_would_be_too_short_are_told_in_the_rows_own_words(
    was: dict[str, str], now: dict[str, str], told: str
) -> None:
    assert change(begun(**was), job(**now)).refusal == told


def test_a_length_may_be_said_in_another_way(workspace: Workspace) -> None:
    same = change(begun(), job(steps="180"))
    assert (same.refusal, same.is_longer) == ("", False)
    assert same.job.spec.length_column == "steps"
    longer = change(begun(), job(epochs="80"))
    assert (longer.refusal, longer.is_longer) == ("", True)
    assert longer.job.plan.steps_total == 200
    assert longer.job.schedule_steps == 180
    paths = workspace.job("a")
    longer.job.save(paths)
    assert JobFile.read(paths) == longer.job


def test_pictures_that_were_added_make_no_film_longer() -> None:
    """A job cannot go on with other pictures; so one that is done stays done."""
    more = change(begun(epochs="72"), job(pictures=20, epochs="72"))
    assert (more.refusal, more.is_longer, more.job.plan.steps_total) == ("", False, 180)


def test_without_a_checkpoint_no_film_becomes_longer() -> None:
    longer = job(video_length="0.2")
    assert "no checkpoint" in change(begun(can_go_on=False), longer).refusal
    assert not change(begun(made=0, can_go_on=False), longer).refusal


def test_schedules_keep_their_first_length_through_all_changes() -> None:
    once = change(begun(), job(video_length="0.2")).job
    twice = change(Begun(once, 720, True), job(video_length="0.3")).job
    assert [each.plan.frames_total for each in (once, twice)] == [720, 1080]
    assert twice.settled == (Stretch(360, 360), Stretch(720, 720))
    assert twice.schedule_steps == 180
    assert (
        change(Begun(twice, 1080, True), job(video_length="0.3", crf="3")).job.settled
        == twice.settled
    )


@pytest.mark.parametrize(
    ("was", "now", "is_then"),
    [
        ("h264", "hap", ("h264", "hap")),
        ("h264,hap", "hap,gif", ("h264", "hap", "gif")),
        ("h264,hap", "h264", ("h264",)),
    ],
)
def test_a_film_stays_in_the_format_that_it_began_with(
    was: str, now: str, is_then: tuple[str, ...]
) -> None:
    changed = change(begun(format=was), job(format=now))
    assert changed.job.spec.format == is_then
    assert changed.film_stays == ("h264" if not now.startswith("h264") else None)


def test_another_share_that_is_held_out_changes_what_is_trained_on() -> None:
    measured = {"family": "superres", "losses": "l1,gan"}
    refusal = change(begun(**measured, validation="10%"), job(**measured, validation="20%")).refusal
    assert "validation was 10%, is now 20%, and other pictures are trained on" in refusal
    assert not change(begun(**measured, validation="a"), job(**measured, validation="b")).refusal
