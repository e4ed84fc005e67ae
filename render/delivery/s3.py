"""A folder of S3, or of what speaks like it. Needs the extra s3.

S3 shows an object only when all of it is there. It is compared by the checksum that S3 reports,
where that depends on the content alone, else by reading it back.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import s3fs

from jobs.settings.destinations import Destination
from render.delivery.logins import Login
from render.delivery.place import ANSWER_SECONDS, READ_BYTES, Altered, sha256_of

S3_PART_BYTES = 2**25  # of objects that are sent in parts; there may be 10,000 of them
S3_PARTS_AT_ONCE = 2


class S3:
    """Uses s3fs; keys that are not in upload.ini are found as AWS's tools find them."""

    def __init__(self, destination: Destination, login: Login) -> None:
        for library in ("botocore", "aiobotocore"):  # they log where they found keys
            logging.getLogger(library).setLevel(logging.WARNING)
        settings = dict(login.settings)
        region = settings.get("region")
        self._root = f"{destination.host}/{destination.folder}".rstrip("/")
        self._files = s3fs.S3FileSystem(
            key=settings.get("key") or login.user or None,
            secret=settings.get("secret") or login.password or None,
            token=settings.get("token"),
            endpoint_url=settings.get("endpoint_url"),
            profile=settings.get("profile"),
            client_kwargs={"region_name": region} if region else {},
            config_kwargs={"connect_timeout": ANSWER_SECONDS, "read_timeout": ANSWER_SECONDS},
            skip_instance_cache=True,
            use_listings_cache=False,
        )

    def take(self, file: Path, name: str) -> None:
        far = f"{self._root}/{name}"
        self._files.put_file(
            str(file), far, chunksize=S3_PART_BYTES, max_concurrency=S3_PARTS_AT_ONCE
        )
        etag = str(self._files.info(far, refresh=True).get("ETag", "")).strip('"')
        if etag != etag_of(file) and self._digest(far) != sha256_of(file):
            raise Altered

    def sizes(self, folder: str = "") -> dict[str, int]:
        try:
            found = self._files.ls(f"{self._root}/{folder}".rstrip("/"), detail=True, refresh=True)
        except FileNotFoundError:
            return {}
        return {
            each["name"].rpartition("/")[2]: int(each["size"])
            for each in found
            if each["type"] == "file"
        }

    def read(self, name: str, start: int) -> Iterator[bytes]:
        with self._files.open(f"{self._root}/{name}", "rb", cache_type="readahead") as far:
            far.seek(start)
            while block := far.read(READ_BYTES):
                yield block

    def _digest(self, far: str) -> bytes:
        with self._files.open(far, "rb", cache_type="readahead") as data:
            return bytes(_hashed(data.read, hashlib.sha256()).digest())

    def close(self) -> None:
        """Does nothing: s3fs closes its connections when it is garbage-collected."""

    def cut(self) -> None:
        """Does nothing: what arrives later is the same object once more."""


def etag_of(file: Path) -> str:
    """The ETag that S3 reports of a file that `take` sent, unless KMS keys encrypt the object."""
    with file.open("rb") as data:
        if file.stat().st_size < 2 * S3_PART_BYTES:  # as s3fs decides
            return str(_hashed(data.read, hashlib.md5(usedforsecurity=False)).hexdigest())
        parts = []
        while block := data.read(S3_PART_BYTES):
            parts.append(hashlib.md5(block, usedforsecurity=False).digest())
    whole = hashlib.md5(b"".join(parts), usedforsecurity=False).hexdigest()
    return f"{whole}-{len(parts)}"


def _hashed(read: Callable[[int], bytes], into: Any) -> Any:
    while block := read(READ_BYTES):
        into.update(block)
    return into
