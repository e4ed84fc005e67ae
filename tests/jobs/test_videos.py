"""Names of videos, and the sizes that an encoder takes."""

from __future__ import annotations

from typing import get_args

import pytest

from jobs.jobfile import JobFile
from jobs.kinds import Resolution
from jobs.paths import Workspace
from jobs.rules import Facts, broken_rules
from jobs.spec import JobSpec
from jobs.videos import VIDEOS, Encoder, OutputName, unfit_size


def test_every_encoder_of_a_sheet_is_there() -> None:
    named = get_args(JobSpec.model_fields["encoder"].annotation)
    assert tuple(VIDEOS) == get_args(Encoder) == named


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("a.mp4", OutputName("a")),
        ("a.mov", OutputName("a", suffix=".mov")),
        ("a_box0002.mov", OutputName("a", None, 2, ".mov")),
        ("a_timecut0010_box0002.mp4", OutputName("a", 10, 2)),
        ("a_timecut12345.mov", OutputName("a", 12345, None, ".mov")),
    ],
)
def test_names_are_read_as_they_are_written(file: str, name: OutputName) -> None:
    assert OutputName.parse(file) == name
    assert str(name) == file


@pytest.mark.parametrize(
    "file", ["a", ".mov", "a.avi", "a.mov.part", "a.MOV", "a_timecut0000.mov", "a_box00001.mov"]
)
def test_what_is_no_name_of_a_video(file: str) -> None:
    assert OutputName.parse(file) is None


@pytest.mark.parametrize(("width", "height"), [(64, 62), (66, 64), (1, 1)])
def test_hap_takes_whole_blocks_only(width: int, height: int) -> None:
    reason = unfit_size("hap-alpha", width, height)
    assert reason is not None
    assert f"multiples of 4, and the video would be {width}x{height}" in reason
    assert unfit_size("prores-4444", width, height) is None


def test_sizes_that_fit() -> None:
    assert unfit_size("hap-alpha", 64, 4) is None
    assert unfit_size("x264", 1, 1) is None


@pytest.mark.parametrize(
    ("columns", "is_told"),
    [
        ({}, True),
        ({"grid_width": 4}, False),
        ({"grid_width": 4, "render_res": Resolution(30, 24)}, True),
        ({"encoder": "x264", "render_video": False}, False),
        ({"encoder": "prores-4444"}, False),
    ],
)
def test_a_sheet_is_told(workspace: Workspace, columns: dict[str, object], is_told: bool) -> None:
    """Pictures of 30x24, one in a frame where nothing else is said."""
    settings = {"name": "a", "dataset": "demo", "grid_width": 1, "grid_height": 1}
    settings |= {"video_length": 1, "encoder": "hap-alpha", "family": "testcard"} | columns
    job = JobFile(spec=JobSpec.model_validate(settings), image_width=30, image_height=24)
    reasons = broken_rules(Facts(job, 400, workspace), wrong=())
    assert list(reasons) == (["encoder"] if is_told else [])


@pytest.mark.parametrize("encoder", ["prores-4444", "hap-alpha"])
def test_an_encoder_with_alpha_is_not_for_pictures_alone(
    workspace: Workspace, encoder: str
) -> None:
    settings = {"name": "a", "dataset": "demo", "grid_width": 1, "grid_height": 1}
    settings |= {"video_length": 1, "family": "testcard", "encoder": encoder, "render_video": False}
    job = JobFile(spec=JobSpec.model_validate(settings), image_width=30, image_height=24)
    assert broken_rules(Facts(job, 400, workspace), wrong=()) == {
        "encoder": f"{encoder} has no effect where render_video is False; leave it empty"
    }
