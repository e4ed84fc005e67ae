"""The pixels of DPX files: decoded by FFmpeg, made fit for a display by what the header says.

To import this registers the decoder that `jobs.pictures.dpx` names, so that Pillow loads DPX files
like any others.
"""

from __future__ import annotations

from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from jobs.pictures.dpx import DECODER, Transfer

# Kodak, "Conversion of 10-bit Log Film Data To 8-bit Linear or Video Data", 1995: 10-bit code
# values of black and white, density per code value, and the gamma of negative film.
BLACK_CODE, WHITE_CODE, TOP_CODE = 95, 685, 1023
DENSITY_PER_CODE = 0.002
FILM_GAMMA = 0.6

_NATIVE = ("gray", "rgb", "gbr")  # formats that PyAV gives as they are: grey, RGB or RGBA

Floats = NDArray[np.float64]


def decode_dpx(file: IO[bytes], transfer: Transfer) -> NDArray[np.uint8]:
    """The picture in `file`: `(height, width)` or `(height, width, 3 or 4)`, sRGB, 8 bits.

    OSError where it is damaged, or packed in a way that FFmpeg does not know.
    """
    import av  # few have such files, and it takes a while

    try:
        with av.open(file, mode="r", format="dpx_pipe") as container:
            frame = next(container.decode(video=0))
            is_native = frame.format.name.startswith(_NATIVE)
            with_alpha = len(frame.format.components) == 4
            values = frame.to_ndarray(
                format=None if is_native else "rgba" if with_alpha else "rgb24"
            )
            bits = frame.format.components[0].bits if is_native else 8
    except (av.error.FFmpegError, StopIteration, ValueError) as error:
        raise OSError("is damaged, or no DPX that FFmpeg decodes") from error
    return _for_display(values, bits, transfer)


def _for_display(values: NDArray[Any], bits: int, transfer: Transfer) -> NDArray[np.uint8]:
    """Code values of `bits` bits as sRGB; alpha stays in proportion."""
    colour = _look_up(values, bits, transfer)
    if values.ndim == 3 and values.shape[2] == 4 and transfer != "display":
        colour[..., 3] = _look_up(values[..., 3], bits, "display")
    return colour


def _look_up(values: NDArray[Any], bits: int, transfer: Transfer) -> NDArray[np.uint8]:
    every = np.arange(2**bits) / (2**bits - 1)
    display: NDArray[np.uint8] = _in_bytes(every, transfer)[values]
    return display


def _in_bytes(values: Floats, transfer: Transfer) -> NDArray[np.uint8]:
    """sRGB levels 0..255 of `values` in 0..1."""
    if transfer == "log":
        values = srgb(light_of_film(values))
    elif transfer == "linear":
        values = srgb(values)
    levels: Floats = np.rint(values.clip(0, 1) * 255)
    return levels.astype(np.uint8)


def light_of_film(values: Floats) -> Floats:
    """Printing densities, 0..1 for code values 0..1023, as light: black is 0, white 1."""
    codes = values * TOP_CODE

    def light(code: Floats | int) -> Floats:
        return np.power(10.0, (np.asarray(code) - WHITE_CODE) * DENSITY_PER_CODE / FILM_GAMMA)

    black = light(BLACK_CODE)
    return (light(codes) - black) / (1 - black)


def srgb(light: Floats) -> Floats:
    """Light, 0..1, as IEC 61966-2-1 encodes it."""
    light = light.clip(0, 1)
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


class _Decoder(ImageFile.PyDecoder):
    """What Pillow calls to load a `jobs.pictures.dpx.DpxImageFile`."""

    _pulls_fd = True

    def decode(self, buffer: Image.DecoderInput) -> tuple[int, int]:  # noqa: ARG002
        assert self.fd is not None
        self.fd.seek(0)
        (transfer,) = self.args
        self.set_as_raw(decode_dpx(self.fd, transfer).tobytes())
        return -1, 0  # all is there


Image.register_decoder(DECODER, _Decoder)
