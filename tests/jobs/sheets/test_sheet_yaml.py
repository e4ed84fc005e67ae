"""YAML sheets: the same cells, the same messages, the lines of the file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.errors import SheetError
from jobs.settings.choices import Activation
from jobs.sheets.sheet import Sheet, read_sheet
from jobs.workspace.paths import Workspace

ReadText = Callable[..., Sheet]

NIGHT = """\
defaults:
  dataset: demo
  grid_width: 4
  grid_height: 3
  video_length: 0.50
jobs:
- name: first
  learning_rate_g: 1e-4
  batch_norm_g: no
  activation_g: [relu, tanh, ]
  render_res: 384x162
- {Name: second, video_length: 1, fps: ~, seed: null, k_w: }
"""


@pytest.fixture
def read(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> ReadText:
    monkeypatch.chdir(workspace.root)

    def read_text(text: str, name: str = "sheet.yaml", encoding: str = "utf-8") -> Sheet:
        (workspace.root / name).write_bytes(text.encode(encoding))
        return read_sheet(Path(name), workspace)

    return read_text


def mistakes(read: ReadText, text: str) -> list[str]:
    with pytest.raises(SheetError) as caught:
        read(text)
    return str(caught.value).splitlines()


@pytest.mark.parametrize("name", ["a.yaml", "a.yml", "A.YAML"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_jobs_complete_themselves_from_the_defaults(
    read: ReadText, name: str, encoding: str
) -> None:
    for text in (NIGHT, NIGHT.replace("\n", "\r\n")):
        first, second = (job.spec for job in read(text, name, encoding).jobs)
        assert (first.name, first.folders, first.video_length) == ("first", ("demo",), 0.5)
        assert (first.learning_rate_g, first.batch_norm_g) == (0.0001, False)
        assert first.activation_g == (Activation("relu"), Activation("tanh"))
        assert (second.video_length, second.fps, second.seed, second.k_w) == (1, 60, 0, (5,))


def test_a_sheet_says_the_same_in_both_forms(read: ReadText) -> None:
    csv = (
        "name,dataset,grid_width,grid_height,video_length,learning_rate_g,batch_norm_g,"
        "activation_g,render_res\n"
        'first,demo,4,3,0.50,1e-4,no,"relu,tanh",384x162\n'
        "second,demo,4,3,1,,,,\n"
    )
    assert read(csv, "sheet.csv").jobs == read(NIGHT).jobs


def test_values_reach_the_parser_as_they_were_written(read: ReadText) -> None:
    text = "jobs:\n- {name: 007, dataset: demo, grid_width: 1, grid_height: 1, video_length: 1}"
    assert read(text).jobs[0].spec.name == "007"
    assert mistakes(read, text.replace("grid_width: 1", "grid_width: yes")) == [
        "sheet.yaml:2: grid_width: must be a whole number of at least 1, not 'yes'"
    ]
    assert mistakes(read, text.replace("grid_width: 1", "grid_width: 1:30"))[0].endswith("'1:30'")


def test_mistakes_name_the_line_of_their_value_and_defaults_are_told_once(read: ReadText) -> None:
    text = """\
# a night
defaults:
  dataset: demo
  grid_width: three
  fpz: 50
jobs:
- name: a
  grid_height: 1
  video_length:
    0
- name: A
  grid_height: [1,
     2]
  video_length: 1
- name: c
  k_w: {x: 1}
- {name: d, grid_height: {x: 1}, video_length: 1}
"""
    assert mistakes(read, text) == [
        "sheet.yaml:4: grid_width: must be a whole number of at least 1, not 'three'",
        "sheet.yaml:5: fpz: there is no such column; did you mean 'fps'?",
        "sheet.yaml:10: video_length: must be a number above 0 and at most 1440, not '0'",
        "sheet.yaml:11: name: is taken by line 7; names must be unique",
        "sheet.yaml:12: grid_height: must be a whole number of at least 1, not '1,2'",
        "sheet.yaml:15: grid_height: is required and empty",
        "sheet.yaml:15: video_length: is required and empty; steps or epochs would do, too",
        "sheet.yaml:16: k_w: must be a value or a list of values, nothing nested",
        "sheet.yaml:17: grid_height: must be a value or a list of values, nothing nested",
    ]


def test_a_required_column_that_is_mistyped_is_one_mistake(read: ReadText) -> None:
    text = """\
defaults: {dataset: demo, grid height: 1}
jobs:
- {name: a, grid width: 1, video_length: 1}
- {name: b, grid width: 2, grid_width: 1, video_length: x}
"""
    no_width = "there is no such column; did you mean 'grid_width'?"
    assert mistakes(read, text) == [
        "sheet.yaml:1: grid height: there is no such column; did you mean 'grid_height'?",
        f"sheet.yaml:3: grid width: {no_width}",
        f"sheet.yaml:4: grid width: {no_width}",
        "sheet.yaml:4: video_length: must be a number above 0 and at most 1440, not 'x'",
    ]


def test_merge_keys_and_aliases_work(read: ReadText) -> None:
    text = """\
defaults: &base {dataset: demo, grid_width: 2, grid_height: 2, video_length: &length 1}
jobs:
- &first {<<: *base, name: a, grid_width: 3, fps: 30}
- {<<: [{fps: 25}, *first], name: b, grid_height: 4, auto_render_period: *length}
"""
    first, second = (job.spec for job in read(text).jobs)
    assert (first.grid_width, first.grid_height, first.fps) == (3, 2, 30)
    assert (second.grid_width, second.grid_height, second.fps) == (3, 4, 25)
    assert second.auto_render_period == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", ["1: the sheet is empty"]),
        ("# nothing\n", ["1: the sheet is empty"]),
        ("jobs:\n", ["1: jobs: must be a list with a mapping for each job"]),
        ("jobs: []\n", ["1: jobs: must be a list with a mapping for each job"]),
        ("jobs: {name: a}\n", ["1: jobs: must be a list with a mapping for each job"]),
        ("jobs: [a]\n", ["1: a job must be a mapping of columns to values"]),
        ("jobs:\n- \n", ["2: a job must be a mapping of columns to values"]),
        (
            "job:\n- {}\n",
            [
                "1: job: must be 'defaults', 'presets' or 'jobs'; did you mean 'jobs'?",
                "1: jobs: is required: a list with a mapping for each job",
            ],
        ),
        (
            "defaults: [1]\ndefaults: {}\njobs:\n  []",
            [
                "1: defaults must be a mapping of columns to values",
                "2: defaults: stands twice here",
                "3: jobs: must be a list with a mapping for each job",
            ],
        ),
        (
            "jobs: []\ndefaults:\n  [a]: 1\n  fps: 1\n  FPS: 2\n  name: x\n",
            [
                "1: jobs: must be a list with a mapping for each job",
                "3: a name must be plain text",
                "5: fps: stands twice here",
                "6: name: cannot have a default: each job has its own",
            ],
        ),
    ],
)
def test_mistakes_of_form(read: ReadText, text: str, told: list[str]) -> None:
    assert mistakes(read, text) == [f"sheet.yaml:{each}" for each in told]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("jobs:\n- a: [1, 2\n- b: 1\n", 3),
        ("jobs:\n- name: 'a\n  b\n", 2),
        ("jobs:\n\t- a\n", 2),
        ("jobs: []\n---\njobs: []\n", 2),
        ("jobs:\n- *none\n", 2),
    ],
)
def test_what_is_no_yaml_is_one_mistake_with_its_line(read: ReadText, text: str, line: int) -> None:
    (told,) = mistakes(read, text)
    assert told.startswith(f"sheet.yaml:{line}: is not valid YAML: ")


BILLIONS = "\n".join(f"x{n + 1}: &x{n + 1} {{<<: [*x{n}, *x{n}, *x{n}]}}" for n in range(60))


CHAIN = "\n".join(f"x{n + 1}: &x{n + 1} {{<<: *x{n}}}" for n in range(3000))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[" * 100_000, 1),
        ("jobs:\n" + "- " * 20_000 + "a", 2),
        ("jobs: []\n\ndefaults: " + "{a: " * 20_000, 3),
        ("defaults: &d {<<: *d}\njobs: [*d]", 1),
        (f"x0: &x0 {{}}\n{CHAIN}\ndefaults: *x3000", 1),
    ],
    ids=["brackets", "dashes", "braces", "itself", "chain"],
)
def test_endless_nesting_is_a_mistake(read: ReadText, text: str, line: int) -> None:
    assert f"sheet.yaml:{line}: is nested too deep for a sheet" in mistakes(read, text)


def test_an_alias_bomb_stays_small(read: ReadText) -> None:
    bomb = "\n".join(f"x{n + 1}: &x{n + 1} {{<<: [*x{n}, *x{n}]}}" for n in range(60))
    told = mistakes(read, f"x0: &x0 {{fpz: 1}}\n{bomb}\njobs: [*x60]")
    assert "sheet.yaml:1: fpz: there is no such column; did you mean 'fps'?" in told


def test_tags_make_no_objects(read: ReadText) -> None:
    told = mistakes(read, "jobs:\n- name: !!python/object/apply:os._exit [7]")
    assert "sheet.yaml:2: dataset: is required and empty" in told
