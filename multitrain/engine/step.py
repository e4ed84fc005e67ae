"""One training step of any model, written once: engines trace it for their devices."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from keras import ops, tree

from multitrain.engine.model import Batch, Model, Named, Nets, Outcome, Phase, Show, Turn, Update


class Drawn(NamedTuple):
    """All that chance decides of one step, by name, so that the step itself draws nothing.

    feeds: `(batches, n, height, width, 3 or 4)` uint8.
    chance: `(draws, n, ...)` float32.
    shown: `(frames_per_step, cells, ...)`: what the frames show.
    """

    feeds: Named
    chance: Named
    shown: Named


PullBack = Callable[[Any], Mapping[str, Sequence[Any]]]


class Trace(Protocol):
    """A model's networks on an engine, while a step is traced; all that the step changes.

    Gradients are lists with one for each trainable weight, None where a weight is not reached.
    """

    @property
    def carried(self) -> Named:
        """What is carried from update to update."""

    def make(self, networks: Sequence[str], make: Callable[[Nets], Any]) -> tuple[Any, PullBack]:
        """What `make` makes, and what takes gradients of it to the weights of the `networks`."""

    def judge(
        self, networks: Sequence[str], passes: Named, loss: Callable[[Nets, Named], Outcome]
    ) -> tuple[Outcome, Mapping[str, Sequence[Any]], Named]:
        """A loss, with its gradients for the weights of the `networks` and for the `passes`."""

    def constant(self, values: Any) -> Any:
        """`values`, which may be nested, through which no gradients go."""

    def learn(self, turn: str, gradients: Mapping[str, Sequence[Any]]) -> None:
        """One update of a turn's networks, and of their averages, by these gradients."""

    def carry(self, turn: Turn, made: Named) -> None:
        """Have the turn say what is carried from now on."""

    def show(self, draw: Callable[[Nets], Any]) -> Any:
        """What `draw` draws with the averages of networks, where they have one, not training.

        Only one of several replicas draws; the others return something empty.
        """


@dataclass(frozen=True)
class Grid:
    """How a frame shows samples: row by row."""

    rows: int
    columns: int


class Step:
    """A training step of one phase of a model."""

    def __init__(self, model: Model, phase: Phase, grid: Grid) -> None:
        self._model, self._phase, self._grid = model, phase, grid

    def __call__(self, trace: Trace, drawn: Drawn) -> tuple[Any, Any]:
        """Trains on what was drawn for one step, or on a replica's share of it.

        Returns frames `(frames_per_step, frame_height, frame_width, channels)` uint8, and the mean
        losses of the turns, `(turns,)`, in the order of the model; 0 for those of other phases.
        """
        doing = _Doing(self._model, trace, drawn)
        losses: dict[str, list[Any]] = {name: [] for name in self._model.turns}
        frames: list[Any] = []
        for each in self._phase.program:
            match each:
                case Update():
                    losses[each.turn].append(doing.update(each))
                case Show():
                    shown = {name: drawn.shown[name][len(frames)] for name in drawn.shown}
                    frames.append(self.frame(trace, shown))
        means = [_mean(each) if each else ops.zeros(()) for each in losses.values()]
        return ops.stack(frames), ops.stack(means)

    def frame(self, trace: Trace, shown: Named) -> Any:
        """A frame, `(frame_height, frame_width, channels)` uint8, of samples `(cells, ...)`."""
        return trace.show(lambda nets: self._laid_out(self._model.shown.draw(nets, shown)))

    def _laid_out(self, cells: Any) -> Any:
        rows, columns = self._grid.rows, self._grid.columns
        height, width, channels = cells.shape[1:]
        placed = ops.reshape(cells, (rows, columns, height, width, channels))
        return ops.reshape(
            ops.transpose(placed, (0, 2, 1, 3, 4)), (rows * height, columns * width, channels)
        )


class _Made(NamedTuple):
    """A pass that was made, and how often its networks had learned by then."""

    outputs: Any
    pull_back: PullBack
    learned: tuple[int, ...]


class _Doing:
    """A step in progress."""

    def __init__(self, model: Model, trace: Trace, drawn: Drawn) -> None:
        self._model, self._trace, self._drawn = model, trace, drawn
        self._learned = dict.fromkeys(model.networks, 0)  # updates in this step
        self._made: dict[tuple[Any, ...], _Made] = {}

    def update(self, update: Update) -> Any:
        """Have a turn learn; returns its loss."""
        turn = self._model.turns[update.turn]
        feeds = {name: self._drawn.feeds[name][number] for name, number in update.feeds.items()}
        chance = {name: self._drawn.chance[name][number] for name, number in update.chance.items()}
        parts = turn.learning.micro_batches
        outcomes, gradients = zip(
            *(
                self._gradients(turn, update, part_of(feeds), part_of(chance))
                for part_of in _micro_batches(parts)
            ),
            strict=True,
        )
        self._trace.learn(update.turn, _means(gradients))
        for name in turn.networks:
            self._learned[name] += 1
        if turn.carry:
            self._trace.carry(turn, _joined([outcome.made for outcome in outcomes]))
        return _mean([outcome.loss for outcome in outcomes])

    def _gradients(
        self, turn: Turn, update: Update, feeds: Named, chance: Named
    ) -> tuple[Outcome, Mapping[str, Sequence[Any]]]:
        made = {name: self._pass(name, turn, update, feeds, chance) for name in turn.passes}
        learned = {
            name: each
            for name, each in made.items()
            if set(turn.networks) & set(self._model.passes[name].networks)
        }
        constant = {
            name: self._trace.constant(each.outputs)
            for name, each in made.items()
            if name not in learned
        }
        carried = self._trace.carried

        def loss(nets: Nets, passes: Named) -> Outcome:
            return turn.loss(nets, Batch(feeds, chance, {**constant, **passes}, carried))

        outputs = {name: each.outputs for name, each in learned.items()}
        outcome, gradients, of_passes = self._trace.judge(turn.networks, outputs, loss)
        for name, each in learned.items():
            through = each.pull_back(of_passes[name])
            gradients = {
                network: _sums(found, through.get(network)) for network, found in gradients.items()
            }
        return outcome, gradients

    def _pass(self, name: str, turn: Turn, update: Update, feeds: Named, chance: Named) -> _Made:
        """A pass: one that was made of the same before, where it is still what it was."""
        recipe = self._model.passes[name]
        learned = tuple(self._learned[network] for network in recipe.networks)
        key = (name, *(update.given[used] for used in recipe.uses))
        whole = turn.learning.micro_batches == 1
        if whole and (before := self._made.get(key)) and before.learned == learned:
            return before
        outputs, pull_back = self._trace.make(
            recipe.networks, lambda nets: recipe.make(nets, feeds, chance)
        )
        made = _Made(outputs, pull_back, learned)
        if whole:
            self._made[key] = made
        return made


def _micro_batches(parts: int) -> list[Callable[[Named], Named]]:
    """Functions that take the parts of a batch out of named tensors `(n, ...)`."""
    if parts == 1:
        return [lambda batch: batch]

    def part(number: int) -> Callable[[Named], Named]:
        return lambda batch: {
            name: ops.split(tensor, parts)[number] for name, tensor in batch.items()
        }

    return [part(number) for number in range(parts)]


def _means(parts: Sequence[Mapping[str, Sequence[Any]]]) -> Mapping[str, Sequence[Any]]:
    """The means of the gradients of several micro-batches."""
    if len(parts) == 1:
        return parts[0]
    return {
        network: [
            None if all(each is None for each in of_weight) else _mean_of_known(of_weight)
            for of_weight in zip(*(part[network] for part in parts), strict=True)
        ]
        for network in parts[0]
    }


def _mean_of_known(gradients: Sequence[Any]) -> Any:
    return sum(each for each in gradients if each is not None) / float(len(gradients))


def _sums(one: Sequence[Any], other: Sequence[Any] | None) -> Sequence[Any]:
    if other is None:
        return one
    return [b if a is None else a if b is None else a + b for a, b in zip(one, other, strict=True)]


def _mean(losses: Sequence[Any]) -> Any:
    return ops.mean(ops.stack(losses)) if len(losses) > 1 else losses[0]


def _joined(made: Sequence[Named]) -> Named:
    """What the micro-batches of one batch have made, together."""
    if len(made) == 1:
        return made[0]
    joined: Named = tree.map_structure(lambda *each: ops.concatenate(each), *made)
    return joined
