"""One YAML mapping of settings, flat or nested, into cells.

A column may stand under its own name (`activation_g`) or in its section (`generator: {activation:
…}`), where `layers` may be a list with a mapping for each layer. Settings with parameters may be
mappings (`{name: lrelu, slope: 0.3}`).
"""

from __future__ import annotations

import re

import yaml

from jobs.settings.choices import Choice
from jobs.settings.parsing import entry_type
from jobs.settings.words import nearest, quoted, split_commas
from jobs.sheets.forms.cells import Cell, column_named, no_such_column, required_column_meant
from jobs.sheets.forms.levels import ByLayer, Level, over
from jobs.sheets.forms.nested import FORMS, KERNEL, LAYER, LAYERS, NETWORKS, SECTIONS, has, why_not
from jobs.sheets.forms.yaml_nodes import Entries, Nodes, line_of, scalar

MOST_LAYERS = 10  # that are read; the parser reports that more are too many

_WORD = re.compile(r"[\w.+/%-]*")  # a parameter's name
_PLAIN = re.compile(r"[^,()\n]*")  # its value
_NESTED = "must be a value or a list of values, nothing nested"


def read_settings(nodes: Nodes, entries: Entries) -> Level:
    """What a mapping of settings with these `entries` says; mistakes are added to `nodes`."""
    return _Mapping(nodes).level(entries)


class _Mapping:
    """One mapping while it is read."""

    def __init__(self, nodes: Nodes) -> None:
        self.nodes = nodes
        self.cells: dict[str, Cell] = {}
        self.by_layer: dict[str, ByLayer] = {}
        self.said: dict[str, tuple[str, int]] = {}  # by column: how and in which line

    def level(self, entries: Entries) -> Level:
        for name, (key, value) in entries.items():
            section = name.strip().casefold()
            if section in SECTIONS:
                self._section(section, value)
            elif column := column_named(name):
                self._put(column, column, key, value, self._text(value, column))
            else:
                self.nodes.tell(key, name, no_such_column(name, SECTIONS))
                meant = required_column_meant(name, SECTIONS)
                if meant and meant not in {*map(column_named, entries), *self.said}:
                    self._put(meant, meant, key, value, self._text(value, meant))
        return over(
            self.by_layer, {column: cell for column, cell in self.cells.items() if cell.text}
        )

    def _section(self, section: str, node: yaml.Node) -> None:
        keys = SECTIONS[section]
        for name, (key, value) in self.nodes.entries(node, section).items():
            word = name.strip().casefold()
            if word not in keys:
                reason = f"there is no such setting of {_the(section)}{nearest(name, keys)}"
                self.nodes.tell(key, name, reason)
            elif word == LAYERS and not isinstance(value, yaml.ScalarNode) and not _is_list(value):
                self.nodes.tell(key, name, "must be a count or a list with an entry for each layer")
            elif word == LAYERS and isinstance(value, yaml.SequenceNode):
                (count,) = keys[LAYERS]
                self._put(count, FORMS[count], key, value, str(len(value.value)))
                self._layers(section, value.value)
            else:
                self._set(section, word, key, value)

    def _set(self, section: str, word: str, key: yaml.Node, value: yaml.Node) -> None:
        columns = SECTIONS[section][word]
        texts: tuple[str, ...]
        if word == KERNEL:
            texts = self._kernel(value)
        else:
            texts = tuple(self._text(value, column) for column in columns)
        for column, text in zip(columns, texts, strict=True):
            self._put(column, FORMS[column], key, value, text)

    def _put(self, column: str, how: str, key: yaml.Node, value: yaml.Node, text: str) -> None:
        """Keep a cell, unless its column stands in this mapping already."""
        if column not in self.said:
            self.said[column] = (how, line_of(key))
            self.cells[column] = Cell(text, line_of(value))
            return
        other, line = self.said[column]
        if other == how:
            self.nodes.tell(key, column, "stands twice here")
        else:
            self.nodes.tell(key, how, f"is {other} of line {line} once more; keep one of them")

    def _layers(self, network: str, layers: list[yaml.Node]) -> None:
        """The columns that a list of layers says; layers that are silent are filled in later."""
        count = len(layers)
        said: dict[str, dict[int, Cell]] = {}
        for number, node in enumerate(layers[:MOST_LAYERS], start=1):
            for column, cell in self._layer(network, number, count, node).items():
                said.setdefault(column, {})[number] = cell
        for column, cells in said.items():
            word = FORMS[column].partition(".")[2]
            having = [n for n in range(1, count + 1) if has(network, word, n, count)]
            self.by_layer[column] = ByLayer(
                tuple(cells.get(number) for number in having),
                tuple(line_of(layers[number - 1]) for number in having),
            )

    def _layer(self, network: str, number: int, count: int, node: yaml.Node) -> dict[str, Cell]:
        """What layer `number` of `count` says, by column."""
        cells: dict[str, Cell] = {}
        for name, (key, value) in self.nodes.entries(node, "a layer").items():
            word = name.strip().casefold()
            if word not in LAYER:
                reason = f"there is no such setting of a layer{nearest(name, LAYER)}"
                self.nodes.tell(key, name, reason)
            elif not has(network, word, number, count):
                self.nodes.tell(key, name, why_not(network, word, number))
            elif SECTIONS[network][word][0] in cells:
                self.nodes.tell(key, name, "stands twice here")
            else:
                texts = self._of_layer(network, word, value)
                cells |= {column: Cell(text, line_of(value)) for column, text in texts}
        return {column: cell for column, cell in cells.items() if cell.text}

    def _of_layer(self, network: str, word: str, value: yaml.Node) -> list[tuple[str, str]]:
        """Columns and the text of their entry; none where the value is more than one entry."""
        columns = SECTIONS[network][word]
        if word == KERNEL:
            return list(zip(columns, self._kernel(value), strict=True))
        text = "" if isinstance(value, yaml.SequenceNode) else self._text(value, columns[0])
        if isinstance(value, yaml.SequenceNode) or len(split_commas(text)) > 1:
            self.nodes.tell(value, word, "must be one value; a list stands beside `layers`")
            return []
        return [(columns[0], text)]

    def _kernel(self, node: yaml.Node) -> tuple[str, str]:
        """Width and height, of a number or of a list of both."""
        parts = node.value if isinstance(node, yaml.SequenceNode) else [node, node]
        texts = [scalar(part) for part in parts]
        match texts:
            case [str(width), str(height)] if "," not in width + height:
                return width, height
        self.nodes.tell(node, KERNEL, "must be a number, or a list of a width and a height")
        return "", ""

    def _text(self, node: yaml.Node, column: str) -> str:
        """A cell's text: a scalar as written, a list with commas, a choice as its text form."""
        if isinstance(node, yaml.SequenceNode):
            parts = [self._entry(part, column) for part in node.value]
            text = None if None in parts else ",".join(part or "" for part in parts)
        else:
            text = self._entry(node, column)
        if text is None:
            self.nodes.tell(node, column, _NESTED)
        return text or ""

    def _entry(self, node: yaml.Node, column: str) -> str | None:
        """The text of one entry; None where it is nested and must not be."""
        kind = entry_type(column)
        if (
            isinstance(node, yaml.MappingNode)
            and isinstance(kind, type)
            and issubclass(kind, Choice)
        ):
            return self._choice(node, column, kind)
        return scalar(node)

    def _choice(self, node: yaml.MappingNode, column: str, kind: type[Choice]) -> str:
        """`{name: lrelu, slope: 0.3}` as `lrelu(slope=0.3)`; an empty text for a mistake."""
        parameters: dict[str, str] = {}
        for key, (place, value) in self.nodes.entries(node, "a choice").items():
            text = scalar(value)
            if text is None or not _WORD.fullmatch(key) or not _PLAIN.fullmatch(text):
                said = quoted(text if text is not None else key)
                reason = f"must have a {kind.KEY} and plain values, not {said}"
                self.nodes.tell(place, column, reason)
                return ""
            if text:
                parameters[key.casefold()] = text
        name = parameters.pop(kind.KEY, "")
        if not name:
            self.nodes.tell(node, column, f"needs a {kind.KEY}: one of {', '.join(kind.TABLE)}")
            return ""
        arguments = ", ".join(f"{key}={text}" for key, text in parameters.items())
        return f"{name}({arguments})" if arguments else name


def _is_list(node: yaml.Node) -> bool:
    return isinstance(node, yaml.SequenceNode) and bool(node.value)


def _the(section: str) -> str:
    return f"the {section}" if section in NETWORKS.values() else section
