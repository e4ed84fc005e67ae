"""How good pictures are that were made of low ones, beside those that they were made of.

Defined once: pictures are whole levels from 0 to 255, of which `shave` pixels at each edge do not
count. Brightness is that of ITU-R BT.601 for video, from 16 to 235, as papers on super-resolution
have it; the peak is 255 all the same.
"""

from __future__ import annotations

import math
from typing import Any

from keras import ops
from numpy.typing import NDArray

from jobs.settings.colours import RGB
from multitrain.networks.colours import WHITE
from multitrain.networks.distances import ms_ssim, ssim
from multitrain.networks.perception import Perception
from multitrain.networks.quality import Quality

BLACK = 16.0
BRIGHTNESS = (65.481, 128.553, 24.966)  # of full red, green and blue, above black

FIDELITIES = 3
LEAST_ERROR = 1e-4  # squared levels: where there is none, the ratio would be infinite

Levels = NDArray[Any]  # (n, height, width, channels), uint8 or float


def quality(
    made: Levels, wanted: Levels, shave: int, perception: Perception | None = None
) -> Quality:
    """Of pictures `(n, height, width, 3 or 4)`; alpha does not count."""
    one, other = (_inside(each, shave) for each in (made, wanted))
    ys = brightness(one), brightness(other)
    apart = perception.apart(_values(one), _values(other)) if perception else None
    return Quality(
        float(psnr(*ys)),
        float(psnr(one, other)),
        1.0 - float(ssim(*map(_values, ys))),
        1.0 - float(ms_ssim(*map(_values, ys))),
        None if apart is None else float(apart),
    )


def measures(made: Any, wanted: Any) -> Any:
    """PSNR and SSIM of the brightness of pictures `(1, height, width, 3 or 4)` of levels.

    A vector, to be computed on a device.
    """
    ys = [brightness(_whole(each)) for each in (made, wanted)]
    return ops.stack([psnr(*ys), 1.0 - ssim(*map(_values, ys))])


def fidelities(made: Any, wanted: Any) -> Any:
    """PSNR of all colours, SSIM and MS-SSIM of brightness: of pictures `(1, height, width, 3)`.

    A vector of `FIDELITIES`, to be computed on a device.
    """
    whole = [_whole(each) for each in (made, wanted)]
    ys = [_values(brightness(each)) for each in whole]
    return ops.stack([psnr(*whole), 1.0 - ssim(*ys), 1.0 - ms_ssim(*ys)])


def psnr(one: Any, other: Any) -> Any:
    """In dB, over all pixels and channels; at most 88, where there is hardly a difference."""
    error = ops.maximum(ops.mean(ops.square(one - other)), LEAST_ERROR)
    return (10.0 / math.log(10)) * ops.log(WHITE**2 / error)


def brightness(levels: Any) -> Any:
    """Of `(n, height, width, 3)` float32: `(n, height, width, 1)`, from 16 to 235."""
    red, green, blue = (levels[..., channel : channel + 1] for channel in range(RGB))
    shares = (share / WHITE for share in BRIGHTNESS)
    return sum(share * each for share, each in zip(shares, (red, green, blue), strict=True)) + BLACK


def _values(levels: Any) -> Any:
    """From -1 to 1, as distances take them."""
    return levels * (2.0 / WHITE) - 1.0


def _whole(pictures: Any) -> Any:
    """Colours as a file has them."""
    return ops.clip(ops.round(ops.cast(pictures[..., :RGB], "float32")), 0.0, WHITE)


def _inside(pictures: Levels, shave: int) -> Any:
    height, width = pictures.shape[1:3]
    return _whole(ops.convert_to_tensor(pictures))[:, shave : height - shave, shave : width - shave]
