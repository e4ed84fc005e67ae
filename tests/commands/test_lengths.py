"""Lengths of time, in whatever way they are written."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from jobs.settings.lengths import minutes_told, seconds_of
from jobs.settings.parsing import cell_text, parse_cells
from jobs.sheets.forms.nested_form import sheet_text
from jobs.sheets.forms.yaml_cells import read_rows
from multitrain.commands.clips import loop

ROW = {"name": "a", "dataset": "demo", "grid_width": "1", "grid_height": "1", "video_length": "1"}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0:30", 30),
        ("0:39.5", 39.5),
        ("75:00.0", 4500),
        ("1:02:03", 3723),
        ("1m30s", 90),
        ("1 min 30 sec", 90),
        ("45s", 45),
        ("2h", 7200),
        ("1.5 minutes", 90),
        ("1H5M", 3900),
        *(
            (text, None)
            for text in (
                "90",
                "1.5",
                "",
                ":",
                "1:",
                "1:2:3:4",
                "1:75",
                "1:60:00",
                "m",
                "1x",
                "-1s",
                "s1",
            )
        ),
    ],
)
def test_lengths(text: str, seconds: float | None) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize(
    ("column", "text", "value"),
    [
        ("video_length", "0:30", 0.5),
        ("video_length", "1m30s", 1.5),
        ("video_length", "1.5", 1.5),
        ("auto_render_period", "1m30s", 90.0),
        ("auto_render_period", "5", 5.0),
        ("stall_minutes", "1h", 60.0),
        ("backup_period", "90 s", 1.5),
    ],
)
def test_columns_know_their_units(column: str, text: str, value: float) -> None:
    spec, mistakes = parse_cells({**ROW, column: text})
    assert not mistakes
    assert getattr(spec, column) == value


@pytest.mark.parametrize(
    ("column", "typed", "told"),
    [
        ("video_length", "0:10", "0:10"),
        ("video_length", "1:40", "1:40"),
        ("video_length", "0:00.7", "0:00.7"),
        ("video_length", "0:30", "0.5"),
        ("video_length", "23:59:59", "1439:59"),
        ("video_length", "0.3333333333333333", "0:20"),
        ("video_length", "0.123456789123", "0.123456789123"),
        ("auto_render_period", "1m30s", "90.0"),
        ("stall_minutes", "10s", "0:10"),
    ],
)
def test_they_are_told_as_somebody_would_type_them(column: str, typed: str, told: str) -> None:
    spec, _ = parse_cells({**ROW, column: typed})
    assert cell_text(column, getattr(spec, column)) == told
    assert parse_cells({**ROW, column: told})[0] == spec
    (row,) = read_rows(sheet_text([spec]), "s.yaml").rows
    assert row.cells[column].text == told


def test_minutes_in_sentences() -> None:
    assert [minutes_told(each) for each in (20.0, 0.5, 1 / 6)] == [
        "20 minutes",
        "0.5 minutes",
        "0:10",
    ]


def test_loops_take_them_too() -> None:
    spec, mistakes = parse_cells({**ROW, "loops": "best(seconds=0:10, start=1m5s)"})
    assert spec, mistakes
    assert spec.loops is not None
    assert (spec.loops[0]["seconds"], spec.loops[0]["start"]) == (10.0, 65.0)


@pytest.mark.parametrize("text", ["0:00", "1500m", "1:3"])
def test_their_bounds_hold(text: str) -> None:
    _, mistakes = parse_cells({**ROW, "video_length": text})
    expected = {} if text == "1:3" else {"video_length"}
    assert mistakes.keys() == set(expected)


def test_options_take_them(tmp_path: object) -> None:
    arguments = ["film", "--seconds", "1m5s", "--start", "0:x", "--workspace", str(tmp_path)]
    told = CliRunner().invoke(loop.command, arguments)
    assert "--start" in told.output
    assert "--seconds" not in told.output
