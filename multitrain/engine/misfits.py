"""What does not fit together in a model: mistakes of whoever describes a family."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from itertools import pairwise

from jobs.families.feed import wrong_pairs
from multitrain.engine.feeds import Feeds
from multitrain.engine.model import Model, begins_of
from multitrain.engine.streams import TAKEN, stream_of

_IN_STATES = ("step", "detours", "carried")  # beside the model's own names


def misfits(
    model: Model, feeds: Feeds, frames_per_step: int, batch: int, devices: int
) -> Iterator[str]:
    """A sentence for each; the first ones may be the cause of others.

    A job has these `feeds` and shows `frames_per_step`; its `devices` share each batch of `batch`
    pictures.
    """
    if wrong := [
        *wrong_pairs([each.feed for each in feeds.values()]),
        *_unknown_names(model, feeds),
        *_unfit_phases(model, frames_per_step),
    ]:
        yield from wrong
        return
    yield from _unfit_updates(model, feeds)
    yield from _unfit_turns(model, batch // devices)
    yield from _unfit_places(model, batch)
    yield from _taken_names(model, feeds)
    yield from _shared_variables(model)


def _unknown_names(model: Model, feeds: Feeds) -> Iterator[str]:
    for name, turn in model.turns.items():
        yield from _unknown(f"turn {name}", "network", turn.networks, model.networks)
        yield from _unknown(f"turn {name}", "pass", turn.passes, model.passes)
    for name, each in model.passes.items():
        yield from _unknown(f"pass {name}", "network", each.networks, model.networks)
    for name, average in model.averages.items():
        yield from _unknown(f"average {name}", "network", [average.network], model.networks)
    for phase in model.phases:
        yield from _unknown("a program", "turn", phase.turns, model.turns)
        for update in phase.updates:
            yield from _unknown("an update", "feed", update.feeds, feeds, "job")
            for name in update.feeds:
                if name in feeds and not feeds[name].feed.is_drawn:
                    yield f"an update is given the feed {name}, which frames alone show"
            yield from _unknown("an update", "chance", update.chance, model.chance)
    yield from _unknown("a frame", "feed", model.shown.pictures, feeds, "job")
    measured = model.measured.feeds if model.measured else ()
    yield from _unknown("a measure", "feed", measured, feeds, "job")
    for name, opened in feeds.items():
        if not opened.feed.is_drawn and name not in (*model.shown.pictures, *measured):
            yield f"{name} is given to no update, shown by no frame, and measured by nothing"


def _unknown(
    who: str, what: str, names: Iterable[str], known: Collection[str], whole: str = "model"
) -> Iterator[str]:
    for name in names:
        if name not in known:
            yield f"{who} names the {what} {name}, which the {whole} does not have"


def _unfit_phases(model: Model, frames_per_step: int) -> Iterator[str]:
    begins = [phase.begins for phase in model.phases]
    if not begins or begins[0] or any(a >= b for a, b in pairwise(begins)):
        yield f"phases begin at steps {begins}, not from 0 on and upwards"
    for phase in model.phases:
        if phase.frames != frames_per_step:
            yield f"a program shows {phase.frames} frames per step, and the job {frames_per_step}"
        elif not phase.ends_with_frame:
            yield "a program must end with a frame, which shows what the step has come to"


def _unfit_updates(model: Model, feeds: Feeds) -> Iterator[str]:
    updates = [update for phase in model.phases for update in phase.updates]
    for update in updates:
        for name in model.turns[update.turn].passes:
            for used in set(model.passes[name].uses) - set(update.given):
                yield f"an update of turn {update.turn} lacks {used}, which pass {name} uses"
    drawn = [name for name, each in feeds.items() if each.feed.is_drawn]
    for name in (*drawn, *model.chance):
        if name not in model.draws:
            yield f"{name} is given to no update"
    for name in set(feeds) & set(model.chance):
        yield f"{name} is both a feed and a chance"


def _unfit_turns(model: Model, share: int) -> Iterator[str]:
    for name, turn in model.turns.items():
        learning = turn.learning
        for phase in model.phases:
            count = [update.turn for update in phase.updates].count(name)
            if count not in (0, learning.updates):
                yield f"turn {name} has {count} updates per step, and learns by {learning.updates}"
        if share % learning.micro_batches:
            yield f"turn {name} cannot cut {share} pictures into {learning.micro_batches} parts"
        if learning.optimizer.keeps_weights:
            for other, its in model.turns.items():
                if other != name and set(its.networks) & set(turn.networks):
                    yield (
                        f"{learning.optimizer.name} of turn {name} keeps the weights itself, so "
                        f"turn {other} cannot learn the same network"
                    )


def _unfit_places(model: Model, batch: int) -> Iterator[str]:
    for name, each in model.carried.items():
        if each.by_place and each.shape[:1] != (batch,):
            yield f"{name} is carried by place and is {each.shape}, for batches of {batch} places"


def _taken_names(model: Model, feeds: Feeds) -> Iterator[str]:
    for name in set(model.shown.samples) & set(model.shown.pictures):
        yield f"frames show {name} as a sample and as a feed: rename one"
    for name, each in feeds.items():
        if each.runs is not None and (begins := begins_of(name)) in feeds:
            yield f"a feed cannot be called {begins}, which says where clips of {name} begin"
    for name in set(model.chance) & TAKEN:
        yield f"a chance cannot be called {name}, as other draws are"
    if len({stream_of(name) for name in model.chance}) < len(model.chance):
        yield f"two draws of {sorted(model.chance)} would be alike: rename one"
    names = [*model.networks, *model.averages, *model.shown.samples, *_IN_STATES]
    names += [f"optimizer_{name}" for name in model.turns]
    for name, count in Counter(names).items():
        if count > 1:
            yield f"two things are called {name} in checkpoints"


def _shared_variables(model: Model) -> Iterator[str]:
    owners: dict[int, str] = {}
    for name, network in model.networks.items():
        for variable in network.variables:
            owner = owners.setdefault(id(variable), name)
            if owner != name:
                yield f"{variable.path} is in the networks {owner} and {name}"
