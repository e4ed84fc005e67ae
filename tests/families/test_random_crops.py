"""Training on parts of larger pictures, with whichever engine Keras runs on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from jobs.workspace.jobfile import JobFile
from multitrain.engine.feeds import only
from multitrain.engine.session import Session, SessionSettings
from multitrain.families import open_session

Open = Callable[..., Session]


@pytest.fixture
def job(tiny_job: Callable[..., JobFile]) -> JobFile:
    columns = {"preprocess": "crop", "crop_size": "12x9", "flip": True, "nbr_d_updates": 2}
    return tiny_job(loaded="17x13", learning_rate_g=0.03, **columns)


@pytest.fixture
def fresh(job: JobFile, noise: Callable[..., np.ndarray]) -> Open:
    return lambda **settings: open_session(job, only(noise(job)), SessionSettings(**settings))


def test_frames_show_what_networks_make_in_the_size_of_the_parts(fresh: Open) -> None:
    assert fresh().run(1).frames.shape == (2, 2 * 9, 3 * 12, 3)


@pytest.mark.parametrize("on_device", [True, False])
def test_neither_blocks_nor_resumes_nor_where_the_pictures_lie_change_the_frames(
    fresh: Open, on_device: bool
) -> None:
    whole = fresh(pictures_on_device=True).run(5).frames
    first, second = (fresh(pictures_on_device=on_device) for _ in range(2))

    parts = [first.run(1).frames, first.run(2).frames]
    second.restore(first.state())
    parts.append(second.run(2).frames)

    np.testing.assert_array_equal(np.concatenate(parts), whole)
