"""A setting may have another default in a family: where a row is silent, that one applies."""

from __future__ import annotations

from jobs.reference import page
from jobs.settings.choices import Loss
from jobs.settings.parsing import parse_cells
from jobs.settings.spec import COLUMNS, JobSpec, default_of, facets
from jobs.sheets.forms.nested_form import nested
from jobs.tinkering.writing import sheet_with_defaults

ROW = {"name": "a", "dataset": "demo", "grid_width": "2", "grid_height": "2", "video_length": "1"}


def parsed(**cells: str) -> JobSpec:
    spec, reasons = parse_cells(ROW | cells)
    assert spec is not None, reasons
    return spec


def test_where_a_row_is_silent_the_familys_own_default_applies() -> None:
    spec = parsed(family="fastgan", diffaugment="")

    assert (spec.ema, spec.z_dim, spec.loss) == (0.999, 256, Loss("hinge"))
    assert spec.augmentations == ("color", "translation")
    assert (parsed().ema, parsed().augmentations) == (0.0, ())


def test_what_a_row_says_stands() -> None:
    spec = parsed(family="fastgan", ema="0", diffaugment="none", loss="vanilla")

    assert (spec.ema, spec.augmentations, spec.loss.name) == (0.0, (), "vanilla")


def test_a_saved_job_keeps_what_it_had() -> None:
    spec = parsed(family="fastgan").model_copy(update={"diffaugment": None, "ema": 0.0})

    assert JobSpec.model_validate(spec.model_dump(mode="json")) == spec


def test_each_of_these_defaults_is_of_its_columns_type() -> None:
    for column in COLUMNS:
        for family, value in facets(column).in_family.items():
            assert default_of(column, family) == value
            assert getattr(parsed(family=family), column) == value
            assert type(value) in (type(COLUMNS[column].default), tuple)


def test_what_is_written_is_what_differs_from_the_familys_defaults() -> None:
    plain, other = parsed(family="fastgan"), parsed(family="fastgan", ema="0", diffaugment="none")

    assert nested(plain, changed=True).keys() == {*ROW, "family"}
    assert nested(other, changed=True).items() >= {"ema": 0.0, "diffaugment": "none"}.items()
    assert "ema" not in sheet_with_defaults([plain], [])
    assert "ema: 0.0" in sheet_with_defaults([other], [])


def test_the_reference_tells_them() -> None:
    line = next(line for line in page().splitlines() if line.startswith("| `ema`"))
    assert "`0.0`, or [by family](#families)" in line
    section = page().partition("\n### fastgan\n")[2].partition("\n### ")[0]
    assert "`z_dim` `256`, " in section
    assert "`ema` `0.999`" in section
