"""Templates: what is drawn, what stays, and mistakes at the template's own lines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.errors import SheetError
from jobs.settings.kinds import LONGEST_NAME
from jobs.sheets.sheet import read_sheet
from jobs.tinkering.templates import MOST_JOBS, generate
from jobs.tinkering.writing import sheet_with_defaults
from jobs.workspace.paths import Workspace

HEAD = """\
defaults: {dataset: demo, grid_width: 2, grid_height: 2, video_length: 0.1}
jobs:
"""

HUNDRED = f"{{grid: {list(range(100))}}}"


def made(workspace, jobs, count=1, seed=0, head=HEAD):
    return generate(head + jobs, "template.yaml", count, seed, workspace)


def values(workspace, column, jobs, **options):
    return [getattr(spec, column) for spec in made(workspace, jobs, **options).specs]


def mistakes(workspace, jobs, **options):
    with pytest.raises(SheetError) as caught:
        made(workspace, jobs, **options)
    return [(each.line, each.column, each.reason) for each in caught.value.mistakes]


def test_numbers_lie_in_their_ranges_and_log_uniform_covers_the_magnitudes(workspace):
    drawn = values(
        workspace, "learning_rate_g", "- {name: a, learning_rate_g: {log_uniform: [1e-5, 1e-2]}}",
        count=90,
    )  # fmt: skip
    assert all(1e-5 <= each <= 1e-2 for each in drawn)
    by_magnitude = [sum(low <= each < 10 * low for each in drawn) for low in (1e-5, 1e-4, 1e-3)]
    assert min(by_magnitude) > 15
    drawn = values(workspace, "dropout_g", "- {name: a, dropout_g: {uniform: [0.2, 0.4]}}", count=9)
    assert all(0.2 <= each <= 0.4 for (each,) in drawn)


def test_randint_takes_both_its_bounds_and_no_value_twice(workspace):
    layers = "- {name: a, nbr_of_layers_d: {randint: [2, 4]}}"
    assert sorted(values(workspace, "nbr_of_layers_d", layers, count=3)) == [2, 3, 4]
    asked_for_more = made(workspace, layers, count=5)
    assert len(asked_for_more.specs) == 3
    assert asked_for_more.notes == (
        "a: 3 jobs instead of 5: the ranges give no more different ones",
    )


def test_grids_are_multiplied_out_and_count_is_for_each_combination(workspace):
    jobs = """\
- name: a
  k_w: {grid: [3, 5]}
  generator: {activation: {grid: [relu, tanh, mish]}}
  z_dim: {randint: [10, 99]}
"""
    specs = made(workspace, jobs, count=2).specs
    assert len(specs) == 12
    combinations = [(spec.k_w[0], spec.activation_g[0].name) for spec in specs]
    assert combinations[::2] == combinations[1::2] == [
        (width, name) for width in (3, 5) for name in ("relu", "tanh", "mish")
    ]  # fmt: skip
    assert len({spec.z_dim for spec in specs}) > 6


def test_grids_alone_make_each_combination_once_whatever_the_count(workspace):
    assert values(workspace, "z_dim", "- {name: a, z_dim: {grid: [5, 6]}}", count=9) == [5, 6]


def test_ranges_stand_at_any_depth(workspace):
    jobs = """\
- name: a
  preset: {choice: [wild]}
  generator:
    layers:
    - {filters: 8}
    - {filters: 4, dropout: {choice: [{uniform: [0.1, 0.2]}]}, kernel: [{grid: [3, 7]}, 5]}
    - {kernel: 3}
"""
    head = f"presets: {{wild: {{optimizer_d: {{name: sgd, momentum: {{choice: [0.5]}}}}}}}}\n{HEAD}"
    specs = made(workspace, jobs, head=head).specs
    assert [spec.k_w_g for spec in specs] == [(3,), (7, 3)]
    assert all(str(spec.optimizer_d) == "sgd(momentum=0.5)" for spec in specs)
    assert all(0.1 <= spec.dropout_g[1] <= 0.2 for spec in specs)


def test_ranges_in_defaults_are_drawn_for_each_job_and_presets_count_where_they_are_named(
    workspace,
):
    defaults = HEAD.replace("video_length: 0.1", "video_length: 0.1, noise_g: {uniform: [0, 1]}")
    head = f"presets: {{wide: {{z_dim: {{grid: [7, 8]}}}}}}\n{defaults}"
    specs = made(workspace, "- {name: a}\n- {name: b, preset: wide}\n", head=head).specs
    assert [spec.z_dim for spec in specs] == [100, 7, 8]
    assert len({spec.noise_g for spec in specs}) == 3


def test_jobs_without_a_range_stay_as_they_are_and_others_may_start_from_them(workspace):
    jobs = """\
- {name: base, learning_rate_g: 0.001}
- {name: child, init_from: base, learning_rate_g: {grid: [0.1, 0.2]}}
"""
    specs = made(workspace, jobs).specs
    assert [spec.name for spec in specs] == ["base", "child-lrg0.1", "child-lrg0.2"]
    assert {spec.init_from for spec in specs[1:]} == {"base"}


def test_a_job_that_overrides_every_range_is_there_once_under_its_own_name(workspace):
    head = HEAD.replace("video_length: 0.1", "video_length: 0.1, z_dim: {randint: [5, 50]}")
    result = made(workspace, "- {name: a, z_dim: 7}\n- {name: b}\n", head=head, count=3)
    assert result.specs[0].name == "a"
    assert len(result.specs) == 4
    assert not result.notes


def test_the_seed_decides_and_other_keys_do_not(workspace):
    first = "- {name: a, z_dim: {randint: [1, 60000]}, seed: {randint: [0, 60000]}}"
    swapped = "- {seed: {randint: [0, 60000]}, fps: 30, name: a, z_dim: {randint: [1, 60000]}}"
    before = "- {name: z, seed: {randint: [0, 9]}}\n"
    drawn = [
        [(spec.z_dim, spec.seed) for spec in made(workspace, jobs, 4, seed).specs][-4:]
        for jobs, seed in ((first, 1), (swapped, 1), (before + first, 1), (first, 2))
    ]
    assert drawn[0] == drawn[1] == drawn[2]
    assert not set(drawn[0]) & set(drawn[3])


def test_draws_that_check_would_refuse_are_drawn_again(workspace):
    jobs = "- {name: a, dilation_g: {randint: [1, 2]}, stride_g: {randint: [1, 2]}}"
    drawn = {(s.dilation_g, s.stride_g) for s in made(workspace, jobs, count=4).specs}
    assert drawn == {((1,), (1,)), ((1,), (2,)), ((2,), (1,))}  # a deconv cannot do both


def test_names_tell_what_varies(workspace):
    jobs = """\
- name: neon
  learning_rate_g: {grid: [0.0001, 1e-5]}
  kernel: {choice: [3]}
  activation_g: {choice: [tanh]}
""".replace("  kernel: {choice: [3]}\n", "  generator: {kernel: {grid: [3, 5]}}\n")
    names = [spec.name for spec in made(workspace, jobs).specs]
    assert names == [f"neon-kernelg{k}-lrg{rate}" for rate in ("1e-4", "1e-5") for k in (3, 5)]
    one = made(workspace, "- {name: neon, optimizer_g: {choice: [sgd, lion]}}").specs
    assert [spec.name for spec in one] in (["neon-sgd"], ["neon-lion"])


def test_names_are_unique_and_fit_a_file_system_whatever_they_begin_with(workspace):
    jobs = "- {name: %s, learning_rate_g: {uniform: [0.2001, 0.2004]}}" % ("é" * 60)
    names = [spec.name for spec in made(workspace, jobs, count=4).specs]
    assert len({name.casefold() for name in names}) == 4
    assert all(len(name.encode()) <= LONGEST_NAME for name in names)


def test_the_sheet_reads_back_as_the_jobs(workspace, tmp_path):
    jobs = """\
- {name: '1e4', render_res: {choice: [192x108]}, learning_rate_g: {log_uniform: [1e-9, 1]}}
- {name: b, activation_d: [{choice: ["lrelu(0.3)", mish]}, relu], diffaugment: {grid: [[color, cutout], [color]]}}
- {name: "yes # no", batch_norm_g: {grid: [True, False]}, init_from: b.h5}
"""  # noqa: E501
    (workspace.root / "b.h5").touch()
    specs = made(workspace, jobs, count=3, seed=5).specs
    path = tmp_path / "sheet.yaml"
    path.write_text(sheet_with_defaults(specs, ["made by\nme"]), encoding="utf-8")
    assert tuple(job.spec for job in read_sheet(path, workspace).jobs) == specs


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("{uniform: [1]}", "uniform needs its two bounds, such as {uniform: [0, 0.5]}"),
        ("{uniform: 3}", "uniform needs its two bounds, such as {uniform: [0, 0.5]}"),
        ("{uniform: [0, .nan]}", "uniform needs its two bounds, such as {uniform: [0, 0.5]}"),
        ("{uniform: [2, 1]}", "the first bound of uniform must be the lower one: 2 is not"),
        ("{log_uniform: [0, 1]}", "log_uniform needs bounds above 0, not 0"),
        ("{randint: [1, 2.5]}", "randint needs whole numbers as its bounds"),
        ("{choice: relu}", "choice needs a list of values"),
        ("{grid: []}", "grid needs a list of values"),
        (
            "{choice: [{grid: [1, 2]}]}",
            "grid cannot stand within choice; write its values out there",
        ),
        (
            "{choice: [1, 2], grid: [1]}",
            "choice must be the only key of its mapping, as {choice: [relu, tanh]}",
        ),
    ],
)
def test_a_wrong_range_is_told_at_its_line(workspace, value, reason):
    jobs = f"- name: a\n  z_dim:\n    {value}\n"
    assert mistakes(workspace, jobs) == [(5, "z_dim", reason)]


def test_what_is_wrong_in_every_draw_is_told_as_check_would(workspace):
    jobs = "- name: a\n  z_dims: 5\n  k_w: {randint: [40, 50]}\n- name: b\n"
    told = mistakes(workspace, jobs)
    assert (4, "z_dims", "there is no such column; did you mean 'z_dim'?") in told
    assert [line for line, column, _ in told if column == "k_w"] == [5]


def test_where_no_draw_is_valid_the_usual_mistake_is_told(workspace):
    head = f"presets:\n  one: {{k_w: 99}}\n  two: {{crf: 99}}\n{HEAD}"
    jobs = "- {name: a, preset: {choice: [one, one, one, two]}}"
    ((line, column, reason),) = mistakes(workspace, jobs, head=head)
    assert (line, column) == (2, "k_w")
    assert "of 200 failed here: must be whole numbers of at least 1 and at most 31" in reason


def test_combinations_that_cannot_be_are_left_out_and_told(workspace):
    jobs = "- {name: a, dilation_g: {grid: [1, 2]}, stride_g: {grid: [1, 2]}}"
    result = made(workspace, jobs)
    assert len(result.specs) == 3
    assert "3 jobs instead of 4: other draws were wrong, most of them so: " in result.notes[0]


@pytest.mark.parametrize(
    ("jobs", "head", "line", "reason"),
    [
        ("- {name: a, z_dim: 5}\n", HEAD, 1, "holds no range"),
        ("", "jobs: {grid: [1]}\n", 1, "must be a list"),
        ("", "x: {grid: [1]}\n", 1, "is required"),
        ("", "[{grid: [1]}]\n", 1, "must be a mapping"),
        ("- {name: a, z_dim: &a [{grid: [1]}, *a]}\n", HEAD, 1, "nested too deep"),
        (
            f"- {{name: a, fps: {HUNDRED}, crf: {HUNDRED}, seed: {HUNDRED}}}",
            HEAD,
            3,
            f"has 1000000 combinations of grids, above {MOST_JOBS}",
        ),
    ],
)  # fmt: skip
def test_what_is_no_template(workspace, jobs, head, line, reason):
    told = mistakes(workspace, jobs, head=head)
    assert any(at == line and reason in why for at, _, why in told), told


def test_there_is_a_limit_to_the_jobs_of_one_job(workspace):
    jobs = f"- {{name: a, seed: {HUNDRED}, z_dim: {{randint: [1, 99]}}}}"
    told = mistakes(workspace, jobs, count=101)
    assert told == [(3, "", "would make 10100 jobs; at most 10000 are made")]


def test_aliases_do_not_make_a_template_endless(workspace):
    lines = ["a0: &a0 [{grid: [1, 2]}]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    told = mistakes(workspace, "\n".join(lines), head="")
    assert told == [(1, "", "has more than 100000 values, aliases written out")]


SCALARS = st.sampled_from(["a", "b", "1", "relu", "", "demo", "-1", "1e99", "nan", "wild", "*x"])
KEYS = st.sampled_from(
    ["grid", "choice", "uniform", "randint", "log_uniform", "name", "preset", "k_w", "generator",
     "layers", "jobs", "defaults", "presets", "wild", "<<", "dropout"]
)  # fmt: skip
TREES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)


def flow(tree) -> str:
    if isinstance(tree, dict):
        return "{" + ", ".join(f"{key}: {flow(value)}" for key, value in tree.items()) + "}"
    if isinstance(tree, list):
        return "[" + ", ".join(map(flow, tree)) + "]"
    return tree if tree.isalnum() else f"'{tree}'"


@given(job=TREES, defaults=TREES, presets=TREES)
def test_strange_templates_end_as_jobs_or_as_mistakes(tmp_path_factory, job, defaults, presets):
    place = Workspace(tmp_path_factory.getbasetemp())
    text = f"presets: {flow(presets)}\ndefaults: {flow(defaults)}\njobs: [{flow(job)}]\n"
    told = []
    try:
        jobs = generate(text, "t.yaml", 1, 0, place).specs
    except SheetError as error:
        jobs, told = (), error.mistakes
    assert jobs or told
    assert all(1 <= each.line <= 3 and str(each).isprintable() for each in told)


SINGLE = {
    "learning_rate_g: {log_uniform: [1e-5, 1e-2]}": ("learning_rate_g", "log_uniform"),
    "name: {choice: [a, b]}": ("name", "choice"),
    "activation_g: [relu, {grid: [mish, tanh]}]": ("activation_g", "grid"),
    "activation_g: {name: lrelu, slope: {uniform: [0, 1]}}": ("slope", "uniform"),
    "generator: {layers: [{}, {kernel: {randint: [3, 7]}}]}": ("kernel", "randint"),
    "generator: {choice: [{dim: 3}, {dim: 5}]}": ("generator", "choice"),
    "preset: {choice: [fast, slow]}": ("preset", "choice"),
}


@pytest.mark.parametrize("setting", SINGLE)
def test_a_range_in_a_sheet_is_told_and_nothing_beside_it(workspace, setting):
    path = workspace.root / "template.yaml"
    path.write_text(f"jobs:\n- fps: many\n  {setting}\n")
    with pytest.raises(SheetError) as caught:
        read_sheet(path, workspace)
    column, kind = SINGLE[setting]
    reason = f"{kind} is a range, which stands for many values; `multitrain generate` makes a sheet"
    assert str(caught.value) == f"{path}:3: {column}: {reason} of this template"


def test_each_range_of_a_template_is_told_once_in_its_line(workspace):
    path = workspace.root / "template.yaml"
    path.write_text(
        "defaults: &all {fps: {grid: [1, 2]}}\n"
        "presets: {a: {<<: *all}, grid: {z_dim: 3}}\n"
        "jobs:\n- {name: a, k_w: {randint: [3, 5]}}\n"
    )
    with pytest.raises(SheetError) as caught:
        read_sheet(path, workspace)
    assert [(each.line, each.column) for each in caught.value.mistakes] == [(1, "fps"), (4, "k_w")]


def test_a_preset_may_have_the_name_of_a_range(workspace):
    path = workspace.root / "sheet.yaml"
    job = "{name: a, dataset: demo, grid_width: 2, grid_height: 2, video_length: 1, preset: grid}"
    path.write_text(f"presets: {{grid: {{z_dim: 3}}}}\njobs: [{job}]\n")
    assert read_sheet(path, workspace).jobs[0].spec.z_dim == 3
