"""Words that a column knows, and that the family of a row does not."""

from __future__ import annotations

import pytest

from jobs.settings.parsing import parse_cells

ROW = {"name": "a", "dataset": "demo", "grid_width": "1", "grid_height": "1", "steps": "1"}
ENLARGING = "srresnet, rrdb, pan, compact, basicsr, expansionsr, denoise, vdsr, vdsr-elu, recurrent"


@pytest.mark.parametrize(
    ("family", "net", "told"),
    [
        ("autoencoder", "oval", None),
        ("autoencoder", "rrdb", "must be one of oval, small, not 'rrdb'"),
        ("autoencoder", "smal", "must be one of oval, small, not 'smal'; did you mean 'small'?"),
        ("superres", "small", f"must be one of {ENLARGING}, genome, not 'small'"),
        ("superres", "pan", None),
        ("dcgan", "pan", None),  # means nothing to it, which is told where it stands in its row
    ],
)
def test_they_are_told_with_those_that_it_knows(family: str, net: str, told: str | None) -> None:
    _, reasons = parse_cells({**ROW, "family": family, "net": net})
    assert reasons == ({"net": told} if told else {})
