"""Pictures that come out larger: tile by tile as whole ones, mixed with plain scaling, measured."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from jobs.errors import UsageError
from jobs.pictures.finding import Unreadable
from jobs.settings.kinds import Resolution
from jobs.workspace.paths import JobPaths
from multitrain.applying import asked as asking
from multitrain.applying.asked import Asked
from multitrain.applying.making import Networks
from multitrain.applying.measuring import FLAT, Measure, Measured, measured, save_difference
from multitrain.applying.recolouring import with_colours_of
from multitrain.datasets.drawn.landscapes import draw_landscape
from multitrain.engine.session import SessionSettings
from multitrain.inference.network import Device
from multitrain.networks.metrics import quality
from multitrain.networks.resizing import resized
from tests.applying.conftest import Learn
from tests.applying.test_translator import far, opened

SUPERRES = {"family": "superres", "features": 4, "blocks": 2, "scale": 3}
SIZE = Resolution(61, 45)
PICTURE = draw_landscape(2, *SIZE)[None]


def scaled(picture: np.ndarray, times: int = 3) -> np.ndarray:
    height, width = (side * times for side in picture.shape[1:3])
    return np.asarray(resized(picture.astype(np.float32), height, width)).round()


def test_tiles_make_what_the_whole_picture_makes(
    learn: Learn, paths: JobPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, _ = learn(**SUPERRES)
    whole, weights = opened(job, paths, SIZE)
    monkeypatch.setattr(asking, "TILE_BYTES", 150_000)
    assert Asked(paths.workspace, job).tiling(SIZE).count > 3
    tiled, again = opened(job, paths, SIZE)

    made = whole.make(weights, PICTURE)

    assert made.shape == (1, 3 * 45, 3 * 61, 3)
    assert made.std() > 1
    assert far(tiled.make(again, PICTURE), made) <= 1  # of those that lie between two levels


@pytest.mark.long_on_jax
def test_a_cartoon_is_made_in_tiles_too(
    learn: Learn, paths: JobPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of pictures that need no padding: filters know where they end."""
    cartoon = {"family": "cartoon", "blocks": 1, "dataset": None, "inputs": "a", "targets": "b"}
    job, _ = learn(**cartoon)
    size = Resolution(300, 260)
    picture = draw_landscape(2, *size)[None]
    whole, weights = opened(job, paths, size)
    monkeypatch.setattr(asking, "TILE_BYTES", 600_000)
    asked = Asked(paths.workspace, job)
    assert asked.tiling(size).count > 1
    assert asked.tiling(Resolution(301, 260)).is_whole
    tiled, again = opened(job, paths, size)
    assert far(tiled.make(again, picture), whole.make(weights, picture)) <= 1


@pytest.mark.long_on_jax
@pytest.mark.usefixtures("few_layers")
def test_a_ppon_is_used_up_to_any_stage(learn: Learn, paths: JobPaths) -> None:
    job, _ = learn(family="ppon", features=4, blocks=1, scale=2, p3_losses="l1")
    Asked(paths.workspace, job, stage="content").check()
    for wrong, told in (
        ({"stage": "last"}, "it has content, structure and"),
        ({"back": True}, "one way only"),
    ):
        with pytest.raises(UsageError, match=told):
            Asked(paths.workspace, job, **wrong).check()
    whole, content, last = (
        translator.make(weights, PICTURE)
        for translator, weights in (
            opened(job, paths, SIZE, **columns)
            for columns in ({}, {"stage": "content"}, {"stage": "perception"})
        )
    )
    assert far(whole, last) == 0
    assert far(whole, content) > 10


def test_the_strength_is_the_share_of_the_network(learn: Learn, paths: JobPaths) -> None:
    job, _ = learn(**SUPERRES)

    def made(strength: float) -> np.ndarray:
        translator, weights = opened(job, paths, SIZE, strength=strength)
        return translator.make(weights, PICTURE)

    none, half, all_ = map(made, (0.0, 0.5, 1.0))
    assert far(none, np.clip(scaled(PICTURE), 0, 255)) <= 1
    assert far(all_, none) > 10
    assert far(half, ((none.astype(float) + all_) / 2).round()) <= 1


def test_broad_areas_keep_their_colours_and_details_stay() -> None:
    large = np.clip(scaled(PICTURE), 0, 255).astype(np.uint8)
    details = np.random.default_rng(0).integers(-9, 10, large.shape)
    wanted = np.clip(large + details, 0, 235).astype(np.uint8)
    shifted = wanted + np.array([20, 0, 12], np.uint8)

    made = with_colours_of(PICTURE, shifted)

    assert np.abs(made.astype(int) - wanted).mean() < 2
    np.testing.assert_array_less(
        np.abs(made.astype(int).mean((0, 1, 2)) - large.mean((0, 1, 2))), 2
    )


def test_a_network_that_knows_alpha_keeps_colours_too(learn: Learn, paths: JobPaths) -> None:
    job, _ = learn(**SUPERRES, colour_model="rgba")
    translator, weights = opened(job, paths, SIZE, keep_colours=True)
    plain, _ = opened(job, paths, SIZE)

    made = translator.make(weights, PICTURE)

    np.testing.assert_array_equal(made[..., 3], plain.make(weights, PICTURE)[..., 3])
    assert np.abs(made[..., :3].mean((0, 1, 2)) - PICTURE.mean((0, 1, 2))).max() < 6


def test_what_scaling_sees_counts_where_it_is_mixed_in(
    learn: Learn, paths: JobPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a network that sees hardly anything."""
    job, _ = learn(family="superres", net="genome", genome="8k1 out1", scale=4)
    whole, weights = opened(job, paths, SIZE, strength=0.5)
    monkeypatch.setattr(asking, "TILE_BYTES", 150_000)
    tiled, again = opened(job, paths, SIZE, strength=0.5)
    assert far(tiled.make(again, PICTURE), whole.make(weights, PICTURE)) <= 1


def test_alpha_is_enlarged_as_well(learn: Learn, paths: JobPaths) -> None:
    job, _ = learn(**SUPERRES)
    translator, weights = opened(job, paths, SIZE)
    clear = np.concatenate([PICTURE, PICTURE[..., :1]], axis=-1)

    made = translator.make(weights, clear)

    assert made.shape[-1] == 4
    assert np.abs(made[..., 3].astype(float) - scaled(clear)[..., 3]).mean() < 2


def test_ten_bits_stay(learn: Learn, paths: JobPaths) -> None:
    job, _ = learn(**SUPERRES)
    translator, weights = opened(job, paths, SIZE)
    deep = translator.make(weights, PICTURE.astype(np.uint16) * 257)
    assert deep.dtype == np.uint16
    assert len(np.unique(deep)) > 2 * 256
    assert np.abs(deep / 257 - translator.make(weights, PICTURE)).max() <= 1


@pytest.mark.long_on_jax
def test_pictures_are_measured_beside_bicubic_scaling(
    learn: Learn, paths: JobPaths, tmp_path: Path
) -> None:
    job, _ = learn(**SUPERRES)
    picture = draw_landscape(4, 62, 50)
    Image.fromarray(picture).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_text("none")
    asked = Asked(paths.workspace, job, strength=0.0)
    files = [tmp_path / "a.png", tmp_path / "b.png"]
    course = asked.course(asked.moments(), len(files))

    networks = Networks(asked, Device(job, SessionSettings()))
    differences = {}

    def keep(path: Path, made: np.ndarray, wanted: np.ndarray) -> None:
        save_difference(path.with_suffix(".off.png"), made, wanted)
        differences[path] = np.asarray(Image.open(path.with_suffix(".off.png")))

    each, broken = measured(Measure.of(asked, None), course, files, networks, keep)

    assert isinstance(each, Measured)
    assert isinstance(broken, Unreadable)
    high = picture[None, :48, :60]
    low = np.asarray(Image.fromarray(high[0]).resize((20, 16), Image.Resampling.BICUBIC))[None]
    assert each.bicubic == pytest.approx(quality(scaled(low), high, 3), abs=0.02)
    assert each.own == pytest.approx(each.bicubic, abs=0.05), "nothing of the network is in it"
    off = np.clip(scaled(low), 0, 255)[0] - high[0]
    assert np.abs(differences[files[0]].astype(int) - (FLAT + off // 2)).max() <= 2


def test_only_what_enlarges_has_a_strength(learn: Learn, paths: JobPaths) -> None:
    job, _ = learn(family="pix2pix")
    with pytest.raises(UsageError, match="--strength and --keep-colours"):
        Asked(paths.workspace, job, strength=0.5).check()
