"""Specs as nested YAML: what is written is read back as the same spec."""

from __future__ import annotations

import random
from functools import cache
from typing import get_origin

import pytest
import yaml

from jobs.families.table import family_of
from jobs.settings.choices import Choice
from jobs.settings.parsing import choices_of, entry_type, parse_cells, plain_type
from jobs.settings.spec import COLUMNS, GROUP_OF, JobSpec, facets, means_something
from jobs.sheets.forms.nested_form import nested, sheet_text
from jobs.sheets.forms.yaml_cells import read_rows

REQUIRED = {"name": "a", "dataset": "demo", "grid_width": 1, "grid_height": 1, "video_length": 1}
TEXTS = ("0", "1", "2", "5", "7", "1e-5", "0.1", "0.125", "-0.5", "1e30", "True", "no", "8x6",
         "night", "yes", "~", "null", "a: b # c", "'", "[1]", "*x", "{}", "é", "a,b",
         "crop", "file:///films", "walk(frames=9, format=hap)", "best",
         "5%/50%", "0/0")  # fmt: skip


@cache
def right_texts(column: str) -> list[str]:
    """Texts of one entry that a cell of this column can hold."""
    kind = entry_type(column)
    texts = [*TEXTS, *choices_of(kind)]
    if isinstance(kind, type) and issubclass(kind, Choice):
        texts += [
            f"{name}({parameter}={text})"
            for name, parameters in kind.TABLE.items()
            for parameter in parameters
            for text in TEXTS
        ]
    return [text for text in texts if column not in parse_cells({column: text})[1]]


def any_spec(draw: random.Random) -> JobSpec:
    """One with some right cells, lists where there may be some."""
    cells = {column: str(value) for column, value in REQUIRED.items()}
    for column in draw.sample(list(COLUMNS), draw.randint(0, len(COLUMNS))):
        for other in GROUP_OF.get(column, ()):
            cells.pop(other, None)
        count = draw.randint(1, 6) if get_origin(plain_type(column)) is tuple else 1
        cells[column] = ",".join(draw.choices(right_texts(column), k=count))
    for column in cells:
        if words := facets(column).words_in.get(cells.get("family", "dcgan")):
            cells[column] = draw.choice(words)
    for column in {*cells} - {"family"}:
        if not means_something(column, cells.get("family", "dcgan")):
            for other in GROUP_OF.get(column, ()):
                cells[other] = str(REQUIRED.get(other, cells.get(other, "")))
    spec, reasons = parse_cells(cells)
    assert spec, reasons
    return spec


@pytest.mark.parametrize("changed", [False, True])
def test_any_spec_is_read_back_as_it_was(changed: bool, cases: int) -> None:
    draw = random.Random(1)
    for _ in range(cases):
        spec = any_spec(draw)
        rows = read_rows(sheet_text([spec], changed=changed), "s.yaml")
        assert not rows.mistakes
        ((again, reasons),) = [parse_cells(row.texts()) for row in rows.rows]
        meaningless = {each: COLUMNS[each].default for each in family_of(spec).without}
        assert (again, reasons) == (spec.model_copy(update=meaningless), {})
        assert sheet_text([again], changed=changed) == sheet_text([spec], changed=changed)


def test_every_setting_is_told_unless_only_changed_ones_are_asked_for() -> None:
    spec = any_spec(random.Random(2))
    (row,) = read_rows(sheet_text([spec]), "s.yaml").rows
    empty = {column for column in COLUMNS if getattr(spec, column) is None}
    told = COLUMNS.keys() - empty - family_of(spec).without
    assert {column for column, cell in row.cells.items() if cell.text} == told


def spec_with(**cells: str) -> JobSpec:
    texts = {column: str(value) for column, value in REQUIRED.items()}
    spec, reasons = parse_cells(texts | cells)
    assert spec, reasons
    return spec


def test_only_changed_settings_are_told_where_asked() -> None:
    spec = spec_with(fps="30", activation_g="lrelu(0.3)", beta1_d="0.5")
    told = {"generator": {"activation": {"name": "lrelu", "slope": 0.3}}, "fps": 30}
    assert nested(spec, changed=True) == REQUIRED | told


@pytest.mark.parametrize(
    ("cells", "generator"),
    [
        (  # a list that ends with the last layer is told layer by layer
            {"nbr_of_layers_g": "3", "activation_g": "relu,tanh", "k_w_g": "3", "k_h_g": "3,5"},
            {
                "layers": [
                    {"activation": "relu"},
                    {"kernel": 3, "activation": "tanh"},
                    {"kernel": [3, 5]},
                ]
            },
        ),
        (  # another one stands beside their number
            {"nbr_of_layers_g": "4", "activation_g": "relu,tanh"},
            {"layers": 4, "activation": ["relu", "tanh"]},
        ),
        ({"k_w_g": "3"}, {"kernel": [3, None]}),
        ({"k_w_g": "3", "k_h_g": "3"}, {"kernel": 3}),
    ],
)
def test_lists_are_told_by_layer_where_they_come_out_even(
    cells: dict[str, str], generator: dict[str, object]
) -> None:
    assert nested(spec_with(**cells), changed=True)["generator"] == generator


def test_lists_of_kernels_that_do_not_come_out_even_keep_their_columns() -> None:
    told = nested(spec_with(k_w_d="3,5,7"), changed=True)
    assert told["k_w_d"] == [3, 5, 7]
    assert not told["discriminator"]


def test_a_layer_is_one_line() -> None:
    text = sheet_text([spec_with(nbr_of_layers_g="3", activation_g="elu(2),relu")], changed=True)
    assert "- {activation: {name: elu, alpha: 2.0}}\n" in text
    assert yaml.safe_load(text)["jobs"][0]["generator"]["layers"][2] == {}
