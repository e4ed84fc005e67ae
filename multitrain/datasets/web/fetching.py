"""Files from web servers: resumed where they broke off, and checked."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jobs.errors import DatasetError
from jobs.units import bytes_for_people
from multitrain.datasets.web.catalogue import Source
from multitrain.datasets.web.transfer import (
    Busy,
    OnBytes,
    TooLarge,
    Transfer,
    TransferFailed,
    opened_alone,
    remove,
    require_address,
)


class Unusable(DatasetError):
    """Raised by who uses a file: another try would have to fetch it anew."""


@contextmanager
def fetched(source: Source, folder: Path, most_bytes: int, on_bytes: OnBytes) -> Iterator[Path]:
    """The file at the address, below `folder`; it goes when it was used, or found Unusable.

    What is there from an earlier try is kept and gone on with, where the server can. DatasetError
    where it cannot be had, is larger than `most_bytes` or is not what `source` tells.
    """
    require_address(source.address)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{hashlib.sha256(source.address.encode()).hexdigest()[:32]}.archive"
    try:
        with opened_alone(path) as file:
            try:
                transfer = Transfer(
                    source.address, path, file, on_bytes, most_bytes, bool(source.checksum)
                )
                _complete(transfer)
            except BaseException:
                if not file.tell():
                    remove(path)
                raise
            _check(source, path)
            try:
                yield path
            except Unusable:
                remove(path)
                raise
            remove(path)
    except Busy:
        raise DatasetError(f"Another process is fetching {source.address}") from None


def _complete(transfer: Transfer) -> None:
    try:
        transfer.complete()
    except TransferFailed as error:
        raise DatasetError(f"{transfer.address} cannot be fetched: {error}") from error
    except TooLarge:
        most = bytes_for_people(transfer.most_bytes)
        raise DatasetError(f"{transfer.address} is larger than {most}; see --most-gb") from None


def _check(source: Source, path: Path) -> None:
    if source.checksum is None:
        return
    algorithm, _, digest = source.checksum.partition(":")
    if (found := digest_of(path, algorithm)) != digest.lower():
        remove(path)
        raise DatasetError(
            f"{source.address} is not what it should be: its {algorithm} is {found}, "
            f"not {digest}. It was thrown away; it has changed, or came damaged"
        )


def digest_of(path: Path, algorithm: str = "sha256") -> str:
    """Hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()
