"""One training step of any model, written once: engines trace it for their devices."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from keras import backend, ops, tree

from multitrain.engine.model import (
    Batch,
    Model,
    Named,
    Nets,
    Outcome,
    Phase,
    Show,
    Turn,
    Update,
    begins_of,
)


class Drawn(NamedTuple):
    """All that chance decides of one step, by name, so that the step itself draws nothing.

    feeds: `(batches, n, ...)`: what `Batch` has of each.
    chance: `(draws, n, ...)` float32.
    shown: `(frames, cells, ...)`: what the step's frames show.
    """

    feeds: Named
    chance: Named
    shown: Named


Gradients = Mapping[str, Sequence[Any]]  # by network, one for each trainable weight
PullBack = Callable[[Any], Gradients]


class Trace(Protocol):
    """A model's networks on an engine, while a step is traced; all that the step changes.

    Gradients of what is not reached are zeros.
    """

    @property
    def shares(self) -> int:
        """Of how many devices' shares a batch consists here, one behind the other."""

    @property
    def carried(self) -> Named:
        """What is carried from update to update."""

    def record(self, networks: Sequence[str], make: Callable[[Nets], Any]) -> tuple[Any, PullBack]:
        """What `make` makes, and what takes gradients of it to the weights of the `networks`."""

    def differentiate(
        self, networks: Sequence[str], passes: Named, loss: Callable[[Nets, Named], Outcome]
    ) -> tuple[Outcome, Gradients, Named]:
        """A loss, with its gradients for the weights of the `networks` and for the `passes`."""

    def constant(self, values: Any) -> Any:
        """`values`, which may be nested, through which no gradients go."""

    def learn(self, turn: str, gradients: Gradients) -> None:
        """One update of a turn's networks, and of their averages, by these gradients."""

    def shared(self, places: Named) -> Named:
        """This replica's share of tensors `(n, ...)` that all replicas have whole."""

    def gathered(self, kept: Named) -> Named:
        """The parts of a batch `(n, ...)` that all replicas have, in their order."""

    def carry(self, carried: Named) -> None:
        """Carry these from now on."""

    def show(self, draw: Callable[[Nets], Any]) -> Any:
        """What `draw` draws with the averages of networks, where they have one, not training.

        Only one of several replicas draws; the others return something empty.
        """


@dataclass(frozen=True)
class Grid:
    """How a frame shows samples: row by row."""

    rows: int
    columns: int

    def frame_shape(self, cell: tuple[int, int, int]) -> tuple[int, int, int]:
        """The shape of a frame whose cells have this one: height, width, channels."""
        height, width, channels = cell
        return self.rows * height, self.columns * width, channels


class Step:
    """A training step of one phase of a model."""

    def __init__(self, model: Model, phase: Phase, grid: Grid) -> None:
        self._model, self._phase, self._grid = model, phase, grid

    def __call__(self, trace: Trace, drawn: Drawn) -> tuple[Any, Any]:
        """Trains on what was drawn for one step, or on a replica's share of it.

        Returns frames `(frames, frame_height, frame_width, channels)` uint8, None of a program that
        shows none, and the mean losses of the turns, `(turns,)`, in the order of the model; 0 for
        those of other phases.
        """
        doing = _StepInProgress(self._model, trace, drawn)
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
        return ops.stack(frames) if frames else None, ops.stack(means)

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


class _RecordedPass(NamedTuple):
    """A pass, and how often each of its networks had learned when it was made."""

    outputs: Any
    pull_back: PullBack
    updates: tuple[int, ...]


class _StepInProgress:
    def __init__(self, model: Model, trace: Trace, drawn: Drawn) -> None:
        self._model, self._trace, self._drawn = model, trace, drawn
        self._updates = dict.fromkeys(model.networks, 0)  # in this step, by any turn
        self._passes: dict[tuple[Any, ...], _RecordedPass] = {}

    def update(self, update: Update) -> Any:
        """Have a turn learn; returns its loss."""
        turn = self._model.turns[update.turn]
        feeds = {name: self._drawn.feeds[name][number] for name, number in update.feeds.items()}
        feeds |= {
            begins: self._drawn.feeds[begins][number]
            for begins, number in ((begins_of(name), n) for name, n in update.feeds.items())
            if begins in self._drawn.feeds
        }
        chance = {name: self._drawn.chance[name][number] for name, number in update.chance.items()}
        places = self._trace.shared(
            {
                name: tensor
                for name, tensor in self._trace.carried.items()
                if self._model.carried[name].by_place
            }
        )
        count, shares = turn.learning.micro_batches, self._trace.shares
        parts = (_parts_of(each, count, shares) for each in (feeds, chance, places))
        outcomes, gradients = zip(
            *(self._gradients(turn, update, *batch) for batch in zip(*parts, strict=True)),
            strict=True,
        )
        self._trace.learn(update.turn, _means(gradients))
        for name in turn.networks:
            self._updates[name] += 1
        if turn.carry:
            kept = self._trace.gathered(_joined([outcome.kept for outcome in outcomes], shares))
            before = self._trace.carried
            self._trace.carry({**before, **_alike(turn.carry(before, kept), before)})
        return _mean([outcome.loss for outcome in outcomes])

    def _gradients(
        self, turn: Turn, update: Update, feeds: Named, chance: Named, places: Named
    ) -> tuple[Outcome, Gradients]:
        passes = {name: self._pass(name, turn, update, feeds, chance) for name in turn.passes}
        learned = {
            name: each
            for name, each in passes.items()
            if set(turn.networks) & set(self._model.passes[name].networks)
        }
        constant = {
            name: self._trace.constant(each.outputs)
            for name, each in passes.items()
            if name not in learned
        }
        carried = {**self._trace.carried, **places}

        def loss(nets: Nets, outputs: Named) -> Outcome:
            return turn.loss(nets, Batch(feeds, chance, {**constant, **outputs}, carried))

        outputs = {name: each.outputs for name, each in learned.items()}
        outcome, gradients, of_outputs = self._trace.differentiate(turn.networks, outputs, loss)
        for name, each in learned.items():
            through = each.pull_back(of_outputs[name])
            gradients = {
                network: _sums(found, through[network]) if network in through else found
                for network, found in gradients.items()
            }
        return outcome, gradients

    def _pass(
        self, name: str, turn: Turn, update: Update, feeds: Named, chance: Named
    ) -> _RecordedPass:
        """A pass: one that was made of the same before, where it is still what it was."""
        recipe = self._model.passes[name]
        updates = tuple(self._updates[network] for network in recipe.networks)
        key = (name, *(update.given[used] for used in recipe.uses))
        is_whole = turn.learning.micro_batches == 1
        if is_whole and (before := self._passes.get(key)) and before.updates == updates:
            return before
        given = [
            {used: tensors[used] for used in recipe.uses if used in tensors}
            for tensors in (feeds, chance)
        ]
        outputs, pull_back = self._trace.record(
            recipe.networks, lambda nets: recipe.make(_Only(nets, name, recipe.networks), *given)
        )
        made = _RecordedPass(outputs, pull_back, updates)
        if is_whole:
            self._passes[key] = made
        return made


@dataclass(frozen=True)
class _Only:
    """`Nets` of a pass: no others than those that it names."""

    nets: Nets
    name: str
    networks: Collection[str]

    def __call__(self, name: str, inputs: Any, training: bool = True) -> Any:
        if name not in self.networks:
            raise ValueError(f"pass {self.name} calls the network {name}, which it does not name")
        return self.nets(name, inputs, training)

    def gradient(self, of: Callable[[Any], Any], at: Any) -> Any:
        return self.nets.gradient(of, at)


def _parts_of(batch: Named, parts: int, shares: int) -> list[Named]:
    """The micro-batches of named tensors `(n, ...)`: each has a part of every device's share."""
    if parts == 1:
        return [batch]
    split = {
        name: ops.split(_by_share(tensor, shares), parts, axis=1) for name, tensor in batch.items()
    }
    return [
        {name: _in_a_row(tensors[number]) for name, tensors in split.items()}
        for number in range(parts)
    ]


def _joined(kept: Sequence[Named], shares: int) -> Named:
    """What the micro-batches of one batch have kept, together."""
    if len(kept) == 1:
        return kept[0]

    def join(*parts: Any) -> Any:
        return _in_a_row(ops.concatenate([_by_share(part, shares) for part in parts], axis=1))

    joined: Named = tree.map_structure(join, *kept)
    return joined


def _by_share(tensor: Any, shares: int) -> Any:
    """`(n, ...)` as `(shares, n / shares, ...)`."""
    return ops.reshape(tensor, (shares, -1, *tensor.shape[1:]))


def _in_a_row(tensor: Any) -> Any:
    """`(shares, n, ...)` as `(shares * n, ...)`."""
    return ops.reshape(tensor, (-1, *tensor.shape[2:]))


def _alike(after: Named, before: Named) -> Named:
    """What is carried `after` an update, which must be of the kind that it was."""
    for name, value in after.items():
        if name not in before:
            raise ValueError(f"a turn carries {name}, which the model does not have")
        found, wanted = map(_kind, (value, before[name]))
        if found != wanted:
            raise ValueError(f"a turn carries {name} as {found}, and the model has it as {wanted}")
    return after


def _kind(tensor: Any) -> str:
    return f"{backend.standardize_dtype(tensor.dtype)}{tuple(tensor.shape)}"


def _means(parts: Sequence[Gradients]) -> Gradients:
    """The means of the gradients of several micro-batches."""
    if len(parts) == 1:
        return parts[0]
    return {
        network: [
            sum(of_weight) / float(len(parts))
            for of_weight in zip(*(part[network] for part in parts), strict=True)
        ]
        for network in parts[0]
    }


def _sums(one: Sequence[Any], other: Sequence[Any]) -> Sequence[Any]:
    return [a + b for a, b in zip(one, other, strict=True)]


def _mean(losses: Sequence[Any]) -> Any:
    return ops.mean(ops.stack(losses)) if len(losses) > 1 else losses[0]
