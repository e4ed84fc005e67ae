"""Nested YAML: presets, networks, layers and choices become the same jobs as flat sheets."""

from __future__ import annotations

import pytest

from benchmarks.strange_sheets import NESTED
from jobs.settings.parsing import parse_cells
from jobs.settings.spec import COLUMNS, JobSpec
from jobs.sheets.forms import csv_cells, yaml_cells
from jobs.sheets.forms.cells import Rows
from jobs.sheets.forms.nested import FORMS
from jobs.sheets.forms.nested_form import yaml_text
from jobs.sheets.sheet import read_sheet
from jobs.workspace.paths import Workspace

JOB = "dataset: demo, grid_width: 2, grid_height: 2, video_length: 1"

CSV = """\
name,dataset,grid_width,grid_height,video_length,nbr_of_layers_g,nbr_of_layers_d,filters_d,k_w_g,\
k_h_g,stride_d,activation_g,normalization_g,dropout_d,optimizer_g,learning_rate_d,latent_motion,\
nbr_g_updates,df_dim,freeze_d,interpolate_alpha
a,demo,2,2,1,4,3,"8,16","3,5,5","3,7,5",1,"lrelu(0.3),relu,relu","none,batch,batch","0.1,0",\
"sgd(0.9, nesterov=True)",1e-4,walk(20),2,8,1,0.25
"""

FLAT = """\
jobs:
- name: a
  dataset: demo
  grid_width: 2
  grid_height: 2
  video_length: 1
  nbr_of_layers_g: 4
  nbr_of_layers_d: 3
  filters_d: [8, 16]
  k_w_g: [3, 5, 5]
  k_h_g: [3, 7, 5]
  stride_d: 1
  activation_g: [lrelu(0.3), relu, relu]
  normalization_g: [none, batch, batch]
  dropout_d: [0.1, 0]
  optimizer_g: {name: sgd, momentum: 0.9, nesterov: yes}
  learning_rate_d: 1e-4
  latent_motion: walk(20)
  nbr_g_updates: 2
  df_dim: 8
  freeze_d: 1
  interpolate_alpha: 0.25
"""

DEEP = """\
presets:
  lively:
    latent_motion: {name: walk, period: 20}
    generator: {updates: 2, optimizer: {name: sgd, momentum: 0.9, nesterov: true}}
defaults:
  preset: lively
  dataset: demo
  grid_width: 2
  grid_height: 2
  video_length: 1
jobs:
- name: a
  generator:
    activation: relu
    layers:
    - {activation: {name: lrelu, slope: 0.3}, normalization: none}
    - {kernel: 3}
    - {kernel: [5, 7]}
    -
  Discriminator:
    layers: [{filters: 8, dropout: 0.1}, {filters: 16}, {}]
    stride: 1
    learning_rate: 1e-4
    dim: 8
    freeze: 1
  interpolate: {alpha: 0.25, a: , b: ~}
"""


def specs(rows: Rows) -> list[JobSpec]:
    assert [str(each) for each in rows.mistakes] == []
    read = [parse_cells(row.texts()) for row in rows.rows]
    assert [reasons for _, reasons in read if reasons] == []
    return [spec for spec, _ in read if spec]


def jobs(text: str) -> list[JobSpec]:
    return specs(yaml_cells.read_rows(text, "s.yaml"))


def job(settings: str, above: str = "") -> JobSpec:
    """The only job of a sheet that has these settings besides the required ones."""
    (spec,) = jobs(f"{above}\njobs:\n- {{name: a, {JOB}, {settings}}}")
    return spec


def told(text: str) -> list[str]:
    """Mistakes with their lines, of the sheet's form and of its cells."""
    rows = yaml_cells.read_rows(text, "s.yaml")
    mistakes = {(each.line, f"{each.column}: {each.reason}") for each in rows.mistakes}
    for row in rows.rows:
        for column, reason in parse_cells(row.texts())[1].items():
            if not reason.startswith("is required and empty"):
                mistakes.add((row.line_of(column), f"{column}: {reason}"))
    return [f"{line}: {reason}" for line, reason in sorted(mistakes)]


def test_three_forms_of_a_sheet_are_the_same_job() -> None:
    assert specs(csv_cells.read_rows(CSV, "s.csv")) == jobs(FLAT) == jobs(DEEP)
    assert jobs(DEEP)[0].k_w_g == (3, 5, 5)


def test_layers_that_are_silent_take_the_list_of_their_network_then_the_column() -> None:
    own = job("generator: {stride: [4, 3], layers: [{}, {stride: 2}, {}]}")
    assert own.stride_g == (2, 3)
    beside = job("stride_g: [4, 3], generator: {layers: [{}, {}, {stride: 2}]}")
    assert beside.stride_g == (4, 2)
    neither = job("generator: {layers: [{}, {}, {stride: 1}]}")
    assert neither.stride_g == (2, 1)
    below = job("generator: {layers: [{}, {}, {stride: 1}]}", "defaults: {stride_g: 3}")
    assert below.stride_g == (3, 1)


def test_layers_without_kernels_and_normalization_take_what_empty_columns_mean() -> None:
    spec = job("k_w: [3, 7], k_h: 9, discriminator: {layers: [{}, {kernel: 5}, {}]}")
    assert (spec.k_w_d, spec.k_h_d) == ((3, 5), (9, 5))
    layers = "layers: [{}, {normalization: pixel}, {}, {}]"
    assert job(f"discriminator: {{{layers}}}").normalization_d == ("none", "pixel", "batch")
    assert job(f"generator: {{{layers}}}").normalization_g == ("batch", "pixel", "batch")
    off = f"generator: {{batch_norm: no, {layers}}}"
    assert job(off).normalization_g == ("none", "pixel", "none")


def test_a_kernel_may_say_one_side_only() -> None:
    spec = job("generator: {kernel: [3, ~]}, discriminator: {kernel: [~, 7]}")
    assert (spec.k_w_g, spec.k_h_g, spec.k_w_d, spec.k_h_d) == ((3,), None, None, (7,))


PRECEDENCE = f"""\
presets:
  base: {{seed: 1, fps: 25, generator: {{stride: 1, dropout: 0.1}}}}
  neon: {{preset: base, seed: 2, activation_g: tanh}}
  slower: {{seed: 3, generator: {{stride: 2}}}}
defaults: {{preset: neon, seed: 4, crf: 20, {JOB}}}
jobs:
- {{name: a, preset: [slower, neon]}}
- {{name: b, preset: [neon, slower], seed: 5, activation_g: elu}}
- {{name: c, generator: {{activation: [relu, mish]}}, fps: }}
"""


def test_the_nearer_level_wins_setting_by_setting() -> None:
    a, b, c = jobs(PRECEDENCE)
    assert [spec.seed for spec in (a, b, c)] == [2, 5, 4]
    assert [spec.stride_g for spec in (a, b, c)] == [(1,), (2,), (1,)]
    assert [spec.fps for spec in (a, b, c)] == [25, 25, 25]
    assert [str(spec.activation_g[0]) for spec in (a, b, c)] == ["tanh", "elu", "relu"]
    assert {spec.crf for spec in (a, b, c)} == {20}
    assert {spec.dropout_g for spec in (a, b, c)} == {(0.1,)}


def test_a_nearer_level_wins_over_layers_and_its_layers_over_all() -> None:
    layers = "defaults: {generator: {layers: [{activation: elu}, {activation: mish}, {}]}}"
    for flat in ("activation_g: tanh", "generator: {activation: tanh}"):
        assert [str(each) for each in job(flat, layers).activation_g] == ["tanh"]
    deeper = job("generator: {layers: [{}, {activation: tanh}, {}, {}]}", layers)
    assert deeper.nbr_of_layers_g == 4
    assert [str(each) for each in deeper.activation_g] == ["elu", "tanh", "elu"]


def test_the_encoders_efforts_and_presets_share_a_word() -> None:
    above = "presets: {neon: {seed: 7}, fast: {seed: 8}}"
    spec = job("preset: [neon, slow]", above)
    assert (spec.seed, spec.preset) == (7, "slow")
    own = job("preset: [slow, fast]", above)
    assert (own.seed, own.preset) == (8, "slow")
    assert job("preset: slow").preset == "slow"


def test_anchors_and_merges_work_inside_networks() -> None:
    text = f"""\
defaults: {{generator: &net {{activation: elu, layers: &two [&first {{noise: 0.5}}, {{}}]}}}}
jobs:
- {{name: a, {JOB}, discriminator: {{<<: *net, activation: mish}}}}
- {{name: b, {JOB}, generator: {{layers: [{{<<: *first, dropout: 0.5}}, {{}}]}}}}
"""
    a, b = jobs(text)
    assert (a.nbr_of_layers_d, a.noise_d, str(a.activation_d[0])) == (2, (0.5,), "mish")
    assert (b.dropout_g, b.noise_g, str(b.activation_g[0])) == ((0.5,), (0.5,), "elu")


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (
            "activation_g: relu\n  generator:\n    activation: elu",
            "4: generator.activation: is activation_g of line 2 once more; keep one of them",
        ),
        (
            "nbr_of_layers_d: 3\n  discriminator:\n    layers: [{}, {}]",
            "4: discriminator.layers: is nbr_of_layers_d of line 2 once more; keep one of them",
        ),
        (
            "generator: {kernel: 3}\n  k_h_g: 5",
            "3: k_h_g: is generator.kernel of line 2 once more; keep one of them",
        ),
        ("generator: {stride: 1}\n  Generator: {Stride: 2}", "3: stride_g: stands twice here"),
        (
            "generator:\n    activaton: relu",
            "3: activaton: there is no such setting of the generator; did you mean 'activation'?",
        ),
        (
            "generator:\n    freeze: 1",
            "3: freeze: there is no such setting of the generator",
        ),
        (
            "genrator: {}",
            "2: genrator: there is no such column; did you mean 'generator'?",
        ),
        ("generator: [1]", "2: : generator must be a mapping of columns to values"),
        ("interpolate: {c: 1}", "2: c: there is no such setting of interpolate"),
        (
            "generator:\n    layers: [{kernel: 3}, {}]",
            "3: kernel: layer 1 of the generator is linear: it has no kernel",
        ),
        (
            "generator:\n    layers:\n    - {}\n    - {}\n    - activation: tanh",
            "6: activation: layer 3 of the generator makes the picture: it has no activation",
        ),
        (
            "discriminator:\n    layers: [{}, {stride: 1}]",
            "3: stride: layer 2 of the discriminator is linear: it has no stride",
        ),
        (
            "discriminator:\n    layers: [{},\n     {noise: 1}]",
            "4: noise: layer 2 of the discriminator makes the logit: it has no noise",
        ),
        (
            "generator:\n    layers:\n    - {noise: 0}\n    - {nois: 1}\n    - {}",
            "5: nois: there is no such setting of a layer; did you mean 'noise'?",
        ),
        (
            "generator:\n    layers: [{noise: 1,\n    Noise: 1}, {}]",
            "4: Noise: stands twice here",
        ),
        (
            "generator:\n    layers: []",
            "3: layers: must be a count or a list with an entry for each layer",
        ),
        (
            "generator:\n    layers: {first: 3}",
            "3: layers: must be a count or a list with an entry for each layer",
        ),
        (
            "generator:\n    layers: 4\n    activation: [relu, null, mish]",
            "4: activation_g: entry 2 is empty",
        ),
        (
            "generator:\n    layers:\n    - {}\n    - relu",
            "5: : a layer must be a mapping of columns to values",
        ),
        (
            "generator:\n    layers:\n    - {filters: 8}\n    - {}\n    - {}",
            "5: filters: layer 2 of the generator has no filters, but another one has; all hidden "
            "layers need them, or none",
        ),
        (
            "generator:\n    layers:\n    - {}\n    - {dilation: [1, 2]}",
            "5: dilation: must be one value; a list stands beside `layers`",
        ),
        (
            "generator:\n    layers:\n    - {activation: 'relu,elu'}\n    - {}",
            "4: activation: must be one value; a list stands beside `layers`",
        ),
        (
            "generator:\n    layers:\n    - {}\n    - {dilation: 2}\n    - {}\n    - dilation: 1.5",
            "7: dilation_g: must be whole numbers of at least 1 and at most 32, comma-separated, "
            "not '1.5'",
        ),
        (
            "generator:\n    layers: [{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {noise: 1}]",
            "3: nbr_of_layers_g: must be a whole number of at least 2 and at most 10, not '11'",
        ),
        (
            "generator:\n    kernel: [1, 2, 3]",
            "3: kernel: must be a number, or a list of a width and a height",
        ),
        (
            "generator:\n    kernel: '1,2'",
            "3: kernel: must be a number, or a list of a width and a height",
        ),
        (
            "optimizer_g:\n    name: sgd\n    momentun: 0.5",
            "3: optimizer_g: sgd has no parameter 'momentun'; it has momentum, nesterov; did you "
            "mean 'momentum'?",
        ),
        (
            "loss: {weight: 3}",
            "2: loss: needs a name: one of vanilla, lsgan, hinge, wgan-gp, relativistic",
        ),
        (
            "loss: {name: wgan-gp, weight: '1, x=2'}",
            "2: loss: must have a name and plain values, not '1, x=2'",
        ),
        ("seed: {name: a}", "2: seed: must be a value or a list of values, nothing nested"),
        ("preset: neom", "2: preset: there is no preset 'neom'; did you mean 'neon'?"),
        ("preset: {}", "2: preset: must be the name of a preset, or a list of names"),
    ],
)
def test_mistakes_say_their_line_and_what_to_do(settings: str, expected: str) -> None:
    assert told(f"jobs:\n- {settings}\npresets: {{neon: {{}}}}") == [expected]


def test_presets_that_include_themselves_and_presets_with_names_are_told_once() -> None:
    text = """\
presets:
  a:
    preset: b
  b:
    name: x
    preset: [c,
      a]
  c: {}
jobs:
- {preset: [a, b]}
- {preset: b}
"""
    assert told(text) == [
        "5: name: cannot have a default: each job has its own",
        "7: preset: includes itself: a, b, a",
    ]


def test_mistakes_in_presets_that_no_job_has_are_told() -> None:
    assert told("presets:\n  a: {fpz: 1}\njobs: [{}]") == [
        "2: fpz: there is no such column; did you mean 'fps'?"
    ]


def test_what_strange_sheets_start_from_is_right(workspace: Workspace) -> None:
    assert len(jobs(yaml_text(NESTED))) == 2
    path = workspace.root / "nested.yaml"
    path.write_text(yaml_text(NESTED), encoding="utf-8")
    assert len(read_sheet(path, workspace).jobs) == 2


def test_a_tree_of_presets_that_doubles_itself_stays_small() -> None:
    presets = "".join(f"  p{n + 1}: {{preset: [p{n}, p{n}]}}\n" for n in range(60))
    text = f"presets:\n  p0: {{seed: 5}}\n{presets}jobs: [{{name: a, {JOB}, preset: p60}}]"
    assert jobs(text)[0].seed == 5


def test_every_column_of_a_network_has_a_nested_form() -> None:
    networks = {column for column in COLUMNS if column.endswith(("_g", "_d"))}
    assert networks <= FORMS.keys()
    assert {"gf_dim", "df_dim", "nbr_g_updates", "nbr_d_updates"} <= FORMS.keys()
