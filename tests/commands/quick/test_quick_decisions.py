"""What `multitrain quick` decides: wishes, steps, what is in the way, the text of the sheet."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from jobs.errors import UsageError
from jobs.families.table import FAMILIES as KNOWN
from jobs.settings.kinds import Resolution
from jobs.settings.lengths import seconds_of
from jobs.sheets.sheet import read_sheet
from jobs.workspace.paths import Workspace
from multitrain.commands.quick.given import Given, Kind
from multitrain.commands.quick.sheet import LOOKS, Pictures, best_grid, sheet_text, target_size
from multitrain.commands.quick.steps import Beside, Found, Steps, in_the_way, scale_for
from multitrain.commands.quick.wishes import (
    FAMILIES,
    Earlier,
    Wishes,
    head_line,
    length_words,
    one_line,
    read_back,
    together,
)
from multitrain.datasets.made.sources import source_text

HOLIDAY = Given("my films/holiday.mp4", Kind.VIDEOS, ("my films/holiday.mp4",))
WISHES = Wishes("holiday")
WIDE = Resolution(1920, 1080)
NAMES = st.text("aZ9 -_./'\"#$&*?\\\n\u00e4\u00a0\u65e5", min_size=1)
LENGTHS = st.integers(1, 10**8).map(lambda milliseconds: milliseconds / 1000)


@given(LENGTHS)
def test_lengths_are_read_as_they_are_written(seconds: float) -> None:
    assert seconds_of(length_words(seconds)) == pytest.approx(seconds, abs=1e-6)


@given(NAMES, NAMES, st.integers(1, 10**6), st.sampled_from(list(FAMILIES)), LENGTHS)
def test_a_sheet_tells_the_next_call_what_was_asked_for(
    named: str, name: str, number: int, family: str, length: float
) -> None:
    name = one_line(name)  # no other can name a job
    wishes = Wishes(name, number, number, family, length)
    assert read_back(head_line(named, wishes) + "\n\njobs:\n") == Earlier(one_line(named), wishes)


@pytest.mark.parametrize(
    "sheet",
    [
        "",
        "jobs:\n- name: holiday\n",
        "# Made by: multitrain generate holiday.mp4\n",
        "# Made by: multitrain quick \n",
        "# Made by: multitrain quick 'holiday.mp4 --name a\n",
        "# Made by: multitrain quick holiday.mp4 --name a\n",
        head_line("a.mp4", WISHES).replace("400", "many") + "\n",
        head_line("a.mp4", WISHES) + " --more 1\n",
        head_line("a.mp4", WISHES) + " --more\n",
    ],
)
def test_a_sheet_of_somebody_else_tells_nothing(sheet: str) -> None:
    assert read_back(sheet) is None


def test_logins_and_keys_are_not_written_down() -> None:
    address = "https://me:secret@example.org/a.mp4?token=secret"
    steps = Steps(Given(address, Kind.ADDRESS, (address,)), WISHES)
    made = steps.pictures(None)
    text = sheet_text(steps, Pictures(Resolution(192, 108), 9), [made] if made else [], [])
    assert "secret" not in f"{text}{steps.go_on()}{made}"
    assert "example.org/a.mp4" in text


def test_two_videos_of_one_site_are_two() -> None:
    one, other = (source_text([f"https://example.org/watch?v=secret{n}"], []) for n in (1, 2))
    assert one != other
    assert one.startswith("video: https://example.org/watch, ")
    assert "secret" not in one


def test_a_call_has_what_it_is_given_and_what_it_had_before() -> None:
    nothing = dict.fromkeys(("frames", "size", "family", "length"))
    assert together("a", nothing, None) == Wishes("a", 400, 192, "pix2pix", 30.0)
    assert together("a", nothing | {"size": 256}, None) == Wishes("a", size=256)
    earlier = Wishes("a", frames=20, length=2)
    assert together("a", nothing, earlier) == earlier
    assert together("a", nothing | {"frames": 20}, earlier) == earlier
    with pytest.raises(UsageError, match=r"a\.yaml is there already, made with --length 2s"):
        together("a", nothing | {"frames": 20, "length": 3.0}, earlier)


def test_the_steps_are_commands() -> None:
    steps = Steps(HOLIDAY, WISHES, Beside("0,1", "/work shop", deterministic=True))
    place = "--workspace '/work shop'"
    assert [str(step) for step in (
        steps.pictures(WIDE), steps.look(), steps.check(measured=True), steps.run(),
        steps.apply(HOLIDAY.named, Resolution(192, 108)), steps.go_on(),
    )] == [
        "multitrain dataset extract 'my films/holiday.mp4' holiday --count 400 --crop none "
        f"--scale 192:-2 {place}",
        f"multitrain dataset inspect holiday --sheet holiday_contact.png {place}",
        f"multitrain check holiday.yaml --measure --gpus 0,1 {place}",
        f"multitrain run holiday.yaml --gpus 0,1 --deterministic {place}",
        f"multitrain apply holiday 'my films/holiday.mp4' --scale 192x108 --gpus 0,1 {place}",
        "multitrain quick 'my films/holiday.mp4' --name holiday --frames 400 --size 192 "
        f"--family pix2pix --length 30s --gpus 0,1 --deterministic {place} --yes",
    ]  # fmt: skip
    bare = Steps(HOLIDAY, WISHES)
    assert str(bare.run()) == "multitrain run holiday.yaml"
    assert str(bare.check(measured=False)) == "multitrain check holiday.yaml"


def test_pictures_come_by_the_command_for_them() -> None:
    address = "https://example.org/faces.tar.gz"
    archive = Given.find(address, Path("/nowhere"))
    assert archive == Given(address, Kind.ARCHIVE)
    assert archive.name == "faces"
    fetch = Steps(archive, Wishes("faces")).pictures(None)
    assert str(fetch) == f"multitrain dataset fetch {address} faces"
    photos = Steps(Given("photos", Kind.PICTURES), Wishes("p"))
    assert photos.pictures(None) is None
    assert photos.data_set == str(Path("photos").absolute())
    film = Given.find("https://example.org/a%20day.mp4?x=1", Path("/nowhere"))
    assert (film.kind, film.name) == (Kind.ADDRESS, "a-day")


@pytest.mark.parametrize(
    ("video", "longest", "scale"),
    [
        (None, 192, "192:-2"),
        (Resolution(1920, 1080), 192, "192:-2"),
        (Resolution(1080, 1920), 192, "-2:192"),
        (Resolution(500, 500), 192, "192:-2"),
        (Resolution(161, 90), 192, "160:-2"),  # nothing is enlarged
    ],
)
def test_frames_are_as_long_as_wanted(video: Resolution | None, longest: int, scale: str) -> None:
    assert scale_for(video, longest) == scale


NONE = Found(None, has_contact_sheet=False, sheet=None, has_sheet=False, has_job=False)
OURS = Earlier("my films/holiday.mp4", WISHES)
DONE = Found("made so", True, OURS, True, True, "holiday_holiday.mp4")


@pytest.mark.parametrize(
    "found",
    [
        NONE,
        NONE._replace(data_set="made so"),
        NONE._replace(data_set="made so", has_contact_sheet=True),
        DONE._replace(has_job=False, clip=None),
        DONE._replace(clip=None),
        DONE,
        DONE._replace(sheet=Earlier(str(Path("my films/holiday.mp4").absolute()), WISHES)),
        DONE._replace(data_set=None),  # made again, should the training need it
    ],
)
def test_what_was_made_of_the_same_is_gone_on_with(found: Found) -> None:
    assert in_the_way(Steps(HOLIDAY, WISHES), found, "made so") is None


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (NONE._replace(has_sheet=True), "holiday.yaml is there already"),
        (DONE._replace(sheet=Earlier("other.mp4", WISHES)), "holiday.yaml is there already"),
        (NONE._replace(data_set=""), "the data set holiday is there already"),
        (DONE._replace(data_set="made other"), "the data set holiday is there already"),
        (NONE._replace(has_contact_sheet=True), "holiday_contact.png is there already"),
        (NONE._replace(has_job=True), "a job holiday is here already"),
        (NONE._replace(data_set="made so", has_job=True), "a job holiday is here already"),
        (NONE._replace(clip="clip.mp4"), "clip.mp4 is there already"),
        (DONE._replace(has_job=False), "holiday_holiday.mp4 is there already"),
    ],
)
def test_what_others_have_made_is_left_alone(found: Found, words: str) -> None:
    reason = in_the_way(Steps(HOLIDAY, WISHES), found, "made so")
    assert reason is not None
    assert reason.startswith(words)
    assert "another --name" in reason


@given(st.integers(1, 4000), st.integers(1, 4000), st.integers(8, 2048))
def test_pictures_are_even_and_as_long_as_wanted(width: int, height: int, longest: int) -> None:
    size = target_size(Resolution(width, height), longest)
    assert all(side % 2 == 0 and side > 0 for side in size)
    assert max(size) <= max(min(longest, width, height), min(longest, max(width, height))) + 1


@given(st.integers(8, 4000), st.integers(8, 4000), st.integers(1, 20))
def test_a_grid_fits_on_a_screen(width: int, height: int, most: int) -> None:
    columns, rows = best_grid(Resolution(width, height), most)
    assert 1 <= columns * rows <= most
    assert columns == 1 or columns * width <= 1920
    assert rows == 1 or rows * height <= 1080


@pytest.mark.parametrize(
    ("cell", "most", "grid"),
    [
        ((384, 108), 8, (2, 4)),
        ((384, 108), 3, (1, 2)),
        ((192, 108), 16, (4, 4)),
        ((108, 192), 16, (6, 2)),
        ((1024, 576), 16, (1, 1)),
    ],
)
def test_a_frame_is_as_wide_as_a_screen(
    cell: tuple[int, int], most: int, grid: tuple[int, int]
) -> None:
    assert best_grid(Resolution(*cell), most) == grid


def test_all_families_have_a_look() -> None:
    assert LOOKS.keys() == FAMILIES.keys()
    assert {"pix2pix", "fastgan", "dcgan"} <= KNOWN.keys() & LOOKS.keys()


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(
    ("size", "number", "mixed"),
    [((192, 108), 20, False), ((108, 192), 3, False), ((64, 36), 1, False), ((250, 200), 4, True)],
)
def test_sheets_are_right_whatever_the_pictures(
    workspace: Workspace, make_pictures: Callable[..., list[Path]], family: str,
    size: tuple[int, int], number: int, mixed: bool,
) -> None:  # fmt: skip
    make_pictures(workspace.dataset("null"), count=number, size=size)
    wishes = Wishes("null", 400, 192, family, 1.5)  # YAML would take the name for nothing
    steps = Steps(Given("a\nb.mp4", Kind.VIDEOS, ("a\nb.mp4",)), wishes)
    pictures = Pictures(Resolution(*size), number, mixed)
    path = workspace.root / "null.yaml"
    path.write_text(sheet_text(steps, pictures, [steps.look()], [steps.run()]), encoding="utf-8")
    sheet = read_sheet(path, workspace)
    (job,) = sheet.jobs
    assert not sheet.warnings
    assert job.spec.name == "null"
    assert max(job.image_width, job.image_height) <= 192
    assert float(job.plan.frames_total / job.plan.fps) == 1.5
    assert (job.spec.batch_size or 0) <= number
    is_translation = family == "pix2pix"
    assert (job.spec.family == "pix2pix") == is_translation
    assert ("upconv" in job.spec.convolution_g) == (family in ("pix2pix", "upconv"))
    if is_translation:
        assert str(job.spec.input_from[0] if job.spec.input_from else "") == "edges"


def test_a_long_path_stands_on_one_line() -> None:
    folder = "/disk" + "/some of my 'own' photos: \u00e4rger" * 5
    steps = Steps(Given(folder, Kind.PICTURES), WISHES)
    text = sheet_text(steps, Pictures(Resolution(64, 36), 9), [], [])
    assert yaml.safe_load(text)["jobs"][0]["dataset"] == folder
    lines = text.partition("jobs:\n- ")[2].splitlines()
    assert all(re.match(r" *(# )?\w+: ", line) for line in lines)
