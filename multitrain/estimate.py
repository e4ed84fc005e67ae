"""What a sheet will make, told before anything starts: `multitrain check`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich import box
from rich.table import Table

from jobs.jobfile import JobFile
from jobs.layers import discriminator_layers, generator_layers
from jobs.origins import WITHOUT_NETWORKS
from jobs.outputs import extras
from jobs.sizes import PNG_BYTES_PER_VALUE, bytes_per_pixel, extra_bytes

FLOAT32 = 4  # bytes

VIDEO_COPIES = 3  # segments, timecuts and the film, until the segments go


@dataclass(frozen=True)
class Estimate:
    """The numbers of one job; bytes are the most that it needs on disk besides its spool."""

    name: str
    frames: int
    steps: int
    frame_size: tuple[int, int]
    boxes: int
    cuts: int
    seconds: float
    disk_bytes: int

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
            frame_size=(plan.frame_width, plan.frame_height),
            boxes=len(plan.boxes),
            cuts=len(plan.cuts) if spec.render_video else 0,
            seconds=plan.frames_total / plan.fps,
            disk_bytes=round(pixels * per_pixel)
            + sum(extra_bytes(each, job) for each in extras(spec, plan))
            + kept_bytes(job),
        )


def kept_bytes(job: JobFile) -> int:
    """Of the weights that `keep_checkpoints` asks for; the first are those of step 0."""
    spec, plan = job.spec, job.plan
    if spec.keep_checkpoints is None or spec.family in WITHOUT_NETWORKS:
        return 0
    layers = (
        *generator_layers(spec, job.image_width, job.image_height),
        *discriminator_layers(spec, job.image_width, job.image_height),
    )
    files = plan.steps_total // spec.keep_checkpoints + 1
    return files * sum(layer.parameters for layer in layers) * FLOAT32


def table(jobs: Sequence[JobFile]) -> Table:
    """One row per job and a last one with the sums."""
    estimates = [Estimate.of(job) for job in jobs]
    result = Table(box=box.SIMPLE_HEAD, show_footer=len(estimates) > 1)
    total = f"{len(estimates)} jobs"
    result.add_column("job", footer=total, overflow="fold")
    result.add_column("frames", f"{sum(e.frames for e in estimates)}", justify="right")
    result.add_column("steps", f"{sum(e.steps for e in estimates)}", justify="right")
    result.add_column("film", _clock(sum(e.seconds for e in estimates)), justify="right")
    result.add_column("frame size", justify="right")
    result.add_column("boxes", justify="right")
    result.add_column("cuts", f"{sum(e.cuts for e in estimates)}", justify="right")
    result.add_column("disk, about", _size(sum(e.disk_bytes for e in estimates)), justify="right")
    for e in estimates:
        size = f"{e.frame_size[0]}x{e.frame_size[1]}"
        counts = (str(e.frames), str(e.steps), _clock(e.seconds), size, str(e.boxes), str(e.cuts))
        result.add_row(e.name, *counts, _size(e.disk_bytes))
    return result


def _clock(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes)}:{rest:04.1f}"


def _size(count: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit in ("B", "KiB") else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"
