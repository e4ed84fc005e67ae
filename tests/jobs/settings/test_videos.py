"""Names of videos, and which formats a film can have."""

from __future__ import annotations

from fractions import Fraction
from typing import get_args

import pytest

from jobs.settings.parsing import choices_of, entry_type, parse_cells
from jobs.settings.spec import JobSpec
from jobs.settings.videos import VIDEOS, EncoderName, FormatName, notes_on, unfit_film
from jobs.sheets.rules import Facts, broken_rules
from jobs.sheets.sheet import read_sheet
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace


def test_every_format_and_encoder_of_a_sheet_is_there() -> None:
    assert tuple(VIDEOS) == get_args(FormatName) == choices_of(entry_type("format"))
    assert get_args(EncoderName) == choices_of(entry_type("encoder"))


@pytest.mark.parametrize(
    ("name", "size", "told"),
    [
        ("hap", (19, 16), "the film becomes 20x16: hap takes multiples of 4"),
        (
            "dxv",
            (1366, 768),
            "the film becomes 1376x768: dxv takes multiples of 16 wide and 4 high from 16 on",
        ),
        ("h265", (2, 64), "the film becomes 16x64: h265 takes multiples of 2 from 16 on"),
        ("h264", (17, 16), "the film becomes 18x16: h264 takes multiples of 2"),
    ],
)
def test_what_becomes_of_a_size_is_told(name: FormatName, size: tuple[int, int], told: str) -> None:
    assert notes_on(name, *size, 60) == [told]


def test_nothing_is_told_of_what_stays() -> None:
    for name in VIDEOS:
        assert notes_on(name, 64, 48, 50) == []
    assert notes_on("png", 1, 1, 240) == []


@pytest.mark.parametrize("name", VIDEOS)
def test_that_alpha_is_lost_is_told(name: FormatName) -> None:
    notes = notes_on(name, 64, 48, 50, has_alpha=True)
    keeps = {"hap-alpha", "prores-4444", "ffv1", "png", "webm", "gif"}
    assert [f"the film is shown over black: {name} holds" in each for each in notes] == [True] * (
        name not in keeps
    )


def test_frames_that_a_gif_leaves_out_are_told() -> None:
    (told,) = notes_on("gif", 64, 48, Fraction(60000, 1001))
    assert told == "frames are left out: gif shows at most 50 a second, not 59.9401"


@pytest.mark.parametrize("name", [name for name, video in VIDEOS.items() if not video.is_joinable])
def test_what_a_film_cannot_be_made_in_is_told_with_advice(name: FormatName) -> None:
    reason = unfit_film(name)
    assert reason is not None
    plain = name.removesuffix("-nvenc")
    assert (f"write {plain}, and nvenc" if plain != name else f"as h264,{name}") in reason


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"format": "hap,gif,png"}, None),
        ({"format": "gif"}, "a film cannot be joined from pieces of gif"),
        ({"format": "hap,gif,hap"}, "names hap twice"),
        ({"format": "h264", "render_video": False}, None),
        ({"format": "hap", "render_video": False}, "hap has no effect where render_video is False"),
    ],
)
def test_a_sheet_is_told(
    workspace: Workspace, columns: dict[str, object], told: str | None
) -> None:
    settings = {"name": "a", "dataset": "demo", "grid_width": 1, "grid_height": 1}
    settings |= {"video_length": 1, "family": "testcard"} | columns
    spec = JobSpec.model_validate(settings)
    job = JobFile(spec=spec, image_width=30, image_height=24, picture_count=400)
    reasons = broken_rules(Facts(job, workspace), wrong=())
    assert list(reasons) == (["format"] if told else [])
    assert told is None or reasons["format"].startswith(told)


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ("hap-alpha", "hap-alpha is a format now: write it into format, and leave this empty"),
        ("hap", "hap is a format: write it into format, and leave this empty"),
        ("x265", "must be one of x264, nvenc, not 'x265'"),
    ],
)
def test_a_format_in_place_of_an_encoder_is_told(cell: str, told: str) -> None:
    cells = {"name": "a", "dataset": "demo", "grid_width": "1", "grid_height": "1"}
    spec, reasons = parse_cells(cells | {"video_length": "1", "encoder": cell})
    assert spec is None
    assert reasons["encoder"].startswith(told)


def test_a_sheet_tells_once_what_becomes_of_sizes(workspace: Workspace) -> None:
    sheet = workspace.root / "sheet.csv"
    head = "name,dataset,grid_width,grid_height,video_length,family,fps,format,preprocess,load_size"
    rows = [
        'a,demo,1,1,1,testcard,50,"h264,hap,gif",resize,19x16',
        'b,demo,1,1,1,testcard,60,"hap,gif",resize,19x16',
        "c,demo,1,1,1,testcard,60,ffv1,resize,19x16",
    ]
    sheet.write_text("\n".join([head, *rows]))
    assert [each.removeprefix(f"{sheet}: ") for each in read_sheet(sheet, workspace).warnings] == [
        "a: the film becomes 20x16: h264 takes multiples of 2",
        "a and 1 more: the film becomes 20x16: hap takes multiples of 4",
        "b: frames are left out: gif shows at most 50 a second, not 60",
    ]
