"""Headers: what a receiver has to know of a stream, and nothing else of the job."""

from __future__ import annotations

from fractions import Fraction
from random import Random
from typing import Any

import pytest

from jobs.families.layer import Shape
from jobs.settings.kinds import Resolution
from jobs.settings.spec import JobSpec
from jobs.workspace.jobfile import JobFile
from multitrain.codec.facts import Facts
from multitrain.codec.stream import NoStream

CELLS = {"dataset": "secret", "grid_width": 1, "grid_height": 1, "steps": 1}


def facts(**columns: object) -> Facts:
    spec = JobSpec.model_validate({"name": "j", "family": "autoencoder", **CELLS, **columns})
    job = JobFile(spec=spec, image_width=64, image_height=48)
    return Facts(job, Resolution(80, 64), Fraction(30000, 1001), 3)


@pytest.mark.parametrize(
    "columns",
    [{"net": "small", "features": 6}, {"net": "oval", "quantise": 0, "output_colours": "lab"}],
    ids=str,
)
def test_a_header_says_all_that_a_receiver_needs(columns: dict[str, object]) -> None:
    written = facts(**columns)
    read = Facts.read(written.written())
    assert (read.size, read.fps, read.channels) == (written.size, written.fps, written.channels)
    assert read.coding == written.coding
    assert (read.sent, read.is_quantised) == (written.sent, written.is_quantised)
    assert read.most_bytes > written.sent.values * 2
    assert "secret" not in str(written.written())


def test_latents_of_fewer_channels_are_sent() -> None:
    assert facts(net="small", latent_channels=10).sent == Shape(8, 10, 3)


WRONG: tuple[Any, ...] = (None, -1, 0, 10**9, "x", [], {}, [0, 0], [10**6, 1], ["a", "b"], True)


def test_whatever_a_header_says_it_is_read_or_refused(cases: int) -> None:
    good = facts(net="small").written()
    for number in range(cases):
        random = Random(number)
        changed = {**good, "coding": dict(good["coding"])}
        where = random.choice([changed, changed["coding"]])
        name = random.choice(list(where))
        if random.random() < 0.2:
            del where[name]
        else:
            where[name] = random.choice(WRONG)
        try:
            read = Facts.read(changed)
        except NoStream:
            continue
        assert read.most_bytes < 10**9, changed
