"""One draw of all ranges of a template, and the results of many draws."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from random import Random

import yaml

from jobs.errors import Mistake, SheetError
from jobs.settings.spec import JobSpec
from jobs.sheets.forms.ranges import Path, Range, range_of

TEXT_TAG = "tag:yaml.org,2002:str"

Point = Mapping[Path, int]  # which value of each grid


class Draw:
    """One draw of all ranges: each has a random stream of its own, by its path."""

    def __init__(self, key: str, point: Point) -> None:
        self._key, self._point = key, point

    def resolved(self, node: yaml.Node, path: Path) -> yaml.Node:
        """`node` with values instead of its ranges; each value has the line of its range."""
        if found := range_of(node):
            return self._drawn(found, node, path)
        if isinstance(node, yaml.MappingNode):
            pairs = [
                (key, self.resolved(value, (*path, text_of(key)))) for key, value in node.value
            ]
            return yaml.MappingNode(node.tag, pairs, node.start_mark)
        if isinstance(node, yaml.SequenceNode):
            entries = [self.resolved(each, (*path, str(n))) for n, each in enumerate(node.value)]
            return yaml.SequenceNode(node.tag, entries, node.start_mark)
        return node

    def _drawn(self, found: Range, node: yaml.Node, path: Path) -> yaml.Node:
        random = Random(f"{self._key}|{'/'.join(path)}")
        if found.kind not in ("grid", "choice"):
            return yaml.ScalarNode(TEXT_TAG, found.number(random), node.start_mark)
        # A grid that is not among the job's own takes its first value.
        chosen = self._point.get(path, 0)
        if found.kind == "choice":
            chosen = random.randrange(len(found.entries))
        return self.resolved(found.entries[chosen], (*path, found.kind, str(chosen)))


class Found:
    """The results of the draws for one of the template's jobs."""

    def __init__(self) -> None:
        self.draws = 0  # that gave no valid job
        self.repeated = 0  # draws that gave a job again
        self._seen: set[JobSpec] = set()
        self._wrong: Counter[tuple[int, str]] = Counter()  # by line and column
        self._first: dict[tuple[int, str], Mistake] = {}  # the first mistake at each

    def is_new(self, spec: JobSpec) -> bool:
        new = spec not in self._seen
        self.repeated += not new
        self._seen.add(spec)
        return new

    def refused(self, error: SheetError) -> None:
        self.draws += 1
        for each in error.mistakes:
            self._first.setdefault((each.line, each.column), each)
        self._wrong.update({(each.line, each.column) for each in error.mistakes})

    def mistakes(self) -> list[Mistake]:
        """Where no draw was valid: the mistakes that all had, else the most frequent one."""
        always = [self._first[place] for place, n in self._wrong.items() if n == self.draws]
        if always:
            return always
        place, times = self._wrong.most_common(1)[0]
        usual = self._first[place]
        reason = f"no draw gives a valid job; {times} of {self.draws} failed here: {usual.reason}"
        return [replace(usual, reason=reason)]

    def reason(self) -> str:
        """Why there are not more jobs."""
        if self.repeated >= self.draws:
            return "the ranges give no more different ones"
        usual = self._first[self._wrong.most_common(1)[0][0]]
        return f"other draws were wrong, most of them so: {usual}"


def text_of(key: yaml.Node) -> str:
    """A key as it is written; nothing for one that is no plain text."""
    return key.value if isinstance(key, yaml.ScalarNode) else ""
