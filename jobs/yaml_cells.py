"""Flat YAML into rows of cells: `defaults:` and a list of `jobs:`, both with the columns' names.

Nodes are read, never values: `yes`, `0.50` and `1e-4` reach the parser as they were written, with
their lines, and no tag makes an object.
"""

from __future__ import annotations

from typing import Any

import yaml

from jobs.cells import Cell, Row, Rows, column_named, place, unknown_column
from jobs.errors import Mistake, SheetError
from jobs.parsing import nearest

DEEPEST = 20  # levels; a sheet has four, and the C library overflows its stack at some thousands
TOP_LEVEL = ("defaults", "jobs")

# Line ends in YAML 1.1, which PyYAML reads, but neither in YAML 1.2 nor to an editor.
_NO_LINE_ENDS = str.maketrans("\x85\u2028\u2029", "   ")
_TOO_DEEP = "is nested too deep for a sheet"
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULL = "tag:yaml.org,2002:null"
_MERGE = "tag:yaml.org,2002:merge"

Entries = dict[str, tuple[yaml.Node, yaml.Node]]  # key and value by the key's text


def read_rows(text: str, file: str) -> Rows:
    """The rows under `jobs`; what is empty there stands as in `defaults`.

    SheetError where the file is no YAML.
    """
    try:
        return _Reader(file).rows(_compose(text.translate(_NO_LINE_ENDS), file))
    except RecursionError as error:  # a mapping merged into itself, or a long chain of them
        raise SheetError([Mistake(file, 1, "", _TOO_DEEP)]) from error


def _compose(text: str, file: str) -> yaml.Node:
    try:
        depth = 0
        for event in yaml.parse(text, _LOADER):
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth > DEEPEST:
                raise SheetError([Mistake(file, _line(event), "", _TOO_DEEP)])
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


class _Reader:
    """Walks the nodes of one file and collects what is wrong with them."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.mistakes: list[Mistake] = []
        self.merged: dict[int, Entries] = {}  # by the mapping's id: aliases are read once

    def rows(self, root: yaml.Node) -> Rows:
        top = self.entries(root, "the sheet")
        for name, (key, _) in top.items():
            if name not in TOP_LEVEL:
                reason = f"must be 'defaults' or 'jobs'{nearest(name, TOP_LEVEL)}"
                self.tell(key, name, reason)
        defaults = self.cells(top["defaults"][1], "defaults") if "defaults" in top else {}
        if "name" in defaults:
            line = defaults.pop("name").line
            self.mistakes.append(
                Mistake(self.file, line, "name", "cannot have a default: each job has its own")
            )
        rows = []
        for node in self.jobs(top, root):
            if not isinstance(node, yaml.MappingNode):
                self.tell(node, "", "a job must be a mapping of columns to values")
                continue
            cells = self.cells(node, "a job")
            filled = {column: cell for column, cell in cells.items() if cell.text}
            rows.append(Row(_line(node), defaults | filled))
        return Rows(tuple(rows), tuple(self.mistakes))

    def jobs(self, top: Entries, root: yaml.Node) -> list[yaml.Node]:
        if "jobs" not in top:
            self.tell(root, "jobs", "is required: a list with a mapping for each job")
            return []
        key, node = top["jobs"]
        if not isinstance(node, yaml.SequenceNode) or not node.value:
            self.tell(key, "jobs", "must be a list with a mapping for each job")
            return []
        return list(node.value)

    def cells(self, node: yaml.Node, what: str) -> dict[str, Cell]:
        """The cells of a mapping by column; mistakes are told once, however often it is used."""
        cells = {}
        for name, (key, value) in self.entries(node, what).items():
            column = column_named(name)
            if column is None:
                self.mistakes.append(unknown_column(self.file, _line(key), name))
            elif column in cells:
                self.tell(key, column, "stands twice here")
            else:
                cells[column] = Cell(self.text(value, column), _line(value))
        return cells

    def entries(self, node: yaml.Node, what: str) -> Entries:
        """Keys and values of a mapping, those merged into it (`<<`) first, its own over them."""
        if isinstance(node, yaml.ScalarNode) and node.tag == _NULL:
            return {}
        if not isinstance(node, yaml.MappingNode):
            self.tell(node, "", f"{what} must be a mapping of columns to values")
            return {}
        if id(node) not in self.merged:
            self.merged[id(node)] = self.merged_entries(node, what) | self.own_entries(node)
        return self.merged[id(node)]

    def merged_entries(self, node: yaml.MappingNode, what: str) -> Entries:
        entries: Entries = {}
        for key, value in node.value:
            if key.tag == _MERGE:
                sources = value.value if isinstance(value, yaml.SequenceNode) else [value]
                for source in sources:  # an earlier one wins
                    entries = self.entries(source, what) | entries
        return entries

    def own_entries(self, node: yaml.MappingNode) -> Entries:
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

    def text(self, node: yaml.Node, column: str) -> str:
        """A cell's text: a scalar as written, a list of scalars with commas, nothing for null."""
        if isinstance(node, yaml.ScalarNode):
            return "" if node.tag == _NULL else node.value.strip()
        if isinstance(node, yaml.SequenceNode):
            parts = [part for part in node.value if isinstance(part, yaml.ScalarNode)]
            if len(parts) == len(node.value):
                return ",".join("" if part.tag == _NULL else part.value for part in parts)
        self.tell(node, column, "must be a value or a list of values, nothing nested")
        return ""

    def tell(self, node: yaml.Node, column: str, reason: str) -> None:
        self.mistakes.append(Mistake(self.file, _line(node), place(column), reason))


def _line(made: yaml.Node | yaml.Event) -> int:
    """Counted from 1. Typed loosely by the stubs: what a parser made has a mark."""
    mark: Any = made.start_mark
    return int(mark.line) + 1
