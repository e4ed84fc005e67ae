"""What the header of a stream says: how pictures are coded, how large they are, how fast they come.

Of a job, only what a decoder is built of: no folder of anybody's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Self

from pydantic import ValidationError

from jobs.families.autoencoder.layers import Coding, coding_of
from jobs.families.autoencoder.plan import CODED_BY, DECODED_BY, impossible
from jobs.families.layer import Shape
from jobs.settings.kinds import LARGEST_SIDE, Resolution
from jobs.settings.spec import JobSpec
from jobs.workspace.jobfile import JobFile
from multitrain.codec.receiving import UnusableFrame
from multitrain.codec.stream import NoStream
from multitrain.codec.weights import Shapes
from multitrain.families.autoencoder.packing import DamagedLatents, Latents, unpacked

MOST_FPS = 1000
FINEST_RATE = 1_000_000  # the largest denominator; and the slowest rate is one frame in as many s
SLACK = 1024  # bytes that deflating may add to what cannot be made smaller


@dataclass(frozen=True)
class Facts:
    """Of a stream of pictures of this `size`, coded as the job says, the first `channels` sent."""

    job: JobFile
    size: Resolution
    fps: Fraction
    channels: int

    @property
    def coding(self) -> Coding:
        return coding_of(self.job.spec, *self.size)

    @property
    def sent(self) -> Shape:
        """Of the latents of one frame."""
        return replace(self.coding.latents, channels=self.channels)

    @property
    def is_quantised(self) -> bool:
        return bool(self.job.spec.quantise)

    @property
    def raw_bytes(self) -> int:
        """Of one frame as it is."""
        return 3 * self.size.width * self.size.height

    @property
    def flat_shapes(self) -> Shapes:
        """Of the decoder's weights, as they are sent, each array as a row: by the plan alone."""
        return {
            f"{layer.number}/{kind}": (values,)
            for layer in self.coding.decoder
            for kind, values in (("kernel", layer.weights), ("bias", layer.columns))
        }

    @property
    def most_bytes(self) -> int:
        """Of the payload of any packet."""
        parameters = sum(each.parameters for each in self.coding.decoder)
        return 4 * max(parameters, self.sent.values) + SLACK

    def unpacked(self, payload: bytes) -> Latents:
        """The latents of a frame's payload. UnusableFrame where it is none of this stream."""
        try:
            return unpacked(payload, self.sent, quantised=self.is_quantised)
        except DamagedLatents as error:
            raise UnusableFrame(str(error)) from error

    def written(self) -> dict[str, Any]:
        """As the header has it."""
        spec = self.job.spec
        return {
            "job": spec.name,
            "size": list(self.size),
            "fps": [self.fps.numerator, self.fps.denominator],
            "channels": self.channels,
            "coding": spec.model_dump(mode="json", include=set(CODED_BY)),
        }

    @classmethod
    def read(cls, facts: dict[str, Any]) -> Self:
        """The inverse. NoStream for what no stream of ours can say."""
        try:
            width, height = map(int, facts["size"])
            fps, channels = Fraction(*map(int, facts["fps"])), int(facts["channels"])
            coding = {name: facts["coding"][name] for name in CODED_BY}
            if not (min(width, height) > 0 and max(width, height) <= LARGEST_SIDE):
                raise ValueError
            if not 1 / FINEST_RATE <= fps <= MOST_FPS or fps.denominator > FINEST_RATE:
                raise ValueError
            placeholders = {"dataset": "none", "grid_width": 1, "grid_height": 1, "steps": 1}
            spec = JobSpec.model_validate(
                {**placeholders, **coding, "name": facts["job"], "family": "autoencoder"}
            )
            if impossible(spec, width, height) or not 0 < channels <= spec.latent_channels:
                raise ValueError
        except (KeyError, TypeError, ValueError, ArithmeticError, ValidationError) as error:
            raise NoStream("has a header that this program cannot have written") from error
        job = JobFile(spec=spec, image_width=width, image_height=height)
        return cls(job, Resolution(width, height), fps, channels)


def unlike(spec: JobSpec, sender: JobSpec) -> str | None:
    """Why the decoder of one job is none for what the other sends, a sentence; None where it is."""
    for column in DECODED_BY:
        own, sent = getattr(spec, column), getattr(sender, column)
        if own != sent:
            return (
                f"{spec.name} has {column} {own}, and the stream is of one with {sent}: its "
                "decoder does not fit"
            )
    return None
