"""Whether the videos of a job that is done are still those in its manifest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from jobs.workspace.files import modified
from jobs.workspace.paths import JobPaths
from render.files.digests import sha256_of
from render.spool.manifest_facts import Facts


@dataclass(frozen=True)
class Losses:
    """Files that are not what was published."""

    missing: tuple[Path, ...] = ()
    damaged: tuple[Path, ...] = ()  # cannot be decoded to their end
    changed: tuple[Path, ...] = ()  # by somebody who may have wished it: whole, but other videos

    @property
    def unlike(self) -> tuple[Path, ...]:
        """All files that are not what was published."""
        return self.unusable + self.changed

    @property
    def unusable(self) -> tuple[Path, ...]:
        return self.missing + self.damaged


def losses(paths: JobPaths, videos: Iterable[Path], published_facts: Mapping[str, Facts]) -> Losses:
    """Which of `videos` are not what was published; `published_facts` are the manifest's, by name.

    Only files that were written to since are read. Videos not in the manifest only have to exist.
    """
    missing: list[Path] = []
    damaged: list[Path] = []
    changed: list[Path] = []
    manifest_written = modified(paths.manifest)
    for video in videos:
        try:
            facts = video.stat()
        except FileNotFoundError:
            missing.append(video)
            continue
        published = published_facts.get(video.name)
        if published is None or (
            facts.st_size == published.bytes
            and (facts.st_mtime_ns <= manifest_written or sha256_of(video) == published.sha256)
        ):
            continue
        # An edited video hardly ever has exactly as many bytes as before; a damaged one has.
        is_edited = facts.st_size != published.bytes and can_be_decoded(video)
        (changed if is_edited else damaged).append(video)
    return Losses(tuple(missing), tuple(damaged), tuple(changed))


def can_be_decoded(path: Path) -> bool:
    """Whether a video can be decoded to its end, whatever else is in the file."""
    import av  # here: it takes a while, and few files have changed

    try:
        with av.open(str(path)) as container:
            shown = [not frame.is_corrupt for frame in container.decode(video=0)]
    except (av.error.FFmpegError, OSError, IndexError):
        return False
    return bool(shown) and all(shown)
