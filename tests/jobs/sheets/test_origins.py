"""Which jobs and files a job of a sheet may start from."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs.errors import SheetError
from jobs.settings.spec import JobSpec
from jobs.settings.words import quoted
from jobs.sheets.origins import jobs_before, origin_mistakes, path_of
from jobs.sheets.sheet import read_sheet
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import CheckpointName, Workspace


def make_job(name: str, **columns: object) -> JobFile:
    cells = {"name": name, "dataset": "demo", "grid_width": 1, "grid_height": 1, "video_length": 1}
    return JobFile(spec=JobSpec.model_validate(cells | columns), image_width=8, image_height=8)


def train(workspace: Workspace, name: str, **columns: object) -> Path:
    """As if the job had been trained in this workspace; its checkpoint."""
    paths = workspace.job(name)
    make_job(name, **columns).save(paths)
    checkpoint = paths.checkpoint(CheckpointName(1, 2))
    checkpoint.parent.mkdir()
    checkpoint.touch()
    return checkpoint


def mistakes(workspace: Workspace, *jobs: JobFile) -> dict[str, str]:
    """Those of the last job; the others have none."""
    *others, last = origin_mistakes(jobs, workspace)
    assert not any(others)
    return last


def test_a_job_may_start_from_one_above_it(workspace: Workspace) -> None:
    assert not mistakes(workspace, make_job("a"), make_job("b", init_from="a"))


def test_a_job_starts_from_one_of_its_family(workspace: Workspace) -> None:
    """Also where what fits would do: checkpoints say which family they are of."""
    other = make_job("b", family="autoencoder", init_from="a", init_fitting=True)
    told = "'a' is a dcgan, and this is an autoencoder; start from one"
    assert mistakes(workspace, make_job("a"), other) == {"init_from": told}


def test_a_job_may_start_between_two_above_it(workspace: Workspace) -> None:
    last = make_job("c", interpolate_a="a", interpolate_b="b")
    assert not mistakes(workspace, make_job("a"), make_job("b"), last)


def test_a_job_may_start_from_one_that_was_trained_before(workspace: Workspace) -> None:
    train(workspace, "a")
    assert not mistakes(workspace, make_job("b", init_from="a"))


def test_a_job_may_start_from_a_file_in_the_workspace_or_anywhere(
    workspace: Workspace, tmp_path: Path
) -> None:
    checkpoint = train(workspace, "a")
    inside = str(checkpoint.relative_to(workspace.root))
    anywhere = tmp_path / "elsewhere.h5"
    anywhere.touch()
    last = make_job("b", interpolate_a=inside, interpolate_b=str(anywhere))
    assert not mistakes(workspace, last)
    assert path_of(inside, workspace) == checkpoint
    assert path_of(str(anywhere), workspace) == anywhere


@pytest.mark.parametrize(
    ("origin", "reason"),
    [
        ("b", "a job cannot start from itself"),
        ("waces", "there is no job 'waces' here; did you mean 'waves'?"),
        ("traimed", "there is no job 'traimed' here; did you mean 'trained'?"),
        (
            "runs/trained",
            "there is no job 'runs/trained' here, and a path of a checkpoint ends in .h5; "
            "did you mean 'trained'?",
        ),
        ("../..", "there is no job '../..' here, and a path of a checkpoint ends in .h5"),
        ("bb", "there is no job 'bb' here"),  # no advice to start from itself
        ("no\0name", r"there is no job 'no\x00name' here"),
        (".x.removed", "there is no job '.x.removed' here"),
        ("queued", "'queued' has no checkpoint to start from; put it above in this sheet"),
        ("later", "'later' stands further down in this sheet; move it up"),
        ("hasty", "'hasty' keeps no checkpoint; set its use_checkpoints to True"),
        ("card", "'card' is a testcard, which has no networks"),
        ("old card", "'old card' is a testcard, which has no networks"),
    ],
)
def test_what_a_job_cannot_start_from(workspace: Workspace, origin: str, reason: str) -> None:
    train(workspace, "trained")
    train(workspace, "old card", family="testcard")
    train(workspace, "hasty")
    train(workspace, "x").parent.parent.rename(workspace.job("x").removed)
    make_job("queued").save(workspace.job("queued"))
    jobs = [
        make_job("waves"),
        make_job("hasty", use_checkpoints=False),
        make_job("card", family="testcard"),
        make_job("b", init_from=origin),
        make_job("later"),
    ]
    assert origin_mistakes(jobs, workspace)[3] == {"init_from": reason}


@pytest.mark.parametrize("path", ["missing.h5", "folder.h5", "no\0file.h5", "x" * 300 + ".h5"])
def test_a_path_must_be_a_file(workspace: Workspace, path: str) -> None:
    (workspace.root / "folder.h5").mkdir()
    told = mistakes(workspace, make_job("b", init_from=path))["init_from"]
    assert told == f"there is no file {quoted(path)} in {workspace.root}"
    missing = str(workspace.root / "missing.h5")
    told = mistakes(workspace, make_job("b", init_from=missing))["init_from"]
    assert told == f"there is no file {quoted(missing)}"


def test_a_job_does_not_start_from_a_file_of_its_own(workspace: Workspace) -> None:
    checkpoint = train(workspace, "b")
    told = mistakes(workspace, make_job("b", init_from=f"{workspace.runs}/../runs/b/checkpoints/"
                                        f"{checkpoint.name}"))  # fmt: skip
    assert "cannot start from itself" in told["init_from"]


def test_a_job_of_another_version_may_do(workspace: Workspace) -> None:
    train(workspace, "a")
    workspace.job("a").job_file.write_text("colours: many\n")
    assert not mistakes(workspace, make_job("b", init_from="a"))


@pytest.mark.parametrize(
    ("columns", "wrong"),
    [
        ({"interpolate_a": "a"}, "interpolate_b"),
        ({"interpolate_b": "a"}, "interpolate_a"),
        ({"init_from": "a", "interpolate_a": "a", "interpolate_b": "a"}, "init_from"),
        ({"init_from": "a", "interpolate_b": "a"}, "init_from"),
        ({"init_from": "a", "family": "testcard"}, "init_from"),
        ({"init_fitting": True}, "init_fitting"),
        ({"freeze_encoder": True}, "freeze_encoder"),
        ({"init_from": "a", "encoder_weights": "a"}, "encoder_weights"),
        ({"interpolate_a": "a", "interpolate_b": "a", "encoder_weights": "a"}, "encoder_weights"),
        ({"init_from": "a.keras"}, "init_from"),
        ({"interpolate_alpha": 0.3}, "interpolate_alpha"),
        ({"interpolate_alpha": 0.3, "init_from": "a"}, "interpolate_alpha"),
    ],
)
def test_what_does_not_go_together(
    workspace: Workspace, columns: dict[str, object], wrong: str
) -> None:
    assert list(mistakes(workspace, make_job("a"), make_job("b", **columns))) == [wrong]


ADVICE = "; make them alike, or set init_fitting to start from what fits"


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"nbr_of_layers_d": 4}, "the discriminator has 5 layers in 'a', 4 here"),
        (
            {"z_dim": 7},
            "layer 1 of the generator is linear of 100 to 512 values with batch normalization "
            "in 'a', linear of 7 to 512 values with batch normalization here",
        ),
        (
            {"k_h_g": 3},
            "layer 2 of the generator is 5x5 deconv of 512 to 256 channels with batch "
            "normalization in 'a', 5x3 deconv of 512 to 256 channels with batch normalization "
            "here",
        ),
        (
            {"convolution_g": "upconv"},
            "layer 2 of the generator is 5x5 deconv of 512 to 256 channels with batch "
            "normalization in 'a', 5x5 upconv of 512 to 256 channels with batch normalization "
            "here",
        ),
        (
            {"normalization_d": "none"},
            "layer 2 of the discriminator is 5x5 conv of 64 to 128 channels with batch "
            "normalization in 'a', 5x5 conv of 64 to 128 channels without normalization here",
        ),
        (
            {"colour_model": "grey"},
            "layer 5 of the generator is 5x5 deconv of 64 to 3 channels without normalization "
            "in 'a', 5x5 deconv of 64 to 1 channels without normalization here",
        ),
    ],
)
@pytest.mark.parametrize("is_above", [True, False])
def test_networks_that_do_not_fit_are_told(
    workspace: Workspace, columns: dict[str, object], told: str, is_above: bool
) -> None:
    above = [make_job("a"), make_job("b", **columns)] if is_above else []
    if not is_above:
        train(workspace, "a")
        train(workspace, "b", **columns)
    last = make_job("c", init_from="a", **columns)
    assert mistakes(workspace, *above, last) == {"init_from": told + ADVICE}
    last = make_job("c", interpolate_a="b", interpolate_b="a", **columns)
    assert mistakes(workspace, *above, last) == {"interpolate_b": told + ADVICE}
    fitting = last.spec.model_copy(update={"init_fitting": True})
    assert not mistakes(workspace, *above, last.model_copy(update={"spec": fitting}))


@pytest.mark.parametrize(
    "columns",
    [
        {"activation_g": "tanh", "dropout_d": 0.3, "ema": 0.9, "loss": "hinge", "freeze_d": 1},
        {"convolution_d": "dilated"},
        {"k_w": "5,5,5,5"},
        {"optimizer_g": "sgd", "instance_noise": 0.1, "diffaugment": "color"},
    ],
)
def test_what_no_weights_depend_on_may_differ(
    workspace: Workspace, columns: dict[str, object]
) -> None:
    assert not mistakes(workspace, make_job("a"), make_job("b", init_from="a", **columns))


@pytest.mark.parametrize(("before", "after"), [("l1", "l1,gan"), ("l1,gan", "l1")])
def test_a_network_that_only_one_of_both_has_need_not_fit(
    workspace: Workspace, before: str, after: str
) -> None:
    alike = {"family": "superres", "features": 4, "blocks": 1, "patch": "16"}

    def make(name: str, **columns: object) -> JobFile:
        job = make_job(name, **alike | columns)
        return job.replaced(image_width=48, image_height=48)

    first = make("a", losses=before)
    assert not mistakes(workspace, first, make("b", losses=after, init_from="a"))
    wider = make("b", losses=after, init_from="a", features=5)
    assert "layer 1 of the generator" in mistakes(workspace, first, wider)["init_from"]


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"latent_channels": 10}, None),
        ({"net": "small", "losses": "l1", "output_colours": "hsv"}, None),
        ({"family": "dcgan"}, "'a' is a dcgan, which has no encoder"),
        ({"net": "oval"}, "the encoder has 5 layers in 'a', 3 here" + ADVICE),
        (
            {"input_colours": "all"},
            "layer 1 of the encoder is 5x5 conv of 10 to 16 channels without normalization in "
            "'a', 5x5 conv of 3 to 16 channels without normalization here" + ADVICE,
        ),
    ],
)
def test_an_encoder_comes_alone(
    workspace: Workspace, columns: dict[str, object], told: str | None
) -> None:
    of_coder = {"family": "autoencoder", "grid_width": 4, "grid_height": 4}
    first = make_job("a", **of_coder | columns).replaced(image_width=64, image_height=64)
    taken = make_job("b", **of_coder, encoder_weights="a", freeze_encoder=True)
    found = mistakes(workspace, first, taken.replaced(image_width=64, image_height=64))
    assert found == ({"encoder_weights": told} if told else {})


def test_an_encoder_may_come_from_a_file_of_keras(workspace: Workspace) -> None:
    (workspace.root / "mine.keras").touch()
    job = make_job("b", family="autoencoder", encoder_weights="mine.keras")
    assert not mistakes(workspace, job)
    assert jobs_before(job.spec) == ()
    gone = make_job("b", family="autoencoder", encoder_weights="gone.keras")
    told = f"there is no file 'gone.keras' in {workspace.root}"
    assert mistakes(workspace, gone) == {"encoder_weights": told}


def test_the_end_that_nothing_is_taken_from_need_not_fit(workspace: Workspace) -> None:
    above = [make_job("a"), make_job("b", z_dim=7)]
    for alpha, wrong in ((0, {}), (0.1, {"interpolate_b"}), (1, {"interpolate_b"})):
        job = make_job("c", interpolate_a="a", interpolate_b="b", interpolate_alpha=alpha)
        assert set(mistakes(workspace, *above, job)) == set(wrong)


def test_networks_of_pictures_of_another_size_do_not_fit(workspace: Workspace) -> None:
    larger = make_job("a").model_copy(update={"image_width": 40})
    told = mistakes(workspace, larger, make_job("b", init_from="a"))
    assert "layer 1 of the generator is linear of 100 to 1536 values" in told["init_from"]


def test_networks_of_jobs_with_mistakes_are_not_compared(workspace: Workspace) -> None:
    jobs = [make_job("a"), make_job("b", init_from="a", z_dim=7)]
    for place in range(2):
        assert not any(origin_mistakes(jobs, workspace, {place}))


def test_the_jobs_that_are_waited_for() -> None:
    assert jobs_before(make_job("c", interpolate_a="a", interpolate_b="b").spec) == ("a", "b")
    assert jobs_before(make_job("c", init_from="runs/a/x.H5").spec) == ()
    assert jobs_before(make_job("c").spec) == ()


def test_a_sheet_tells_it_at_the_cell(workspace: Workspace) -> None:
    sheet = workspace.root / "sheet.csv"
    header = "name,dataset,grid_width,grid_height,video_length,init_from"
    sheet.write_text(f"{header}\nwaves,demo,1,1,1,\nfoam,demo,1,1,1,wave\n")
    with pytest.raises(SheetError) as caught:
        read_sheet(sheet, workspace)
    place = f"{sheet}:3: init_from: "
    assert str(caught.value) == f"{place}there is no job 'wave' here; did you mean 'waves'?"
    sheet.write_text(f"{header}\nwaves,demo,1,1,1,\nfoam,demo,1,1,1,waves\n")
    assert [job.spec.init_from for job in read_sheet(sheet, workspace).jobs] == [None, "waves"]


def test_a_sheet_tells_what_does_not_fit_unless_there_are_other_mistakes(
    workspace: Workspace,
) -> None:
    sheet = workspace.root / "sheet.csv"
    header = "name,dataset,grid_width,grid_height,video_length,init_from,z_dim,fps"
    lines = [header, "waves,demo,1,1,1,,8,", "foam,demo,1,1,1,waves,9,"]
    sheet.write_text("\n".join(lines))
    with pytest.raises(SheetError, match="3: init_from: layer 1 of the generator is linear of 8"):
        read_sheet(sheet, workspace)
    sheet.write_text("\n".join(lines) + "many")
    with pytest.raises(SheetError) as caught:
        read_sheet(sheet, workspace)
    assert [each.column for each in caught.value.mistakes] == ["fps"]
