"""Variations: what changes, what never does, and that every one is a job."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.errors import UsageError
from jobs.families.table import family_of
from jobs.settings.bounds import Decay, NotNegative, Positive, unwrap
from jobs.settings.choices import Optimizer
from jobs.settings.kinds import Channels, KernelSide
from jobs.settings.spec import COLUMNS, JobSpec
from jobs.sheets.sheet import read_sheet
from jobs.tinkering.earlier_jobs import past_job
from jobs.tinkering.naming import label
from jobs.tinkering.perturbation import Bounds, jiggled, varied_choice
from jobs.tinkering.variations import CHANGES, Variations, mutated
from jobs.tinkering.writing import save_sheet, sheet_with_defaults
from jobs.workspace.jobfile import JobFile

PARENT = {
    "name": "neon", "dataset": "demo", "grid_width": 2, "grid_height": 2, "video_length": 0.1,
}  # fmt: skip


def parent(**columns):
    return JobSpec.model_validate({**PARENT, **columns})


def variations(workspace, spec=None, count=20, seed=1, strength=0.5, from_checkpoint=False):
    spec = spec or parent()
    return Variations(spec, count, seed, strength, from_checkpoint, workspace).specs()


def changes(spec, other):
    return {column for column in COLUMNS if getattr(spec, column) != getattr(other, column)}


def test_video_farm_data_and_seed_never_vary():
    kept = {
        "seed",
        "dataset",
        "grid_width",
        "video_length",
        "fps",
        "snapshot",
        "crf",
        "gpus",
        "family",
    }
    assert CHANGES.keys() <= COLUMNS.keys() - kept


@pytest.mark.parametrize("strength", [0, 1])
def test_variations_differ_from_their_parent_and_each_other_in_what_may_vary(workspace, strength):
    spec = parent()
    made = variations(workspace, spec, count=60, strength=strength)
    assert len({each.model_copy(update={"name": ""}) for each in made}) == 60
    for each in made:
        assert {"name"} < changes(spec, each) <= CHANGES.keys() | {"name"}


def test_what_means_nothing_to_a_family_does_not_vary(workspace, tmp_path):
    spec = parent(family="fastgan")
    made = variations(workspace, spec, count=30, strength=1)
    varied = set().union(*(changes(spec, each) for each in made)) - {"name"}
    assert varied
    assert not varied & family_of(spec).without
    path = tmp_path / "sheet.yaml"
    path.write_text(sheet_with_defaults(made, []), encoding="utf-8")
    assert [job.spec for job in read_sheet(path, workspace).jobs] == list(made)


def test_the_seed_decides(workspace):
    assert variations(workspace, seed=4) == variations(workspace, seed=4)
    assert variations(workspace, seed=4) != variations(workspace, seed=5)


def test_the_sheet_reads_back_as_the_variations(workspace, tmp_path):
    spec = parent(activation_g="relu,lrelu(0.3),tanh,mish", k_w="3,5", optimizer_g="sgd(0.9)")
    made = variations(workspace, spec, strength=1)
    path = tmp_path / "sheet.yaml"
    path.write_text(sheet_with_defaults(made, ["made"]), encoding="utf-8")
    assert tuple(job.spec for job in read_sheet(path, workspace).jobs) == made


def test_names_tell_the_number_and_the_settings(workspace):
    for number, spec in enumerate(variations(workspace), start=1):
        assert spec.name.startswith(f"neon-m{number:02d}-")
    long = variations(workspace, parent(name="n" * 120), count=3)
    assert all("-m0" in spec.name and len(spec.name) == 120 for spec in long)


def test_names_tell_no_setting_that_is_as_it_was(workspace):
    spec = parent()
    for each in variations(workspace, spec, count=60, strength=0):
        told = each.name.split("-")[2:]
        assert set(told) <= {label(column) for column in changes(spec, each)}


def test_an_empty_normalization_varies_from_what_it_means(workspace):
    made = variations(workspace, parent(batch_norm_d=False), count=150, strength=1)
    (by_g, by_d) = (
        {(getattr(each, column) or ("as it was",))[0] for each in made}
        for column in ("normalization_g", "normalization_d")
    )
    assert len(by_g) > 3
    assert len(by_d) > 3


def test_strength_is_how_many_settings_change_and_how_far():
    def averages(strength):
        drawn = [mutated(parent(), strength, Random(n)) for n in range(300)]
        rates = [spec.learning_rate_g / 0.0002 for spec, cols in drawn if "learning_rate_g" in cols]
        return sum(len(cols) for _, cols in drawn) / 300, sum(max(r, 1 / r) for r in rates) / len(
            rates
        )

    (few, near), (many, far) = averages(0.1), averages(1.0)
    assert few < 1.6 < 2.5 < many
    assert near < 1.2 < 1.5 < far


def test_another_layer_keeps_the_settings_of_the_others():
    spec = parent(activation_g="relu,tanh,mish,elu", filters_g="64,32,16,8")
    deeper = [
        each
        for n in range(400)
        for each, columns in [mutated(spec, 0, Random(n))]
        if columns == ["nbr_of_layers_g"]
    ]
    assert deeper
    for each in deeper:
        names = [activation.name for activation in each.activation_g]
        assert len(names) == len(each.filters_g) == each.nbr_of_layers_g - 1
        assert len(set(names)) == min(4, len(names))


def test_from_a_checkpoint_the_look_goes_on(workspace):
    job = JobFile(spec=parent(), image_width=96, image_height=54)
    paths = workspace.job("neon")
    with pytest.raises(UsageError, match="neon is no valid job here: init_from"):
        variations(workspace, from_checkpoint=True)
    job.save(paths)
    paths.checkpoints.mkdir()
    (paths.checkpoints / "000000001-000000002.h5").touch()
    made = variations(workspace, from_checkpoint=True)
    assert {(each.init_from, each.init_fitting) for each in made} == {("neon", True)}
    between = parent(interpolate_a="a", interpolate_b="b", interpolate_alpha=0.3)
    (one,) = variations(workspace, between, count=1, from_checkpoint=True)
    assert (one.init_from, one.interpolate_alpha) == ("neon", 0.5)
    taken = parent(family="autoencoder", snapshot="step", encoder_weights="a")
    JobFile(spec=taken, image_width=96, image_height=54).save(paths)
    (one,) = variations(workspace, taken, count=1, from_checkpoint=True)
    assert (one.init_from, one.encoder_weights) == ("neon", None)


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"dataset": "gone"}, "neon is no valid job here: dataset: there is no folder 'gone'"),
        ({"family": "testcard"}, "neon trains nothing, so nothing of it can vary"),
    ],
)
def test_jobs_that_cannot_vary(workspace, columns, reason):
    with pytest.raises(UsageError, match=reason):
        variations(workspace, parent(**columns))


@given(
    number=st.floats(1e-6, 0.999), kind=st.sampled_from([Positive, Decay, NotNegative]),
    spread=st.floats(0, 9), seed=st.integers(),
)  # fmt: skip
def test_a_jiggled_number_stays_within_its_bounds(number, kind, spread, seed):
    moved = jiggled(number, kind, spread, 0, Random(seed))
    assert Bounds.of(unwrap(kind)[1]).hold(moved)


@given(number=st.integers(1, 31), spread=st.floats(0, 9), seed=st.integers())
def test_a_jiggled_whole_number_moves_and_stays_within_its_bounds(number, spread, seed):
    moved = jiggled(number, KernelSide, spread, 0, Random(seed))
    assert isinstance(moved, int)
    assert 1 <= moved <= 31 != number or moved != number
    assert jiggled(4096, Channels, spread, 0, Random(seed)) < 4096


def test_bounds_are_those_that_are_declared():
    positive, decay = (Bounds.of(unwrap(kind)[1]) for kind in (Positive, Decay))
    assert [positive.hold(number) for number in (-1, 0, 1e-9, 1e9)] == [False, False, True, True]
    assert [decay.hold(number) for number in (-1, 0, 0.99, 1)] == [False, True, True, False]


def test_zero_becomes_something_up_to_what_is_declared():
    moved = [jiggled(0.0, Decay, 1, 0.3, Random(n)) for n in range(50)]
    assert all(0 <= each <= 0.3 for each in moved)
    assert max(moved) > 0.2
    assert jiggled(0.0, Decay, 1, 0.0, Random(0)) == 0


def test_a_choice_changes_its_name_or_one_parameter():
    sgd = Optimizer.parse("sgd(momentum=0.9)")
    drawn = [varied_choice(sgd, 0.5, Random(n)) for n in range(60)]
    others = [each for each in drawn if each.name != "sgd"]
    assert 15 < len(others) < 45
    assert all(not each.given for each in others)
    assert all(each == Optimizer.parse(str(each)) for each in drawn)


def test_a_past_job_is_found_by_its_folder_or_its_manifest(workspace):
    spec = parent()
    job = JobFile(spec=spec, image_width=8, image_height=6)
    paths = workspace.job("neon")
    with pytest.raises(UsageError, match=r"There is no job 'neon' in .*; --workspace names the"):
        past_job(workspace, "neon")
    workspace.renders.mkdir()
    told = spec.model_dump_json()
    paths.manifest.write_text(f'{{"spec": {told}, "width": 16, "height": 12}}')
    assert past_job(workspace, "neon") == job
    with pytest.raises(UsageError, match=r"There is no job 'neo' in .*; did you mean 'neon'"):
        past_job(workspace, "neo")
    paths.manifest.write_text('{"spec": {}}')
    with pytest.raises(UsageError, match="is no manifest of this version"):
        past_job(workspace, "neon")
    job.save(paths)
    assert past_job(workspace, "neon") == job
    paths.job_file.write_text("spec: 1")
    with pytest.raises(UsageError, match=r"job\.yaml is damaged or of another version"):
        past_job(workspace, "neon")


def test_a_sheet_is_not_replaced_unasked(tmp_path):
    path = tmp_path / "sheet.yaml"
    save_sheet(path, "one", force=False)
    with pytest.raises(UsageError, match=r"is there already; .* --force"):
        save_sheet(path, "two", force=False)
    assert path.read_text() == "one"
    save_sheet(path, "two", force=True)
    assert path.read_text() == "two"
    with pytest.raises(UsageError, match=r"must end in \.yaml"):
        save_sheet(tmp_path / "sheet.csv", "one", force=True)
    with pytest.raises(UsageError, match="cannot be written"):
        save_sheet(path / "below.yaml", "one", force=True)
    assert [each.name for each in tmp_path.iterdir()] == ["sheet.yaml"]
