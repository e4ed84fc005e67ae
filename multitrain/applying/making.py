"""Makes videos and pictures of others by a job's network, a file at a time.

Of a video, a thread reads frames, another one has the network make others of them, and this one
hands these to the encoder: all three at once, a few frames ahead of each other. It goes on where a
call that was killed has stopped (`render.clips.pieces`).
"""

from __future__ import annotations

import gc
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from itertools import groupby, pairwise
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from PIL import Image

from jobs.pictures.finding import UnreadablePicture, orientation, picture_read
from jobs.plans.plan import FrameRange
from jobs.settings.kinds import Resolution
from jobs.settings.preprocess import COVER, Step
from multitrain.applying.asked import Asked
from multitrain.applying.course import Course
from multitrain.applying.filling import Filling
from multitrain.applying.planning import Picture, VideoPlan
from multitrain.applying.remembering import Kept, keep, kept_in
from multitrain.applying.steadying import Memory
from multitrain.applying.translator import Pictures, Translator
from multitrain.datasets.decoded.decoding import upright
from multitrain.datasets.decoded.depth import deep_picture
from multitrain.datasets.decoded.preprocessing import preprocessed
from multitrain.datasets.decoded.profiles import KEY as PROFILE
from multitrain.datasets.looking.cuts import sight_of
from multitrain.inference.ahead import made_ahead
from multitrain.inference.network import Device, Placed
from render.encoding.comments import add_to_picture
from render.files.claims import BeingMade, making
from render.files.reading import FilmReader

UPRIGHT = 1  # as EXIF counts orientations

OnFrames = Callable[[int], None]


class Maker(Protocol):
    """What makes the frames of a video; `memory` is what goes on from one block to the next."""

    memory: Memory | None

    def made(self, first: int, pictures: Pictures, most: int = 1) -> Pictures:
        """So many frames from number `first` on, or fewer at the end, of those that it is shown."""


def make_video(
    plan: VideoPlan,
    output: Path,
    note: str,
    open_network: Callable[[], Maker],
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


def _make_pieces(plan: VideoPlan, open_network: Callable[[], Maker], on_frames: OnFrames) -> None:
    pieces = plan.pieces
    missing, memory = _to_make(plan)
    done = plan.frames - sum(map(len, missing))
    on_frames(done)
    if not missing:
        return
    network = open_network()
    network.memory = memory
    with ExitStack() as stack:
        reader = stack.enter_context(
            FilmReader([plan.film], scale=plan.asked.scale, is_deep=plan.raw.is_deep)
        )
        if missing[0].start == 0:
            for number in plan.before_the_first:
                network.made(number, _frames(reader, plan, number, number + 1))
        read = stack.enter_context(made_ahead(_read(reader, plan, missing), 2))
        blocks = (
            (network.made(first, pictures, plan.block), network.memory) for first, pictures in read
        )
        made = stack.enter_context(made_ahead(blocks, plan.blocks_ahead))
        for piece in missing:
            with pieces.making(piece) as sink:
                for _ in range(piece.start, piece.stop, plan.block):
                    frames, memory = next(made)
                    sink.write(frames)
                    on_frames(done + sink.frames)
            if memory:
                keep(plan.folder, Kept(piece.stop, memory))
            done += len(piece)


def _to_make(plan: VideoPlan) -> tuple[list[FrameRange], Memory | None]:
    """The pieces that are still to be made, and what is known of the frame before the first one.

    Where something goes on from frame to frame, all are made from where it was kept.
    """
    missing = plan.pieces.missing()
    if not plan.goes_on or not missing:
        return missing, None
    kept = kept_in(plan.folder)
    if kept is None or missing[0].start < kept.frames:
        return plan.pieces.all, None
    return [each for each in plan.pieces.all if each.start >= kept.frames], kept.memory


def _read(
    reader: FilmReader, plan: VideoPlan, spans: Iterable[FrameRange]
) -> Iterator[tuple[int, Pictures]]:
    """Blocks of frames, each with the number of its first one."""
    for span in spans:
        for first in range(span.start, span.stop, plan.block):
            yield first, _frames(reader, plan, first, min(first + plan.block, span.stop))


def _frames(reader: FilmReader, plan: VideoPlan, first: int, stop: int) -> Pictures:
    """What the network is shown for these frames."""
    return np.stack([reader[number] for number in plan.seen(first, stop)])


class Networks:
    """The network for pictures of one size after another: only the last one is kept.

    Whoever has pictures of many sizes makes those of one size together.
    """

    def __init__(self, asked: Asked, device: Device) -> None:
        self._asked, self._device = asked, device
        self._built: dict[Resolution, Translator] = {}

    def of_video(self, plan: VideoPlan) -> Maker:
        """The one that makes the frames of a video. OutOfMemory."""
        following = self.following(plan.course, plan.size, plan.share)
        if plan.spacing is None:
            return following
        at_once = plan.spacing.most_between(plan.block) if plan.course.is_still else 1
        return Filling(self._built[plan.size], following.weights, plan.spacing, at_once)

    def following(self, course: Course, size: Resolution, share: float | None = None) -> Following:
        """The one for this size, with weights that follow the course. OutOfMemory.

        `share` is as of `Following`.
        """
        if size not in self._built:
            self._built.clear()
            gc.collect()  # a framework's compiled functions refer to themselves
            self._built[size] = Translator(self._asked, self._device, size)
        return Following(self._built[size], course, share)


class Following:
    """A network with weights that follow the course.

    Where statistics are smoothed, `share` is how much of a frame's own is mixed in, and `memory`
    what goes on from the last frame to the next.
    """

    def __init__(self, translator: Translator, course: Course, share: float | None = None) -> None:
        self._translator, self._course, self._share = translator, course, share
        self._placed: dict[int, Placed] = {}
        self.memory: Memory | None = None

    def made(self, first: int, pictures: Pictures, most: int = 1) -> Pictures:
        """What is made of the pictures from number `first` on: `most`, or fewer at the end.

        Where something is remembered, of all but the last one, which is seen besides; a picture
        alone is made as if nothing went before.
        """
        if self._translator.remembers:
            return self._remembered(first, pictures)
        if self._course.is_still and self._share is None:
            made = self._translator.make(self.weights(first), _filled(pictures, most))
            return made[: len(pictures)]
        numbers = range(first, first + len(pictures))
        one_by_one = zip(numbers, pictures, strict=True)
        return np.concatenate([self._made(number, each[None]) for number, each in one_by_one])

    def lowered(self, pictures: Pictures) -> Pictures:
        """As of `Translator`."""
        return self._translator.lowered(pictures)

    def _made(self, number: int, pictures: Pictures) -> Pictures:
        weights = self.weights(number)
        if self._share is None:
            return self._translator.make(weights, pictures)
        sight = sight_of(pictures[0])
        follows = self.memory is not None and self.memory.goes_on(sight)
        before = self.memory.statistics if self.memory and follows else []
        made, after = self._translator.make_steady(weights, pictures, before, self._share)
        self.memory = Memory(after, sight)
        return made

    def _remembered(self, first: int, pictures: Pictures) -> Pictures:
        if len(pictures) == 1:
            weights = self.weights(first)
            return self._translator.make_next(weights, (pictures, pictures, pictures), None)[0]
        pairs = enumerate(pairwise(pictures), first)
        each = [self._next(number, now, after) for number, (now, after) in pairs]
        return np.concatenate(each)

    def _next(self, number: int, now: Pictures, after: Pictures) -> Pictures:
        """A frame; what lies beyond a cut is not seen."""
        sight = sight_of(now)
        state, before = None, now
        if self.memory is not None and self.memory.goes_on(sight):
            state, before = self.memory.statistics
        if not Memory([], sight).goes_on(sight_of(after)):
            after = now
        frames = (before[None], now[None], after[None])
        made, state = self._translator.make_next(self.weights(number), frames, state)
        self.memory = Memory([state, now], sight)
        return made

    def weights(self, number: int) -> Placed:
        """The weights of a frame."""
        place, share = self._course.at(number)
        if self._course.is_still:
            return self._at(place)
        self._placed = {each: self._at(each) for each in (place, place + 1)}
        a, b = self._placed.values()
        return self._translator.between(a, b, share)

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
    asked: Asked, course: Course, pictures: Iterable[Picture], networks: Networks
) -> Iterator[str | None]:
    """Make them one by one; yields the reason why one could not be made, or None.

    Each file appears whole or not at all. Raises OutOfMemory, OriginUnfit and OSError.
    """
    for size, alike in groupby(pictures, lambda each: each.size):
        network = networks.following(course, size)
        for each in alike:
            try:
                seen = _open(each, asked)
                (made,) = network.made(each.number, seen[None])
                _write(made, each)
            except (UnreadablePicture, BeingMade) as error:
                yield str(error)
            else:
                yield None


def _open(picture: Picture, asked: Asked) -> Pictures:
    """A picture as the network is to see it, `(height, width, 3 or 4)`."""
    with warnings.catch_warnings(action="ignore"), picture_read(picture.source) as image:
        seen = _seen(image, asked.scale)
    if (found := Resolution(seen.shape[1], seen.shape[0])) != picture.size:
        raise UnreadablePicture(f"was replaced meanwhile: it was {picture.size}, and is {found}")
    return seen


def _seen(image: Image.Image, scale: Resolution | None) -> Pictures:
    """With all its bits, unless it must be turned or scaled, or has colours of its own."""
    if scale:
        return np.asarray(preprocessed(upright(image), [Step(COVER, scale)]))
    is_plain = orientation(image) == UPRIGHT and PROFILE not in image.info
    deep = deep_picture(image) if is_plain else None
    return np.asarray(upright(image)) if deep is None else deep


def _write(made: Pictures, picture: Picture) -> None:
    whole, encoded = cv2.imencode(".png", made[..., [2, 1, 0, 3][: made.shape[-1]]])  # it has BGR
    assert whole, "OpenCV writes PNG files"
    with making(picture.output) as part:
        part.write_bytes(encoded.tobytes())
        add_to_picture(part, picture.note)
