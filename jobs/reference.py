"""The reference of all settings: `python -m jobs.reference > docs/settings.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from math import inf

from pydantic_core import PydanticUndefined

from jobs.families.family import Family
from jobs.families.table import FAMILIES
from jobs.settings.bounds import LARGEST, unwrap
from jobs.settings.choices import (
    Activation,
    Choice,
    Clipping,
    LatentMotion,
    Loss,
    Optimizer,
    Parameter,
    Snapshot,
)
from jobs.settings.loops import Loop
from jobs.settings.parsing import cell_text, entry_type, expectation, parse_cells, plain_type
from jobs.settings.schedules import Schedule
from jobs.settings.spec import COLUMNS, GROUP_OF, facets
from jobs.settings.translation import Degradation, Filter, Flattening, Making, Term
from jobs.sheets.forms import csv_cells
from jobs.sheets.forms.nested import CONVOLUTION, FORMS, HIDDEN
from jobs.sheets.forms.nested_form import sheet_text
from jobs.tinkering.perturbation import Bounds

CHOICES: dict[str, type[Choice]] = {
    "Activations": Activation,
    "Optimizers": Optimizer,
    "Schedules": Schedule,
    "Losses": Loss,
    "Clipping": Clipping,
    "Motion of latents": LatentMotion,
    "Snapshots": Snapshot,
    "Making inputs": Making,
    "Degradations": Degradation,
    "Smoothing": Filter,
    "Making flat": Flattening,
    "Terms of losses": Term,
    "Loops": Loop,
}

# One job, as a spreadsheet saves it; the page shows it in YAML, too.
EXAMPLE = """\
name,dataset,grid_width,grid_height,video_length,activation_g,k_w_g,k_h_g,optimizer_g
glass,demo,3,3,0.5,"relu,mish,elu(2),tanh","5,3","5,3","adam(beta_2=0.9)"
"""

INTRODUCTION = """\
# Settings

Every setting of a job, made from the code: `python -m jobs.reference > docs/settings.md`. Empty
cells take the default, columns may stand in any order, those without a name are ignored. Where a
family has another default of its own, this stands behind its name.

A sheet is a table with a row for each job (CSV), or YAML with a mapping for each job. In YAML, what
belongs to one network may be nested. These two are the same job:

<table>
<tr><th>CSV</th><th>YAML</th></tr>
<tr><td>

```csv
{csv}```

</td><td>

```yaml
{yaml}```

</td></tr>
</table>

## Lists

Settings of the layers, and others that must be *one or more* or *comma-separated*, take a list: in
CSV with commas (and so with a point in decimals), in YAML with commas or as a list. A setting of
the layers has one entry for each layer that it is for; fewer are repeated.

All layers of a network but the last are hidden:
{hidden} have an entry for each of these.
The generator's first layer and the discriminator's last one are linear, the others convolutions:
{convolution} have an entry for each of these.

## Nested YAML

- `generator:`, `discriminator:` and `interpolate:` hold what the tables below give as
  `generator.activation`. The names of the columns may stand beside them; a setting may stand once.
- `kernel` is one number, or `[width, height]`.
- `layers` is their number, or a list with a mapping for each layer, as above. What a layer does not
  say, it takes from its network, as in `generator: {{stride: 1, layers: […]}}`, else from the
  column, else from the default. `filters` stand in all hidden layers or in none.
- Settings with parameters may be written `lrelu(slope=0.3)`, `lrelu(0.3)` or
  `{{name: lrelu, slope: 0.3}}`.
- `defaults:` holds for all jobs. `presets:` holds mappings with names; `preset: neon` or
  `preset: [neon, calm]` in a job, in the defaults or in another preset takes them in. A job's own
  settings win over its presets, a later preset wins over an earlier one, and presets win over the
  defaults, setting by setting. The encoder's efforts, which the column `preset` names, may stand in
  the same list; a preset of the sheet that is called like one comes first.
- `multitrain show SHEET JOB` prints what has become of a job.

## When a row may change

Of a job that has begun, also of one that is done:

- **at any time**: {any}. The next run takes them up; nothing that is made already is made again.
  What is asked for when the film is there, such as a loop, is made of it. A film stays in the first
  `format` that it began with; others are made of it.
- **from now on**: {later}. A film goes on from its last frame when it is made longer, and its
  timecuts stay as they are; it cannot become shorter than what is made. What it was before is kept
  (`multitrain earlier`).
- **never**: all others. The frames depend on them; give the row another name, or run it with
  `--fresh` and its name.

"""

BY_FAMILY = ", or [by family](#families)"
FAMILIES_INTRODUCTION = """\
## Families

Kinds of networks, as `family` names them. A setting that means nothing to a family is refused in
its own row, and passed over where a row takes it from presets or defaults.
"""


def page() -> str:
    """The page as Markdown."""
    (row,) = csv_cells.read_rows(EXAMPLE, "example").rows
    spec, reasons = parse_cells(row.texts())
    assert spec is not None, reasons
    lists = {
        "hidden": _names(HIDDEN),
        "convolution": _names(CONVOLUTION),
        "any": _names(
            [column for column in COLUMNS if facets(column).may_change in ("any", "at once")]
        ),
        "later": _names([column for column in COLUMNS if facets(column).may_change == "later"]),
    }
    introduction = INTRODUCTION.format(csv=EXAMPLE, yaml=sheet_text([spec], changed=True), **lists)
    return introduction + "\n".join([*_groups(), *_families(), *_choices()])


def groups() -> dict[str, list[str]]:
    """The columns under each heading."""
    found: dict[str, list[str]] = {}
    for column in COLUMNS:
        if heading := facets(column).opens:
            found[heading] = []
        found[next(reversed(found))].append(column)
    return found


def _groups() -> Iterator[str]:
    for heading, columns in groups().items():
        rows = ((f"`{column}`", *_facts(column)) for column in columns)
        table = _table(("column", "nested", "default", "must be", "meaning"), rows)
        yield f"## {heading}\n\n{table}"


def _facts(column: str) -> Iterator[str]:
    field = COLUMNS[column]
    yield f"`{FORMS[column]}`" if column in FORMS else ""
    yield _defaults(column, field.default)
    yield _must_be(column)
    yield (field.description or "").replace("<", "&lt;")


def _must_be(column: str) -> str:
    kind = entry_type(column)
    for heading, each in CHOICES.items():
        if kind is each:
            number = "one" if plain_type(column) is kind else "one or more"
            return f"{number} of the [{heading.lower()}](#{heading.lower().replace(' ', '-')})"
    return expectation(column)


def _default(column: str, default: object) -> str:
    if default is PydanticUndefined:
        return "required"
    if others := [each for each in GROUP_OF.get(column, ()) if each != column]:
        return f"required, unless {_names(others).replace(' and ', ' or ')} is given"
    return f"`{cell_text(column, default)}`" if default is not None else "empty"


def _defaults(column: str, default: object) -> str:
    """The column's default, and whether families have others."""
    return _default(column, default) + BY_FAMILY * bool(facets(column).in_family)


def _families() -> Iterator[str]:
    yield FAMILIES_INTRODUCTION
    for name, family in FAMILIES.items():
        networks = f"trains {_names(family.networks)}" if family.trains else "trains nothing"
        walks = f"; walks are drawn by its `{family.sampler}`" if family.sampler else ""
        yield f"### {name}\n\nIt {networks}{walks}. {_own_defaults(name)}{_counting(family)}"


def _own_defaults(name: str) -> str:
    own = {column: facets(column).in_family for column in COLUMNS}
    told = [f"`{column}` {_default(column, of[name])}" for column, of in own.items() if name in of]
    return f"Its own defaults: {', '.join(told)}. " if told else ""


def _counting(family: Family) -> str:
    """Which columns count for it, where not all under a heading do."""
    rows = []
    for heading, columns in groups().items():
        idle = [column for column in columns if column in family.without]
        counting = [column for column in columns if column not in family.without]
        if idle:
            told = (_names(each) if each != columns else "all" for each in (counting, idle))
            rows.append((f"[{heading}](#{heading.lower().replace(' ', '-')})", *told))
    if not rows:
        return "All settings count.\n"
    header = ("under", "count", "mean nothing to it")
    return f"All settings count, but for these:\n\n{_table(header, rows)}"


def _choices() -> Iterator[str]:
    for heading, kind in CHOICES.items():
        columns = [column for column in COLUMNS if entry_type(column) is kind]
        plain = [n for n, parameters in kind.TABLE.items() if not parameters and n not in kind.HELP]
        text = f"## {heading}\n\nOf {_names(columns)}."
        if plain:
            text += f" Without parameters: {_names(plain)}."
        if len(plain) == len(kind.TABLE):
            yield f"{text}\n"
            continue
        if kind is Loop:
            yield f"{text}\n\n{_table((kind.KEY, 'meaning'), _meanings(kind))}"
            yield _table(("parameter", "meaning", "of"), _shared(kind))
            continue
        header = ("name", *(["meaning"] if kind.HELP else []), "parameters")
        yield f"{text}\n\n{_table(header, _rows_of(kind))}"


def _meanings(kind: type[Choice]) -> Iterator[Sequence[str]]:
    return ((f"`{name}`", kind.HELP[name]) for name in kind.TABLE)


def _shared(kind: type[Choice]) -> Iterator[Sequence[str]]:
    """A row for each parameter: its name, its meaning, and which names of `kind` have it."""
    parameters = {each: said for table in kind.TABLE.values() for each, said in table.items()}
    for each, said in parameters.items():
        having = [name for name, table in kind.TABLE.items() if each in table]
        named, _, meaning = _parameter(each, said).partition(": ")
        yield named, meaning, "all" if len(having) == len(kind.TABLE) else _names(having)


def _rows_of(kind: type[Choice]) -> Iterator[Sequence[str]]:
    """A row for each name that has parameters or a meaning."""
    for name, parameters in kind.TABLE.items():
        if parameters or name in kind.HELP:
            described = "<br>".join(_parameter(each, said) for each, said in parameters.items())
            yield f"`{name}`", *([kind.HELP.get(name, "")] if kind.HELP else []), described


def _parameter(name: str, parameter: Parameter) -> str:
    """`` `beta_2` = 0.999, in [0, 1): decay of the second moment ``."""
    default = "" if parameter.default is None else f" = {parameter.default}"
    interval = _interval(parameter)
    return f"`{name}`{default}{', ' if interval else ''}{interval}: {parameter.help}"


def _interval(parameter: Parameter) -> str:
    """Where a number must lie: `in (0, 1]`, `whole from 1`; empty where any number may stand."""
    kind, metadata = unwrap(parameter.type)
    bounds = Bounds.of(metadata)
    opening, closing = "(" if bounds.low_open else "[", ")" if bounds.high_open else "]"
    match bounds.low not in (-LARGEST, -inf), bounds.high not in (LARGEST, inf):
        case True, True:
            text = f"in {opening}{bounds.low}, {bounds.high}{closing}"
        case True, False:
            text = f"{'above' if bounds.low_open else 'from'} {bounds.low}"
        case False, True:
            text = f"{'below' if bounds.high_open else 'to'} {bounds.high}"
        case _:
            text = ""
    return f"whole {text}" if kind is int else text


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _names(names: Sequence[str]) -> str:
    """`a`, `b` and `c`; none where there are none."""
    if not names:
        return "none"
    *most, last = (f"`{name}`" for name in names)
    return f"{', '.join(most)} and {last}" if most else last


if __name__ == "__main__":
    sys.stdout.write(page())
