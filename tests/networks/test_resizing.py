"""Pictures made smaller and larger, beside what Pillow makes of them."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from jobs.settings.translation import Kernel
from multitrain.networks.resizing import resized

PICTURE = np.random.default_rng(0).uniform(0, 255, (61, 97)).astype(np.float32)


@pytest.mark.parametrize("size", [(48, 30), (24, 15), (194, 122), (97, 61)])
@pytest.mark.parametrize(
    ("kernel", "pillows"),
    [
        ("bicubic", Image.Resampling.BICUBIC),
        ("bilinear", Image.Resampling.BILINEAR),
        ("lanczos", Image.Resampling.LANCZOS),
        ("box", Image.Resampling.BOX),
        ("nearest", Image.Resampling.NEAREST),
    ],
)
def test_they_are_pillows(kernel: Kernel, pillows: Image.Resampling, size: tuple[int, int]) -> None:
    wanted = np.asarray(Image.fromarray(PICTURE).resize(size, pillows))
    made = np.asarray(resized(PICTURE[None, ..., None], size[1], size[0], kernel))
    np.testing.assert_allclose(made[0, ..., 0], wanted, atol=1e-3)
