"""Pictures that are decoded once: `runs/.cache/<key>.h5`, shared by jobs and by trainers.

The key stands for the listing of the folders (paths, sizes, times of change), the size of the
pictures, how they are scaled and cut to it, whether they have alpha, and what decodes them: where
anything of that differs, another file is made, and the old one goes when nobody has used it for
long. Trainers on the same pictures map the same file and so share its memory. Whatever is wrong
with the cache, the pictures are decoded into memory instead.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import PIL

from jobs.pictures.filmed import video_of
from jobs.pictures.finding import Unreadable
from jobs.pictures.surveying import find_trainable
from jobs.settings.colours import RGB
from jobs.settings.preprocess import Step
from jobs.settings.translation import Degradation
from jobs.workspace.files import flush_to_disk, part_of
from jobs.workspace.paths import Workspace
from multitrain.datasets.cached import picture_file
from multitrain.datasets.cached.cache_folder import NoRoom, claimed, mark_used, require_room
from multitrain.datasets.cached.picture_file import About, DamagedFile
from multitrain.datasets.decoded.decoding import Uint8Array, decode
from multitrain.datasets.decoded.folders import (
    Fingerprint,
    Pictures,
    load_pictures,
    none_left,
    without,
)
from multitrain.machine.defaults import default_keep_free_bytes
from render.encoding import ffmpeg

ROOM_BYTES = 2**26  # written between two looks at the disk
FLOORS = 2  # floors of trainers, and the set's size, stay free: no trainer waits for it
COARSE_NS = 2 * 10**9  # the coarsest resolution of times on file systems

log = logging.getLogger(__name__)


def open_pictures(
    workspace: Workspace,
    folders: Sequence[str],
    width: int,
    height: int,
    channels: int = RGB,
    steps: tuple[Step, ...] = (),
    codec: Degradation | None = None,
    *,
    keep_free: int | None = None,
) -> Pictures:
    """All pictures of these data sets that have `width` x `height` pixels after the `steps` of
    preprocessing, in the order of their listing: `(n, height, width, channels)` uint8. With a
    `codec`, they are as its video keeps them.

    Decoded at the first call, mapped from the cache at later ones; a call that comes while another
    process decodes the same ones waits for it. `keep_free` are the bytes of the disk below which
    trainers wait (None: this machine's default); the cache leaves twice as many free, and as many
    again as the pictures take. DatasetError where there are no such pictures.
    """
    tops = [workspace.dataset(folder) for folder in folders]
    try:
        return _open(workspace, tops, width, height, channels, steps, codec, keep_free)
    except NotCached as reason:
        log.info("the pictures are not kept decoded: %s", reason)
    return load_pictures(tops, width, height, channels, steps, codec)


def decode_ahead(
    workspace: Workspace,
    folders: Sequence[str],
    width: int,
    height: int,
    channels: int = RGB,
    steps: tuple[Step, ...] = (),
    codec: Degradation | None = None,
    *,
    keep_free: int | None = None,
) -> None:
    """Have these pictures in the cache, for whoever opens them later.

    Raises NotCached where they cannot be kept there, and DatasetError like `open_pictures`.
    """
    tops = [workspace.dataset(folder) for folder in folders]
    _open(workspace, tops, width, height, channels, steps, codec, keep_free)


def forget_decoded(pictures: Pictures) -> None:
    """Delete the damaged file that `pictures` came from, so that they are decoded anew next time.

    Processes that have the file mapped keep what they see of it.
    """
    if pictures.mapped:
        pictures.mapped.unlink(missing_ok=True)


class NotCached(Exception):
    """Why pictures cannot come from the cache: one clause for a person."""


def _open(
    workspace: Workspace,
    tops: Sequence[Path],
    width: int,
    height: int,
    channels: int,
    steps: tuple[Step, ...],
    codec: Degradation | None,
    keep_free: int | None,
) -> Pictures:
    found = Listing.of(workspace, tops, width, height, channels, steps, codec)
    if found.pixel_bytes < picture_file.LEAST_BYTES:
        raise NotCached("there are too few of them")
    path = workspace.cached_pictures(found.key)
    try:
        if pictures := _read(workspace, path, found):
            return pictures
        workspace.cache.mkdir(parents=True, exist_ok=True)
        with claimed(path) as descriptor:
            # Another process may have made it while this one waited.
            if made := _read(workspace, path, found):
                return made
            if descriptor is None:
                raise NotCached("another process could not keep them")
            return _make(workspace, found, path, descriptor, keep_free)
    except (OSError, NoRoom, DamagedFile) as error:
        raise NotCached(str(error)) from error


@dataclass(frozen=True)
class Listing:
    """What the folders of a data set hold, undecoded."""

    tops: tuple[Path, ...]
    width: int  # pixels, of the pictures that are wanted
    height: int
    channels: int
    steps: tuple[Step, ...]  # of preprocessing
    codec: Degradation | None  # as whose video they are kept
    paths: tuple[Path, ...]
    unreadable: tuple[Unreadable, ...]
    key: str  # of all this and of what is known of each file
    is_settled: bool = field(compare=False)  # whether every later change would give another key

    @classmethod
    def of(
        cls,
        workspace: Workspace,
        tops: Sequence[Path],
        width: int,
        height: int,
        channels: int,
        steps: tuple[Step, ...] = (),
        codec: Degradation | None = None,
    ) -> Listing:
        now, is_settled = time.time_ns(), True
        paths, unreadable, _ = find_trainable(tops)
        below = [_below(workspace, each) for each in unreadable]
        left_out = [[str(path), why] for path, why in below]
        made_by = [picture_file.FORMAT, PIL.__version__, decoders()]
        beside = [made_by, width, height, channels, steps, left_out]
        if codec:  # else the key is that of before there were any
            beside += [str(codec), ffmpeg.version()]
        digest = hashlib.blake2b(json.dumps(beside).encode(), digest_size=16)
        root = f"{workspace.data}{os.sep}"
        for path in paths:
            facts = _facts(video_of(path) or path)
            is_settled &= not _may_change_unseen(facts, now)
            entry = f"{str(path).removeprefix(root)}\0{facts}\0"
            digest.update(os.fsencode(entry))
        how = (tuple(tops), width, height, channels, steps, codec)
        what = (*how, tuple(paths), tuple(unreadable))
        return cls(*what, digest.hexdigest(), is_settled)

    @property
    def pixel_bytes(self) -> int:
        """Bytes of all pictures, if none is left out."""
        return len(self.paths) * self.width * self.height * self.channels


@cache
def decoders() -> dict[str, object]:
    """The versions of what decodes pictures besides Pillow; None for what is not installed."""
    import av  # takes a while

    packages = ("av", "opencv-python-headless", "pillow-heif")
    return {"FFmpeg": av.library_versions} | {each: _version(each) for each in packages}


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _facts(path: Path) -> tuple[int, ...]:
    """The size and times of a file, which differ once the file does; empty where it is not there.

    The time of change (ctime) also differs where a file was replaced by another with an older time
    of modification, as copying and unpacking do.
    """
    try:
        facts = path.stat()
    except OSError:
        return ()
    return facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns


def _may_change_unseen(facts: tuple[int, ...], now: int) -> bool:
    """Whether the file was changed just `now` (ns), on a file system with times in whole seconds.

    Another change may then have the same time.
    """
    return bool(facts) and facts[-1] % 10**9 == 0 and facts[-1] > now - COARSE_NS


def _read(workspace: Workspace, path: Path, found: Listing) -> Pictures | None:
    """The pictures in the file at `path`; None where there is none, or a damaged one.

    OSError where it cannot be read.
    """
    try:
        with path.open("rb") as file:
            about, images = picture_file.read(file)
        if about.key != found.key:
            raise DamagedFile("it has the name of another")
    except FileNotFoundError:
        return None
    except DamagedFile as damage:
        log.warning("%s is damaged (%s); the pictures are decoded anew", path, damage)
        return None
    mark_used(path)
    skipped = tuple(Unreadable(workspace.data / each.path, each.reason) for each in about.skipped)
    return Pictures(images, without(skipped, found.paths), skipped, about.fingerprint, mapped=path)


def _make(
    workspace: Workspace, found: Listing, path: Path, descriptor: int, keep_free: int | None
) -> Pictures:
    """Decode the pictures into the claimed file; it gets its name if it may be kept."""
    tops, width, height, channels = found.tops, found.width, found.height, found.channels
    steps, codec = found.steps, found.codec
    left = found.pixel_bytes
    floor = default_keep_free_bytes(workspace.cache) if keep_free is None else keep_free
    floor = FLOORS * floor + found.pixel_bytes
    require_room(workspace, left, floor)
    picture_file.begin(descriptor)

    def take(picture: Uint8Array) -> None:
        nonlocal left
        if left % ROOM_BYTES < picture.nbytes:
            require_room(workspace, left, floor)
        picture_file.append(descriptor, picture)
        left -= picture.nbytes

    decoded = decode(found.paths, width, height, channels, take, steps, codec)
    skipped = (*found.unreadable, *decoded.skipped)
    if not decoded.count:
        raise none_left(tops, width, height, skipped)
    fingerprint = Fingerprint.of_decoded(decoded, width, height)
    relative = tuple(_below(workspace, each) for each in skipped)
    picture_file.seal(descriptor, About(found.key, channels, fingerprint, relative))
    with part_of(path).open("rb") as file:  # anew: the claim lasts as long as its descriptor
        _, images = picture_file.read(file)
    is_lasting = decoded.is_lasting and found.is_settled
    now = Listing.of(workspace, tops, width, height, channels, steps, codec)
    if is_lasting and found == now:
        os.fsync(descriptor)
        os.replace(part_of(path), path)
        flush_to_disk(path.parent)
    return Pictures(images, without(skipped, found.paths), skipped, fingerprint, mapped=path)


def _below(workspace: Workspace, unreadable: Unreadable) -> Unreadable:
    """The same file by its path below `data`, so that a workspace may be moved."""
    path, reason = unreadable
    with suppress(ValueError):
        path = Path(path).relative_to(workspace.data)
    return Unreadable(path, reason)
