"""Names of the files in `renders/`, and which of them a job leaves there."""

from __future__ import annotations

from itertools import product

import pytest

from jobs.plans.plan import FramePlan
from jobs.settings.spec import JobSpec
from jobs.settings.videos import VIDEOS
from jobs.workspace.outputs import CONTACT, OF_SOME, OutputName, extra_names, extras, format_of


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("a.mp4", OutputName("a")),
        ("a.mov", OutputName("a", suffix=".mov")),
        ("a_box0002.mov", OutputName("a", None, 2, ".mov")),
        ("a_timecut0010_box0002.mp4", OutputName("a", 10, 2)),
        ("a_timecut12345.mov", OutputName("a", 12345, None, ".mov")),
        ("a.hap-q.mov", OutputName("a", suffix=".mov", format="hap-q")),
        ("a_box0001.h264-intra.mp4", OutputName("a", None, 1, format="h264-intra")),
        ("a.gif", OutputName("a", suffix=".gif", format="gif")),
        ("a.png", OutputName("a", suffix=".png", format="png")),
        ("a_loop0001.mp4", OutputName("a", loop=1)),
        ("a_loop0002_box0003.webm", OutputName("a", None, 3, ".webm", 2, "webm")),
        ("a.jpg", OutputName("a", suffix=".jpg")),
        ("a_box0002.contact.jpg", OutputName("a", None, 2, ".jpg", format=CONTACT)),
        ("a_box0002.part.mp4", OutputName("a", None, 2, format=OF_SOME)),
        ("a.b.mp4", OutputName("a.b")),
        ("a_loop.mp4", OutputName("a_loop")),
    ],
)
def test_names_are_read_as_they_are_written(file: str, name: OutputName) -> None:
    assert OutputName.parse(file) == name
    assert str(name) == file


@pytest.mark.parametrize(
    "file",
    ["a", ".mov", "a.avi", "a.mov.part", "a.MOV", "a_timecut0000.mov", "a_box00001.mov"],
)
def test_what_is_no_name_of_an_output(file: str) -> None:
    assert OutputName.parse(file) is None


@pytest.mark.parametrize("file", ["a.json", "a_loop0000.mp4", "a.gif.gif", "a.mkv"])
def test_what_might_be_taken_for_one(file: str) -> None:
    assert OutputName.parse(file) is None


def test_every_name_that_a_job_gives_tells_what_it_is() -> None:
    others = ",".join(name for name in VIDEOS if name != "h264")
    loops = "pingpong, walk(frames=9), best(format=gif)"
    spec = JobSpec.model_validate({
        "name": "night", "dataset": "demo", "grid_width": 2, "grid_height": 1, "video_length": 1,
        "format": f"h264,{others}", "loops": loops, "render_res": "16x12",
    })  # fmt: skip
    plan = FramePlan.of(spec, 16, 12, 3600)
    names = [name for extra in extras(spec, plan) for name in extra_names("night", extra, spec)]
    assert len(set(names)) == len(names)
    read = [OutputName.parse(name) for name in names]
    assert [str(name) for name in read] == names
    assert all(name and name.job == "night" and not name.is_film for name in read)
    told = {(name.loop, name.box, name.format or name.suffix) for name in read if name}
    assert told >= set(product([None], [1, 2], [name for name in VIDEOS if name != "h264"]))
    assert told >= {(1, 1, ".mp4"), (1, 2, ".mp4"), (2, None, ".mp4"), (3, 1, "gif"), (3, 2, "gif")}
    assert told >= {(None, 1, CONTACT), (None, 1, ".jpg")}


@pytest.mark.parametrize(
    ("formats", "loop", "expected"),
    [
        ("h264", "best", "h264-intra"),
        ("h265,hap", "best", "h264-intra"),
        ("hap,h264", "best", "hap"),
        ("h264", "best(format=h264)", "h264"),
    ],
)
def test_loops_of_films_with_few_keyframes_have_them_everywhere(
    formats: str, loop: str, expected: str
) -> None:
    spec = JobSpec.model_validate({
        "name": "night", "dataset": "demo", "grid_width": 2, "grid_height": 1, "video_length": 1,
        "format": formats, "loops": loop,
    })  # fmt: skip
    assert spec.loops
    assert format_of(spec.loops[0], spec) == expected


def test_pictures_alone_leave_only_walks() -> None:
    spec = JobSpec.model_validate({
        "name": "night", "dataset": "demo", "grid_width": 2, "grid_height": 1, "video_length": 1,
        "render_video": "False", "loops": "walk(frames=9)",
    })  # fmt: skip
    made = [
        name
        for extra in extras(spec, FramePlan.of(spec, 16, 12, 3600))
        for name in extra_names("night", extra, spec)
    ]
    assert made == ["night_loop0001.mp4"]
