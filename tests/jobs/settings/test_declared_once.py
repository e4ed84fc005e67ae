"""What a column is stands with its declaration: no other place lists names of columns as data."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import jobs
from jobs.settings.spec import COLUMNS, GROUP_OF, facets

ROOT = Path(jobs.__file__).parents[1]
PACKAGES = ("jobs", "render", "multitrain", "benchmarks")
# What a list of columns for both networks would name: `filters` of `filters_g` and `filters_d`.
STEMS = {column[:-2] for column in COLUMNS if column.endswith(("_g", "_d"))}
FEWEST = 3  # names that make a list; two may be a pair that some code looks at

ALLOWED = {
    "jobs/settings/spec.py": "the declaration",
    "jobs/settings/loops.py": "settings of a loop",
    "multitrain/commands/clips/loop.py": "options that walks take as well",
    "jobs/sheets/rules.py": "the other columns that each rule looks at",
    "render/films/manifest.py": "keys of the manifest",
    "multitrain/weights/checkpoints.py": "attributes in checkpoints",
    "multitrain/codec/facts.py": "what a job must have, of which a stream says nothing",
    "multitrain/commands/status.py": "headings of the table of jobs",
    "multitrain/commands/layer_table.py": "headings and keys of the table of layers",
    "multitrain/serving/job_facts.py": "keys of the same table",
    "multitrain/resuming/later_film.py": "what is another of a film that begins later",
}
FAMILIES = "jobs/families/"  # each says by itself which settings its networks are made of


def listed(code: str, *, with_mappings: bool = True) -> list[list[str]]:
    """Names of columns in each literal set, tuple, list and, with mappings, dict's keys."""
    found = []
    for node in ast.walk(ast.parse(code)):
        match node:
            case ast.Set(elts=entries) | ast.Tuple(elts=entries) | ast.List(elts=entries):
                pass
            case ast.Dict(keys=entries) if with_mappings:
                pass
            case _:
                continue
        texts = [each.value for each in entries if isinstance(each, ast.Constant)]
        names = [text for text in texts if text in COLUMNS or text in STEMS]
        if len(names) >= FEWEST:
            found.append(names)
    return found


def sources() -> Iterator[tuple[str, str]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if not name.startswith(FAMILIES):
                yield name, path.read_text(encoding="utf-8")


def test_names_of_columns_are_listed_where_they_are_declared() -> None:
    # The mappings of benchmarks are rows of the sheets that they try.
    found = {
        name: lists
        for name, code in sources()
        if (lists := listed(code, with_mappings=not name.startswith("benchmarks/")))
    }
    others = {name: lists for name, lists in found.items() if name not in ALLOWED}
    assert not others, "declare a facet in jobs/settings/columns.py instead"
    assert set(found) | {"jobs/settings/spec.py"} == set(ALLOWED), "allowed, but lists no more"


@pytest.mark.parametrize(
    "code",
    [
        'A = {"crf", "fps", "preset"}',
        'A = frozenset(("crf", "fps", "preset", *B))',
        'def f():\n    return [x for x in ["other", "stride", "filters", "noise"]]',
        'A = dict.fromkeys(("crf", "fps", "preset"))',
        'A = {"crf": 1, **B, "fps": 2, "preset": 3}',
    ],
)
def test_lists_are_found_wherever_they_stand(code: str) -> None:
    assert len(listed(code)) == 1


@pytest.mark.parametrize("code", ['A = {"crf", "fps"}', 'A = ("crf", ("fps", "preset"), 1, "x")'])
def test_pairs_are_no_lists(code: str) -> None:
    assert not listed(code)


def test_facets_go_together() -> None:
    for column, field in COLUMNS.items():
        said = facets(column)
        if said.varies:
            assert said.concerns == "step", f"{column}: variations differ in what is trained"
        if said.concerns == "step":
            assert said.may_change == "never", f"{column}: frames depend on it"
        if said.private or said.concerns in ("origin", "beside"):
            assert not field.is_required(), f"{column} is left out at times"
        if said.one_of:
            assert field.default is None, f"{column}: another one may be given instead"
            assert len(GROUP_OF[column]) > 1, f"{column} has no other beside it"
        if said.private:
            assert field.default is None, f"{column} is left empty at times"
            assert said.concerns == "beside", f"{column}: no measurement may reach other machines"
