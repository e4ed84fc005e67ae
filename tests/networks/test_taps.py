from __future__ import annotations

import numpy as np
import pytest
from keras import ops

from multitrain.networks.taps import without_unseen


def convolved(pictures: np.ndarray, kernel: np.ndarray, stride: int, dilation: int) -> np.ndarray:
    return np.asarray(
        ops.conv(pictures, kernel, strides=stride, padding="same", dilation_rate=dilation)
    )


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (2, 3), (5, 4), (9, 9)], ids=str)
@pytest.mark.parametrize("window", [(1, 1), (5, 5), (4, 6), (7, 2)], ids=str)
@pytest.mark.parametrize(("stride", "dilation"), [(1, 1), (2, 1), (3, 1), (1, 2)])
def test_what_meets_no_pixel_and_only_that_is_nought(
    size: tuple[int, int], window: tuple[int, int], stride: int, dilation: int
) -> None:
    """A value meets a pixel where the convolution depends on it."""
    ones = np.ones((1, *size, 1), np.float32)
    kernel = np.ones((*window, 1, 1), np.float32)

    left = np.asarray(without_unseen(kernel, size, stride, dilation))

    for row, column in np.ndindex(window):
        alone = np.zeros_like(kernel)
        alone[row, column] = 1
        meets = convolved(ones, alone, stride, dilation).any()
        assert left[row, column, 0, 0] == meets, (row, column)


def test_a_kernel_that_is_seen_whole_stays_itself() -> None:
    kernel = np.ones((5, 5, 2, 3), np.float32)

    assert without_unseen(kernel, (8, 8), stride=2) is kernel
