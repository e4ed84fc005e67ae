"""What networks can be trained on: pictures in folders and frames of videos, and their sizes."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from jobs.pictures.filmed import frame_path, look_at_video
from jobs.pictures.finding import (
    DEMO_COUNT,
    DEMO_SIZE,
    Below,
    Picture,
    Unreadable,
    UnreadablePicture,
    explain,
    find_below,
    probe,
)
from jobs.pictures.suffixes import is_video
from jobs.settings.kinds import Resolution


@dataclass(frozen=True)
class Survey:
    """What the folders of a data set hold.

    `size` is that of most pictures (None where there are none), `count` is how many have it, `odd`
    are those of other sizes.
    """

    size: Resolution | None
    count: int
    odd: tuple[Picture, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()


def survey(folders: Sequence[Path], *, with_demo: bool = False) -> Survey:
    """Look at all pictures in `folders`; `with_demo` counts the built-in ones, drawn or not."""
    paths, unreadable, frame_sizes = find_trainable(folders)
    pictures = []
    with warnings.catch_warnings(action="ignore"):  # Pillow warns of oddities that it copes with
        for path in paths:
            try:
                pictures.append(Picture(path, frame_sizes.get(path.parent) or probe(path)))
            except UnreadablePicture as error:
                unreadable.append(Unreadable(path, str(error)))
    sizes = Counter({DEMO_SIZE: DEMO_COUNT} if with_demo else {})
    sizes.update(picture.size for picture in pictures)
    if not sizes:
        return Survey(None, 0, (), tuple(unreadable))
    size, count = sizes.most_common(1)[0]  # of equally common ones, the first
    odd = tuple(picture for picture in pictures if picture.size != size)
    return Survey(size, count, odd, tuple(unreadable))


class Trainable(NamedTuple):
    """The pictures that a network can be trained on: files, and frames of videos.

    Frames have paths as `jobs.pictures.filmed` makes them; `frame_sizes` says for each video how
    large its frames are seen.
    """

    paths: list[Path]
    unreadable: list[Unreadable]
    frame_sizes: dict[Path, Resolution]


def find_trainable(sources: Sequence[Path]) -> Trainable:
    """What `find_pictures` finds, and the frames of videos, in the order of showing.

    A source is a video, or a folder; of a folder, videos count where there are no pictures in it,
    since beside pictures they are often what these were taken from.
    """
    found = Trainable([], [], {})
    seen: set[tuple[int, int]] = set()
    for source in sources:
        if is_video(source) and source.is_file():
            _add_frames(source, seen, found)
            continue
        below = Below([], [], [])
        find_below(source, seen, below)
        found.paths.extend(below.pictures)
        for each in below.unreadable:
            if not is_video(path := Path(each.path)):
                found.unreadable.append(each)
            elif below.pictures:
                reason = "is a video beside pictures; its frames count where it is named itself"
                found.unreadable.append(Unreadable(path, reason))
            else:
                _add_frames(path, seen, found)
    return found


def _add_frames(video: Path, seen: set[tuple[int, int]], found: Trainable) -> None:
    """Add all frames of a video that was not `seen`, or why there are none."""
    from jobs.videos.opening import UnreadableVideo

    try:
        status = video.stat()
        if (status.st_dev, status.st_ino) in seen:
            return
        frames, size = look_at_video(video)
    except (OSError, UnreadableVideo) as error:
        found.unreadable.append(Unreadable(video, explain(error)))
        return
    seen.add((status.st_dev, status.st_ino))
    found.paths.extend(frame_path(video, number) for number in range(frames))
    found.frame_sizes[video] = size
