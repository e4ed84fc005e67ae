"""YAML into nodes that know their lines, and what is wrong with them.

Nodes are read, never values: `yes`, `0.50` and `1e-4` reach the parser as they were written, and no
tag makes an object.
"""

from __future__ import annotations

from typing import Any

import yaml

from jobs.errors import Mistake, SheetError
from jobs.sheets.forms.cells import place

MOST_EVENTS = 2_000_000  # values, beginnings and ends of lists: they take a gigabyte
DEEPEST = 20  # levels; a sheet has seven, and the C library overflows its stack at some thousands
TOO_DEEP = "is nested too deep for a sheet"

# Line ends in YAML 1.1, which PyYAML reads, but neither in YAML 1.2 nor to an editor.
_NO_LINE_ENDS = str.maketrans("\x85\u2028\u2029", "   ")
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULL = "tag:yaml.org,2002:null"
_MERGE = "tag:yaml.org,2002:merge"

Entries = dict[str, tuple[yaml.Node, yaml.Node]]  # key and value by the key's text


def compose(text: str, file: str) -> yaml.Node:
    """The root of the only document. SheetError where the text is no YAML."""
    text = text.translate(_NO_LINE_ENDS)
    try:
        depth = 0
        for number, event in enumerate(yaml.parse(text, _LOADER)):
            if number > MOST_EVENTS:
                raise SheetError([Mistake(file, line_of(event), "", "has too much for a sheet")])
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth > DEEPEST:
                raise SheetError([Mistake(file, line_of(event), "", TOO_DEEP)])
        root: yaml.Node | None = yaml.compose(text, _LOADER)
    except yaml.MarkedYAMLError as error:
        lines = [mark.line + 1 for mark in (error.problem_mark, error.context_mark) if mark]
        last = text.rstrip("\n").count("\n") + 1
        line = next((line for line in lines if line <= last), last)  # where it opens, not the end
        reason = ", ".join(filter(None, [error.context, error.problem]))
        raise SheetError([Mistake(file, line, "", f"is not valid YAML: {reason}")]) from error
    except yaml.YAMLError as error:
        raise SheetError([Mistake(file, 1, "", f"is not valid YAML: {error}")]) from error
    if root is None:
        raise SheetError([Mistake(file, 1, "", "the sheet is empty")])
    return root


def line_of(made: yaml.Node | yaml.Event) -> int:
    """The line where it begins, from 1. Stubs call the mark optional; parsers always set it."""
    mark: Any = made.start_mark
    return int(mark.line) + 1


def scalar(node: yaml.Node) -> str | None:
    """A scalar as written, an empty text for null; None for any other node."""
    if not isinstance(node, yaml.ScalarNode):
        return None
    return "" if node.tag == _NULL else str(node.value).strip()


class Nodes:
    """Reads the mappings of one file and collects what is wrong with them."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.mistakes: list[Mistake] = []
        self._read: dict[int, Entries] = {}  # by the mapping's id: aliases are read once

    def tell(self, node: yaml.Node, column: str, reason: str) -> None:
        """Add a mistake in the line of `node`."""
        self.mistakes.append(Mistake(self.file, line_of(node), place(column), reason))

    def entries(self, node: yaml.Node, what: str) -> Entries:
        """Keys and values of a mapping; its own win over those merged into it (`<<`)."""
        if isinstance(node, yaml.ScalarNode) and node.tag == _NULL:
            return {}
        if not isinstance(node, yaml.MappingNode):
            self.tell(node, "", f"{what} must be a mapping of columns to values")
            return {}
        if id(node) not in self._read:
            self._read[id(node)] = self._merged(node, what) | self._own(node)
        return self._read[id(node)]

    def _merged(self, node: yaml.MappingNode, what: str) -> Entries:
        entries: Entries = {}
        for key, value in node.value:
            if key.tag == _MERGE:
                sources = value.value if isinstance(value, yaml.SequenceNode) else [value]
                for source in sources:  # an earlier one wins
                    entries = self.entries(source, what) | entries
        return entries

    def _own(self, node: yaml.MappingNode) -> Entries:
        entries: Entries = {}
        for key, value in node.value:
            if key.tag == _MERGE:
                continue
            if not isinstance(key, yaml.ScalarNode):
                self.tell(key, "", "a name must be plain text")
            elif key.value in entries:
                self.tell(key, key.value, "stands twice here")
            else:
                entries[key.value] = (key, value)
        return entries
