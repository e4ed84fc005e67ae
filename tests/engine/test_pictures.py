"""Which parts of which pictures a step sees, alike on both engines."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from jobs.settings.kinds import Resolution
from multitrain.engine.mixture import Mixture
from multitrain.engine.windows import Window
from tests.engine.coded import Part, coded, parts_of

COUNT, BATCH, BATCHES = 9, 6, 2
WINDOW = Window(Resolution(17, 13), Resolution(12, 9), flip=True)


def seen(step: int, *, in_place: bool = True, window: Window | None = WINDOW, detours: int = 0,
         ) -> list[Part]:  # fmt: skip
    """What step `step` sees of coded pictures."""
    look = _on_jax if keras.backend.backend() == "jax" else _on_tensorflow
    found = look(step, in_place, window, detours)
    size = window.size if window else WINDOW.picture
    assert found.shape == (BATCHES, BATCH, size.height, size.width, 3)
    return parts_of(found)


def _on_jax(step: int, in_place: bool, window: Window | None, detours: int) -> np.ndarray:
    import jax
    import jax.numpy as jnp

    from multitrain.engine.jax.pictures import Drawing, PicturesInPlace, PicturesReadAhead

    drawing = Drawing(3, Mixture((COUNT,), (1,)), BATCH, BATCHES, window, detours)
    pictures = coded(COUNT, *WINDOW.picture)
    there: PicturesInPlace | PicturesReadAhead = (
        PicturesInPlace(jnp.asarray(pictures), drawing)
        if in_place
        else PicturesReadAhead(pictures, drawing)
    )
    (feed,) = there.feeds(step, 1)
    return np.asarray(jax.jit(there.of_step)(there.resident, feed, detours, step))


def _on_tensorflow(step: int, in_place: bool, window: Window | None, detours: int) -> np.ndarray:
    import tensorflow as tf

    from multitrain.engine.tensorflow.pictures import Drawing, PicturesInPlace, PicturesReadAhead
    from multitrain.engine.tensorflow.random import Draws

    drawing = Drawing(Draws(3, detours), Mixture((COUNT,), (1,)), BATCH, BATCHES, window)
    pictures = coded(COUNT, *WINDOW.picture)
    there: PicturesInPlace | PicturesReadAhead = (
        PicturesInPlace(pictures, drawing, ("CPU:0",))
        if in_place
        else PicturesReadAhead(pictures, drawing)
    )
    feed = there.feed(step, 1)
    look = tf.function(lambda feed: there.of_step(feed, 0, tf.constant(step, tf.int64)))
    return look(feed).numpy()


def test_each_picture_is_cut_at_a_place_of_its_own_at_each_step_and_detour() -> None:
    parts = [part for step in range(20) for part in seen(step)]

    places = {part[1:] for part in parts}
    assert {part.top for part in parts} == set(range(5))
    assert {part.left for part in parts} == set(range(6))
    assert len(places) > 55, "of 60 places, mirrored or not"
    assert {part[1:] for part in seen(0)} != {part[1:] for part in seen(0, detours=1)}


@pytest.mark.parametrize("in_place", [True, False])
def test_the_pictures_are_those_that_were_drawn_without_a_window(in_place: bool) -> None:
    whole = seen(4, in_place=in_place, window=None)

    assert [part[1:] for part in whole] == [(0, 0, False)] * len(whole)
    assert [part.picture for part in seen(4, in_place=in_place)] == [p.picture for p in whole]


def test_pictures_that_are_read_ahead_are_cut_as_those_in_place() -> None:
    for step in (0, 7):
        assert seen(step, in_place=False) == seen(step)
