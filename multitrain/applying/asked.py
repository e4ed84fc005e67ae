"""What a call asks for: which network, with which weights, to make what of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from jobs.errors import UsageError
from jobs.families.family import Application
from jobs.families.layer import OVER_PICTURES, Layer
from jobs.families.padding import padded
from jobs.families.table import FAMILIES, family_of
from jobs.settings.colours import CHANNELS
from jobs.settings.kinds import Resolution
from jobs.settings.spec import JobSpec, means_something
from jobs.settings.translation import Filter
from jobs.settings.words import with_article
from jobs.tinkering.ancestry import ancestors
from jobs.tinkering.earlier_jobs import past_job
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace
from multitrain.applying.course import Course, Mixture, mixed, through
from multitrain.applying.spacing import Spacing
from multitrain.applying.tiles import Tiling
from multitrain.inference.blocks import VALUE_BYTES
from multitrain.weights.moments import Moments, Wanted, at_step, through_time
from render.clips.asked import asked_for
from render.files.film import Film

TILE_BYTES = 256 * 2**20  # of the widest layer's values; a device holds a few such at once
SEEN_BY_SCALING = 2  # pixels around one
TRIED = 8  # layers are measured on pictures of 2^8 pixels a side

USUAL_TIMES = 2  # frames that are made of one, where nothing else is asked for
MOST_TIMES = 16

ABOUT_AS_LARGE = 1.5  # times: of a side of pictures and of those of the training


class Mix(NamedTuple):
    """Another job, the step of its weights, and how much of them is mixed in."""

    job: str
    step: Wanted
    mixture: Mixture


@dataclass(frozen=True)
class Asked:
    """How the network of a job is to be used.

    - step: of its weights.
    - through_time: from its first kept weights to the last.
    - steady: over so many seconds of a video its statistics are smoothed; None: over none.
    - closed: weights that change come back to the first ones, what goes on from frame to frame has
      seen the end of the video before its beginning, and frames are made between both.
    - back: the network that makes inputs of targets.
    - stage: of networks that are stages of one way, the one to stop at; None: the last.
    - raw: pictures are inputs as the network takes them, and none are made of them before.
    - ensemble: of what is made of a picture and of its mirror images, the mean.
    - output_filter: what smooths what is made, in place of the job's own.
    - strength: how much of what the network makes; the rest is the picture, scaled up.
    - keep_colours: broad areas keep the colours that they have in the picture.
    - scale: pictures are made so large before, with their proportions; what stands over is cut off.
    - channels: of what lies between two networks, so many of the first channels; None: all of them.
    - multiple, fps: so many times as many frames, or as many as give so many per second.
    """

    workspace: Workspace
    job: JobFile
    step: Wanted = None
    through_time: bool = False
    mix: Mix | None = None
    steady: float | None = None
    closed: bool = False
    back: bool = False
    stage: str | None = None
    raw: bool = False
    ensemble: bool = False
    output_filter: Filter | None = None
    strength: float = 1.0
    keep_colours: bool = False
    scale: Resolution | None = None
    channels: int | None = None
    multiple: int | None = None
    fps: int | None = None

    def check(self) -> None:
        """UsageError where the job cannot do this, or this does not go together."""
        name, family = self.job.spec.name, self.job.spec.family
        a_family = with_article(family)
        if family_of(self.job.spec).application is None:
            *able, last = (each for each, known in FAMILIES.items() if known.application)
            raise UsageError(
                f"{name} is {a_family}, which makes no pictures of others; "
                f"{', '.join(able)} and {last} do"
            )
        is_one_way = len(self.application.networks) < 2 or self.application.are_stages
        if self.back and is_one_way:
            raise UsageError(f"{name} is {a_family}, which knows one way only; leave out --back")
        if self.stage is not None:
            self._check_stage(self.stage)
        if self.output_filter and not means_something("output_filter", family):
            raise UsageError(f"{name} is {a_family}, which has no filter; leave out --guided")
        if (self.strength != 1.0 or self.keep_colours) and not self.application.restores:
            raise UsageError(
                f"{name} is {a_family}, which makes other pictures; --strength and --keep-colours "
                "are for those that enlarge; leave them out"
            )
        if self.channels is not None:
            self._check_channels(self.channels)
        if self.through_time and (self.mix or self.step is not None):
            raise UsageError("--through-time goes through all steps; leave out --step and --mix")
        if (self.multiple or self.fps) and not self.is_between:
            raise UsageError(
                f"{name} is {a_family}, which makes one frame of each; leave out --times and --fps"
            )
        if self.multiple and self.fps:
            raise UsageError("--times and --fps say the same; leave out one of them")
        changes = self.through_time or self.mix or self.steady
        if self.closed and not (changes or self.remembers or self.is_between):
            raise UsageError(
                "--closed is for --through-time, --mix, --steady, networks that remember and those "
                "between two frames; leave it out"
            )
        if self.ensemble and self.remembers:
            raise UsageError(
                f"{name} goes on from frame to frame, each seen one way round; leave out --ensemble"
            )
        if self.steady and not self._takes_statistics:
            raise UsageError(
                f"--steady smooths what normalizations take of each picture, and those of {name} "
                "take nothing of it; leave out --steady"
            )
        if self.mix:
            self._check_mix(self.mix.job)

    def _check_stage(self, stage: str) -> None:
        name, known = self.job.spec.name, self.application.networks
        if not self.application.are_stages:
            a_family = with_article(self.job.spec.family)
            raise UsageError(f"{name} is {a_family}, which has no stages; leave out --stage")
        if stage not in known:
            *first, last = known[::-1]
            raise UsageError(f"{name} has no stage {stage!r}; it has {', '.join(first)} and {last}")

    def _check_channels(self, channels: int) -> None:
        name, every = self.job.spec.name, self.application.rates(self.job.spec)
        if not every:
            raise UsageError(
                f"{name} is {with_article(self.job.spec.family)}, which sends nothing from one "
                "network to another; --channels is for an autoencoder: leave it out"
            )
        if channels > every:
            raise UsageError(f"{name} has {every} latent channels; --channels {channels} is more")

    def _check_mix(self, other: str) -> None:
        jobs = self.job, past_job(self.workspace, other)
        ours, theirs = (ancestors(each.spec, self.workspace) for each in jobs)
        if not ours & theirs:
            raise UsageError(
                f"{self.job.spec.name} and {other} cannot be mixed: they began with different "
                "weights, and what lies between these is noise. Train one from the other by "
                "init_from, or fade from one film to the other"
            )

    @property
    def application(self) -> Application:
        application = family_of(self.job.spec).application
        assert application, "`check` has said so"
        return application

    @property
    def remembers(self) -> bool:
        """Whether the network goes on from frame to frame."""
        return self.application.remembers(self.job.spec)

    @property
    def is_between(self) -> bool:
        """Whether the network makes frames between those of a video."""
        return self.application.is_between

    def spacing(self, film: Film) -> Spacing | None:
        """Where frames lie that are made of a film; None: each is made of one of its own.

        UsageError where these are not more than it has, or far too many.
        """
        if not self.is_between:
            return None
        fps = film.format.fps
        times = self.fps / fps if self.fps else Fraction(self.multiple or USUAL_TIMES)
        if not 1 < times <= MOST_TIMES:
            raise UsageError(
                f"{film.path} has {float(fps):g} frames per second; --fps must be more than that, "
                f"and at most {MOST_TIMES} times as many"
            )
        return Spacing.of(film.frames, times, times * fps, closed=self.closed)

    def frames_of(self, film: Film) -> int:
        """How many frames are made of a film. UsageError as of `spacing`."""
        spacing = self.spacing(film)
        return spacing.made if spacing else film.frames

    @property
    def network(self) -> str:
        """Its name in checkpoints."""
        return self.stage or self.application.networks[1 if self.back else 0]

    @property
    def fixed(self) -> JobSpec:
        """The job's settings, by which its network can be planned for pictures of any size."""
        job = self.job
        fixed = self.application.fixed(job.spec, job.image_width, job.image_height)
        if self.output_filter is None:
            return fixed
        return fixed.model_copy(update={"output_filter": self.output_filter})

    @property
    def _takes_statistics(self) -> bool:
        """Whether the network normalizes by what it finds in each picture."""
        spec, size = self.job.spec, (self.job.image_width, self.job.image_height)
        layers = family_of(spec).layers(spec, *size)[self.network]
        return any(layer.normalization in OVER_PICTURES for layer in layers)

    @property
    def least_side(self) -> int:
        """How many pixels the shorter side of a picture needs."""
        return self.application.least_side(self.fixed)

    @property
    def times(self) -> int:
        """How many times as large as a picture what is made of it is."""
        return self.application.enlarges(self.fixed)

    def made_of(self, size: Resolution) -> Resolution:
        """How large what is made of pictures of this size is."""
        return Resolution(size.width * self.times, size.height * self.times)

    def layers(self, size: Resolution) -> tuple[Layer, ...]:
        """Those of the network for pictures of this size."""
        return family_of(self.fixed).layers(self.fixed, *self.made_of(size))[self.network]

    def tiling(self, size: Resolution) -> Tiling:
        """The parts in which such pictures are made; one, where the network sees all of each."""
        if self.application.radius is None:
            return Tiling.none(size)
        fixed = self.fixed
        halvings = self.application.halvings(fixed)
        if padded(*size, halvings) != size and not self.application.restores:
            return Tiling.none(size)  # filters know where pictures end, and padding would hide it
        few = Resolution(1 << TRIED, 1 << TRIED)
        values = max(layer.widest for layer in self.layers(few)) / (few.width * few.height)
        most = int(TILE_BYTES / (VALUE_BYTES * values))
        reach = self.application.radius(fixed)
        if self.strength != 1.0:  # bicubic scaling, which is mixed in, sees some as well
            reach = max(reach, SEEN_BY_SCALING)
        return Tiling.of(size, reach, halvings, most)

    def unlike(self, size: Resolution) -> str | None:
        """A sentence on pictures of another size than those of the training; None where it is
        about the same, or makes no difference.
        """
        if (rough := self._rough(size)) or self.application.restores or self.is_between:
            return rough
        trained = Resolution(self.job.image_width, self.job.image_height)
        times = max(size) / max(trained)
        if 1 / ABOUT_AS_LARGE <= times <= ABOUT_AS_LARGE:
            return None
        return (
            f"{size} is not what {self.job.spec.name} was trained on, which was {trained}; with "
            f"--scale {trained} it sees pictures as large as those"
        )

    def _rough(self, size: Resolution) -> str | None:
        """A sentence where tiles overlap by less than the network sees."""
        tiling, radius = self.tiling(size), self.application.radius
        if not radius or tiling.is_whole or tiling.margin >= (exact := radius(self.fixed)):
            return None
        return (
            f"{size} is made in {tiling.count} tiles that overlap by {tiling.margin} pixels; the "
            f"network sees {exact}, but what is so far away hardly counts"
        )

    def channels_of(self, channels: int) -> int:
        """Of what is made of pictures with so many."""
        return max(channels, CHANNELS[self.job.spec.colour_model].picture)

    def moments(self) -> tuple[Moments, ...]:
        """Of the job, and of the one that is mixed in. As `weights.moments` raises."""
        paths, family = self.workspace.job(self.job.spec.name), self.job.spec.family
        if self.through_time:
            return (through_time(paths, family),)
        own = at_step(paths, family, self.step)
        if self.mix is None:
            return (own,)
        return own, at_step(self.workspace.job(self.mix.job), family, self.mix.step)

    def course(self, moments: Sequence[Moments], frames: int) -> Course:
        """The weights of so many frames."""
        if self.mix:
            a, b = moments
            return mixed(a, b, self.mix.mixture, frames, closed=self.closed)
        return through(moments[0], frames, closed=self.closed)

    def pieces_of(self, note: str) -> Path:
        """The folder in which the pieces of what carries this note lie."""
        return self.workspace.applying / note.split()[-1]

    def note(self, source: Path, moments: Sequence[Moments], *facts: object) -> str:
        """For the file that is made of `source`: another one where anything differs."""
        return self.note_of([source], moments, *facts)

    def note_of(self, sources: Sequence[Path], moments: Sequence[Moments], *facts: object) -> str:
        """As `note`, for a file that is made of several."""
        files = [*sources, *(file for each in moments for file in each.files)]
        weights = (self.network, self.through_time, self.mix, self.steady, self.closed)
        how = (*weights, self.raw, self.ensemble, self.output_filter, self.scale)
        changed = (self.strength, self.keep_colours)
        if changed != (1.0, False):  # else the note is that of before there were these
            facts = (*changed, *facts)
        if self.channels is not None:
            facts = ("channels", self.channels, *facts)
        if self.is_between:
            facts = (self.multiple, self.fps, *facts)
        return asked_for(files, self.job.text, *how, *facts)
