"""DPX (SMPTE 268M), the scanners' format: its header, as a format of Pillow's.

Only the header is read here. The pixels are decoded where `multitrain.datasets.decoded.dpx` is
imported, which registers the decoder that a picture names.
"""

from __future__ import annotations

import os
import struct
from typing import IO, Literal, NamedTuple

from PIL import Image, ImageFile

# How values stand for light: as a display shows them, in proportion, or as the density of film.
Transfer = Literal["display", "linear", "log"]

FORMAT = "DPX"
DECODER = "dpx"
HEADER_BYTES = 808  # the part that is read; the whole header takes 1408 bytes or more
MAGIC = {b"SDPX": ">", b"XPDS": "<"}

# SMPTE 268M-2003, table 1 (descriptors of an image element) and table 5A (transfer
# characteristics: printing density, linear, logarithmic; all others are meant for displays).
_MODES = {6: "L", 50: "RGB", 51: "RGBA", 52: "RGBA", 100: "RGB", 102: "RGB"}
_CHANNELS = {6: 1, 50: 3, 51: 4, 52: 4, 100: 2, 102: 3}
_TRANSFERS: dict[int, Transfer] = {1: "log", 2: "linear", 3: "log"}
_UNCOMPRESSED = 0
_UNDEFINED = 0xFFFFFFFF


class Header(NamedTuple):
    """What the header says; `least_bytes` is the least size that the whole file can have."""

    width: int
    height: int
    mode: str  # in Pillow's words
    transfer: Transfer
    least_bytes: int


def read_header(start: bytes) -> Header:
    """The header in the first `HEADER_BYTES` bytes of a file. SyntaxError where there is none."""
    order = MAGIC.get(start[:4])
    if order is None or len(start) < HEADER_BYTES:
        raise SyntaxError("not a DPX file")
    data_at, file_bytes = struct.unpack_from(f"{order}I8xI", start, 4)
    width, height = struct.unpack_from(f"{order}II", start, 772)
    descriptor, transfer, bits = struct.unpack_from("BBxB", start, 800)
    packing_and_encoding = struct.unpack_from(f"{order}HH", start, 804)
    if not (width and height) or descriptor not in _MODES:
        raise SyntaxError("a DPX file without pixels, or of unknown channels")
    least = 0 if file_bytes == _UNDEFINED else file_bytes
    if packing_and_encoding[1] == _UNCOMPRESSED:
        least = max(least, data_at + width * height * _CHANNELS[descriptor] * bits // 8)
    return Header(width, height, _MODES[descriptor], _TRANSFERS.get(transfer, "display"), least)


class DpxImageFile(ImageFile.ImageFile):
    """A DPX file, as Pillow opens it; `transfer` may be set before it is loaded."""

    format = FORMAT
    format_description = "Digital Picture Exchange"

    def _open(self) -> None:
        assert self.fp is not None
        header = read_header(self.fp.read(HEADER_BYTES))
        # A decoder would make a skewed picture of a file whose end is missing.
        if _size(self.fp) < header.least_bytes:
            raise OSError("is truncated")
        self._size = header.width, header.height
        self._mode = header.mode
        self.transfer = header.transfer

    @property
    def transfer(self) -> Transfer:
        """As in the header, unless another one was set."""
        return self._transfer

    @transfer.setter
    def transfer(self, transfer: Transfer) -> None:
        self._transfer = transfer
        self.tile = [ImageFile._Tile(DECODER, (0, 0, *self.size), 0, (transfer,))]


def _size(file: IO[bytes]) -> int:
    return file.seek(0, os.SEEK_END)


def _is_dpx(start: bytes) -> bool:
    return start[:4] in MAGIC


Image.register_open(FORMAT, DpxImageFile, _is_dpx)
