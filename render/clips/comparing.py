"""Makes a comparison: finds the films, runs ffmpeg, verifies what it wrote."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from PIL import Image

from jobs.errors import UsageError
from jobs.settings.spec import JobSpec
from jobs.settings.videos import MP4, PNG, VIDEOS
from jobs.settings.words import start_over
from jobs.tinkering.earlier_jobs import past_job
from jobs.workspace.files import listing
from jobs.workspace.outputs import OutputName
from jobs.workspace.paths import Workspace
from jobs.workspace.states import State
from jobs.workspace.store import read_jobs
from render.clips.comparison import Comparison, Take, comparison_command
from render.clips.labels import canvas_of
from render.encoding import ffmpeg
from render.encoding.commands import LIST
from render.encoding.lists import listed
from render.encoding.watching import OnProgress, watched
from render.files.claims import making
from render.files.film import Film
from render.files.probe import verify
from render.files.reading import FilmReader
from render.shown.screen import over_black


def find_take(workspace: Workspace, name: str, box: int | None = None) -> Take:
    """What job `name` has in `renders`: its film, else its timecuts so far.

    Of a job with boxes, those of `box`, from 1; None: of the first. UsageError where there is none.
    """
    job = past_job(workspace, name)
    if box is not None and box not in job.plan.box_numbers:
        boxes = len(job.plan.boxes) if job.plan.has_boxes else "no"
        raise UsageError(f"{name} has {boxes} boxes, so there is no box {box}")
    suffix = VIDEOS[job.spec.format[0]].suffix
    files = _videos(workspace, name, suffix, (None, 1) if box is None else (box,))
    if not files:
        raise UsageError(f"{name} has no film and no timecut in {_why_none(workspace, job.spec)}")
    films = [Film.look(file) for file in files]
    for film in films:
        if not film.in_step:
            raise UsageError(f"{film.path}: its frames come at uneven times; export it first")
    return Take(
        name=name,
        files=files,
        frames=sum(film.frames for film in films),
        width=films[0].size.width,
        height=films[0].size.height,
        fps=job.spec.fps,
        rate=job.plan.timing.rate,
    )


def _why_none(workspace: Workspace, spec: JobSpec) -> str:
    """Where no video of a job was found, why, and whether there will be any."""
    where = str(workspace.job(spec.name).outputs)
    if not spec.render_video:
        return f"{where}, nor will it: render_video is False, which leaves PNG frames"
    row = next((row for row in read_jobs(workspace.store) if row.name == spec.name), None)
    if row is None or not row.state.ended:
        return f"{where} yet; wait for its first one"
    why = f" ({row.error})" if row.error else ""
    again = f"run it with {start_over(spec.name)}"
    advice = again if row.state is State.DONE else "run its sheet again"
    return f"{where}, and it is {row.state}{why}; {advice}"


def _videos(
    workspace: Workspace, name: str, suffix: str, boxes: Sequence[int | None]
) -> tuple[Path, ...]:
    """The film, or the timecuts from the first on without a gap, of the first box that has some."""
    outputs = workspace.job(name).outputs
    parsed = ((file, OutputName.parse(file)) for file in listing(outputs))
    there = {
        (each.timecut, each.box): file
        for file, each in parsed
        if each and (each.is_film or each.is_timecut) and (each.job, each.suffix) == (name, suffix)
    }
    for box in boxes:
        if film := there.get((None, box)):
            return (outputs / film,)
        cuts: list[Path] = []
        while cut := there.get((len(cuts) + 1, box)):
            cuts.append(outputs / cut)
        if cuts:
            return tuple(cuts)
    return ()


def check_output(workspace: Workspace, output: Path, *, force: bool) -> None:
    """UsageError where a comparison cannot be written to `output`, or should not."""
    if output.suffix.casefold() not in (MP4, PNG):
        raise UsageError(f"{output} must end in .mp4, or in .png for a picture of the last frames")
    if output.absolute().parent == workspace.renders.absolute():
        raise UsageError(f"{output}: renders/ is for the films of jobs; name another folder")
    if output.is_dir():
        raise UsageError(f"{output} is a folder; give another name")
    if output.exists() and not force:
        raise UsageError(f"{output} is there already; give another name, or --force to replace it")


def compare_last(plan: Comparison, output: Path) -> None:
    """Write a picture of the last frame of each film; it appears whole or not at all.

    MultitrainError where one cannot be read.
    """
    picture = canvas_of(plan)
    for take, area in zip(plan.takes, plan.film_areas(), strict=True):
        with FilmReader(take.files) as reader:
            last = over_black(reader[take.frames - 1])
        shown = Image.fromarray(last).resize((area.width, area.height), Image.Resampling.LANCZOS)
        picture.paste(shown, (area.x, area.y))
    with making(output) as part:
        picture.save(part, format="PNG")


def compare(plan: Comparison, output: Path, on_progress: OnProgress) -> None:
    """Write the comparison; it appears whole and verified, or not at all.

    ProgramFailed where ffmpeg fails, MultitrainError where it left frames out.
    """
    with (
        tempfile.TemporaryDirectory(prefix="comparison-") as folder,
        making(output) as part,
        ExitStack() as lists,
    ):
        canvas, progress = Path(folder, "canvas.png"), Path(folder, "progress.txt")
        canvas_of(plan).save(canvas)
        inputs = [
            _input(take, Path(folder, f"{number}{LIST}"), lists)
            for number, take in enumerate(plan.takes)
        ]
        command = comparison_command(ffmpeg.find(), plan, canvas, inputs, progress, part)
        with watched(progress, on_progress):
            ffmpeg.run(command, timeout=ffmpeg.FILM_SECONDS)
        verify(part, plan.frames, plan.fps, plan.width, plan.height)
        on_progress(plan.frames)


def _input(take: Take, list_file: Path, lists: ExitStack) -> Path:
    """The file that ffmpeg is to open: the video, or a list that stays until `lists` is closed."""
    if len(take.files) == 1:
        return take.files[0]
    lists.enter_context(listed(list_file, take.files))
    return list_file
