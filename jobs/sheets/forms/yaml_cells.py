"""YAML into rows of cells: `defaults:`, named `presets:` and a list of `jobs:`, flat or nested.

A job's own settings win over its presets, of these the later one over the earlier, and all of them
over the defaults.
"""

from __future__ import annotations

from typing import get_args

import yaml

from jobs.errors import Mistake, SheetError
from jobs.settings.kinds import Preset
from jobs.settings.words import nearest, quoted
from jobs.sheets.forms.cells import Cell, Row, Rows, place
from jobs.sheets.forms.levels import Level, inherited, over, settle
from jobs.sheets.forms.nested import FORMS
from jobs.sheets.forms.ranges import ranges_in_sheet
from jobs.sheets.forms.yaml_nodes import TOO_DEEP, Entries, Nodes, compose, line_of, scalar
from jobs.sheets.forms.yaml_settings import read_settings

TOP_LEVEL = ("defaults", "presets", "jobs")
PRESET = "preset"
EFFORTS: tuple[str, ...] = get_args(Preset)  # of the encoder, which the column `preset` names

_NO_DEFAULT_NAME = "cannot have a default: each job has its own"


def read_rows(text: str, file: str) -> Rows:
    """The rows under `jobs`; what is empty there comes from its presets or from `defaults`.

    SheetError where the file is no YAML, or a template: then only its ranges are reported.
    """
    root = compose(text, file)
    if mistakes := ranges_in_sheet(root, file):
        raise SheetError(mistakes)
    return rows_of(root, file)


def rows_of(root: yaml.Node, file: str) -> Rows:
    """As `read_rows`, from the nodes that `jobs.sheets.forms.yaml_nodes.compose` makes."""
    try:
        return _Reader(file).rows(root)
    except RecursionError as error:  # a mapping merged into itself, or a long chain of them
        raise SheetError([Mistake(file, 1, "", TOO_DEEP)]) from error


class _Reader:
    """Walks the nodes of one file."""

    def __init__(self, file: str) -> None:
        self.nodes = Nodes(file)
        self.presets: Entries = {}
        self.read: dict[int, Level] = {}  # by the mapping's id: aliases are read once
        self.open: list[str] = []  # presets that are being read

    def rows(self, root: yaml.Node) -> Rows:
        top = self.nodes.entries(root, "the sheet")
        for name, (key, _) in top.items():
            if name not in TOP_LEVEL:
                reason = f"must be 'defaults', 'presets' or 'jobs'{nearest(name, TOP_LEVEL)}"
                self.nodes.tell(key, name, reason)
        self._read_presets(top)
        defaults: Level = {}
        if "defaults" in top:
            defaults = self._nameless(self._level(top["defaults"][1], "defaults"))
        rows = []
        for node in self._jobs(top, root):
            if not isinstance(node, yaml.MappingNode):
                self.nodes.tell(node, "", "a job must be a mapping of columns to values")
                continue
            level = over(self._level(node, "a job"), inherited(defaults))
            rows.append(Row(line_of(node), self._settled(level)))
        return Rows(tuple(rows), tuple(self.nodes.mistakes))

    def _jobs(self, top: Entries, root: yaml.Node) -> list[yaml.Node]:
        if "jobs" not in top:
            self.nodes.tell(root, "jobs", "is required: a list with a mapping for each job")
            return []
        key, node = top["jobs"]
        if not isinstance(node, yaml.SequenceNode) or not node.value:
            self.nodes.tell(key, "jobs", "must be a list with a mapping for each job")
            return []
        return list(node.value)

    def _read_presets(self, top: Entries) -> None:
        """Read all presets, to find the mistakes in those that no job uses, too."""
        if "presets" not in top:
            return
        self.presets = self.nodes.entries(top["presets"][1], "presets")
        for name, (key, _) in self.presets.items():
            self._preset(name, key)

    def _preset(self, name: str, named: yaml.Node) -> Level:
        """The settings of a preset and of those that it includes; `named` is where it is named."""
        if name in self.open:
            circle = ", ".join(map(place, [*self.open[self.open.index(name) :], name]))
            self.nodes.tell(named, PRESET, f"includes itself: {circle}")
            return {}
        self.open.append(name)
        level = self._nameless(self._level(self.presets[name][1], "a preset"))
        self.open.pop()
        return level

    def _level(self, node: yaml.Node, what: str) -> Level:
        """What a mapping says, over the presets that it names."""
        if id(node) not in self.read:
            entries = dict(self.nodes.entries(node, what))
            below: Level = {}
            if self.presets and PRESET in entries:
                _, names = entries.pop(PRESET)
                for name in names.value if isinstance(names, yaml.SequenceNode) else [names]:
                    below = over(self._named(name), below)
            self.read[id(node)] = over(read_settings(self.nodes, entries), inherited(below))
        return self.read[id(node)]

    def _named(self, node: yaml.Node) -> Level:
        """What one name after `preset` stands for: the sheet's own preset, else the encoder's."""
        name = scalar(node)
        if name in self.presets:
            return self._preset(name, node)
        if name in EFFORTS:
            return {PRESET: Cell(name, line_of(node))}
        if name is None:
            self.nodes.tell(node, PRESET, "must be the name of a preset, or a list of names")
        elif name:
            known = [*self.presets, *EFFORTS]
            self.nodes.tell(
                node, PRESET, f"there is no preset {quoted(name)}{nearest(name, known)}"
            )
        return {}

    def _nameless(self, level: Level) -> Level:
        name = level.get("name")
        if not isinstance(name, Cell):
            return level
        self.nodes.mistakes.append(Mistake(self.nodes.file, name.line, "name", _NO_DEFAULT_NAME))
        return {column: said for column, said in level.items() if column != "name"}

    def _settled(self, level: Level) -> dict[str, Cell]:
        cells, unsaid = settle(level)
        for each in unsaid:
            network, _, setting = FORMS[each.column].partition(".")
            reason = (
                f"layer {each.entry + 1} of the {network} has no {setting}, but another one has; "
                f"all hidden layers need them, or none"
            )
            self.nodes.mistakes.append(Mistake(self.nodes.file, each.line, setting, reason))
        return cells
