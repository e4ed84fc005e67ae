"""Distances of pictures, by hand and beside an independent library's."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

from jobs.settings.translation import Term
from multitrain.networks.distances import DISTANCES, contextual, of_maps, scales_of
from tests.combinations import first_on_jax

NEEDS_TENSORFLOW = pytest.mark.skipif(
    keras.backend.backend() == "jax", reason="compared with TensorFlow's"
)


def pair_of(height: int, width: int, noise: float = 0.3) -> tuple[np.ndarray, np.ndarray]:
    """A smooth picture in [-1, 1] and a noisy one, `(2, height, width, 3)`."""
    random = np.random.default_rng(0)
    rows, columns = np.mgrid[:height, :width]
    waves = np.sin(rows / 7)[..., None] * np.cos(columns[..., None] / np.array([5, 9, 13]))
    one = np.stack([waves, -waves]).astype(np.float32)
    return one, np.clip(one + random.normal(0, noise, one.shape), -1, 1).astype(np.float32)


def a_little_brighter(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """The smooth picture, and it by eight levels of 255 brighter: about middle grey."""
    one = pair_of(height, width)[0] / 2
    return one, one + np.float32(8 / 127.5)


def levels(pictures: np.ndarray) -> np.ndarray:
    """From 0 to 255."""
    return (pictures + 1) * 127.5


def found(name: str, one: np.ndarray, other: np.ndarray) -> float:
    return float(DISTANCES[name](ops.convert_to_tensor(one), ops.convert_to_tensor(other)))


def test_every_term_but_those_of_other_networks_is_a_distance() -> None:
    of_networks = {"gan", "cycle", "identity", "feature", "perceptual", "contextual"}
    assert set(DISTANCES) | of_networks == set(Term.TABLE)


@pytest.mark.parametrize("name", first_on_jax(sorted(set(DISTANCES) - {"tv"})))
def test_equal_pictures_lie_not_apart(name: str) -> None:
    one, other = pair_of(24, 31)
    assert found(name, one, one) == pytest.approx(0, abs=1e-6)
    assert found(name, one, other) > 0.02


def test_terms_are_written_as_they_are() -> None:
    for weight in (0.05, 100.0, 33.3333333, 1234567.0, 1e-9):
        term = Term("l1", (("weight", weight),))
        assert Term.parse(str(term)) == term
    assert str(Term.parse("l1*100")) == "l1*100"


def test_simple_ones_by_hand() -> None:
    one, other = pair_of(8, 12)
    apart = one - other

    def halves(x: np.ndarray) -> np.ndarray:
        return x.reshape(2, x.shape[1] // 2, 2, x.shape[2] // 2, 2, 3).mean(axis=(2, 4))

    wanted = {
        "l1": np.abs(apart).mean(),
        "l2": np.square(apart).mean(),
        "charbonnier": (np.sqrt(np.square(apart) + 1e-6) - 1e-3).mean(),
        "elastic": 0.8 * np.abs(apart).mean() + 0.2 * np.square(apart).mean(),
        "multiscale-l1": np.mean(
            [np.abs(each).mean() for each in (apart, halves(apart), halves(halves(apart)))]
        ),
        "tv": np.abs(np.diff(one, axis=1)).mean() + np.abs(np.diff(one, axis=2)).mean(),
    }
    for name, value in wanted.items():
        assert found(name, one, other) == pytest.approx(value, rel=1e-5), name


@NEEDS_TENSORFLOW
def test_ssim_is_that_of_tensorflow() -> None:
    import tensorflow as tf

    for one, other in (pair_of(30, 41), a_little_brighter(30, 41)):
        similarity = float(tf.reduce_mean(tf.image.ssim(levels(one), levels(other), 255.0)))
        assert found("ssim", one, other) == pytest.approx(1 - similarity, abs=1e-5)


@NEEDS_TENSORFLOW
def test_ms_ssim_is_that_of_tensorflow_where_it_has_all_scales() -> None:
    import tensorflow as tf

    for one, other in (pair_of(176, 192), a_little_brighter(176, 192)):
        similarities = tf.image.ssim_multiscale(levels(one), levels(other), 255.0)
        wanted = 1 - float(tf.reduce_mean(similarities))
        assert found("ms-ssim", one, other) == pytest.approx(wanted, abs=1e-4)


def test_there_are_as_many_scales_as_the_window_fits_into() -> None:
    sides = (5, 11, 21, 22, 44, 88, 175, 176, 999)
    assert [scales_of(side, 999) for side in sides] == [1, 1, 1, 2, 3, 4, 4, 5, 5]


@NEEDS_TENSORFLOW
@pytest.mark.parametrize("name", DISTANCES)
def test_gradients_are_finite_however_unlike_pictures_are(name: str) -> None:
    """TensorFlow's MS-SSIM has none where a picture is the other's negative."""
    import tensorflow as tf

    one, _ = pair_of(48, 40)
    made = tf.Variable(-one)
    with tf.GradientTape() as tape:
        distance = DISTANCES[name](made, tf.constant(one))
    gradient = tape.gradient(distance, made).numpy()
    assert np.isfinite(gradient).all()
    assert np.isfinite(float(distance))


def test_maps_of_layers_lie_apart_by_the_sum_of_their_means() -> None:
    one, other = pair_of(8, 12)
    small, smaller = one[:, ::2, ::2], other[:, ::2, ::2]
    wanted = np.abs(one - other).mean() + np.abs(small - smaller).mean()
    assert float(of_maps([one, small], [other, smaller])) == pytest.approx(wanted, rel=1e-5)


def by_hand(made: np.ndarray, wanted: np.ndarray) -> float:
    """The contextual distance of maps `(height, width, channels)`, place by place."""
    xs, ys = (each.reshape(-1, each.shape[-1]).astype(float) for each in (made, wanted))
    middle = ys.mean(axis=0)

    def cosine(x: np.ndarray, y: np.ndarray) -> float:
        return (x - middle) @ (y - middle) / np.linalg.norm(x - middle) / np.linalg.norm(y - middle)

    nearness = np.zeros((len(xs), len(ys)))
    for i, x in enumerate(xs):
        distances = np.array([1 - cosine(x, y) for y in ys])
        weights = np.exp((1 - distances / (distances.min() + 1e-5)) / 0.5)
        nearness[i] = weights / weights.sum()
    return -np.log(nearness.max(axis=0).mean())


def test_contextual_is_what_the_paper_says() -> None:
    random = np.random.default_rng(0)
    made, wanted = random.normal(size=(2, 2, 3, 4, 5)).astype(np.float32)
    found = float(contextual(ops.convert_to_tensor(made), ops.convert_to_tensor(wanted)))
    each = [by_hand(*pair) for pair in zip(made, wanted, strict=True)]
    assert found == pytest.approx(np.mean(each), rel=1e-3)


def test_contextual_looks_for_what_is_there_not_for_where_it_is() -> None:
    maps = np.random.default_rng(0).normal(size=(1, 4, 5, 6)).astype(np.float32)
    moved, other = np.roll(maps, 2, axis=2), np.roll(maps, 1, axis=3)
    near, far = (float(contextual(ops.convert_to_tensor(each), maps)) for each in (moved, other))
    assert near == pytest.approx(0, abs=1e-3)
    assert far > 0.3


def test_contextual_compares_few_places_of_large_maps() -> None:
    one = np.random.default_rng(0).normal(size=(1, 130, 64, 2)).astype(np.float32)
    halves = one.reshape(1, 65, 2, 32, 2, 2).mean(axis=(2, 4))
    quarters = halves[:, :64].reshape(1, 32, 2, 16, 2, 2).mean(axis=(2, 4))
    both = [one, one[:, ::-1].copy()]
    small = [quarters, halves[:, ::-1][:, :64].reshape(1, 32, 2, 16, 2, 2).mean(axis=(2, 4))]
    assert float(contextual(*both)) == pytest.approx(float(contextual(*small)), rel=1e-4)
