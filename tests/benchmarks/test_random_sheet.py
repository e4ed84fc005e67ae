"""Random jobs: every setting is drawn or left alone on purpose, and every job is valid."""

from __future__ import annotations

from random import Random
from typing import get_args, get_origin

from benchmarks.random_settings import NAMES_OF_TERMS, SMALL, _entry, columns_drawn
from benchmarks.random_sheet import FAILED, NOT_FINITE, Outcome, make_sheet, report
from jobs.families.table import FAMILIES
from jobs.families.vgg16 import SEEN_BY_VGG16
from jobs.settings.bounds import NotNegative, Positive, Real, unwrap, words_of
from jobs.settings.choices import Choice
from jobs.settings.spec import COLUMNS
from jobs.sheets.sheet import read_sheet
from jobs.tinkering.variations import annotation_of
from jobs.workspace.paths import Workspace

TOO_LARGE = {"286"}  # a patch, for pictures as small as these


def names_of(value):
    entries = value if isinstance(value, tuple) else (value,)
    return {each.name if isinstance(each, Choice) else each for each in entries}


def words_for(column):
    kind, _ = unwrap(annotation_of(column))
    if get_origin(kind) is tuple:
        kind, _ = unwrap(get_args(kind)[0])
    return set(
        kind.TABLE if isinstance(kind, type) and issubclass(kind, Choice) else words_of(kind)
    )


def test_every_name_is_of_a_column():
    assert all(name in COLUMNS or f"{name}_g" in COLUMNS for name in SMALL)


def test_a_sheet_of_many_jobs_has_every_setting_and_every_word(tmp_path):
    sheet = make_sheet(tmp_path, 1200, seed=2, size=64, every_jax=4)
    text = sheet.read_text()
    specs = [job.spec for job in read_sheet(sheet, Workspace(tmp_path)).jobs]
    assert len(specs) == 1200
    assert sum(spec.engine == "jax" for spec in specs) == 300
    for column in columns_drawn():
        assert len({getattr(spec, column) for spec in specs}) > 1, column
        met = set().union(*(names_of(getattr(spec, column)) for spec in specs))
        words = set(NAMES_OF_TERMS.get(column, words_for(column)))
        assert met >= words - TOO_LARGE - {*SEEN_BY_VGG16}, column
    assert make_sheet(tmp_path, 1200, seed=2, size=64, every_jax=4).read_text() == text


def test_every_family_that_trains_is_drawn(tmp_path):
    sheet = make_sheet(tmp_path, 150, seed=1, size=64, every_jax=3)
    jobs = read_sheet(sheet, Workspace(tmp_path)).jobs
    for engine in ("tensorflow", "jax"):
        drawn = {job.spec.family for job in jobs if job.spec.engine == engine}
        assert drawn == {name for name, family in FAMILIES.items() if family.trains}


def test_numbers_that_may_be_anything_are_drawn_near_one():
    for kind in (Real, Positive, NotNegative):
        numbers = [_entry(kind, None, Random(seed)) for seed in range(100)]
        assert 1 < max(map(abs, numbers)) <= 10


def test_the_report_tells_every_job_that_did_not_run():
    outcomes = [
        Outcome("a", "jax", "ran", 1.0),
        Outcome("b", "jax", NOT_FINITE, 1.0, "{'d': nan}"),
        Outcome("c", "tensorflow", FAILED, 1.0, "ValueError: no"),
    ]
    told = report(outcomes)
    assert "b (jax): losses not finite\n{'d': nan}" in told
    assert "c (tensorflow): failed\nValueError: no" in told
    assert "a (jax)" not in told
