"""What a call asks for: which network, with which weights, to make what of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from jobs.errors import UsageError
from jobs.families.family import Application
from jobs.families.table import FAMILIES, family_of
from jobs.settings.colours import CHANNELS
from jobs.settings.kinds import Resolution
from jobs.settings.spec import JobSpec
from jobs.tinkering.ancestry import ancestors
from jobs.tinkering.earlier_jobs import past_job
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace
from multitrain.applying.course import Course, Mixture, mixed, through
from multitrain.weights.moments import Moments, at_step, through_time
from render.clips.asked import asked_for

ABOUT_AS_LARGE = 1.5  # times: of a side of pictures and of those of the training


class Mix(NamedTuple):
    """Another job, the step of its weights (None: the newest), and how much of them is mixed in."""

    job: str
    step: int | None
    mixture: Mixture


@dataclass(frozen=True)
class Asked:
    """How the network of a job is to be used.

    - step: of its weights; None: the newest.
    - through_time: from its first kept weights to the last.
    - closed: weights that change come back to the first ones.
    - back: the network that makes inputs of targets.
    - raw: pictures are inputs as the network takes them, and none are made of them before.
    - ensemble: of what is made of a picture and of its mirror images, the mean.
    - scale: pictures are made so large before, with their proportions; what stands over is cut off.
    """

    workspace: Workspace
    job: JobFile
    step: int | None = None
    through_time: bool = False
    mix: Mix | None = None
    closed: bool = False
    back: bool = False
    raw: bool = False
    ensemble: bool = False
    scale: Resolution | None = None

    def check(self) -> None:
        """UsageError where the job cannot do this, or this does not go together."""
        name, family = self.job.spec.name, self.job.spec.family
        if family_of(self.job.spec).application is None:
            able = " and ".join(each for each, known in FAMILIES.items() if known.application)
            raise UsageError(f"{name} is a {family}, which makes no pictures of others; {able} do")
        if self.back and len(self.application.networks) < 2:
            raise UsageError(f"{name} is a {family}, which knows one way only; leave out --back")
        if self.through_time and (self.mix or self.step is not None):
            raise UsageError("--through-time goes through all steps; leave out --step and --mix")
        if self.closed and not self.through_time and not self.mix:
            raise UsageError("--closed is for --through-time and --mix, which change the weights")
        if self.mix:
            self._check_mix(self.mix.job)

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
    def network(self) -> str:
        """Its name in checkpoints."""
        return self.application.networks[1 if self.back else 0]

    @property
    def fixed(self) -> JobSpec:
        """The job's settings, by which its network can be planned for pictures of any size."""
        job = self.job
        return self.application.fixed(job.spec, job.image_width, job.image_height)

    @property
    def least_side(self) -> int:
        """How many pixels the shorter side of a picture needs."""
        return self.application.least_side(self.fixed)

    def unlike(self, size: Resolution) -> str | None:
        """A sentence on pictures of another size than those of the training; None where it is
        about the same.
        """
        trained = Resolution(self.job.image_width, self.job.image_height)
        times = max(size) / max(trained)
        if 1 / ABOUT_AS_LARGE <= times <= ABOUT_AS_LARGE:
            return None
        return (
            f"{size} is not what {self.job.spec.name} was trained on, which was {trained}; with "
            f"--scale {trained} it sees pictures as large as those"
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

    def note(self, source: Path, moments: Sequence[Moments], *facts: object) -> str:
        """For the file that is made of `source`: another one where anything differs."""
        files = [source, *(file for each in moments for file in each.files)]
        weights = (self.network, self.through_time, self.mix, self.closed)
        how = (*weights, self.raw, self.ensemble, self.scale)
        return asked_for(files, self.job.text, *how, *facts)
