"""`multitrain quick`."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jobs.errors import DatasetError, ExitCode, UsageError
from jobs.settings.kinds import Resolution
from jobs.workspace.paths import Workspace
from multitrain.commands.long_work import say_aside
from multitrain.commands.options import ALL_GPUS, Seconds, Whole, gpus_option, workspace_option
from multitrain.commands.quick import wishes as wished
from multitrain.commands.quick.given import Given, Kind
from multitrain.commands.quick.steps import Beside, Found, Step, Steps, fetched_source, in_the_way
from multitrain.commands.quick.wishes import FAMILIES, Earlier, Wishes

if TYPE_CHECKING:
    from multitrain.commands.quick.sheet import Pictures

LONGEST_SECONDS = 24 * 3600
SMALLEST_SIDE, LARGEST_SIDE = 64, 2048  # pixels: what a fastgan can make
FRAMES = Whole(1, 1_000_000)
SIZE = Whole(SMALLEST_SIDE, LARGEST_SIDE)
FAMILY = click.Choice(list(FAMILIES))
LENGTH = Seconds(0, LONGEST_SECONDS, min_open=True)
DEFAULTS = Wishes("")
RIGHTS = (
    "note: pictures from the web belong to somebody; whether you may use them, and show what is "
    "made of them, is for you to know"
)

# Other modules are imported when they are needed, so that `--help` appears at once.


@click.command("quick")
@click.argument("named", metavar="VIDEO|FOLDER|ADDRESS")
@click.option("--name", help="Of the job and of all files.  [default: that of the video]")
@click.option(
    "--frames", type=FRAMES, help="Of the videos, evenly spaced.", show_default=str(DEFAULTS.frames)
)
@click.option(
    "--size", type=SIZE, help="Pixels of the longer side.", show_default=str(DEFAULTS.size)
)
@click.option("--family", type=FAMILY, help="What learns.", show_default=DEFAULTS.family)
@click.option(
    "--length", type=LENGTH, metavar="TIME", help="Of the film: 30s, 1:30.", show_default="30s"
)
@gpus_option
@click.option("--deterministic", is_flag=True, help="As `run` has it; slower.")
@click.option("--yes", is_flag=True, help="Do not ask, and do not wait for a yes.")
@workspace_option
@click.pass_context
def command(
    context: click.Context,
    /,
    named: str,
    name: str | None,
    gpus: str,
    deterministic: bool,
    yes: bool,
    workspace: Path,
    **given: Any,
) -> None:
    """Make a film of a video: take frames, show them, train on them; by the other commands.

    What is not given as an option is asked for. Each step is told as the command that does the
    same. Before it trains, it waits for a yes: look at the contact sheet, and at the time that it
    will take. Called again, it goes on where it was.

    A folder may hold videos, or pictures; an address may be that of a video, or of a zip or tar
    archive of pictures.

    \b
    multitrain quick holiday.mp4
    multitrain quick holiday.mp4 --family fastgan --length 1m --yes
    """
    _require_device(gpus)
    place = Workspace(workspace.absolute())
    source = Given.find(named, place.root)
    asks = not yes and _has_terminal()
    name = name or (_ask("name", source.name, str) if asks else source.name)
    sheet = _read_sheet(place, name)
    earlier = wished.read_back(sheet) if sheet is not None else None
    if asks and sheet is None:
        given = _ask_for(given, source)
    wishes = wished.together(name, given, earlier.wishes if earlier else None)
    elsewhere = str(place.root) if place.root != Path.cwd() else ""
    steps = Steps(source, wishes, Beside(gpus, elsewhere, deterministic))
    pictures = steps.pictures(_size_of(source))
    found = _found(place, steps, sheet, earlier)
    if reason := in_the_way(steps, found, _source_of(source, pictures)):
        raise UsageError(reason)
    _Doing(place, steps, found, context).all(pictures, asks=asks, waits=not yes)


def _require_device(gpus: str) -> None:
    """UsageError where the option names none; whether GPUs work, `run` finds out."""
    from multitrain.slots.opening import open_pool

    if gpus != ALL_GPUS:
        open_pool(gpus, None, lambda _: None)


def _has_terminal() -> bool:
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))


def _ask(what: str, default: Any, kind: Any) -> Any:
    return click.prompt(what, default=default, type=kind)


def _ask_for(given: dict[str, Any], source: Given) -> dict[str, Any]:
    """What was not given as an option."""
    for family, told in FAMILIES.items() if given["family"] is None else ():
        click.echo(f"  {family:<8}  {told}")
    questions = {
        "family": ("family", DEFAULTS.family, FAMILY),
        "frames": ("frames to take", DEFAULTS.frames, FRAMES),
        "size": ("pixels of the longer side", DEFAULTS.size, SIZE),
        "length": ("length of the film", wished.length_words(DEFAULTS.length), LENGTH),
    }
    if not source.videos:
        del questions["frames"]
    return given | {
        key: _ask(*question) for key, question in questions.items() if given[key] is None
    }


def _read_sheet(place: Workspace, name: str) -> str | None:
    """The sheet of that name; None where there is none. UsageError where it can be none."""
    from jobs.sheets.forms.cells import read_text
    from multitrain.datasets.made.making import place_for

    place_for(place, name)
    path = Path(f"{name}.yaml")
    return read_text(path) if path.exists() else None


def _found(place: Workspace, steps: Steps, sheet: str | None, earlier: Earlier | None) -> Found:
    from multitrain.datasets.made.sources import read_source

    paths = place.job(steps.wishes.name)
    is_made = steps.given.kind is not Kind.PICTURES
    clip = steps.clip if _makes_pictures(steps.wishes.family) else None
    return Found(
        data_set=read_source(place.dataset(steps.wishes.name)) if is_made else None,
        has_contact_sheet=Path(steps.contact_sheet).exists(),
        sheet=earlier,
        has_sheet=sheet is not None,
        has_job=paths.run.exists() or paths.manifest.exists(),
        clip=clip if clip and Path(clip).exists() else None,
    )


def _size_of(source: Given) -> Resolution | None:
    """Of the first video that can be read; None where there is none yet."""
    from jobs.videos.opening import UnreadableVideo
    from jobs.videos.video import look

    for video in source.videos if source.kind is Kind.VIDEOS else ():
        with suppress(UnreadableVideo):
            return look(Path(video)).size
    return None


def _source_of(source: Given, pictures: Step | None) -> str:
    """What the data set would tell of itself."""
    from multitrain.commands.datasets import extract

    if pictures is None:
        return ""
    if source.kind is Kind.ARCHIVE:
        return fetched_source(source.named)
    return extract.source_of(extract.command.make_context("extract", list(pictures.words[2:])))


class _Doing:
    """The steps, one after the other. SystemExit where one fails, or nobody says yes."""

    def __init__(
        self, place: Workspace, steps: Steps, found: Found, context: click.Context
    ) -> None:
        self._place, self._steps, self._found = place, steps, found
        self._commands = context.find_root().command

    def all(self, pictures: Step | None, *, asks: bool, waits: bool) -> None:
        steps, found = self._steps, self._found
        if steps.given.is_of_the_web:
            say_aside(RIGHTS)
        try:
            if pictures and found.data_set is None:
                self._do(pictures)
            if not found.has_contact_sheet:
                self._do(steps.look())
            if not found.has_sheet:
                self._write_sheet(pictures)
            waits = waits and not found.has_job  # somebody has said yes before
            self._do(steps.check(measured=asks and waits))
            if waits and not (asks and self._is_wanted()):
                look = f"look at {steps.contact_sheet}; {steps.sheet} may be edited"
                click.echo(f"\nNothing is trained yet: {look}.")
                self._stop(ExitCode.DRAINED)
            self._do(steps.run())
            self._apply()
        except (click.Abort, KeyboardInterrupt):
            self._stop(ExitCode.DRAINED)

    def _do(self, step: Step) -> None:
        click.echo(f"\n$ {step}")
        assert isinstance(self._commands, click.Group)
        try:
            code = self._commands.main(list(step.words), "multitrain", standalone_mode=False)
        except SystemExit as end:
            code = end.code
        if code == ExitCode.DRAINED:
            self._stop(ExitCode.DRAINED)
        if code:
            raise SystemExit(code)

    def _stop(self, code: ExitCode) -> None:
        click.echo(f"Go on with: {self._steps.go_on()}")
        raise SystemExit(code)

    def _is_wanted(self) -> bool:
        return click.confirm(f"\nLook at {self._steps.contact_sheet}. Train on this?", default=True)

    def _write_sheet(self, pictures: Step | None) -> None:
        from jobs.tinkering.writing import save_sheet
        from multitrain.commands.quick.sheet import sheet_text, target_size

        steps = self._steps
        there = self._pictures()
        later = [steps.run()]
        if self._video and _makes_pictures(steps.wishes.family):
            later.append(steps.apply(self._video, target_size(there.size, steps.wishes.size)))
        done = [step for step in (pictures, steps.look()) if step]
        save_sheet(Path(steps.sheet), sheet_text(steps, there, done, later), force=False)
        click.echo(f"\n{steps.sheet}: the sheet, for you to edit")

    def _pictures(self) -> Pictures:
        from jobs.pictures.surveying import survey
        from multitrain.commands.quick.sheet import Pictures

        folder = self._place.dataset(self._steps.data_set)
        seen = survey([folder])
        if seen.size is None:
            raise DatasetError(f"there are no pictures in {folder}")
        return Pictures(seen.size, seen.count + len(seen.odd), bool(seen.odd))

    @property
    def _video(self) -> str | None:
        """What `apply` takes: the file or folder that was given, or what was downloaded."""
        from multitrain.datasets.web.downloading import downloaded

        given = self._steps.given
        if given.kind is not Kind.ADDRESS:
            return given.named if given.videos else None
        path = downloaded(self._place, given.named)
        return str(path) if path else None

    def _apply(self) -> None:
        """Have the network make pictures of the video, where it makes pictures of others."""
        from jobs.families.table import family_of
        from jobs.tinkering.earlier_jobs import jobs_left, past_job

        name = self._steps.wishes.name
        if not self._video or name not in jobs_left(self._place):
            return
        job = past_job(self._place, name)
        if family_of(job.spec).application:
            size = Resolution(job.image_width, job.image_height)
            self._do(self._steps.apply(self._video, size))


def _makes_pictures(family: str) -> bool:
    from jobs.families.table import FAMILIES as KNOWN

    return family in KNOWN and KNOWN[family].application is not None
