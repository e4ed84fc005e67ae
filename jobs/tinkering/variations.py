"""Variations of a job that somebody likes: a few settings changed, the rest as it is."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Annotated, Any, get_args, get_origin

from jobs.errors import SheetError, UsageError
from jobs.families.table import family_of
from jobs.pictures.folders import DatasetFolders
from jobs.settings.bounds import unwrap
from jobs.settings.parsing import ENTRIES_FOR, cell_text
from jobs.settings.spec import COLUMNS, JobSpec, facets
from jobs.sheets.forms.cells import Cell, Row, Rows
from jobs.sheets.forms.nested import SECTIONS
from jobs.sheets.origins import origins_of
from jobs.sheets.sheet import check_rows
from jobs.tinkering.naming import fitting, label, with_name
from jobs.tinkering.perturbation import varied
from jobs.workspace.names import folded
from jobs.workspace.paths import Workspace

MOST_TRIES = 200  # draws for one variation until it is valid and new
MOST_CHANGES = 6  # settings of a variation at strength 1


CHANGES = {column: change for column in COLUMNS if (change := facets(column).varies)}


@dataclass(frozen=True)
class Variations:
    """How many of `parent`, how far from it, by which seed; `workspace` holds its pictures."""

    parent: JobSpec
    count: int
    seed: int
    strength: float  # 0 to 1: how many settings change, and how far
    from_checkpoint: bool  # start from the networks of `parent`, as far as they fit
    workspace: Workspace

    def specs(self) -> tuple[JobSpec, ...]:
        """The variations, all different and valid, named `<parent>-m01-lrg-actg`.

        UsageError where `parent` itself is not valid here, or where draws give too few variations.
        """
        if not family_of(self.parent).trains:
            raise UsageError(f"{self.parent.name} trains nothing, so nothing of it can vary")
        valid = _Check(self.workspace)
        base = self._base()
        try:
            valid(base)
        except SheetError as error:
            wrong = error.mistakes[0]
            raise UsageError(
                f"{self.parent.name} is no valid job here: {wrong.column}: {wrong.reason}"
            ) from error
        seen = {_unnamed(base)}
        taken = {folded(self.parent.name)}
        digits = max(2, len(str(self.count)))
        made: list[JobSpec] = []
        for number in range(1, self.count + 1):
            spec, changed = self._one(base, number, valid, seen)
            seen.add(_unnamed(spec))
            made.append(with_name(spec, [f"m{number:0{digits}d}", *map(label, changed)], taken))
        return tuple(made)

    def _base(self) -> JobSpec:
        """The parent, with new networks or with its own to go on from."""
        if not self.from_checkpoint:
            return self.parent
        between = {each: COLUMNS[each].default for (each,) in SECTIONS["interpolate"].values()}
        parts = dict.fromkeys(origins_of(self.parent))  # the parent has learnt on from these
        origin = {**between, **parts, "init_from": self.parent.name, "init_fitting": True}
        # Another name meanwhile: a job cannot start from itself.
        return self.parent.model_copy(update={**origin, "name": fitting(self.parent.name, "-m")})

    def _one(
        self, base: JobSpec, number: int, valid: _Check, seen: set[JobSpec]
    ) -> tuple[JobSpec, list[str]]:
        refused = ""
        for attempt in range(MOST_TRIES):
            random = Random(f"{self.seed}|{number}|{attempt}")
            spec, changed = mutated(base, self.strength, random)
            try:
                spec = valid(spec)
            except SheetError as error:
                refused = f"; the last of them: {error.mistakes[0].reason}"
                continue
            if _unnamed(spec) not in seen:
                changed = [each for each in changed if getattr(spec, each) != getattr(base, each)]
                return spec.model_copy(update={"name": self.parent.name}), changed
        raise UsageError(
            f"{self.parent.name}: {MOST_TRIES} draws gave no new, valid variation after "
            f"{number - 1}{refused}"
        )


def mutated(spec: JobSpec, strength: float, random: Random) -> tuple[JobSpec, list[str]]:
    """`spec` with some settings changed, unchecked, and their columns in the spec's order."""
    without = family_of(spec).without
    columns = [
        column for column in CHANGES if column not in without and _value(spec, column) is not None
    ]
    most = 1 + round((MOST_CHANGES - 1) * strength)
    chosen: set[str] = set()
    for _ in range(random.randint(1, most)):
        chosen.update(random.choices(columns, [CHANGES[each].weight for each in columns]))
    changed: dict[str, Any] = {}
    in_order = [column for column in CHANGES if column in chosen]
    for column in in_order:
        change = CHANGES[column]
        spread = change.spread * max(strength, 0.05)
        from_zero = change.from_zero * strength
        now = spec.model_copy(update=changed)
        if column.startswith("nbr_of_layers"):
            changed |= _with_other_depth(now, column, random)
        else:
            changed[column] = _varied(now, column, spread, from_zero, random)
    return spec.model_copy(update=changed), in_order


def _varied(spec: JobSpec, column: str, spread: float, from_zero: float, random: Random) -> Any:
    """Another value for a column: of a list, another entry at one of its layers."""
    annotation = annotation_of(column)
    value = _value(spec, column)
    kind, _ = unwrap(annotation)
    if get_origin(kind) is not tuple:
        return varied(value, annotation, spread, from_zero, random)
    entry = get_args(kind)[0]
    if len(value) == 1 and random.random() < 0.5:  # at all layers alike
        return (varied(value[0], entry, spread, from_zero, random),)
    layers = min(spec.nbr_of_layers_g, spec.nbr_of_layers_d)
    if column[-2:] in ("_g", "_d"):
        layers = getattr(spec, f"nbr_of_layers_{column[-1]}")
    entries = _written_out(value, layers - 1)
    place = random.randrange(len(entries))
    entries[place] = varied(entries[place], entry, spread, from_zero, random)
    return tuple(entries)


def _value(spec: JobSpec, column: str) -> Any:
    """The setting; for an empty normalization what `batch_norm_g` or `batch_norm_d` means."""
    value = getattr(spec, column)
    if value is None and column.startswith("normalization"):
        return ("batch" if getattr(spec, f"batch_norm_{column[-1]}") else "none",)
    return value


def _with_other_depth(spec: JobSpec, column: str, random: Random) -> dict[str, Any]:
    """The changed settings for a layer more or less; lists gain or lose an entry at that layer."""
    layers = getattr(spec, column)
    grows = random.random() < 0.5 if 3 <= layers <= 9 else layers < 3
    place = random.randrange(layers - 1)
    changed: dict[str, Any] = {column: layers + (1 if grows else -1)}
    for each in ENTRIES_FOR:
        value = getattr(spec, each)
        if each[-2:] != column[-2:] or value is None or len(value) == 1:
            continue
        entries = _written_out(value, layers - 1)
        if grows:
            entries.insert(place, entries[place])
        else:
            del entries[place]
        changed[each] = tuple(entries)
    return changed


def _written_out(entries: tuple[Any, ...], count: int) -> list[Any]:
    return [entries[number % len(entries)] for number in range(count)]


def annotation_of(column: str) -> Any:
    """The type of a column with all its bounds."""
    field = COLUMNS[column]
    return Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation


def row_of(spec: JobSpec) -> Row:
    """A sheet's row that says `spec`, but for what means nothing to its family."""
    without = family_of(spec).without
    texts = {
        column: cell_text(column, getattr(spec, column))
        for column in COLUMNS
        if column not in without
    }
    return Row(1, {column: Cell(text, 1) for column, text in texts.items() if text})


class _Check:
    """Passes specs through a sheet's own parser and rules."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace, self._folders = workspace, DatasetFolders(workspace)

    def __call__(self, spec: JobSpec) -> JobSpec:
        """The spec as a sheet would give it; SheetError where it is wrong."""
        rows = Rows((row_of(spec),), ())
        return check_rows(rows, spec.name, self._folders, self._workspace)[0].spec


def _unnamed(spec: JobSpec) -> JobSpec:
    return spec.model_copy(update={"name": ""})
