"""A training, described for an engine: networks, turns, what chance decides, what frames show.

Plain data, and functions written with `keras.ops`; an engine computes gradients and carries them
out. A step is a *program*: one turn's update after the other, with frames shown in between.

- A *turn* learns some of the networks by a loss. Each has an optimizer of its own.
- A *pass* is a result that several turns use, such as a generator's fakes. To a turn that learns
  none of its networks it is a constant. One update that learns them goes back through it; it is
  made anew where a network of it has learned since.
- *Chance*: all that is drawn for a step is drawn before it, by seed, detours and step.
- A network that no turn of a phase learns is called as if it were not training. Any other moves its
  statistics at each training call, in the order of the calls.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, Protocol

from jobs.settings.choices import Clipping, Optimizer
from jobs.settings.schedules import Schedule

Named = Mapping[str, Any]

EMPTY: Named = MappingProxyType({})


class Nets(Protocol):
    """How functions of a model reach its networks."""

    def __call__(self, name: str, inputs: Any, training: bool = True) -> Any:
        """The outputs of the network `name`."""

    def gradient(self, of: Callable[[Any], Any], at: Any) -> Any:
        """The gradient of the sum of `of(at)`, as large as `at`."""


class Batch(NamedTuple):
    """What one update is given: tensors `(n, ...)` by name, and what is carried from update on."""

    # Pictures `(n, height, width, 3 or 4)` uint8, clips `(n, frames, height, width, 3 or 4)`; of
    # those that go on, `(n,)` bool under `begins_of` their name: which follow on no clip before,
    # as all do right after a detour.
    feeds: Named
    chance: Named
    passes: Named
    carried: Named


class Outcome(NamedTuple):
    """What an update comes to: a scalar, and tensors `(n, ...)` for the turn's `carry`."""

    loss: Any
    kept: Named = EMPTY


@dataclass(frozen=True)
class Learning:
    """How a turn learns. `steps` are those of the whole training.

    In the first `warm_up` updates, the rate rises evenly to what it is by then.
    """

    optimizer: Optimizer
    rate: float
    schedule: Schedule
    beta1: float  # for an optimizer that has one, where its parameters do not set it
    clipping: Clipping
    updates: int  # per step
    steps: int
    warm_up: int = 0
    micro_batches: int = 1  # parts of a batch that are computed one after the other


@dataclass(frozen=True)
class Chance:
    """Random numbers for each picture of a batch: float32 of this `shape`.

    `uniform` in [`low`, `high`), or `normal`: around 0, with a standard deviation of 1.
    """

    shape: tuple[int, ...] = ()
    distribution: Literal["uniform", "normal"] = "uniform"
    low: float = 0.0
    high: float = 1.0


@dataclass(frozen=True)
class Carried:
    """An array that lives from update to update, in checkpoints too; it begins with zeros.

    `by_place`: it is `(n, ...)`, and where a batch is computed in parts, a loss is given the rows
    of its part, not all of them.
    """

    shape: tuple[int, ...]
    dtype: str = "float32"
    by_place: bool = False


@dataclass(frozen=True)
class Pass:
    """A result that several turns use: `make(nets, feeds, chance)` of these networks.

    `uses` names the feeds and the chance that it is made of: nothing else is handed to `make`.
    """

    networks: tuple[str, ...]
    uses: tuple[str, ...]
    make: Callable[[Nets, Named, Named], Any]


@dataclass(frozen=True)
class Turn:
    """Some networks learn by a loss.

    `carry(carried, kept)` returns what is carried from then on; `kept` is that of the whole batch.
    """

    networks: tuple[str, ...]
    learning: Learning
    loss: Callable[[Nets, Batch], Outcome]
    passes: tuple[str, ...] = ()
    carry: Callable[[Named, Named], Named] | None = None


class Average(NamedTuple):
    """A moving average of a network's weights, with which frames show it."""

    network: str
    decay: float


def begins_of(feed: str) -> str:
    """The name under which a batch has which of a feed's clips follow on none before."""
    return f"{feed}_begins"


class Update(NamedTuple):
    """A turn's update in a program: which of the step's batches, and of its draws, it is given."""

    turn: str
    feeds: Mapping[str, int]
    chance: Mapping[str, int] = EMPTY

    @property
    def given(self) -> Mapping[str, int]:
        """The number of each feed and draw."""
        return {**self.feeds, **self.chance}


class Show(NamedTuple):
    """A frame in a program: it shows the networks as they are then."""


Program = Sequence[Update | Show]


@dataclass(frozen=True)
class Phase:
    """What steps do from step number `begins` on, until the next phase begins."""

    begins: int
    program: Program

    @property
    def turns(self) -> frozenset[str]:
        return frozenset(each.turn for each in self.updates)

    @property
    def updates(self) -> tuple[Update, ...]:
        return tuple(each for each in self.program if isinstance(each, Update))

    @property
    def ends_with_frame(self) -> bool:
        return bool(self.program) and isinstance(self.program[-1], Show)

    @property
    def frames(self) -> int:
        """Frames of a step that shows any."""
        return len(self.program) - len(self.updates)

    @cached_property
    def silent(self) -> Phase:
        """The same without its frames: for steps that show none."""
        return replace(self, program=self.updates)


@dataclass(frozen=True)
class Shown:
    """What frames show: cells `(height, width, channels)` of uint8.

    Each is of `samples`, drawn once from the job's seed.

    Beside them, for each cell one of the `pictures` of these feeds, always the same; or all of
    them, `(items, ...)`, where it is `of_all`.

    `at(samples, first, frames)` returns what `frames` frames from number `first` on show,
    `(frames, cells, ...)` by name; `draw(nets, samples)` draws the cells of one of them,
    `(cells, height, width, channels)`.
    """

    cell: tuple[int, int, int]
    samples: Mapping[str, Chance]
    at: Callable[[Named, Any, int], Named]
    draw: Callable[[Nets, Named], Any]
    pictures: tuple[str, ...] = ()
    of_all: bool = False


@dataclass(frozen=True)
class Measuring:
    """What networks are measured by now and then: pictures of feeds that no step is given.

    These are one feed and its pairs. `measure(nets, pictures)` of uint8 pictures by feed, `(1,
    height, width, 3 or 4)`, returns the measures `names`, as a float32 vector; networks are those
    that frames show. Where some cannot be computed on a device, `finish` makes the measures of that
    vector, a NumPy array of any length.
    """

    feeds: tuple[str, ...]
    names: tuple[str, ...]
    measure: Callable[[Nets, Named], Any]
    finish: Callable[[Any], Sequence[float]] | None = None


@dataclass(frozen=True)
class Model:
    """Everything that an engine trains. Names are those in checkpoints and curves."""

    networks: Mapping[str, Any]  # `keras.Model`s
    turns: Mapping[str, Turn]
    phases: tuple[Phase, ...]
    shown: Shown
    passes: Mapping[str, Pass] = field(default_factory=dict)
    chance: Mapping[str, Chance] = field(default_factory=dict)
    averages: Mapping[str, Average] = field(default_factory=dict)
    carried: Mapping[str, Carried] = field(default_factory=dict)
    measured: Measuring | None = None

    def phase_at(self, step: int) -> Phase:
        """The phase of a step."""
        return [phase for phase in self.phases if phase.begins <= step][-1]

    def steps_until_next_phase(self, step: int) -> int | None:
        """How many steps the phase of `step` goes on, this one too; None: to the end."""
        return next((p.begins - step for p in self.phases if p.begins > step), None)

    def learned_in(self, phase: Phase) -> frozenset[str]:
        """The networks that learn in a phase."""
        return frozenset(name for turn in phase.turns for name in self.turns[turn].networks)

    def steps_of_turns(self, first: int, steps: int) -> Mapping[str, int]:
        """In how many of `steps` steps from `first` on each turn learns."""
        ends = [*(phase.begins for phase in self.phases[1:]), first + steps]
        counts = dict.fromkeys(self.turns, 0)
        for phase, end in zip(self.phases, ends, strict=True):
            learning = max(0, min(end, first + steps) - max(phase.begins, first))
            for turn in phase.turns:
                counts[turn] += learning
        return counts

    @cached_property
    def draws(self) -> Mapping[str, int]:
        """How many draws a step makes of each chance, and how many batches of each feed."""
        counts: dict[str, int] = {}
        for phase in self.phases:
            for update in phase.updates:
                for name, number in update.given.items():
                    counts[name] = max(counts.get(name, 0), number + 1)
        return counts


class Remembered(Protocol):
    """What goes on from frame to frame of a video, `(1, height, width, channels)`."""

    def begin(self, frame: Any) -> Any:
        """What goes on into a first frame such as this one."""

    def given(self, before: Any, now: Any, after: Any, memory: Any) -> Any:
        """What the network is given for a frame."""

    def taken(self, made: Any, now: Any) -> tuple[Any, Any]:
        """The frame, and what goes on, of what the network has made."""


class Applying(NamedTuple):
    """What makes pictures of pictures: a `keras.Model`, what it is given, what becomes of this.

    `to_network` makes its inputs of levels, `to_levels` levels of its outputs: `(n, height, width,
    3 or 4)` float32 from 0 to 255, with fractions where pictures have more than 8 bits. `lowered`
    makes of levels such as the network learns to make those that it is given; None: nothing says
    how. Where something is `remembered`, the network is given what that says, and its outputs are
    taken by it. One that makes frames `between` two is given what that makes of their values and of
    shares `(n,)` of the way from one to the other.
    """

    network: Any
    to_network: Callable[[Any], Any]
    to_levels: Callable[[Any], Any]
    lowered: Callable[[Any], Any] | None = None
    remembered: Remembered | None = None
    between: Callable[[Any, Any, Any], Any] | None = None


class Sampling(NamedTuple):
    """What draws samples: a `keras.Model`, and a function from its outputs to uint8 pictures."""

    network: Any
    to_picture: Callable[[Any], Any]
