"""Templates: YAML sheets with ranges in them, and the jobs that they stand for.

`{grid: [...]}` values are multiplied out; of each combination so many jobs are made as are asked
for, with what the other ranges give. Ranges in `defaults` and presets are drawn for each job anew.
What is drawn depends on the seed, the job's name, the combination and the place of the range in the
file, so a key that comes or goes changes no other one's draws.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import yaml

from jobs.errors import Mistake, SheetError
from jobs.pictures.folders import DatasetFolders
from jobs.settings.spec import JobSpec
from jobs.settings.words import quoted
from jobs.sheets.forms.ranges import Path, Range, all_ranges, children, mistakes_of
from jobs.sheets.forms.yaml_cells import rows_of
from jobs.sheets.forms.yaml_nodes import TOO_DEEP, compose, line_of
from jobs.sheets.sheet import check_rows
from jobs.tinkering.naming import named
from jobs.tinkering.template_draws import TEXT_TAG, Draw, Found, Point, text_of
from jobs.workspace.names import folded
from jobs.workspace.paths import Workspace

MOST_TRIES = 200  # draws for one job until one of them is valid and new
MOST_JOBS = 10_000  # that one job of a template may stand for

_NO_RANGE = (
    "holds no range, so nothing would vary; write one as a value, such as "
    "{log_uniform: [1e-5, 1e-2]} or {grid: [1, 2]}"
)


@dataclass(frozen=True)
class Generated:
    """The jobs of a template, in the order of its jobs, and what its user should know."""

    specs: tuple[JobSpec, ...]
    notes: tuple[str, ...]


def generate(text: str, file: str, count: int, seed: int, workspace: Workspace) -> Generated:
    """`count` jobs for each combination of grids of each job that has a range.

    All are jobs that `check` would accept; those of one template job differ. Jobs without a range
    stay as they are. SheetError, with lines of the template, where there can be no such jobs.
    """
    try:
        root = compose(text, file)
        if mistakes := mistakes_of(root, file):
            raise SheetError(mistakes)
        if not any(all_ranges(root)):
            raise SheetError([Mistake(file, 1, "", _NO_RANGE)])
        return _Template(root, file, seed, workspace).generate(count)
    except RecursionError as error:  # an alias within what it stands for
        raise SheetError([Mistake(file, 1, "", TOO_DEEP)]) from error


class _Template:
    """The nodes of one file, and what was made of them so far."""

    def __init__(self, root: yaml.Node, file: str, seed: int, workspace: Workspace) -> None:
        self.root, self.file, self.seed = root, file, seed
        self.workspace, self.folders = workspace, DatasetFolders(workspace)
        top = dict(children(root))
        jobs = top.pop("jobs", None)
        self.jobs = list(jobs.value) if isinstance(jobs, yaml.SequenceNode) else []
        self.shared = top  # defaults and presets
        self.fixed: list[yaml.Node] = []  # jobs without a range: later ones may start from them
        self.notes: list[str] = []

    def generate(self, count: int) -> Generated:
        if not self.jobs:
            self.check(self.root)  # raises for what is wrong with it, except for one thing:
            self.refuse(self.root, "the jobs of a template must stand under jobs: itself")
        specs: list[JobSpec] = []
        taken = {folded(name) for name in map(_name_of, self.jobs)}
        mistakes: list[Mistake] = []
        for job in self.jobs:
            try:
                made = self.variations(job, count)
            except SheetError as error:
                mistakes += error.mistakes
                continue
            specs += named(made.specs, made.varied, taken)
        if mistakes:
            raise SheetError(mistakes)
        return Generated(tuple(specs), tuple(self.notes))

    def variations(self, job: yaml.Node, count: int) -> _Variations:
        """All jobs that one job of the template stands for."""
        ranges = dict(self.ranges_for(job))
        if not ranges:
            spec = self.check(self.instance(job))[-1]
            self.fixed.append(job)
            return _Variations((spec,), frozenset())
        points = list(self.points(job, ranges))
        is_random = any(each.kind != "grid" for each in ranges.values())
        wanted = count if is_random else 1
        if wanted * len(points) > MOST_JOBS:
            self.refuse(
                job, f"would make {wanted * len(points)} jobs; at most {MOST_JOBS} are made"
            )
        found = Found()
        # A second job, even if one is asked for, shows which columns vary: they are in the name.
        least = max(wanted, 2) if is_random and len(points) == 1 else wanted
        by_point = [self.draw_all(job, point, least if is_random else 0, found) for point in points]
        specs = tuple(spec for drawn in by_point for spec in drawn[:wanted])
        if not specs:
            raise SheetError(found.mistakes())
        varied = varying_columns([spec for drawn in by_point for spec in drawn])
        if not varied and not any(all_ranges(job)):
            self.fixed.append(job)  # it sets all that has a range in the defaults
        elif len(specs) < wanted * len(points):
            self.notes.append(
                f"{_name_of(job)}: {len(specs)} jobs instead of {wanted * len(points)}: "
                f"{found.reason()}"
            )
        return _Variations(specs, varied)

    def draw_all(self, job: yaml.Node, point: Point, wanted: int, found: Found) -> list[JobSpec]:
        """New, valid jobs at one combination; fewer where there are none in `MOST_TRIES` draws.

        With `wanted` 0 nothing is random: there is one job, or none.
        """
        specs: list[JobSpec] = []
        for number in range(max(wanted, 1)):
            for attempt in range(MOST_TRIES if wanted else 1):
                draw = Draw(f"{self.seed}|{_name_of(job)}|{_key(point)}|{number}|{attempt}", point)
                try:
                    spec = self.check(self.instance(job, draw))[-1]
                except SheetError as error:
                    found.refused(error)
                    continue
                if found.is_new(spec):
                    specs.append(spec)
                    break
            else:
                return specs
        return specs

    def ranges_for(self, job: yaml.Node) -> Iterator[tuple[Path, Range]]:
        """Ranges that this job can meet: its own, those of `defaults` and of presets it names."""
        yield from all_ranges(job, ("job",))
        met, names = {"job": job}, _scalars(job)
        for key, node in self.shared.items():
            if key != "presets":
                names |= _scalars(node)
                met[key] = node
                yield from all_ranges(node, (key,))
        presets = dict(children(self.shared["presets"])) if "presets" in self.shared else {}
        while reached := [name for name in presets if name in names and name not in met]:
            for name in reached:
                met[name] = presets[name]
                names |= _scalars(presets[name])
                yield from all_ranges(presets[name], ("presets", name))

    def points(self, job: yaml.Node, ranges: Mapping[Path, Range]) -> Iterator[Point]:
        """Every combination of the values of grids; a single empty one where there is none."""
        grids = {path: each for path, each in ranges.items() if each.kind == "grid"}
        combinations = 1
        for each in grids.values():
            combinations *= len(each.entries)
        if combinations > MOST_JOBS:
            self.refuse(job, f"has {combinations} combinations of grids, above {MOST_JOBS}")
        for chosen in itertools.product(*(range(len(each.entries)) for each in grids.values())):
            yield dict(zip(grids, chosen, strict=True))

    def instance(self, job: yaml.Node, draw: Draw | None = None) -> yaml.Node:
        """A sheet of the jobs without ranges so far and, as the last one, `job` as drawn."""
        draw = draw or Draw("", {})
        mark = self.root.start_mark
        pairs = [
            (key, draw.resolved(value, (text_of(key),)))
            for key, value in self.root.value
            if text_of(key) != "jobs"
        ]
        jobs = yaml.SequenceNode(_SEQUENCE, [*self.fixed, draw.resolved(job, ("job",))], mark)
        pairs.append((yaml.ScalarNode(TEXT_TAG, "jobs", mark), jobs))
        return yaml.MappingNode(_MAPPING, pairs, mark)

    def check(self, sheet: yaml.Node) -> list[JobSpec]:
        """The jobs of a sheet without ranges; SheetError where it is wrong."""
        rows = rows_of(sheet, self.file)
        jobs = check_rows(rows, self.file, self.folders, self.workspace)
        return [job.spec for job in jobs]

    def refuse(self, job: yaml.Node, reason: str) -> None:
        raise SheetError([Mistake(self.file, line_of(job), "", reason)])


@dataclass(frozen=True)
class _Variations:
    specs: tuple[JobSpec, ...]
    varied: frozenset[str]  # the columns in which they differ


def varying_columns(specs: list[JobSpec]) -> frozenset[str]:
    """The columns, but for the name, in which the jobs are not all alike."""
    first, *others = specs
    return frozenset(
        column
        for column in JobSpec.model_fields
        if column != "name"
        and any(getattr(each, column) != getattr(first, column) for each in others)
    )


def _name_of(job: yaml.Node) -> str:
    name = next((node for key, node in children(job) if key.strip().casefold() == "name"), None)
    return name.value.strip() if isinstance(name, yaml.ScalarNode) else quoted("a job")


def _key(point: Point) -> str:
    """A text for the point, the same in whatever order the grids stand."""
    return ",".join(sorted(f"{'/'.join(path)}={number}" for path, number in point.items()))


def _scalars(node: yaml.Node) -> set[str]:
    """All texts under `node`."""
    if isinstance(node, yaml.ScalarNode):
        return {node.value}
    return set().union(*(_scalars(child) for _, child in children(node)))


_SEQUENCE = "tag:yaml.org,2002:seq"
_MAPPING = "tag:yaml.org,2002:map"
