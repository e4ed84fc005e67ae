"""`multitrain dataset inspect`: what data sets hold, and what films are like."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, TypeVar

import click

from jobs.errors import DatasetError, UsageError
from jobs.pictures.finding import describe_odd, describe_unreadable
from jobs.settings.kinds import Resolution
from jobs.settings.spec import JobSpec
from jobs.units import bytes_for_people
from jobs.workspace.paths import Workspace
from multitrain.commands.clips.clip_options import SizeType
from multitrain.commands.datasets.common import (
    existing_data_set,
    json_option,
    printable,
    require_place_for_sheet,
    shown,
    workspace_at,
)
from multitrain.commands.datasets.films import film_facts, film_lines, find_film, look
from multitrain.commands.options import Whole, data_option, workspace_option
from multitrain.datasets.looking.checkerboards import checkerboard_of
from multitrain.datasets.looking.contact_sheet import contact_sheet
from multitrain.datasets.looking.inspection import Inspection, inspect
from multitrain.datasets.looking.screens import SCREENS, Grid, best_grid, frames_per_round
from render.files.claims import making

MOST_NAMED = 5  # most sizes, or files with something odd, that are listed
BLOCKS = " ▁▂▃▄▅▆▇█"
FPS = JobSpec.model_fields["fps"].default

T = TypeVar("T")


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option(
    "--film",
    "films",
    multiple=True,
    metavar="FILM",
    help="Look at this film, too: a job's name, or a video file; may be given several times.",
)
@click.option(
    "--cell",
    type=SizeType(),
    help="The size of a sample in the films.  [default: what their jobs tell]",
)
@json_option
@click.option(
    "--sheet",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where the contact sheet goes, a PNG file.  [default: NAME_contact.png]",
)
@click.option("--no-sheet", is_flag=True, help="Make no contact sheet.")
@click.option(
    "--batch-size",
    type=Whole(1, 65_536),
    help="Pictures per update.  [default: those of a grid of 1280x720]",
)
@workspace_option
@data_option
def command(
    names: tuple[str, ...],
    films: tuple[str, ...],
    cell: Resolution | None,
    as_json: bool,
    sheet: Path | None,
    no_sheet: bool,
    batch_size: int | None,
    workspace: Path,
    pictures: Path | None,
) -> None:
    """Look at all pictures of data sets, as one job would use them together, and at films.

    NAME is a folder in data/, or the path of any folder. Tells sizes, formats, colours, files that
    cannot be used, pictures that look alike, and which grids fill a screen; saves some of the
    pictures as a contact sheet. Of a film, tells when its picture settles, its colours, and how
    much of a checkerboard its samples have.
    """
    if not names and not films:
        raise UsageError("name a data set, or a film: --film NAME")
    if not names and (sheet or batch_size):
        raise UsageError("--sheet and --batch-size are for data sets: name one")
    if cell and not films:
        raise UsageError("--cell is for films: name one with --film")
    place = workspace_at(workspace, pictures)
    found = [find_film(film, place) for film in films]
    seen = _look_at_pictures(place, names, sheet, batch_size, no_sheet=no_sheet) if names else None
    own = checkerboard_of(seen.found.paths) if seen and films else None
    looks = [(film, look(film, cell)) for film in found]
    if as_json:
        facts = seen.facts() if seen else {}
        facts |= {"checkerboard": own} if seen and films else {}
        facts |= {"films": [film_facts(*each) for each in looks]} if films else {}
        click.echo(json.dumps(facts, indent=2))
        return
    for line in seen.lines(place) if seen else ():
        click.echo(line)
    for each in looks:
        for line in film_lines(*each, own):
            click.echo(line)


class _Seen(NamedTuple):
    """Data sets that were looked at."""

    found: Inspection
    grids: list[Grid]
    batch: int
    target: Path | None  # the contact sheet

    def lines(self, place: Workspace) -> Iterator[str]:
        yield from _facts(self.found, place)
        yield from _advice(self.found, self.grids, self.batch)
        if self.target:
            yield f"contact sheet: {self.target}"

    def facts(self) -> dict[str, object]:
        return _for_machines(self.found, self.grids, self.batch, self.target)


def _look_at_pictures(
    place: Workspace,
    names: tuple[str, ...],
    sheet: Path | None,
    batch_size: int | None,
    *,
    no_sheet: bool,
) -> _Seen:
    folders = [existing_data_set(place, name) for name in names]
    target = None if no_sheet else sheet or Path(f"{'_'.join(map(_plain_name, names))}_contact.png")
    if target:
        require_place_for_sheet(target, place)

    def with_bar(looks: Iterable[T], total: int) -> Iterator[T]:
        return shown(looks, "looking", total)

    found = inspect(folders, with_bar)
    if found.size is None:
        reasons = describe_unreadable(found.unreadable, place.data) or "there are no pictures"
        raise DatasetError(f"No picture in {', '.join(map(str, folders))}: {reasons}")
    if target:
        with making(target) as part:
            contact_sheet(found.paths).save(part, format="PNG")
    grids = [best_grid(screen, found.size) for screen in SCREENS]
    return _Seen(found, grids, batch_size or grids[0].columns * grids[0].rows, target)


def _plain_name(name: str) -> str:
    return name.strip("/").replace("/", "_")


def _facts(found: Inspection, place: Workspace) -> Iterator[str]:
    count = len(found.paths)
    formats = ", ".join(f"{number} {name}" for name, number in found.formats.most_common())
    yield f"pictures    {count} in {bytes_for_people(found.file_bytes)}: {formats}"
    sizes = found.sizes.most_common()
    counts = ", ".join(f"{number} of {size}" for size, number in sizes[:MOST_NAMED])
    rest = len(sizes) - MOST_NAMED
    yield f"sizes       {counts}" + (f", and {rest} other sizes" if rest > 0 else "")
    levels = zip(("red", "green", "blue"), found.mean, found.deviation, strict=True)
    yield "colours     " + ", ".join(f"{name} {mean:.0f} ± {by:.0f}" for name, mean, by in levels)
    yield f"brightness  dark {_bars(found.brightness)} bright"
    if found.greys:
        yield f"grey        {found.greys}"
    if found.with_alpha:
        yield f"with alpha  {found.with_alpha}"
    if found.animated:
        named = ", ".join(map(str, _below(found.animated[:MOST_NAMED], place)))
        yield f"animated    {len(found.animated)}; only the first picture of each is used: {named}"
    if found.odd:
        yield f"other size  {describe_odd(found.odd, place.data, MOST_NAMED)}"
    if found.repeats:
        yield f"look alike  {len(found.repeats)} repeat another one: {_pairs(found, place)}"
    if found.unreadable:
        yield f"unusable    {describe_unreadable(found.unreadable, place.data, MOST_NAMED)}"
    if found.foreign:
        named = ", ".join(dict.fromkeys(map(printable, (Path(x.name) for x in found.foreign))))
        yield f"passed over {len(found.foreign)} hidden, or kept by file managers: {named}"


def _advice(found: Inspection, grids: list[Grid], batch: int) -> Iterator[str]:
    for grid in grids:
        how = "" if grid.cell == found.size else f" (preprocess: cover, load_size: {grid.cell})"
        if found.size and grid.enlargement(found.size) > 1:
            how += f", enlarged from {found.size}"
        yield (
            f"{grid.screen!s:<10}  grid_width: {grid.columns}, grid_height: {grid.rows}, pictures "
            f"of {grid.cell}{how}; can be halved {_times(grid.halvings)}"
        )
    yield f"repeats     with {batch} pictures per update, {_repeats(len(found.paths), batch)}"


def _repeats(count: int, batch: int) -> str:
    frames = frames_per_round(count, batch)
    if batch <= count:
        film = f"{_minutes(frames)} of film at {FPS} fps"
        return f"all {count} have been used after {frames} frames: {film}"
    times = f"{batch / count:.3g}"
    return f"each of the {count} is used {times} times in every one, which makes {frames} frames"


def _bars(shares: tuple[float, ...]) -> str:
    top = max(shares) or 1
    return "".join(BLOCKS[round(share / top * (len(BLOCKS) - 1))] for share in shares)


def _pairs(found: Inspection, place: Workspace) -> str:
    pairs = ["{} as {}".format(*_below(pair, place)) for pair in found.repeats[:MOST_NAMED]]
    return ", ".join(pairs)


def _below(paths: tuple[Path, ...], place: Workspace) -> list[str]:
    """The paths as text, relative to data/ where they lie in it."""
    below = (
        path.relative_to(place.data) if path.is_relative_to(place.data) else path for path in paths
    )
    return [text if (text := str(path)).isprintable() else ascii(text) for path in below]


def _times(count: int) -> str:
    return {0: "not once", 1: "once", 2: "twice"}.get(count, f"{count} times")


def _minutes(frames: int) -> str:
    seconds = frames / FPS
    return f"{seconds:.2g} seconds" if seconds < 60 else f"{seconds / 60:.1f} minutes"


def _for_machines(
    found: Inspection, grids: list[Grid], batch: int, target: Path | None
) -> dict[str, object]:
    frames = frames_per_round(len(found.paths), batch)
    return {
        "pictures": len(found.paths),
        "bytes": found.file_bytes,
        "formats": dict(found.formats.most_common()),
        "sizes": {str(size): number for size, number in found.sizes.most_common()},
        "mean": found.mean,
        "deviation": found.deviation,
        "brightness": found.brightness,
        "grey": found.greys,
        "with_alpha": found.with_alpha,
        "animated": list(map(str, found.animated)),
        "odd": [{"path": str(each.path), "size": str(each.size)} for each in found.odd],
        "look_alike": [{"path": str(one), "as": str(other)} for one, other in found.repeats],
        "passed_over": list(map(str, found.foreign)),
        "unusable": [{"path": str(path), "reason": why} for path, why in found.unreadable],
        "grids": [
            {
                "screen": str(grid.screen),
                "grid_width": grid.columns,
                "grid_height": grid.rows,
                "size": str(grid.cell),
                "halvings": grid.halvings,
                "enlargement": grid.enlargement(found.size or grid.cell),
            }
            for grid in grids
        ],
        "repeats": {"batch_size": batch, "frames": frames, "minutes": frames / FPS / 60},
        "contact_sheet": str(target) if target else None,
    }
