"""How long a film is to be: said in minutes, in training steps or in epochs, one of them a job."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.errors import SheetError
from jobs.sheets.sheet import read_sheet
from jobs.tinkering.templates import generate
from jobs.tinkering.writing import sheet_with_defaults
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace

PICTURES = 10  # with 4 samples in the grid, 2.5 steps are an epoch

Read = Callable[[str], tuple[JobFile, ...]]


@pytest.fixture
def read(
    workspace: Workspace,
    monkeypatch: pytest.MonkeyPatch,
    make_pictures: Callable[..., list[Path]],
) -> Read:
    """The jobs of a sheet: CSV where it begins with a header, else YAML."""
    monkeypatch.chdir(workspace.root)
    make_pictures(workspace.dataset("photos"), PICTURES, (96, 54))

    def read_text(text: str) -> tuple[JobFile, ...]:
        path = Path("sheet.csv" if text.startswith("name,") else "sheet.yaml")
        path.write_text(text)
        return read_sheet(path, workspace).jobs

    return read_text


def mistakes(read: Read, text: str) -> list[str]:
    with pytest.raises(SheetError) as caught:
        read(text)
    return str(caught.value).splitlines()


def table(header: str, *rows: str) -> str:
    lines = [f"name,dataset,grid_width,grid_height,{header}"]
    return "\n".join([*lines, *(f"j{n},photos,2,2,{row}" for n, row in enumerate(rows))]) + "\n"


def test_a_row_says_one_of_three(read: Read) -> None:
    jobs = read(table("video_length,steps,epochs,snapshot", "0.5,,,", ",100,,10", ",,8,step"))

    assert [job.frames_total for job in jobs] == [1800, 10, 20]
    assert [job.plan.steps_total for job in jobs] == [900, 100, 20]
    assert [job.picture_count for job in jobs] == [PICTURES] * 3


def test_epochs_count_what_each_update_of_the_discriminator_draws(read: Read) -> None:
    header = "epochs,nbr_d_updates,batch_size,snapshot"
    jobs = read(table(header, "6,3,,step", "6,3,2,step", "6,1,5,step"))
    assert [job.plan.steps_total for job in jobs] == [5, 10, 12]


def test_a_job_says_it_over_its_presets_and_the_defaults(read: Read) -> None:
    jobs = read("""\
defaults: {dataset: photos, grid_width: 2, grid_height: 2, video_length: 1, snapshot: step}
presets:
  long: {steps: 500}
  longer: {epochs: 400}
jobs:
- {name: a}
- {name: b, steps: 70}
- {name: c, preset: long}
- {name: d, preset: [long, longer]}
- {name: e, preset: [longer, long]}
- {name: f, preset: long, video_length: 2s}
""")
    assert [job.plan.steps_total for job in jobs] == [3600, 70, 500, 1000, 500, 120]
    said = [job.spec.length_column for job in jobs]
    assert said == ["video_length", "steps", "steps", "epochs", "steps", "video_length"]


def test_two_in_one_place_are_a_mistake(read: Read) -> None:
    told = mistakes(read, table("video_length,steps,epochs", "0.5,100,", ",100,3"))
    assert told == [
        "sheet.csv:2: steps: stands beside video_length, which says the same; keep one of them",
        "sheet.csv:3: epochs: stands beside steps, which says the same; keep one of them",
    ]
    nested = """\
defaults: {dataset: photos, grid_width: 2, grid_height: 2}
jobs:
- name: a
  epochs: 3
  video_length: 1
"""
    (line,) = mistakes(read, nested)
    assert line.startswith("sheet.yaml:4: epochs: stands beside video_length")


def test_one_of_them_is_required(read: Read) -> None:
    assert mistakes(read, table("fps", "30"))[0] == (
        "sheet.csv:1: video_length: is required; add this column, or steps or epochs"
    )
    (line,) = mistakes(read, table("steps,video_length", ",", "5,"))
    assert line == (
        "sheet.csv:2: video_length: is required and empty; steps or epochs would do, too"
    )


def test_a_misspelt_one_is_not_missing_as_well(read: Read) -> None:
    (line,) = mistakes(read, table("step", "100"))
    assert line.startswith("sheet.csv:1: step: there is no such column; did you mean 'steps'?")


@pytest.mark.parametrize(
    ("header", "row", "told"),
    [
        ("steps", "x", "steps: must be a whole number of at least 1, not 'x'"),
        ("epochs", "0", "epochs: must be a number above 0, not '0'"),
        (
            "steps,first_frame_after",
            "100,100",
            "steps: the training would be over before the film begins, which first_frame_after "
            "says is after 100 steps",
        ),
        (
            "steps,fps",
            "900000000,240",
            "steps: would make a film of 1800000000 frames, 125000:00.0 at 240 fps, and 1440 "
            "minutes are the most; have a frame show more steps with snapshot, such as every 10 "
            "steps",
        ),
        (
            "video_length,snapshot",
            "60,every 9000000 steps",
            "video_length: would take 1944000000000 steps, and 1000000000 are the most",
        ),
        ("steps,auto_render_period", "900000,0.01", "auto_render_period: would cut the film"),
        ("steps,snapshot", "9,every", ""),
        (
            "steps,snapshot",
            "9,often",
            "snapshot: must be one of update, step, every, not 'often'",
        ),
        (
            "steps,keep_checkpoints,first_frame_after,loops",
            '100,40,50,"walk(seconds=1,through_time=True)"',
            "loops: loop 1, walk: it goes from a kept checkpoint to another, from step 50 on "
            "(first_frame_after), and the last step is 100; set keep_checkpoints to less than 40",
        ),
        (
            "steps,keep_checkpoints,first_frame_after,loops",
            '100,25,50,"walk(seconds=1,through_time=True)"',
            "",
        ),
    ],
)
def test_lengths_that_cannot_be_are_told_at_their_cell(
    read: Read, header: str, row: str, told: str
) -> None:
    text = table(header, row)
    if not told:
        assert len(read(text)) == 1
        return
    (line,) = mistakes(read, text)
    assert line.startswith(f"sheet.csv:2: {told}")


def test_epochs_of_pictures_that_are_not_there_are_no_second_mistake(read: Read) -> None:
    text = table("epochs,auto_render_period,loops", "3,0.01,best(seconds=5)")
    (line,) = mistakes(read, text.replace("photos", "phots"))
    assert line.startswith("sheet.csv:2: dataset: ")


def test_sheets_that_are_written_say_it_as_their_rows(read: Read) -> None:
    jobs = read(table("video_length,steps,epochs,snapshot", "0.5,,,", ",100,,10", ",,8,step"))
    again = read(sheet_with_defaults([job.spec for job in jobs], ()))
    assert [job.spec for job in again] == [job.spec for job in jobs]


def test_templates_draw_lengths(read: Read, workspace: Workspace) -> None:
    read(table("steps", "1"))  # the pictures are there
    template = """\
defaults: {dataset: photos, grid_width: 2, grid_height: 2, video_length: 1}
jobs:
- {name: a, steps: {randint: [50, 60]}, snapshot: {grid: [step, every 5 steps]}}
"""
    specs = generate(template, "template.yaml", 2, 0, workspace).specs
    assert len(specs) == 4
    assert all(spec.steps and 50 <= spec.steps <= 60 for spec in specs)
    assert {spec.length_column for spec in specs} == {"steps"}
    assert {str(spec.snapshot) for spec in specs} == {"step", "every 5 steps"}
