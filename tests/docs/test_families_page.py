"""The family that docs/families.md builds, as it stands there."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from jobs.workspace.jobfile import JobFile
from multitrain.engine.feeds import only
from multitrain.engine.session import SessionSettings

PAGE = Path(__file__).parents[2] / "docs" / "families.md"


@pytest.fixture(scope="module")
def colours() -> SimpleNamespace:
    """All that the code on the page defines."""
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    assert len(blocks) == 2
    names: dict[str, object] = {}
    for block in blocks:
        exec(block, names)
    return SimpleNamespace(**names)


def test_its_plan_knows_what_it_builds(
    colours: SimpleNamespace, tiny_job: Callable[..., JobFile]
) -> None:
    job = tiny_job()
    family = colours.COLOURS
    (layer,) = family.layers(job.spec, 12, 9)["generator"]
    network = colours.describe(job).networks[family.sampler]
    assert layer.parameters == network.count_params()
    assert family.operations(job.spec, 12, 9) > 0
    assert family.trained(job.spec).keys() == set(family.networks)


def test_it_learns_films_and_resumes(
    colours: SimpleNamespace, tiny_job: Callable[..., JobFile]
) -> None:
    job = tiny_job(learning_rate_g=0.05)
    red = np.zeros((7, 9, 12, 3), np.uint8)
    red[..., 0] = 200
    session, other = (colours.open_session(job, only(red), SessionSettings()) for _ in range(2))

    losses = [session.run(1).losses["g"] for _ in range(60)]
    other.restore(session.state())

    assert losses[-1] < losses[0] / 10
    frames = session.run(2).frames
    np.testing.assert_array_equal(other.run(2).frames, frames)
    assert frames.shape == (4, 18, 36, 3)
    assert np.abs(frames[-1].mean(axis=(0, 1)) - (200, 0, 0)).max() < 40
    drawn = colours.describe_sampler(job)
    samples = drawn.to_picture(drawn.network(np.zeros((2, 5), np.float32)))
    assert samples.shape == (2, 9, 12, 3)
