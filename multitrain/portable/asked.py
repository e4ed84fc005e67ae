"""What a call asks for: which network of a job, with which weights, for pictures of which size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from jobs.errors import UsageError
from jobs.families.family import Application
from jobs.families.padding import padded
from jobs.families.table import FAMILIES, family_of
from jobs.settings.colours import CHANNELS, RGBA
from jobs.settings.kinds import Resolution
from jobs.settings.preprocess import shrunk
from jobs.settings.spec import JobSpec
from jobs.settings.words import with_article
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace
from multitrain.portable.formats import FORMATS, Format
from multitrain.weights.moments import BEST, Moments, Wanted, at_step

LATENTS, PICTURES, MADE = "latents", "pictures", "made"  # names of what goes in, and comes out
IN_LAYERS = ("rgb", "rgba", "grey")  # colours that layers of Keras can make

_DRAWN = {
    "uniform": "each value drawn evenly between -1 and 1",
    "normal": "each value drawn normally around 0, with deviation 1",
}


@dataclass(frozen=True)
class Asked:
    """A network of `job` that is to be taken away.

    - network: its name in checkpoints; None: the one that draws the job's pictures.
    - step: of its weights.
    - size: of the pictures that it is given; None: any that it can halve, or where the format knows
      one size alone, that of the training.
    """

    workspace: Workspace
    job: JobFile
    form: Format
    network: str | None = None
    step: Wanted = None
    size: Resolution | None = None

    def check(self) -> None:
        """UsageError where there is no such network, or this does not go together."""
        name, family = self.job.spec.name, self.job.spec.family
        if not self._drawing:
            able = ", ".join(each for each, known in FAMILIES.items() if known.networks)
            raise UsageError(
                f"{name} is {with_article(family)}, which trains no network; {able} do"
            )
        if self.name not in self._drawing:
            raise UsageError(
                f"{name} has no network {self.name!r} that makes pictures; it has "
                f"{' and '.join(self._drawing)}"
            )
        if self.application and self.application.remembers(self.job.spec):
            raise UsageError(
                f"{name} remembers from frame to frame, which a network alone does not; use it by "
                "multitrain apply"
            )
        if self.application and self.application.rates(self.job.spec):
            raise UsageError(
                f"{name} is an encoder and a decoder, with rounding between them, which no file "
                "holds; use it by multitrain apply"
            )
        if self.application and self.application.is_between:
            raise UsageError(
                f"{name} makes the frames between those of a video, which a network alone does not "
                "show; use it by multitrain apply"
            )
        if self.size and not self.application:
            raise UsageError(
                f"{name} is {with_article(family)}, which draws pictures of one size; no --size"
            )
        if self.size and min(self.size) < self.least_side:
            raise UsageError(f"{name} takes {self.least_side} pixels a side, not {self.size}")
        model = self.job.spec.colour_model
        if FORMATS[self.form].layers_alone and model not in IN_LAYERS:
            raise UsageError(
                f"{self.form} cannot hold how {model} becomes colours; --format keras holds it"
            )

    @property
    def application(self) -> Application | None:
        """Of networks that make pictures into pictures; None: it draws them of latents."""
        return family_of(self.job.spec).application

    @property
    def name(self) -> str:
        return self.network or self._drawing[0]

    @property
    def title(self) -> str:
        """What its file is called by default, without an ending."""
        own = "network" if self.name == self._drawing[0] else self.name
        step = "" if self.step is None else f"_step_{self.step}"
        step = f"_{BEST}" if self.step == BEST else step
        return f"{self.job.spec.name}_{own}{step}"

    @property
    def _drawing(self) -> tuple[str, ...]:
        """The networks that make pictures, the one that draws the job's first."""
        family = family_of(self.job.spec)
        if family.application:
            return family.application.networks
        return (family.sampler,) if family.sampler else ()

    @property
    def fixed(self) -> JobSpec:
        """The job's settings, by which its network can be planned for pictures of any size."""
        assert self.application, "only of these are there other sizes"
        return self.application.fixed(self.job.spec, self.job.image_width, self.job.image_height)

    @property
    def least_side(self) -> int:
        assert self.application, "only of these are there other sizes"
        return self.application.least_side(self.fixed)

    @property
    def multiple(self) -> int:
        """Of how many pixels sides must be that need no padding."""
        assert self.application, "only of these are there other sizes"
        return 1 << self.application.halvings(self.fixed)

    @property
    def is_free(self) -> bool:
        """Whether pictures may have any size that needs no padding."""
        one_size = self.size is not None or FORMATS[self.form].layers_alone
        return self.application is not None and not one_size

    @property
    def built_for(self) -> Resolution:
        """The size of pictures that the network is planned for."""
        if self.size:
            return self.size
        if self.is_free and self.application:
            return padded(*self._trained, self.application.halvings(self.fixed))
        return self._trained

    def moments(self) -> Moments:
        """As `weights.moments` raises."""
        paths = self.workspace.job(self.job.spec.name)
        return at_step(paths, self.job.spec.family, self.step)

    def told(self, moments: Moments) -> Iterator[str]:
        """What the network is, what goes in and what comes out: lines for people."""
        spec = self.job.spec
        what = f"{self.name} of {spec.name} ({spec.family}) at {moments.told}"
        yield f"{what}, as {FORMATS[self.form].title}"
        if self.application is None:
            yield f"in: {LATENTS} (n, {spec.z_dim}) float32, {_DRAWN[spec.z_distribution]}"
        else:
            yield f"in: {PICTURES} {self._shape} float32{self._sides}"
            if spec.makings and self.name == self._drawing[0]:
                steps = ", ".join(map(str, spec.makings))
                yield f"    no photos, but what input_from makes of such: {steps}"
        yield f"out: {MADE} {self._shape_of_made} float32"
        has_alpha = CHANNELS[spec.colour_model].picture == RGBA
        order = "red, green, blue and alpha" if has_alpha else "red, green and blue"
        yield f"pictures are {order} from -1 to 1: (value + 1) * 127.5 is the level of 0 to 255"

    @property
    def _shape(self) -> str:
        width, height = self.built_for
        rows, columns = ("height", "width") if self.is_free else (height, width)
        return f"(n, {rows}, {columns}, {CHANNELS[self.job.spec.colour_model].picture})"

    @property
    def _shape_of_made(self) -> str:
        if self._times == 1:
            return self._shape
        width, height = (side * self._times for side in self.built_for)
        rows = f"{self._times} height" if self.is_free else height
        columns = f"{self._times} width" if self.is_free else width
        return f"(n, {rows}, {columns}, {CHANNELS[self.job.spec.colour_model].picture})"

    @property
    def _sides(self) -> str:
        if not self.is_free:
            return ""
        least = -(-self.least_side // self.multiple) * self.multiple
        if self.multiple == 1:
            return f"; height and width are at least {least}"
        return (
            f"; height and width are multiples of {self.multiple}, at least {least} "
            "(--size WxH makes a file for any other size)"
        )

    @property
    def _trained(self) -> Resolution:
        """The size of what the network was given."""
        return shrunk(Resolution(self.job.image_width, self.job.image_height), self._times)

    @property
    def _times(self) -> int:
        """How many times as large what it makes is."""
        return self.application.enlarges(self.job.spec) if self.application else 1
