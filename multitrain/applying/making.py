"""Makes videos and pictures of others by a job's network, a file at a time.

Of a video, a thread reads frames, another one has the network make others of them, and this one
hands these to the encoder: all three at once, a few frames ahead of each other. It goes on where a
call that was killed has stopped (`render.clips.pieces`).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import cv2
import numpy as np
from PIL import Image

from jobs.pictures.finding import UnreadablePicture, explain, open_picture, orientation
from jobs.plans.plan import FrameRange
from jobs.settings.kinds import Resolution
from jobs.settings.preprocess import COVER, Step
from jobs.workspace.files import atomic_write
from multitrain.applying.asked import Asked
from multitrain.applying.course import Course
from multitrain.applying.planning import Picture, VideoPlan
from multitrain.applying.translator import Pictures, Translator
from multitrain.datasets.decoded.decoding import upright
from multitrain.datasets.decoded.depth import deep_picture
from multitrain.datasets.decoded.preprocessing import preprocessed
from multitrain.datasets.decoded.profiles import KEY as PROFILE
from multitrain.inference.ahead import made_ahead
from multitrain.inference.network import Device, Placed
from render.encoding.comments import add_to_picture
from render.files.reading import FilmReader

UPRIGHT = 1  # as EXIF counts orientations

OnFrames = Callable[[int], None]


def make_video(
    plan: VideoPlan,
    output: Path,
    note: str,
    open_network: Callable[[], Following],
    on_frames: OnFrames,
) -> str | None:
    """Make the video; replaces `output`, which appears whole and verified, or not at all.

    Returns a sentence where its sound had to be left out.

    The `note` is for the file, as of `encoding`. The network is opened if there are frames to make;
    `on_frames` is called with how many are there. Raises OutOfMemory, OriginUnfit, ProgramFailed
    and other MultitrainErrors; OSError.
    """
    with plan.pieces.held():
        _make_pieces(plan, open_network, on_frames)
        return plan.pieces.finish(output, note)


def _make_pieces(
    plan: VideoPlan, open_network: Callable[[], Following], on_frames: OnFrames
) -> None:
    pieces = plan.pieces
    missing = pieces.missing()
    done = plan.film.frames - sum(map(len, missing))
    on_frames(done)
    if not missing:
        return
    network = open_network()
    with ExitStack() as stack:
        reader = stack.enter_context(
            FilmReader([plan.film], scale=plan.asked.scale, is_deep=plan.raw.is_deep)
        )
        read = stack.enter_context(made_ahead(_read(reader, missing, plan.block), 2))
        frames = (network.made(first, pictures, plan.block) for first, pictures in read)
        made = stack.enter_context(made_ahead(frames, plan.blocks_ahead))
        for piece in missing:
            with pieces.making(piece) as sink:
                for _ in range(piece.start, piece.stop, plan.block):
                    sink.write(next(made))
                    on_frames(done + sink.frames)
            done += len(piece)


def _read(
    reader: FilmReader, spans: Iterable[FrameRange], block: int
) -> Iterator[tuple[int, Pictures]]:
    """Blocks of frames, each with the number of its first one."""
    for span in spans:
        for first in range(span.start, span.stop, block):
            numbers = range(first, min(first + block, span.stop))
            yield first, np.stack([reader[number] for number in numbers])


class Following:
    """The network for pictures of one size, with weights that follow the course."""

    def __init__(self, asked: Asked, course: Course, device: Device, size: Resolution) -> None:
        self._course = course
        how = {"raw": asked.raw, "ensemble": asked.ensemble}
        self._translator = Translator(asked.job, device, size, asked.network, **how)
        self._placed: dict[int, Placed] = {}

    @classmethod
    def of(cls, plan: VideoPlan, device: Device) -> Self:
        """For the frames of a video."""
        return cls(plan.asked, plan.course, device, plan.size)

    def made(self, first: int, pictures: Pictures, most: int = 1) -> Pictures:
        """What is made of the pictures from number `first` on: `most`, or fewer at the end."""
        if self._course.is_still:
            made = self._translator.make(self._at(0), _filled(pictures, most))
            return made[: len(pictures)]
        numbers = range(first, first + len(pictures))
        one_by_one = zip(numbers, pictures, strict=True)
        return np.concatenate([self._between(number, each[None]) for number, each in one_by_one])

    def _between(self, number: int, pictures: Pictures) -> Pictures:
        place, share = self._course.at(number)
        self._placed = {each: self._at(each) for each in (place, place + 1)}
        a, b = self._placed.values()
        return self._translator.make_between(a, b, share, pictures)

    def _at(self, place: int) -> Placed:
        """The weights of this stage, on the device."""
        if place not in self._placed:
            self._placed[place] = self._translator.place(self._course.load(place))
        return self._placed[place]


def _filled(pictures: Pictures, most: int) -> Pictures:
    """So many pictures, the last one again and again: another number is compiled separately."""
    missing = most - len(pictures)
    return np.concatenate([pictures, np.repeat(pictures[-1:], missing, axis=0)])


def make_pictures(
    asked: Asked, course: Course, pictures: Iterable[Picture], device: Device
) -> Iterator[str | None]:
    """Make them one by one; yields the reason why one could not be made, or None.

    Each file appears whole or not at all. Raises OutOfMemory, OriginUnfit and OSError.
    """
    networks: dict[Resolution, Following] = {}
    for each in pictures:
        try:
            seen = _open(each.source, asked)
        except UnreadablePicture as error:
            yield str(error)
            continue
        size = Resolution(seen.shape[1], seen.shape[0])
        if size not in networks:  # one at a time: each has the weights on the device
            networks = {size: Following(asked, course, device, size)}
        (made,) = networks[size].made(each.number, seen[None])
        _write(made, each)
        yield None


def _open(path: Path, asked: Asked) -> Pictures:
    """A picture as the network is to see it, `(height, width, 3 or 4)`."""
    try:
        with warnings.catch_warnings(action="ignore"), open_picture(path) as image:
            seen = _seen(image, asked.scale)
    except UnreadablePicture:
        raise
    except Exception as error:  # Pillow's plug-ins raise nearly anything on damaged files
        raise UnreadablePicture(explain(error)) from error
    if min(seen.shape[:2]) < (least := asked.least_side):
        size = f"{seen.shape[1]}x{seen.shape[0]}"
        raise UnreadablePicture(f"is {size}, and the network takes {least} pixels a side")
    return seen


def _seen(image: Image.Image, scale: Resolution | None) -> Pictures:
    """With all its bits, unless it must be turned or scaled, or has colours of its own."""
    if scale:
        return np.asarray(preprocessed(upright(image), [Step(COVER, scale)]))
    is_plain = orientation(image) == UPRIGHT and PROFILE not in image.info
    deep = deep_picture(image) if is_plain else None
    return np.asarray(upright(image)) if deep is None else deep


def _write(made: Pictures, picture: Picture) -> None:
    picture.output.parent.mkdir(parents=True, exist_ok=True)
    whole, encoded = cv2.imencode(".png", made[..., [2, 1, 0, 3][: made.shape[-1]]])  # it has BGR
    assert whole, "OpenCV writes PNG files"
    with atomic_write(picture.output) as part:
        part.write_bytes(encoded.tobytes())
        add_to_picture(part, picture.note)
