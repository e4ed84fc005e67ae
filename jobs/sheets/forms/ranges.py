"""Ranges that stand in a template where a sheet has a value: `{log_uniform: [1e-5, 1e-2]}`.

A range is a mapping with one key, a name of `RANGES`. Nodes are read, never values, as in sheets:
what is drawn is a node in the line of its range.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

import yaml

from jobs.errors import Mistake
from jobs.sheets.forms.cells import place
from jobs.sheets.forms.yaml_nodes import line_of

Path = tuple[str, ...]  # keys and numbers of list entries, from the top of the file

MOST_NODES = 100_000  # of a template with its aliases written out
LARGEST_WHOLE = 2**53  # floats hold every whole number up to here

_ONLY_IN_TEMPLATES = (
    "{kind} is a range, which stands for many values; `multitrain generate` makes a sheet of this "
    "template"
)
_DIGITS = 4  # of a drawn number, for people to read


@dataclass(frozen=True)
class Range:
    """One range of a template: `node` is what stands behind its name."""

    kind: str
    node: yaml.Node
    line: int

    @property
    def entries(self) -> list[yaml.Node]:
        return list(self.node.value) if isinstance(self.node, yaml.SequenceNode) else []

    def mistake(self) -> str | None:
        """What is wrong with it, in one clause."""
        if self.kind in ("choice", "grid"):
            return None if self.entries else f"{self.kind} needs a list of values"
        bounds = self._bounds()
        if bounds is None:
            return f"{self.kind} needs its two bounds, such as {_EXAMPLES[self.kind]}"
        low, high = bounds
        if not low < high:
            return f"the first bound of {self.kind} must be the lower one: {low:g} is not"
        if self.kind == "log_uniform" and low <= 0:
            return f"log_uniform needs bounds above 0, not {low:g}"
        if self.kind == "randint" and not (low.is_integer() and high.is_integer()):
            return "randint needs whole numbers as its bounds"
        return None

    def number(self, random: Random) -> str:
        """A number from between the bounds, as text. Of `randint`, both are among them."""
        bounds = self._bounds()
        assert bounds is not None, "a range is drawn from when it has no mistake"
        return _DRAWN[self.kind](random, *bounds)

    def _bounds(self) -> tuple[float, float] | None:
        numbers = [_number(entry) for entry in self.entries]
        match numbers:
            case [float(low), float(high)]:
                return low, high
        return None


def range_of(node: yaml.Node) -> Range | None:
    """The range that `node` is, or None."""
    if isinstance(node, yaml.MappingNode) and len(node.value) == 1:
        key, value = node.value[0]
        if isinstance(key, yaml.ScalarNode) and key.value in RANGES:
            return Range(key.value, value, line_of(node))
    return None


def all_ranges(node: yaml.Node, path: Path = ()) -> Iterator[tuple[Path, Range]]:
    """Every range under `node` in the order of the file; one within another comes behind it."""
    found = range_of(node)
    if found:
        yield path, found
    for name, child in children(node):
        yield from all_ranges(child, (*path, name))


def ranges_in_sheet(root: yaml.Node, file: str) -> list[Mistake]:
    """A mistake for each range where none may be; lines and columns are those of the settings.

    What aliases repeat is looked at once. A range's name without a list may name a preset.
    """
    mistakes: list[Mistake] = []
    seen: set[int] = set()
    ahead = [(root, "")]
    while ahead:
        node, name = ahead.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        found = range_of(node)
        if found and isinstance(found.node, yaml.SequenceNode):
            reason = _ONLY_IN_TEMPLATES.format(kind=found.kind)
            mistakes.append(Mistake(file, found.line, place(name), reason))
            continue
        ahead += [(child, name if key.isdigit() else key) for key, child in children(node)]
    return sorted(mistakes)


def children(node: yaml.Node) -> Iterator[tuple[str, yaml.Node]]:
    """What stands in a mapping or list, by key or number."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                yield key.value, value
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            yield str(number), value


def mistakes_of(root: yaml.Node, file: str) -> list[Mistake]:
    """What is wrong with the ranges of a template, each with its line."""
    mistakes: list[Mistake] = []
    left = MOST_NODES

    def look(node: yaml.Node, inside: str, name: str) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            return
        found = range_of(node)
        reason = found.mistake() if found else _mixed(node)
        if found and found.kind == "grid" and inside:
            reason = f"grid cannot stand within {inside}; write its values out there"
        if reason:
            mistakes.append(Mistake(file, line_of(node), name, reason))
        for key, child in children(node):
            # The column of a range's entries is that of the range.
            deeper = name if found or key.isdigit() else key
            look(child, found.kind if found else inside, deeper)

    look(root, "", "")
    if left < 0:
        return [Mistake(file, 1, "", f"has more than {MOST_NODES} values, aliases written out")]
    return mistakes


def _mixed(node: yaml.Node) -> str | None:
    """A reason where a range's name stands beside other keys."""
    keys = [name for name, _ in children(node)] if isinstance(node, yaml.MappingNode) else []
    ranges = [key for key in keys if key in RANGES]
    if ranges:
        return f"{ranges[0]} must be the only key of its mapping, as {_EXAMPLES[ranges[0]]}"
    return None


def _number(node: yaml.Node) -> float | None:
    if not isinstance(node, yaml.ScalarNode):
        return None
    try:
        number = float(node.value)
    except ValueError:
        return None
    return number if abs(number) <= LARGEST_WHOLE else None  # refuses nan, too


def _uniform(random: Random, low: float, high: float) -> str:
    return _short(random.uniform(low, high), low, high)


def _log_uniform(random: Random, low: float, high: float) -> str:
    return _short(math.exp(random.uniform(math.log(low), math.log(high))), low, high)


def _randint(random: Random, low: float, high: float) -> str:
    return str(random.randint(int(low), int(high)))


def _short(number: float, low: float, high: float) -> str:
    """The number with few digits, unless rounding leads out of the range."""
    text = f"{number:.{_DIGITS}g}"
    return text if low <= float(text) <= high else repr(min(max(number, low), high))


_DRAWN: dict[str, Callable[[Random, float, float], str]] = {
    "uniform": _uniform,
    "log_uniform": _log_uniform,
    "randint": _randint,
}

_EXAMPLES = {
    "uniform": "{uniform: [0, 0.5]}",
    "log_uniform": "{log_uniform: [1e-5, 1e-2]}",
    "randint": "{randint: [3, 7]}",
    "choice": "{choice: [relu, tanh]}",
    "grid": "{grid: [1, 2, 4]}",
}

RANGES = tuple(_EXAMPLES)
