"""Files from web servers: resumed where they broke off, and checked."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from jobs.errors import DatasetError
from jobs.secrets import plain_address
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
    """Raised by the user of a fetched file, which is then deleted, to be fetched anew."""


@contextmanager
def fetched(
    source: Source,
    folder: Path,
    most_bytes: int,
    on_bytes: OnBytes,
    say: Callable[[str], None] = lambda _: None,
) -> Iterator[Path]:
    """The file at the address, below `folder`; deleted after use, or when Unusable is raised.

    What is there from an earlier try is kept and continued, where the server can. DatasetError
    where the file cannot be had, is larger than `most_bytes` or has another checksum than `source`
    says. `say` is told why it is tried again.
    """
    require_address(source.address)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{hashlib.sha256(source.address.encode()).hexdigest()[:32]}.archive"
    try:
        with opened_alone(path) as file:
            try:
                transfer = Transfer(
                    source.address, path, file, on_bytes, most_bytes, bool(source.checksum), say=say
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
        raise DatasetError(f"Another process is fetching {plain_address(source.address)}") from None


def _complete(transfer: Transfer) -> None:
    try:
        transfer.complete()
    except TransferFailed as error:
        shown_address = plain_address(transfer.address)
        raise DatasetError(f"{shown_address} cannot be fetched: {error}") from error
    except TooLarge:
        most = bytes_for_people(transfer.most_bytes)
        shown_address = plain_address(transfer.address)
        raise DatasetError(f"{shown_address} is larger than {most}; see --most-gb") from None


def _check(source: Source, path: Path) -> None:
    if source.checksum is None:
        return
    algorithm, _, digest = source.checksum.partition(":")
    if (found := digest_of(path, algorithm)) != digest.lower():
        remove(path)
        raise DatasetError(
            f"{plain_address(source.address)} is not what it should be: its {algorithm} is "
            f"{found}, not {digest}. It was thrown away; it has changed, or came damaged"
        )


def digest_of(path: Path, algorithm: str = "sha256") -> str:
    """The digest of the file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()
