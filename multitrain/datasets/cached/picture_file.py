"""Decoded pictures in an HDF5 file: made around pixels that come one by one, mapped to be read.

    0            what HDF5 writes in front: the headers of its data sets
    PIXELS_AT    the data set `images`: `(n, height, width, channels)` uint8, contiguous
    behind       what HDF5 writes behind: the attributes, the files left out
    at the end   a seal: how long these parts are, and a digest of all that is not pixels

HDF5 hangs or crashes on some damaged files and on full disks. So it writes in memory, and reads
only what the seal shows to be intact. Pixels are not read to check them here: that would take as
long as a training takes to start. The training does so while it makes its first steps
(`Pictures.are_intact`).
"""

from __future__ import annotations

import errno
import hashlib
import json
import math
import mmap
import os
import struct
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any, NamedTuple

import h5py
import numpy as np

from jobs.pictures.finding import Unreadable
from jobs.reading import parse_json
from multitrain.datasets.decoded.decoding import Uint8Array
from multitrain.datasets.decoded.folders import Fingerprint

FORMAT = 4  # to rise with every change of this layout, and of what `decoding` makes of a file
PIXELS_AT = 65536  # bytes: a multiple of the pages of any machine
LEAST_BYTES = 4096  # of pixels: HDF5 may put smaller data sets elsewhere
SEAL = struct.Struct("<QQ16s")  # bytes of pixels, bytes behind them, digest


class DamagedFile(Exception):
    """A file that is not what was written."""


class About(NamedTuple):
    """What a file says about its pictures."""

    key: str  # of the listing that they come from
    channels: int
    fingerprint: Fingerprint
    skipped: tuple[Unreadable, ...]  # the files left out


def begin(descriptor: int) -> None:
    """Make the file empty; the pixels are to be appended from here on."""
    os.ftruncate(descriptor, 0)
    os.lseek(descriptor, PIXELS_AT, os.SEEK_SET)


def append(descriptor: int, picture: Uint8Array) -> None:
    """Write the next picture: `(height, width, channels)` uint8, contiguous. OSError if full."""
    _write_whole(descriptor, picture.data.cast("B"))


def seal(descriptor: int, about: About) -> None:
    """Make an HDF5 file of the pixels that were appended. OSError where there is no room."""
    pixels = math.prod(_shape(about))
    front, behind = _hdf5_around(about)
    digest = _digest(front, behind, pixels)
    os.lseek(descriptor, 0, os.SEEK_SET)
    _write_whole(descriptor, memoryview(front))
    os.lseek(descriptor, PIXELS_AT + pixels, os.SEEK_SET)
    _write_whole(descriptor, memoryview(behind + SEAL.pack(pixels, len(behind), digest)))


def read(file: IO[bytes]) -> tuple[About, Uint8Array]:
    """What the file says about its pictures, and the pictures `(n, height, width, channels)` uint8.

    They are mapped, not read, and outlive the file's closing and deletion. Who writes to them
    writes to a private copy: TensorFlow only shares memory that it could write to. They are
    read-only where they are larger than the machine's memory. Raises DamagedFile, and OSError where
    the file cannot be read or mapped.
    """
    pixels = _unbroken(file.fileno())
    with h5py.File(file, "r") as hdf5:
        attributes = {key: _plain(value) for key, value in hdf5.attrs.items()}
        skipped = parse_json(hdf5["skipped"][()], list)
    if attributes.pop("format") != FORMAT:
        raise DamagedFile("it is of another version")
    key, channels = str(attributes.pop("key")), int(attributes.pop("channels"))
    left_out = tuple(Unreadable(Path(path), why) for path, why in skipped)
    about = About(key, channels, Fingerprint(**attributes), left_out)
    mapped = _mapped(file.fileno(), PIXELS_AT + pixels)
    images = np.frombuffer(mapped, np.uint8, pixels, PIXELS_AT)
    return about, images.reshape(_shape(about))


def _mapped(descriptor: int, length: int) -> mmap.mmap:
    try:
        return mmap.mmap(descriptor, length, access=mmap.ACCESS_COPY)
    except OSError as error:
        if error.errno != errno.ENOMEM:
            raise
    # The system refuses a private copy that is larger than its memory.
    return mmap.mmap(descriptor, length, access=mmap.ACCESS_READ)


def _hdf5_around(about: About) -> tuple[bytes, bytes]:
    """The bytes of the HDF5 file in front of its pixels, and those behind them."""
    pixels = math.prod(_shape(about))
    with _sparse_file() as scratch:
        with h5py.File(
            scratch, "w", alignment_threshold=LEAST_BYTES, alignment_interval=PIXELS_AT
        ) as hdf5:
            stands_at = _claim_place(hdf5, _shape(about))
            skipped = [(str(path), reason) for path, reason in about.skipped]
            hdf5["skipped"] = json.dumps(skipped)
            beside = {"format": FORMAT, "key": about.key, "channels": about.channels}
            hdf5.attrs.update({**beside, **asdict(about.fingerprint)})
        if stands_at != PIXELS_AT:
            raise OSError(f"this version of HDF5 puts the pixels at {stands_at}")
        scratch.seek(0)
        front = scratch.read(PIXELS_AT)
        scratch.seek(PIXELS_AT + pixels)
        return front, scratch.read()


def _claim_place(hdf5: h5py.File, shape: tuple[int, ...]) -> int:
    """Make the data set `images` and write nothing to it; returns its offset in the file."""
    how = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    how.set_layout(h5py.h5d.CONTIGUOUS)
    how.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    how.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    how.set_obj_track_times(False)  # the same pictures make the same bytes
    space = h5py.h5s.create_simple(shape)
    images = h5py.h5d.create(hdf5.id, b"images", h5py.h5t.STD_U8LE, space, how)
    return int(images.get_offset())


def _sparse_file() -> IO[bytes]:
    """A scratch file, in memory where the system can; only what is written takes room."""
    if sys.platform == "linux":
        return os.fdopen(os.memfd_create("pictures"), "w+b")
    return tempfile.TemporaryFile()


def _write_whole(descriptor: int, data: memoryview) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def _unbroken(descriptor: int) -> int:
    """The bytes of pixels in the file. DamagedFile unless all the rest is as it was written."""
    size = os.fstat(descriptor).st_size
    if size < PIXELS_AT + SEAL.size:
        raise DamagedFile("it is too short")
    pixels, length, digest = SEAL.unpack(os.pread(descriptor, SEAL.size, size - SEAL.size))
    if PIXELS_AT + pixels + length + SEAL.size != size:
        raise DamagedFile("its length is wrong")
    front = os.pread(descriptor, PIXELS_AT, 0)
    behind = os.pread(descriptor, length, PIXELS_AT + pixels)
    if _digest(front, behind, pixels) != digest:
        raise DamagedFile("its digest is wrong")
    return int(pixels)


def _digest(front: bytes, behind: bytes, pixels: int) -> bytes:
    lengths = struct.pack("<QQ", len(behind), pixels)
    return hashlib.blake2b(front + behind + lengths, digest_size=16).digest()


def _shape(about: About) -> tuple[int, int, int, int]:
    of = about.fingerprint
    return of.count, of.height, of.width, about.channels


def _plain(value: Any) -> Any:
    """An attribute as a plain value: HDF5 returns whole numbers as NumPy's."""
    return value if isinstance(value, str) else int(value)
