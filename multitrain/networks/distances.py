"""How far apart pictures lie: what generators learn to make small.

Pictures are `(n, height, width, channels)` float32 in [-1, 1]; each distance is a scalar, 0 of
equal pictures, but for the total variation, which is of the pictures that are made alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from keras import ops

EDGE = 1e-6  # of shares from 0 to 1, whose logarithms have to stay finite
ELASTIC = 0.8  # the share of L1; the rest is of L2
CHARBONNIER = 1e-3  # where the distance goes over from a square to a straight line

WINDOW, DEVIATION = 11, 1.5  # of the Gaussian in which SSIM compares, in pixels
RANGE = 2.0  # from the least to the largest value
K1, K2 = 0.01, 0.03
# Of the five scales of MS-SSIM, the finest first. With fewer scales, they are made to sum to 1.
SCALES = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
LEAST = 1e-4  # of a similarity, whose power has no finite slope at 0

MOST_PLACES = 64  # a side, of maps that are compared place by place: all pairs lie in memory
BANDWIDTH = 0.5  # as the authors have it
TINY = 1e-5

PYRAMID = 3  # scales of the multiscale L1


def l1(made: Any, wanted: Any) -> Any:
    """The mean of the differences of values."""
    return ops.mean(ops.abs(made - wanted))


def l2(made: Any, wanted: Any) -> Any:
    """The mean of their squares."""
    return ops.mean(ops.square(made - wanted))


def charbonnier(made: Any, wanted: Any) -> Any:
    """L1 with a round bottom; Lai et al. 2017, https://arxiv.org/abs/1704.03915."""
    squares = ops.square(made - wanted)
    return ops.mean(ops.sqrt(squares + CHARBONNIER**2) - CHARBONNIER)


def bce(made: Any, wanted: Any) -> Any:
    """The binary cross-entropy of values as shares from 0 to 1, less the wanted ones' own entropy.

    So it is the divergence of Kullback and Leibler, 0 of equal pictures, with the slopes of the
    cross-entropy.
    """
    one, other = (ops.clip((each + 1.0) / 2.0, EDGE, 1.0 - EDGE) for each in (made, wanted))
    apart = other * (ops.log(other) - ops.log(one))
    return ops.mean(apart + (1.0 - other) * (ops.log(1.0 - other) - ops.log(1.0 - one)))


def elastic(made: Any, wanted: Any) -> Any:
    """L1 and L2 together, as the elastic net; Zou and Hastie 2005."""
    return ELASTIC * l1(made, wanted) + (1.0 - ELASTIC) * l2(made, wanted)


def of_maps(made: Sequence[Any], wanted: Sequence[Any]) -> Any:
    """The sum of the L1 of maps that a discriminator's layers make of two pictures.

    Wang et al. 2018, section 3.2, https://arxiv.org/abs/1711.11585.
    """
    return sum(l1(one, ops.stop_gradient(other)) for one, other in zip(made, wanted, strict=True))


def contextual(made: Any, wanted: Any) -> Any:
    """How little of what the wanted maps have is in the others, wherever it is; 0: all of it.

    Of maps `(n, height, width, channels)`. Mechrez et al. 2018, https://arxiv.org/abs/1803.02077:
    places are alike by the cosine between their features, seen from the mean of the wanted ones.
    Each wanted place is to be the nearest of some place that was made.
    """
    similarities = _nearness(_places(made), _places(wanted))
    return -ops.mean(ops.log(ops.mean(ops.max(similarities, axis=1), axis=1) + TINY))


def _places(maps: Any) -> Any:
    """`(n, places, channels)` float32, of at most `MOST_PLACES` rows and columns."""
    while max(maps.shape[1:3]) > MOST_PLACES:
        maps = halved(maps)
    height, width, channels = maps.shape[1:]
    return ops.reshape(ops.cast(maps, "float32"), (-1, height * width, channels))


def _nearness(made: Any, wanted: Any) -> Any:
    """Of each place that was made, how its likeness is shared out among those wanted: `(n, i, j)`,
    1 in sum over j.
    """
    middle = ops.mean(wanted, axis=1, keepdims=True)
    one, other = (_unit(each - middle) for each in (made, wanted))
    distances = 1.0 - ops.einsum("nic,njc->nij", one, other)
    relative = distances / (ops.min(distances, axis=2, keepdims=True) + TINY)
    return ops.softmax((1.0 - relative) / BANDWIDTH, axis=2)


def _unit(vectors: Any) -> Any:
    return vectors * ops.rsqrt(ops.sum(ops.square(vectors), axis=-1, keepdims=True) + TINY**2)


def multiscale_l1(made: Any, wanted: Any) -> Any:
    """The mean L1 of pictures as they are, at half their size, and at a quarter of it."""
    distances = []
    for scale in range(PYRAMID):
        if scale:
            made, wanted = halved(made), halved(wanted)
        distances.append(l1(made, wanted))
    return sum(distances) / PYRAMID


def coarse_l1(made: Any, wanted: Any) -> Any:
    """The L1 of pictures at a quarter of their size: details are free."""
    return l1(halved(halved(made)), halved(halved(wanted)))


def total_variation(made: Any, wanted: Any) -> Any:  # noqa: ARG001
    """The mean difference from a pixel to the one below it and to the one at its right."""
    down = ops.mean(ops.abs(made[:, 1:] - made[:, :-1]))
    return down + ops.mean(ops.abs(made[:, :, 1:] - made[:, :, :-1]))


def ssim(made: Any, wanted: Any) -> Any:
    """1 less the structural similarity; Wang et al. 2004, with their constants."""
    return 1.0 - ops.mean(_similarities(made + 1.0, wanted + 1.0)[0])


def ms_ssim(made: Any, wanted: Any) -> Any:
    """1 less the similarity over several scales; Wang, Simoncelli and Bovik 2003.

    There are as many scales, up to five, as the window fits into. Negative similarities, which have
    no power, count as next to none.
    """
    scales = scales_of(*made.shape[1:3])
    weights = np.array(SCALES[:scales]) / sum(SCALES[:scales])
    product: Any = 1.0
    made, wanted = made + 1.0, wanted + 1.0
    for scale, weight in enumerate(weights.tolist()):
        if scale:
            made, wanted = halved(made), halved(wanted)
        whole, contrast = _similarities(made, wanted)
        similarity = ops.mean(whole if scale == scales - 1 else contrast, axis=(1, 2))
        product = product * ops.power(ops.maximum(similarity, LEAST), weight)
    return 1.0 - ops.mean(product)


def scales_of(height: int, width: int) -> int:
    """The scales of MS-SSIM at which a picture is as large as the window."""
    return max(1, min(len(SCALES), (min(height, width) // WINDOW).bit_length()))


def halved(pictures: Any) -> Any:
    """Means of four pixels; of an odd side, the last row or column is left out."""
    return ops.average_pool(pictures, 2, 2, padding="valid")


def _similarities(one: Any, other: Any) -> tuple[Any, Any]:
    """SSIM, and its part of contrast and structure, at each place where the window fits.

    Values are from 0 on: it compares means by their ratio.
    """
    mean_one, mean_other = _windowed(one), _windowed(other)
    square_one, square_other = ops.square(mean_one), ops.square(mean_other)
    product = mean_one * mean_other
    variances = _windowed(ops.square(one) + ops.square(other)) - square_one - square_other
    covariance = _windowed(one * other) - product
    c1, c2 = (K1 * RANGE) ** 2, (K2 * RANGE) ** 2
    contrast = (2.0 * covariance + c2) / (variances + c2)
    luminance = (2.0 * product + c1) / (square_one + square_other + c1)
    return luminance * contrast, contrast


def _windowed(pictures: Any) -> Any:
    """Means by the Gaussian window, where it fits; of smaller pictures, of what there is of it."""
    for axis in (1, 2):
        side = pictures.shape[axis]
        reach = min(WINDOW, side)
        weights = np.exp(-((np.arange(reach) - (reach - 1) / 2) ** 2) / (2 * DEVIATION**2))
        weights = weights / weights.sum()
        places = side - reach + 1
        parts = [
            pictures[(slice(None),) * axis + (slice(start, start + places),)] * float(weight)
            for start, weight in enumerate(weights)
        ]
        pictures = sum(parts[1:], parts[0])
    return pictures


DISTANCES: Mapping[str, Callable[[Any, Any], Any]] = {
    "l1": l1,
    "l2": l2,
    "charbonnier": charbonnier,
    "bce": bce,
    "elastic": elastic,
    "multiscale-l1": multiscale_l1,
    "coarse-l1": coarse_l1,
    "ssim": ssim,
    "ms-ssim": ms_ssim,
    "tv": total_variation,
}
