"""The columns about inputs and targets, beside folders that are paired, halved, or neither."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.errors import SheetError
from jobs.families.feed import PICTURES
from jobs.families.translation import INPUTS, SAMPLES, TARGETS
from jobs.settings.preprocess import Step
from jobs.sheets.sheet import Sheet, read_sheet
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace
from tests.footage import write_video

MakePictures = Callable[..., list[Path]]
SIZE = (48, 40)


@pytest.fixture
def pictures(workspace: Workspace, make_pictures: MakePictures) -> Workspace:
    """Folders: `photos` and `maps` of five pairs, `few` of three of them, `double` of pairs."""
    for folder, count, size in [
        ("photos", 5, SIZE), ("maps", 5, SIZE), ("few", 3, SIZE), ("small", 5, (24, 20)),
        ("double", 5, (96, 40)), ("other/deep", 5, SIZE),
    ]:  # fmt: skip
        make_pictures(workspace.dataset(folder), count, size)
    return workspace


def read(workspace: Workspace, cells: str, family: str = "pix2pix") -> Sheet:
    path = workspace.root / "s.yaml"
    job = f"name: a, family: {family}, grid_width: 2, grid_height: 2, video_length: 1, {cells}"
    path.write_text(f"jobs:\n- {{{job}}}\n")
    return read_sheet(path, workspace)


def job_of(workspace: Workspace, cells: str) -> JobFile:
    return read(workspace, cells).jobs[0]


def mistakes(workspace: Workspace, cells: str, family: str = "pix2pix") -> list[str]:
    with pytest.raises(SheetError) as error:
        read(workspace, cells, family)
    return [f"{each.line}: {each.column}: {each.reason}" for each in error.value.mistakes]


def test_inputs_and_targets_are_pairs(pictures: Workspace) -> None:
    job = job_of(pictures, "inputs: maps, targets: photos")

    assert {each.name: each.folders for each in job.feeds} == {
        TARGETS: ("photos",),
        INPUTS: ("maps",),
    }
    assert job.feeds[1].pair_of == TARGETS
    assert (job.image_width, job.image_height, job.picture_count) == (*SIZE, 5)
    assert job.spec.makings == ()


def test_one_data_set_is_enough_where_inputs_are_made_of_it(pictures: Workspace) -> None:
    job = job_of(pictures, "dataset: photos, input_from: 'edges, blur(3)'")

    assert [each.name for each in job.feeds] == [PICTURES]
    assert [str(step) for step in job.spec.makings] == ["edges", "blur(radius=3.0)"]
    assert [str(step) for step in job_of(pictures, "dataset: photos").spec.makings] == [
        "grey",
        "blur",
    ]


@pytest.mark.parametrize(("half", "other"), [("left", "right"), ("right", "left")])
def test_halves_are_preprocessed_as_pictures_are(
    pictures: Workspace, half: str, other: str
) -> None:
    cells = f"dataset: double, side_by_side: {half}, preprocess: cover_and_crop, load_size: 60x50, "
    job = job_of(pictures, f"{cells} crop_size: 48x40, show: input+output+target")

    assert (job.image_width, job.image_height, job.loaded_size) == (*SIZE, (60, 50))
    assert (job.cell.width, job.cell.height) == (3 * SIZE[0], SIZE[1])
    steps = {name: each.steps[0] for name, each in job.decodings.items()}
    assert steps == {INPUTS: Step.half(half), TARGETS: Step.half(other)}


@pytest.mark.parametrize(
    ("cells", "feeds"),
    [
        ("dataset: photos, sample_from: few", {SAMPLES + PICTURES: "few"}),
        ("inputs: maps, targets: photos, sample_from: few", {SAMPLES + INPUTS: "few"}),
        (
            "dataset: double, side_by_side: left, sample_from: double",
            {SAMPLES + INPUTS: "double", SAMPLES + TARGETS: "double"},
        ),
    ],
)
def test_samples_are_of_the_kind_that_is_trained_on(
    pictures: Workspace, cells: str, feeds: dict[str, str]
) -> None:
    shown = [each for each in job_of(pictures, cells).feeds if not each.is_drawn]

    assert {each.name: ",".join(each.folders) for each in shown} == feeds


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        (
            "inputs: few, targets: photos",
            "inputs: lacks 2 of the 5 pictures (picture_003, picture_004) of targets; add these, "
            "or take those out",
        ),
        (
            "inputs: photos, targets: few",
            "inputs: has 2 of the 5 pictures (picture_003, picture_004) that targets lacks; add "
            "these there, or take them out",
        ),
        (
            "inputs: other, targets: photos",
            "inputs: has no picture of the name of one of targets; name those of a pair alike",
        ),
        (
            "inputs: small, targets: photos",
            "inputs: holds pictures of 24x20, and targets of 48x40; have all made one size, with "
            "preprocess and load_size",
        ),
        (
            "dataset: photos, sample_from: small",
            "sample_from: holds pictures of 24x20, and dataset of 48x40; have all made one size, "
            "with preprocess and load_size",
        ),
        ("inputs: map, targets: photos", "inputs: there is no folder 'map' in data/; did you mean "
            "'maps'?"),
        ("inputs: maps, targets: photo", "targets: there is no folder 'photo' in data/; did you "
            "mean 'photos'?"),
        (
            "inputs: 'maps,few', targets: photos",
            "inputs: names 2 folders, and targets 1: each has one of the other",
        ),
        (
            "inputs: maps*2, targets: photos",
            "inputs: has a weight; it belongs to the folder of targets",
        ),
        (
            "inputs: maps, dataset: photos",
            "inputs: are there, and nothing says what is to be made of them: name that under "
            "targets, instead of dataset",
        ),
        (
            "targets: photos",
            "targets: are there without inputs; name these as well, or the pictures under dataset, "
            "where inputs are made of them",
        ),
        (
            "inputs: maps, targets: photos, dataset: photos",
            "targets: stands beside dataset, which says the same; keep one of them",
        ),
        (
            "inputs: maps, targets: photos, input_from: edges",
            "input_from: stands beside inputs, which says the same; keep one of them",
        ),
        (
            "dataset: double, side_by_side: left, input_from: edges",
            "input_from: stands beside side_by_side, which says the same; keep one of them",
        ),
        ("grid_width: 2", "dataset: is required and empty; targets would do, too"),
        (
            "dataset: photos, batch_size: 6",
            "dataset: holds 5 pictures, fewer than a batch of 6 (batch_size); add pictures or set "
            "batch_size",
        ),
        (
            "inputs: maps, targets: photos, batch_size: 6",
            "targets: holds 5 pictures, fewer than a batch of 6 (batch_size); add pictures or set "
            "batch_size",
        ),
        (
            "dataset: photos, input_from: edge",
            "input_from: must be one of grey, blur, edges, posterise, downscale, not 'edge'; did "
            "you mean 'edges'?",
        ),
        ("dataset: photos, losses: l1*x", "losses: l1: weight must be a number of at least 0, not "
            "'x'"),
        ("dataset: photos, losses: 'l1, perceptual'",
            "losses: names perceptual, for which perceptual must name a file with weights of "
            "VGG16; feature compares by the discriminator, and ms-ssim without any network"),
        ("dataset: photos, perceptual: /dev/../etc/passwd", "perceptual: has no effect without "
            "perceptual or contextual in losses"),
        ("dataset: photos, perceptual: /dev/../etc/passwd, losses: perceptual, colour_model: hsv",
            "perceptual: looks at red, green and blue, and the networks think in hsv; use "
            "colour_model rgb, rgba or grey, or leave it empty"),
        ("dataset: photos, loss: hinge(relativistic=True), label_smoothing: 0.1",
            "label_smoothing: is not for the loss hinge(relativistic=True), which compares with no "
            "label; leave it 0, or use vanilla or lsgan"),
        ("dataset: photos, losses: tv",
            "losses: wants nothing of pictures but that they are flat; add l1 or gan"),
        ("dataset: photos, losses: l1, feature_matching: 3",
            "feature_matching: has no effect without gan in losses; leave it 0"),
        ("dataset: photos, patch: 64", "patch: must be one of 16, 34, 70, 142, 286, not '64'"),
        ("dataset: photos, downs: 8", "downs: 8 would need pictures of 86 pixels a side, and "
            "these are 48x40; 6 is the most, 5 the default"),
        ("dataset: photos, apply_to: clip.mp4",
            "apply_to: names 'clip.mp4'; give whole paths, such as /home/me/clip.mp4"),
        ("dataset: photos, apply_to: /clip.mp4",
            "apply_to: names '/clip.mp4', and there is no such file"),
        ("dataset: photos, apply_to: /bin/sh", "apply_to: names '/bin/sh', which is no video"),
        ("dataset: photos, apply_to: /bin/sh, use_checkpoints: False", "apply_to: takes weights of "
            "a checkpoint, and use_checkpoints is False"),
        ("dataset: photos, schedule_g: plateau(3)", "schedule_g: plateau goes by validation, which "
            "a pix2pix has not; use step or cosine"),
        ("dataset: photos, z_dim: 8", "z_dim: means nothing to a pix2pix; leave it empty"),
    ],
)  # fmt: skip
def test_mistakes_are_told_at_their_column(pictures: Workspace, cells: str, told: str) -> None:
    assert mistakes(pictures, cells.replace("grid_width: 2", "seed: 1")) == [f"2: {told}"]


def test_what_is_inherited_means_nothing_to_other_families(pictures: Workspace) -> None:
    path = pictures.root / "s.yaml"
    path.write_text(
        "defaults: {side_by_side: left, show: input+output, sample_from: nowhere,"
        " grid_width: 2, grid_height: 2, video_length: 1}\n"
        "jobs: [{name: a, dataset: double}]\n"
    )
    (job,) = read_sheet(path, pictures).jobs

    assert (job.image_width, job.cell.width) == (96, 96)
    assert [each.name for each in job.feeds] == [PICTURES]


def test_without_pairs_names_and_numbers_do_not_matter(pictures: Workspace) -> None:
    cells = "inputs: 'few*2,photos', targets: other, sample_from: few, show: input+output+cycle"
    (job,) = read(pictures, cells, "cyclegan").jobs

    targets, inputs, samples = job.feeds
    assert (targets.folders, inputs.folders, inputs.weights) == (
        ("other",),
        ("few", "photos"),
        (2, 1),
    )
    assert (inputs.pair_of, samples.is_drawn, job.picture_count) == (None, False, 5)
    assert str(job.spec.losses[0]) == "cycle*10"


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        (
            "dataset: photos",
            "dataset: is not enough for a cyclegan: name what it is to make under targets, and "
            "what it is to make this of under inputs",
        ),
        ("targets: photos", "targets: are there without inputs; name these as well"),
        (
            "inputs: small, targets: photos",
            "inputs: holds pictures of 24x20, and targets of 48x40; have all made one size, with "
            "preprocess and load_size",
        ),
        (
            "inputs: maps, targets: photos, losses: l1*100",
            "losses: names l1, which a cyclegan does not have; it has cycle, identity, gan",
        ),
        (
            "inputs: maps, targets: photos, show: input+output+target",
            "show: shows target, which a cyclegan does not have; it has cycle and input and output",
        ),
        (
            "inputs: maps, targets: photos, pool: 3",
            "pool: 3 is smaller than a batch of 4; make it as large at least, or 0, which has the "
            "discriminators see new pictures only",
        ),
        (
            "inputs: maps, targets: photos, losses: 'cycle, identity'",
            "losses: is content with copies of the inputs; add gan",
        ),
        (
            "inputs: few, targets: photos",
            "inputs: holds 3 pictures, fewer than a batch of 4; add pictures or set batch_size",
        ),
        (
            "inputs: maps, targets: photos, loss: wgan-gp",
            "loss: wgan-gp is known not to work here; use lsgan, vanilla or hinge",
        ),
        (
            "inputs: maps, targets: photos, input_from: edges",
            "input_from: means nothing to a cyclegan; leave it empty",
        ),
    ],
)
def test_mistakes_without_pairs(pictures: Workspace, cells: str, told: str) -> None:
    assert mistakes(pictures, cells, "cyclegan") == [f"2: {told}"]


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        ("inputs: maps", "inputs: holds pictures of 48x40, and targets of 48x40; these must be"),
        (
            "inputs: small, preprocess: crop, crop_size: 33",
            "inputs: is 2 times smaller, and crop_size 33x33 cannot be divided so; 32x32 can",
        ),
        (
            "inputs: small, preprocess: resize, load_size: 41x32",
            "inputs: is 2 times smaller, and load_size 41x32 cannot be divided so; 40x32 can",
        ),
        (
            "inputs: small, preprocess: center_crop, crop_size: 32",
            "inputs: is 2 times smaller, and what center_crop cuts",
        ),
    ],
)
def test_smaller_pairs_are_just_so_much_smaller(pictures: Workspace, cells: str, told: str) -> None:
    """So windows of both are at the same places."""
    (found,) = mistakes(pictures, f"targets: photos, {cells}", "superres")
    assert f": {told}" in found


def test_pairs_of_a_scale_are_decoded_each_in_its_size(pictures: Workspace) -> None:
    cells = "targets: photos, inputs: small, preprocess: resize_and_crop, load_size: 40x32, "
    (job,) = read(pictures, f"{cells} crop_size: 16", "superres").jobs
    sizes = {name: (each.width, each.height) for name, each in job.decodings.items()}
    assert sizes == {TARGETS: (40, 32), INPUTS: (20, 16)}
    assert (job.image_width, job.image_height) == (16, 16)


def test_a_share_that_is_held_out_is_neither_none_nor_all(pictures: Workspace) -> None:
    """What is held out is not among the pictures that an epoch has."""
    (whole,), (job,) = (
        read(pictures, f"dataset: photos, batch_size: 2{cells}", "superres").jobs
        for cells in ("", ", validation: 50%")
    )
    assert job.picture_count == whole.picture_count - whole.picture_count // 2
    told = "2: validation: a share of the pictures must be above 0% and below 100%, such as 10%"
    for share in ("0%", "100 %", "250%"):
        assert mistakes(pictures, f"dataset: photos, validation: {share}", "superres") == [told]


def test_what_no_step_draws_from_has_no_weight(pictures: Workspace) -> None:
    told = "has a weight, and no step draws from it; leave the weight out"
    for column in ("validation", "sample_from"):
        (found,) = mistakes(pictures, f"dataset: photos, {column}: photos*3", "superres")
        assert found == f"2: {column}: {told}"


def test_clips_and_shares_need_pictures_that_follow_each_other(pictures: Workspace) -> None:
    write_video(pictures.dataset("clip.mp4"), 20)
    cells = "dataset: clip.mp4, net: recurrent, batch_size: 1"
    assert read(pictures, f"{cells}, clip: 9, validation: 50%", "superres").jobs
    for more, column, told in (
        ("clip: 21", "dataset", "has no 21 consecutive pictures, as a clip is: at most 20"),
        ("clip: 7, validation: 5%", "validation", "7 consecutive pictures in what is held out"),
        ("clip: 7, validation: 95%", "dataset", "7 consecutive pictures beside what is held out"),
    ):
        (found,) = mistakes(pictures, f"{cells}, {more}", "superres")
        assert found.startswith(f"2: {column}: "), found
        assert told in found
    write_video(pictures.dataset("one.mp4"), 1)
    (found,) = mistakes(pictures, "dataset: one.mp4, validation: 10%", "superres")
    assert found == "2: validation: is a share of a single picture; a share takes two"
