"""How an autoencoder learns: what it sees, what it is to make of it, what frames show."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

from jobs.families.autoencoder.plan import DECODER, ENCODER, frames_of, pictures_shown
from jobs.families.feed import PICTURES
from jobs.families.translation import SAMPLES, VALIDATION
from jobs.settings.colours import RGB
from jobs.settings.kinds import Resolution
from jobs.settings.spec import JobSpec
from jobs.workspace.jobfile import JobFile
from multitrain.engine.model import (
    EMPTY,
    Batch,
    Carried,
    Chance,
    Measuring,
    Named,
    Nets,
    Outcome,
    Show,
    Shown,
    Update,
    begins_of,
)
from multitrain.families.autoencoder.coding import Coder, values_of
from multitrain.families.autoencoder.packing import packed
from multitrain.families.translating import Samples
from multitrain.networks.colours import WHITE
from multitrain.networks.distances import DISTANCES
from multitrain.networks.metrics import FIDELITIES, fidelities
from multitrain.networks.spaces import converted, to_space

MEASURES = ("bytes", "ratio", "psnr", "ssim", "ms_ssim")
# Names of what chance decides.
ROUNDING, NOISE, RATE = "rounding", "input_noise", "rate"

STATE = "state"  # the name of what is carried

LOUDER = 2.0  # times: differences, as frames show them
HALFWAY = 4.0  # of latents, as frames show them: so many steps from grey are half of all there is
LEAST_WIDTH = 0.01  # of what a channel holds, in steps: its logarithm has to stay finite


@dataclass(frozen=True)
class Autoencoding:
    """Both networks of a job, for pictures of this size."""

    spec: JobSpec
    size: Resolution

    @cached_property
    def coder(self) -> Coder:
        return Coder.of(self.spec, self.size)

    @property
    def frames(self) -> int:
        """The pictures of an item."""
        return frames_of(self.spec)

    @property
    def carried(self) -> Mapping[str, Carried]:
        """What is remembered from clip to clip, at each place of a batch."""
        if not self.coder.plan.remembers:
            return {}
        state = self.coder.plan.state
        shape = (self.spec.images_per_batch, state.height, state.width, state.channels)
        return {STATE: Carried(shape, by_place=True)}

    @property
    def carry(self) -> Callable[[Named, Named], Named] | None:
        """All that is kept of an update goes on."""
        return (lambda _, kept: kept) if self.carried else None

    @property
    def chance(self) -> Mapping[str, Chance]:
        """What chance decides of each picture in training."""
        latents, spec = self.coder.plan.latents, self.spec
        frames = (self.frames,) if self.frames > 1 else ()
        each: dict[str, Chance] = {}
        if spec.quantise:
            shape = (*frames, latents.height, latents.width, latents.channels)
            each[ROUNDING] = Chance(shape, low=-0.5, high=0.5)
        if spec.input_noise:
            each[NOISE] = Chance((*frames, self.size.height, self.size.width, RGB), "normal")
        if spec.variable_rate:
            each[RATE] = Chance()
        return each

    @property
    def program(self) -> list[Update | Show]:
        """Updates of both at once, each with a batch and with chance of its own."""
        updates = [
            Update("g", {PICTURES: number}, dict.fromkeys(self.chance, number))
            for number in range(self.spec.nbr_g_updates)
        ]
        return [*updates, Show()]

    def loss(self, nets: Nets, batch: Batch) -> Outcome:
        """How far what comes back is from the pictures, in the colours of the loss."""
        levels = self._one_by_one(ops.cast(batch.feeds[PICTURES], "float32"))
        latents = nets(ENCODER, self.coder.seen(self._noisy(levels, batch.chance)))
        sent = self.coder.disturbed(latents, self._one_by_one(batch.chance.get(ROUNDING)))
        if self.spec.variable_rate:
            sent = sent * kept(sent.shape[-1], ops.repeat(batch.chance[RATE], self.frames))
        colours = self.spec.loss_colours or self.spec.output_colours
        before = self._before(batch)
        shares, after = self.coder.decoded(partial(nets, DECODER), sent, before, self.frames)
        values = values_of(shares)
        made = converted(values, self.spec.output_colours, colours)
        wanted = to_space(colours, levels)
        terms = [term for term in self.spec.losses if term["weight"]]
        loss = sum(term["weight"] * DISTANCES[term.name](made, wanted) for term in terms)
        if self.spec.rate_weight:
            loss += self.spec.rate_weight * bits(latents / self.spec.quantise)
        return Outcome(loss) if after is None else Outcome(loss, {STATE: after})

    def _before(self, batch: Batch) -> Any:
        """What is remembered of the clip before; nothing where there is a cut, or another video."""
        if not self.carried:
            return None
        begins = batch.feeds[begins_of(PICTURES)][:, None, None, None]
        return ops.where(begins, 0.0, batch.carried[STATE])

    def _one_by_one(self, items: Any) -> Any:
        """The frames of clips `(n, frames, ...)`, `(n * frames, ...)`; pictures stay."""
        if self.frames == 1 or items is None:
            return items
        return ops.reshape(items, (-1, *items.shape[2:]))

    def _noisy(self, levels: Any, chance: Named) -> Any:
        if not self.spec.input_noise:
            return levels
        noise = self._one_by_one(chance[NOISE])
        return ops.clip(levels + self.spec.input_noise * noise, 0.0, WHITE)

    def coded(self, nets: Nets, levels: Any) -> tuple[Any, Any]:
        """What is sent of pictures, and the levels of what comes back, in use.

        Frames of clips stand one by one; each clip follows on nothing.
        """
        sent = self.coder.sent(nets(ENCODER, self.coder.seen(levels), training=False))
        decoder = partial(nets, DECODER, training=False)
        shares, _ = self.coder.decoded(decoder, self.coder.received(sent), frames=self.frames)
        return sent, self.coder.levels(shares)

    def shown(self, job: JobFile) -> Shown:
        """Cells with what a sheet wants to see, side by side; of a clip, of its last frame."""
        names, samples = pictures_shown(self.spec), Samples.of(self.spec)
        is_apart = self.spec.sample_from or self.carried
        feed = (SAMPLES if is_apart else "") + PICTURES

        def cells(nets: Nets, seen: Named) -> Any:
            whole = self._one_by_one(ops.cast(seen[feed], "float32"))
            last = slice(self.frames - 1, None, self.frames)
            levels, sent, made = (each[last] for each in (whole, *self.coded(nets, whole)))
            found = {
                "input": lambda: levels,
                "output": lambda: made,
                "difference": lambda: ops.clip(WHITE / 2 + LOUDER * (made - levels), 0.0, WHITE),
                "latent": lambda: mosaic(sent, self.size),
            }
            each = [ops.cast(ops.round(found[name]()), "uint8") for name in names]
            return ops.concatenate(each, axis=2)

        cell = (self.size.height, len(names) * self.size.width, job.plan.channels)
        return Shown(cell, EMPTY, samples.at, cells, (feed,), of_all=samples.move)

    @property
    def measured(self) -> Measuring | None:
        """The bytes of pictures that are not trained on, and how well they come back."""
        if not self.spec.validation:
            return None

        def measure(nets: Nets, pictures: Named) -> Any:
            levels = self._one_by_one(ops.cast(pictures[VALIDATION], "float32"))
            sent, made = self.coded(nets, levels)
            each = [
                fidelities(made[place : place + 1], levels[place : place + 1])
                for place in range(self.frames)
            ]
            return ops.concatenate([sum(each) / len(each), ops.reshape(sent, (-1,))])

        return Measuring((VALIDATION,), MEASURES, measure, self._counted)

    def _counted(self, found: NDArray[np.floating]) -> Sequence[float]:
        """The measures by what was computed on a device: fidelity, and what is sent."""
        latents = self.coder.plan.latents
        fidelity, sent = found[:FIDELITIES], found[FIDELITIES:]
        kind = np.int8 if self.coder.step else np.float16
        each = sent.reshape(-1, latents.height, latents.width, latents.channels).astype(kind)
        size = sum(len(packed(frame)) for frame in each) / len(each)
        raw = RGB * self.size.width * self.size.height
        return (size, raw / size, *fidelity.tolist())


def kept(channels: int, share: Any) -> Any:
    """1 for the first channels that stay, 0 for the others: `(n, 1, 1, channels)`.

    One at least, and all of them as often as any other number; `share` is uniform in [0, 1).
    Rippel et al. 2014, "Learning ordered representations with nested dropout",
    https://arxiv.org/abs/1402.0915.
    """
    most = ops.floor(share * channels)[:, None, None, None]
    return ops.cast(np.arange(channels, dtype=np.float32) <= most, "float32")


def bits(numbers: Any) -> Any:
    """About how many bits each of the whole numbers takes: a mean over `(n, height, width, c)`.

    As if each channel held a Laplace distribution: with a mean distance b from 0, that has an
    entropy of log2(2 e b).
    """
    widths = ops.mean(ops.abs(numbers), axis=(0, 1, 2))
    return ops.mean(ops.log(1.0 + 2.0 * math.e * (widths + LEAST_WIDTH))) / math.log(2.0)


def mosaic(sent: Any, size: Resolution) -> Any:
    """Channels of latents `(n, height, width, c)` side by side, as grey levels of this size.

    0 is grey; numbers of any size have a place.
    """
    _, height, width, channels = sent.shape
    columns = math.ceil(math.sqrt(channels * size.width * height / (size.height * width)))
    columns = min(channels, max(1, columns))
    rows = math.ceil(channels / columns)
    full = ops.pad(sent, [(0, 0), (0, 0), (0, 0), (0, rows * columns - channels)])
    grey = (WHITE / 2) * (1.0 + full / (ops.abs(full) + HALFWAY))
    tiles = ops.reshape(grey, (-1, height, width, rows, columns))
    whole = ops.reshape(
        ops.transpose(tiles, (0, 3, 1, 4, 2)), (-1, rows * height, columns * width, 1)
    )
    down = np.arange(size.height) * rows * height // size.height
    right = np.arange(size.width) * columns * width // size.width
    return ops.repeat(ops.take(ops.take(whole, down, axis=1), right, axis=2), RGB, axis=-1)
