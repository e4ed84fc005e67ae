"""The columns preprocess, load_size, crop_size and flip, beside pictures of many sizes."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import pytest

from jobs.errors import SheetError
from jobs.families.feed import PICTURES
from jobs.settings.kinds import Resolution
from jobs.settings.preprocess import Preprocessing, Step
from jobs.sheets.sheet import Sheet, read_sheet
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace

if TYPE_CHECKING:
    from tests.conftest import MakePictures

COLUMNS = "name,dataset,grid_width,grid_height,video_length,preprocess,load_size,crop_size,flip\n"


@pytest.fixture
def mixed(workspace: Workspace, make_pictures: MakePictures) -> Workspace:
    """Six pictures of 32x18, three of 40x30, one of 20x40."""
    for name, count, size in [("wide", 6, (32, 18)), ("old", 3, (40, 30)), ("tall", 1, (20, 40))]:
        make_pictures(workspace.dataset("mixed") / name, count, size)
    return workspace


def read(workspace: Workspace, *cells: str) -> Sheet:
    path = workspace.root / "s.csv"
    rows = "".join(f"j{number},mixed,1,1,1,{each}\n" for number, each in enumerate(cells))
    path.write_text(COLUMNS + rows)
    return read_sheet(path, workspace)


def job_of(workspace: Workspace, cells: str) -> JobFile:
    return read(workspace, cells).jobs[0]


def mistakes(workspace: Workspace, *cells: str) -> list[str]:
    with pytest.raises(SheetError) as error:
        read(workspace, *cells)
    return [f"{each.column}: {each.reason}" for each in error.value.mistakes]


@pytest.mark.parametrize(
    ("cells", "seen", "loaded"),
    [
        ("resize,16,,", (16, 16), (16, 16)),
        ("cover,16x9,,", (16, 9), (16, 9)),
        ("cover_and_crop,24x16,16x9,yes", (16, 9), (24, 16)),
        ("center_crop,,18,", (18, 18), (18, 18)),
    ],
)
def test_pictures_of_any_size_are_welcome_where_they_become_one(
    mixed: Workspace, cells: str, seen: tuple[int, int], loaded: tuple[int, int]
) -> None:
    sheet = read(mixed, cells)

    job = sheet.jobs[0]
    assert (job.image_width, job.image_height) == seen
    assert job.loaded_size == loaded
    assert not any("dataset" in each for each in sheet.warnings)
    steps = job.spec.preprocessing.fixed
    assert job.decodings == {PICTURES: (("mixed",), *loaded, 3, steps, None)}


def test_the_job_file_keeps_both_sizes(mixed: Workspace) -> None:
    job = job_of(mixed, "cover_and_crop,24x16,16,yes")
    paths = mixed.job("j0")
    job.save(paths)

    assert JobFile.load(paths) == job
    wanted = Preprocessing((Step("cover", Resolution(24, 16)),), Resolution(16, 16), flip=True)
    assert job.spec.preprocessing == wanted


def test_the_film_is_planned_for_what_networks_see(mixed: Workspace) -> None:
    plan = job_of(mixed, "cover_and_crop,24x16,16,").plan

    assert (plan.frame_width, plan.frame_height) == (16, 16)


def test_pictures_too_small_for_the_cut_are_left_out_with_the_reason(mixed: Workspace) -> None:
    sheet = read(mixed, "center_crop,,24x18,")

    (warning,) = sheet.warnings
    assert "dataset mixed: 1 file is left out" in warning
    assert "tall/picture_000.png (20x40 is too small to cut 24x18 out of it)" in warning


def test_where_most_are_too_small_it_is_a_mistake(mixed: Workspace) -> None:
    wanted = "most pictures are 32x18, and 32x18 is too small to cut 30x30 out of it"
    assert mistakes(mixed, "center_crop,,30,") == [f"crop_size: {wanted}"]


def test_mixed_sizes_are_told_with_what_would_mend_them(mixed: Workspace) -> None:
    (told,) = mistakes(mixed, "none,,,")

    assert told.startswith("dataset: all pictures must have one size: 6 are 32x18, but ")
    assert "mixed/old/picture_000.png (40x30)" in told
    assert "; set preprocess to cover and load_size to 32x18, or make a data set" in told
    words = shlex.split(told.split("of one size: ")[-1])
    source = str(mixed.dataset("mixed"))
    assert words[:5] == ["multitrain", "dataset", "convert", source, "mixed-32x18"]
    assert words[5:9] == ["--preprocess", "cover", "--load-size", "32x18"]
    assert words[9:] == ["--workspace", str(mixed.root)]


def test_sizes_that_stay_mixed_are_a_mistake(mixed: Workspace) -> None:
    (told,) = mistakes(mixed, "scale_width,16,,")
    assert "one size once they are preprocessed: 6 are 16x9, but" in told
    (told,) = mistakes(mixed, "crop,,8,")
    assert "set preprocess to cover_and_crop and load_size to 32x18" in told


def test_each_wrong_cell_has_one_reason_and_hides_no_other(mixed: Workspace) -> None:
    told = mistakes(mixed, "resize,,9,", "none,abc,,maybe", "cropp,8,,", "crop,,99999,")

    assert [each.split(":")[0] for each in told] == [
        "load_size", "crop_size", "load_size", "flip", "preprocess", "crop_size",
    ]  # fmt: skip
    assert "must be a size such as 1280x720 or one number such as 256, not 'abc'" in told[2]
    assert "16384 pixels a side are the most" in told[5]


def test_a_missing_folder_is_told_beside_wrong_sizes(workspace: Workspace) -> None:
    told = mistakes(workspace, "resize,,,", "cropp,,,")

    columns = sorted(each.split(":")[0] for each in told)
    assert columns == ["dataset", "dataset", "load_size", "preprocess"]
