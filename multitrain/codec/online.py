"""A training whose frames are what a receiver shows of what is sent while it goes on.

Frame by frame, the sender codes what comes, by the weights that the receiver has; the networks
learn from the newest frames; now and then it is looked whether what they have learnt is worth
sending.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np

from jobs.errors import NothingComes
from jobs.families.autoencoder.plan import DECODER, ENCODER
from jobs.families.feed import PICTURES
from jobs.plans.timing import Timing
from jobs.settings.colours import RGB
from jobs.settings.kinds import Resolution
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import JobPaths
from multitrain.codec.coding import Coding
from multitrain.codec.facts import Facts
from multitrain.codec.line import Line, Part, StreamLost
from multitrain.codec.quality import Quality, psnr
from multitrain.codec.receiving import Picture
from multitrain.codec.scene import Curves, Scene, noted
from multitrain.codec.sending import Gain, Sender, is_worth
from multitrain.codec.sources import Source, source_of
from multitrain.codec.stream import StreamWriter
from multitrain.engine.feeds import Feeds
from multitrain.engine.session import Block, Frames, Session, SessionSettings, State
from multitrain.inference.network import Device, Placed

NEWEST = 5  # frames that new weights must be better on, and not only on all that are kept
WORSE = 1.0  # dB: networks that are so much worse than those sent go back to these

# Names in checkpoints, beside those of the training: of the networks that are sent, each behind
# SENT; bytes, packets, version and frames of the stream; the digest of these bytes; what the curve
# shows.
SENT, PLACE, DIGEST, CURVES = "sent_", "stream_place", "stream_digest", "stream_curves"
LOST = ".lost"  # replaces the suffix of a stream that cannot go on

log = logging.getLogger(__name__)


@dataclass
class _Stream:
    """A stream on its way.

    - line: where it goes.
    - sender: what has been sent.
    - networks: of which the receiver has the decoder, by their names in checkpoints.
    - encoder: theirs, on the device.
    - shown: the frame that the receiver shows.
    """

    line: Line
    sender: Sender
    networks: State
    encoder: Placed
    curves: Curves
    shown: Picture

    def state(self) -> State:
        """What goes into a checkpoint; the stream is on the disk up to there."""
        sender = self.sender
        part = self.line.flush()
        place = part.length, sender.writer.packets, sender.version, sender.frame
        return {
            **{SENT + name: array for name, array in self.networks.items()},
            PLACE: np.array(place, np.int64),
            DIGEST: np.frombuffer(part.digest, np.uint8),
            CURVES: self.curves,
        }


class OnlineSession:
    """A `Session` around that of the networks, which shows nothing itself."""

    def __init__(
        self,
        job: JobFile,
        source: Source,
        inner: Session,
        settings: SessionSettings,
        path: Path,
    ) -> None:
        """The frames of the `source` are sent, from which `inner` learns. What is sent is written
        to `path`, which is replaced, or goes on where a state is restored.

        Raises OutOfMemory and other MultitrainErrors.
        """
        self._spec, self._path, self._source, self._inner = job.spec, path, source, inner
        self._size = Resolution(job.image_width, job.image_height)
        fps = Fraction(job.spec.fps)
        self._facts = Facts(job, self._size, fps, job.spec.latent_channels)
        self.coding = Coding(self._facts, Device(job, settings))
        self._quality = Quality(self.coding, job.spec.images_per_batch)
        self._scene, self._timing = Scene.of(job.spec, self._size), Timing.of(job.spec)
        self._stream: _Stream | None = None

    # As any session

    @property
    def step(self) -> int:
        return self._inner.step

    @property
    def detours(self) -> int:
        return self._inner.detours

    @detours.setter
    def detours(self, count: int) -> None:
        self._inner.detours = count

    def warm_up(self) -> None:
        self._inner.warm_up()

    def measured(self, is_wanted: Callable[[], bool] = lambda: True) -> Mapping[str, float]:
        return self._inner.measured(is_wanted)

    def follow(self, measured: Sequence[Sequence[Mapping[str, float]]]) -> None:
        self._inner.follow(measured)

    def adopt(self, weights: State, *, fitting: bool) -> list[str]:
        return self._inner.adopt(weights, fitting=fitting)

    def run(self, steps: int) -> Block:
        """As of any session; fewer steps where nothing comes of a stream any more.

        NothingComes where none could be done.
        """
        stream = self._stream or self._begin()
        frames: list[Frames] = []
        told: list[Mapping[str, float]] = []
        for _ in range(steps):
            is_shown = self._timing.makes_frames(self.step)
            try:
                told.append(self._step(stream))
            except NothingComes:
                if not told:
                    raise
                break  # the next call waits again
            if is_shown:
                frames.append(self._drawn(stream))
        whole = np.stack(frames) if frames else np.empty((0, *self._scene.shape), np.uint8)
        return Block(whole, _means(told))

    def last_frame(self) -> Frames:
        assert self._stream, "a step was done"
        return self._drawn(self._stream)[None]

    def state(self) -> State:
        state = self._inner.state()
        if self._stream is None:
            return state
        return state | self._stream.state() | self._source.state()

    def restore(self, state: State) -> None:
        self._inner.restore(state)
        self._source.restore(state)
        length, packets, version, frame = state[PLACE].tolist()
        self._end()
        # The last frame, too: it may have to be shown again.
        part = Part(length, state[DIGEST].tobytes())
        try:
            line = Line(self._path, self._size, part, first=max(0, frame - 1))
        except StreamLost as lost:
            log.warning("%s; another one begins here", lost)
            with suppress(FileNotFoundError):
                self._path.rename(self._path.with_suffix(LOST))
            self._begin()
            return
        networks = {
            name.removeprefix(SENT): array for name, array in state.items() if name.startswith(SENT)
        }
        decoder = self.coding.weights_of_decoder(networks)
        sender = Sender(StreamWriter(line, None, packets), decoder, version, frame)
        encoder, curves = self.coding.place_encoder(networks), state[CURVES].astype(np.float32)
        shown = line.receiver.take() if frame else self._nothing
        self._stream = _Stream(line, sender, networks, encoder, curves, shown)

    def close(self) -> None:
        """No step is wanted any more: end the receiver, when it has shown all."""
        self._source.close()
        self._end()

    def _end(self) -> None:
        if self._stream:
            self._stream.line.close()

    # A step

    @property
    def _nothing(self) -> Picture:
        return np.zeros((*reversed(self._size), RGB), np.uint8)

    def _begin(self) -> _Stream:
        line = Line.beginning(self._path, self._size)
        networks = self._networks(self._inner.state())
        writer = StreamWriter(line, self._facts.written())
        sender = Sender.beginning(writer, self.coding.weights_of_decoder(networks))
        networks = self._with_sent(networks, sender)
        encoder, curves = self.coding.place_encoder(networks), self._scene.curves()
        self._stream = _Stream(line, sender, networks, encoder, curves, self._nothing)
        return self._stream

    def _networks(self, state: State) -> State:
        """The part of a training's state that says how frames are coded."""
        prefixes = (f"{ENCODER}/", f"{DECODER}/")
        return {name: array for name, array in state.items() if name.startswith(prefixes)}

    def _with_sent(self, networks: State, sender: Sender) -> State:
        """The networks, of which the decoder is as the receiver has it."""
        sent = {f"{DECODER}/{name}": np.asarray(each) for name, each in sender.weights.items()}
        return {**networks, **sent}

    def _drawn(self, stream: _Stream) -> Frames:
        return self._scene.draw(self._source.at(self.step - 1), stream.shown, stream.curves)

    def _step(self, stream: _Stream) -> Mapping[str, float]:
        """Send a frame, learn, and see what has come of it; what is told of it, by name."""
        frame, writer = self._source.come(self.step), stream.sender.writer
        before = writer.total
        if self._is_key(stream.sender.frame):
            stream.sender.send_whole()
            stream.networks = self._with_sent(stream.networks, stream.sender)
        stream.sender.send_frame(self.coding.encoded(stream.encoder, frame))
        coded = writer.total - before
        losses = self._inner.run(1).losses
        stream.shown = stream.line.receiver.take()
        is_due = self.step > self._spec.fifo and self.step % self._spec.update_every == 0
        if is_due:
            self._look(stream)
        weights = writer.total - before - coded
        quality = psnr(stream.shown, frame)
        stream.curves = noted(stream.curves, quality, coded, weights)
        return {**losses, "psnr": quality, "bytes": float(coded + weights)}

    def _is_key(self, frame: int) -> bool:
        """Whether all weights are sent again before this frame; before the first one, they were."""
        every = self._spec.key_every
        return bool(every and frame and frame % every == 0)

    def _look(self, stream: _Stream) -> None:
        """Send what was learnt where that is worth it, or go back to what was sent."""
        live, sender = self._inner.state(), stream.sender
        decoder = self.coding.weights_of_decoder(live)
        if not all(np.isfinite(each).all() for each in decoder.values()):
            return  # as the loss will tell
        offer = sender.offer(decoder)
        kept = np.stack([self._source.at(self.step - age) for age in range(self._spec.fifo, 0, -1)])
        was = self._quality.of(stream.encoder, sender.weights, kept)
        encoder = self.coding.place_encoder(live)
        better = self._quality.of(encoder, offer.weights, kept) - was
        gain = Gain(float(better[-NEWEST:].mean()), float(better.mean()))
        size, values = len(offer.payload), self._facts.sent.values
        if is_worth(gain, size, values, self._spec.update_life):
            sender.send_weights(offer)
            stream.networks = self._with_sent(self._networks(live), sender)
            stream.encoder = encoder
            log.info("frame %d: weights in %d bytes, %.2f dB better", self.step, size, gain.sure)
        elif gain.at_best < -WORSE:
            log.info("frame %d: %.2f dB worse than what was sent", self.step, -gain.at_best)
            self._inner.restore({**live, **stream.networks})


def _means(told: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The mean of what was told of each, over the steps that tell it."""
    names = dict.fromkeys(name for each in told for name in each)
    return {name: float(np.mean([each[name] for each in told if name in each])) for name in names}


class Closing(Protocol):
    """What has to be closed."""

    def close(self) -> None:
        """It is not used any more."""


Opened = TypeVar("Opened", bound=Closing)


def closing_before(opener: Callable[[], Opened], at_the_end: ExitStack) -> Callable[[], Opened]:
    """The same, but that each is closed before the next one is opened, the last `at_the_end`."""
    current = at_the_end.enter_context(ExitStack())

    def opened() -> Opened:
        current.close()
        found = opener()
        current.callback(found.close)
        return found

    return opened


def opening_online(
    job: JobFile,
    feeds: Feeds,
    settings: SessionSettings,
    paths: JobPaths,
    open_session: Callable[[], Session],
    at_the_end: ExitStack,
) -> Callable[[], Session]:
    """A function that opens sessions whose stream is the job's, around those of `open_session`.

    Each is closed before the next one is opened, the last one `at_the_end`.
    """

    def opened() -> OnlineSession:
        inner = open_session()
        source = source_of(job.spec, feeds[PICTURES], paths.recorded)
        return OnlineSession(job, source, inner, settings, paths.stream)

    return closing_before(opened, at_the_end)
