"""Specs as nested YAML, which `jobs.sheets.forms.yaml_cells` reads back to the same specs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import yaml

from jobs.families.table import family_of
from jobs.settings.choices import Choice
from jobs.settings.kinds import Folder, Resolution
from jobs.settings.moments import Moments
from jobs.settings.parsing import LENGTHS, cell_text
from jobs.settings.songs import SongFile, TempoRange
from jobs.settings.spec import COLUMNS, JobSpec, default_of
from jobs.sheets.forms.nested import FORMS, KERNEL, LAYER, LAYERS, SECTIONS, has

Tree = dict[str, Any]  # of mappings, lists, text, numbers, booleans and None

WIDTH = 100  # columns of a line


class _Line(dict[str, Any]):
    """A mapping that is written in one line."""


class _Dumper(yaml.SafeDumper):
    """Lists of values and mappings of parameters in one line, all else in a line each."""


_Dumper.add_representer(
    _Line,
    lambda dumper, line: dumper.represent_mapping("tag:yaml.org,2002:map", line, flow_style=True),
)
_Dumper.add_representer(
    list,
    lambda dumper, entries: dumper.represent_sequence(
        "tag:yaml.org,2002:seq",
        entries,
        flow_style=not any(isinstance(each, dict) for each in entries),
    ),
)


def sheet_text(specs: Iterable[JobSpec], *, changed: bool = False) -> str:
    """A sheet with these jobs; with `changed`, only what differs from the defaults."""
    return yaml_text({"jobs": [_with_lengths(nested(spec, changed=changed)) for spec in specs]})


def _with_lengths(tree: Tree) -> Tree:
    """`tree`, its lengths as `0:10` where nobody would type the number, such as 0.1666…."""
    texts = {
        column: cell_text(column, tree[column])
        for column in LENGTHS
        if isinstance(tree.get(column), float)
    }
    return tree | {column: text for column, text in texts.items() if ":" in text}


def yaml_text(tree: Tree) -> str:
    """A tree of `nested` mappings as it should be read by people."""
    return yaml.dump(tree, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=WIDTH)


def nested(spec: JobSpec, *, changed: bool = False) -> Tree:
    """The job's mapping: every setting, or with `changed` those that differ from their defaults.

    Settings that differ from layer to layer are written layer by layer where their lists end with
    the last layer; other lists stand beside `layers` as they are, to be repeated.
    """
    written = [
        column
        for column, field in COLUMNS.items()
        if column not in family_of(spec).without
        and (
            not changed
            or field.is_required()
            or getattr(spec, column) != default_of(column, spec.family)
        )
    ]
    tree: Tree = {}
    flat: Tree = {}
    for column in written:
        section = FORMS.get(column, "").partition(".")[0]
        if not section:
            tree[column] = _plain(getattr(spec, column))
        elif section not in tree:
            tree[section], more = _section(section, spec, written)
            flat |= more
    return tree | flat


def _section(section: str, spec: JobSpec, written: Collection[str]) -> tuple[Tree, Tree]:
    """The mapping of a section, and by column what it cannot express: odd lists of kernels."""
    tree: Tree = {}
    flat: Tree = {}
    layers = _Layers(section, spec)
    for key, columns in SECTIONS[section].items():
        if not any(column in written for column in columns):
            continue
        values = [getattr(spec, column) for column in columns]
        if layers.can_say(key, values):
            layers.say(key, values)
        elif key != KERNEL:
            tree[key] = _plain(values[0])
        elif all(value is None or len(value) == 1 for value in values):
            tree[key] = _kernel([value and value[0] for value in values])
        else:
            flat |= {c: _plain(getattr(spec, c)) for c in columns if c in written}
    if any(layers.mappings):
        tree.pop(LAYERS, None)
        tree[LAYERS] = layers.mappings
    return tree, flat


class _Layers:
    """The mappings of a network's layers; none where its family counts them itself."""

    def __init__(self, section: str, spec: JobSpec) -> None:
        self.network = section
        (count,) = SECTIONS[section].get(LAYERS, ("",))
        counts = count and count not in family_of(spec).without
        self.mappings = [_Line() for _ in range(getattr(spec, count) if counts else 0)]

    def can_say(self, key: str, values: Sequence[Any]) -> bool:
        """Whether the `values` of `key` have a list among them, and each list ends with a layer."""
        if key not in LAYER or all(value is None or len(value) == 1 for value in values):
            return False
        if not self.mappings:
            return False
        entries = len(self.mappings) - 1
        return all(value is None or entries % len(value) == 0 for value in values)

    def say(self, key: str, values: Sequence[Any]) -> None:
        count = len(self.mappings)
        having = [n for n in range(count) if has(self.network, key, n + 1, count)]
        for entry, place in enumerate(having):
            parts = [value and value[entry % len(value)] for value in values]
            self.mappings[place][key] = _kernel(parts) if key == KERNEL else _plain(parts[0])


def _kernel(sides: Sequence[int | None]) -> Any:
    """One number for a square, else both; a side that is None takes the general `k_w` or `k_h`."""
    width, height = sides
    return width if width == height else [width, height]


def _plain(value: object) -> Any:
    """A setting as YAML holds it: a list of one entry is that entry."""
    match value:
        case Choice(name=name, given=given):
            parameters = {parameter: _plain(each) for parameter, each in given}
            return _Line({value.KEY: name, **parameters}) if given else name
        case Resolution() | Folder() | Moments() | SongFile() | TempoRange():
            return str(value)
        case tuple():
            entries = [_plain(entry) for entry in value]
            return entries if len(entries) > 1 else entries[0]
    return value
