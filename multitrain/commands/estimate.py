"""What a sheet will make, shown before anything starts: `multitrain check`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table

from jobs.families.table import family_of
from jobs.sheets.sizes import PNG_BYTES_PER_VALUE, bytes_per_pixel, extra_bytes
from jobs.units import bytes_for_people, clock
from jobs.workspace.jobfile import JobFile
from jobs.workspace.outputs import extras
from jobs.workspace.paths import Workspace
from multitrain.farm.entries import Action, Entry
from multitrain.forecasts.forecasting import Forecast
from render.films.earlier import earlier_bytes, freed_bytes, outputs_by_job

FLOAT32 = 4  # bytes

VIDEO_COPIES = 3  # segments, timecuts and the film, until the segments go


@dataclass(frozen=True)
class Estimate:
    """The numbers of one job; bytes are the most that it needs on disk besides its spool."""

    name: str
    frames: int
    steps: int
    epochs: float | None  # None: nothing is trained, or the pictures are not counted
    frame_size: tuple[int, int]
    boxes: int
    cuts: int
    seconds: float
    disk_bytes: int
    loops: int
    exports: int

    @classmethod
    def of(cls, job: JobFile) -> Estimate:
        plan, spec = job.plan, job.spec
        pixels = plan.frame_width * plan.frame_height * plan.frames_total
        per_pixel = 0.0
        if spec.render_video:
            per_pixel = VIDEO_COPIES * bytes_per_pixel(spec.format[0], spec, plan.channels)
        per_pixel += PNG_BYTES_PER_VALUE * plan.channels if spec.keeps_images else 0.0
        return cls(
            name=spec.name,
            frames=plan.frames_total,
            steps=plan.steps_total,
            epochs=epochs_of(job),
            frame_size=(plan.frame_width, plan.frame_height),
            boxes=len(plan.boxes),
            cuts=len(plan.cuts) if spec.render_video else 0,
            seconds=plan.frames_total / plan.fps,
            disk_bytes=round(pixels * per_pixel)
            + sum(extra_bytes(each, job) for each in extras(spec, plan))
            + kept_bytes(job),
            loops=len(spec.loops or ()),
            exports=len(spec.format) - 1 if spec.render_video else 0,
        )


def epochs_of(job: JobFile) -> float | None:
    """How often, on average, the training draws each picture; None where nobody knows."""
    if not (family_of(job.spec).trains and job.steps_per_epoch):
        return None
    return float(job.plan.steps_total / job.steps_per_epoch)


def kept_bytes(job: JobFile) -> int:
    """Bytes of the weights that `keep_checkpoints` asks for, those of step 0 included, and of the
    best ones.
    """
    spec, plan = job.spec, job.plan
    files = plan.steps_total // spec.keep_checkpoints + 1 if spec.keep_checkpoints else 0
    files += bool(spec.validation) and spec.keep_best != "none"
    if not files:
        return 0
    networks = family_of(spec).layers(spec, job.image_width, job.image_height).values()
    if not networks:
        return 0
    return files * sum(layer.parameters for layers in networks for layer in layers) * FLOAT32


def table(entries: Sequence[Entry], times: Sequence[str] = (), night: str = "") -> Table:
    """One row per job and a last one with the sums.

    `times` are the jobs' forecasts as text, `night` is that of all jobs together; empty if unknown.
    """
    estimates = [Estimate.of(entry.job) for entry in entries]
    are_done = [entry.action is Action.STAY for entry in entries]
    tells_states = any(are_done)
    tells_epochs = any(each.epochs for each in estimates)
    result = Table(box=box.SIMPLE_HEAD, show_footer=len(estimates) > 1)
    total = f"{len(estimates)} jobs"
    loops, exports = sum(e.loops for e in estimates), sum(e.exports for e in estimates)
    result.add_column("job", footer=total, overflow="fold")
    for name, footer in (
        ("frames", str(sum(e.frames for e in estimates))),
        ("steps", str(sum(e.steps for e in estimates))),
        *([("epochs", "")] if tells_epochs else []),
        ("film", clock(sum(e.seconds for e in estimates))),
        ("frame size", ""),
        ("boxes", ""),
        ("cuts", str(sum(e.cuts for e in estimates))),
        *([("loops", str(loops))] if loops else []),
        *([("exports", str(exports))] if exports else []),
        ("disk, about", bytes_for_people(sum(e.disk_bytes for e in estimates))),
        *([("time, about", night)] if times else []),
        *([("state", "")] if tells_states else []),
    ):
        result.add_column(name, footer, justify="right")
    for number, e in enumerate(estimates):
        result.add_row(
            e.name,
            str(e.frames),
            str(e.steps),
            *([f"{e.epochs:.3g}" if e.epochs else ""] if tells_epochs else []),
            clock(e.seconds),
            f"{e.frame_size[0]}x{e.frame_size[1]}",
            str(e.boxes),
            str(e.cuts),
            *([str(e.loops)] if loops else []),
            *([str(e.exports)] if exports else []),
            bytes_for_people(e.disk_bytes),
            *times[number : number + 1],
            *(["done" if are_done[number] else ""] if tells_states else []),
        )
    return result


def for_machines(
    entries: Sequence[Entry], left: Sequence[Forecast | None] = ()
) -> list[dict[str, Any]]:
    """The jobs for `--json`, with the seconds that are `left` of each; None where nobody knows."""
    return [
        {
            **asdict(Estimate.of(entry.job)),
            "action": entry.action.name.lower(),
            "seconds_left": forecast and forecast.seconds,
            "seconds_left_spread": forecast and forecast.spread,
        }
        for entry, forecast in zip_longest(entries, left)
    ]


def told_of_earlier(workspace: Workspace, entries: Sequence[Entry]) -> str:
    """A sentence on the room that earlier films take now and later; empty where they take none."""
    now, coming = earlier_bytes(workspace), bytes_to_be_kept(workspace, entries)
    if not (now or coming):
        return ""
    more = f", and {bytes_for_people(coming)} more once these jobs are done" if coming else ""
    return f"Earlier films take {bytes_for_people(now)}{more}: see `multitrain earlier`."


def bytes_to_be_kept(workspace: Workspace, entries: Sequence[Entry]) -> int:
    """Bytes that earlier films will take in addition once these jobs are done."""
    there = outputs_by_job(workspace.renders, {entry.job.spec.name for entry in entries})
    kept = (
        path
        for entry in entries
        for path in _to_be_kept(workspace, entry, there.get(entry.job.spec.name, []))
    )
    return freed_bytes(list(kept))


def _to_be_kept(workspace: Workspace, entry: Entry, outputs: Sequence[Path]) -> Iterator[Path]:
    """Files that only an earlier film will have, as `render.films.replacing` moves them."""
    paths = workspace.job(entry.job.spec.name)
    match entry.action:
        case Action.START_OVER:
            yield from (*outputs, paths.run, workspace.next / paths.name)
        case Action.LENGTHEN if entry.before:
            shared = {paths.frames, *paths.all_timecuts(entry.before.plan)}
            yield from (path for path in outputs if path not in shared)
            yield from (paths.job_file, paths.checkpoints, paths.made_folder)
        case Action.BEGIN | Action.GO_ON if outputs and paths.replaces.exists():
            yield from outputs
        case Action.REOPEN:
            yield from entry.aside
