"""A night as on a stage: a workspace that looks as if a farm were at work, with films to see.

Nothing is trained, so that pictures of the page are made in seconds and always look the same.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

from jobs.settings.spec import JobSpec
from jobs.workspace import locks
from jobs.workspace.farm_state import Disk, FarmState, Left, SlotState, publish
from jobs.workspace.jobfile import JobFile
from jobs.workspace.moments import MOST, Moment, Shortlist, state_of, write_shortlist
from jobs.workspace.outputs import JPG, OutputName
from jobs.workspace.paths import JobPaths, Workspace
from jobs.workspace.states import State
from jobs.workspace.store import JobRow, create
from render.encoding import ffmpeg

NAMES = (
    *("tidal", "lichen", "ember", "nacre", "sodium", "understory", "halide", "moraine"),
    *("cinder", "velour", "estuary", "pollen", "basalt", "aurora", "mycelium", "opaline"),
    *("saltmarsh", "vermilion", "quartz", "drift", "hearth", "indigo", "tessera", "umbra"),
)
GIB = 2**30


def a_job(name: str, **columns: object) -> JobFile:
    """A DCGAN of the usual size, unless `columns` say otherwise; its pictures are 128 x 72."""
    settings: dict[str, object] = {
        "dataset": "demo",
        "grid_width": 4,
        "grid_height": 3,
        "video_length": 30,
        "auto_render_period": 60,
    }
    spec = JobSpec.model_validate({"name": name, **(settings | columns)})
    return JobFile(spec=spec, image_width=128, image_height=72)


def a_row(name: str, state: State, share: float = 0.0, **more: object) -> JobRow:
    """A job of 108,000 frames, so much of it done."""
    total = 108_000
    facts = {"attempts": int(state is not State.QUEUED), "slot": "", "error": ""} | more
    return JobRow(name, state, round(total * share), total, **facts)  # type: ignore[arg-type]


def frames(
    seed: int, count: int, width: int, height: int, cells: tuple[int, int]
) -> Iterator[bytes]:
    """Raw RGB frames: a grid of soft, moving clouds of colour, each cell another one."""
    random = np.random.default_rng(seed)
    columns, rows = cells
    cell_width, cell_height = width // columns, height // rows
    y, x = np.mgrid[0:cell_height, 0:cell_width] / cell_height
    hue, span = random.uniform(0, 1), random.uniform(0.3, 0.55)
    shifts = np.array([0.0, *random.uniform(0.1, 0.45, 2)])
    waves = random.uniform(1.5, 5.0, (columns * rows, 6)) + random.uniform(2, 5)
    for number in range(count):
        turn = 2 * math.pi * number / count
        picture = np.zeros((rows * cell_height, columns * cell_width, 3), np.uint8)
        for cell in range(columns * rows):
            a, b, c, d, e, f = waves[cell]
            warp_x = x + 0.28 * np.sin(b * y + turn + cell) + 0.1 * np.sin(e * (x + y) * 2 - turn)
            warp_y = y + 0.28 * np.cos(c * x - turn + a) + 0.1 * np.cos(f * (x - y) * 2 + turn)
            field = (
                np.sin(a * warp_x + turn)
                + np.sin(d * warp_y - turn + cell)
                + np.sin(3 * warp_x * warp_y)
            )
            place = 0.5 + 0.5 * np.sin(field * 0.9 + cell * 0.1)  # along a palette of cosines
            angles = hue + span * place[..., None] + shifts
            colour = 0.55 + 0.45 * np.cos(2 * math.pi * angles)
            light = (0.2 + 0.8 * place)[..., None]
            row, column = divmod(cell, columns)
            picture[
                row * cell_height : (row + 1) * cell_height,
                column * cell_width : (column + 1) * cell_width,
            ] = np.clip(255 * colour * light, 0, 255)
        yield picture.tobytes()


def make_video(path: Path, raw: Sequence[bytes], width: int, height: int) -> None:
    """An H.264 file of 30 frames per second."""
    path.parent.mkdir(parents=True, exist_ok=True)
    command = [
        *(ffmpeg.find(), "-loglevel", "error", "-y", "-f", "rawvideo", "-pixel_format", "rgb24"),
        *("-video_size", f"{width}x{height}", "-framerate", "30", "-i", "-", "-c:v", "libx264"),
        *("-preset", "veryfast", "-crf", "24", "-pix_fmt", "yuv420p", "-g", "30", "-bf", "0"),
        *("-movflags", "+faststart", "-f", "mp4", str(path)),
    ]
    subprocess.run(command, input=b"".join(raw), check=True)


def make_picture(path: Path, raw: bytes, width: int, height: int) -> None:
    """A JPEG file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.frombytes("RGB", (width, height), raw).save(path, quality=85)


def losses(path: Path, seed: int, lines: int = 400) -> None:
    """A `progress.jsonl` of a training that goes well."""
    random = np.random.default_rng(seed)
    text = ""
    for number in range(lines):
        fade = math.exp(-number / 60)
        d = 0.9 + 0.5 * fade + 0.06 * random.standard_normal()
        g = 1.5 + 1.2 * fade + 0.3 * math.sin(number / 40) + 0.1 * random.standard_normal()
        line = {"time": number, "step": number * 50, "frame": number * 50}
        text += json.dumps({**line, "losses": {"d": round(d, 4), "g": round(g, 4)}}) + "\n"
    path.write_text(text, encoding="utf-8")


def moments(
    paths: JobPaths, job: JobFile, seed: int, width: int, height: int, shape: tuple[int, int]
) -> None:
    """A shortlist of the film, with stills; weights near the second moment are kept."""
    random = np.random.default_rng(seed)
    frame, chosen = 0, []
    for number in range(MOST):
        frame += round(job.frames_total / (MOST + 1) * random.uniform(0.4, 1.4))
        (raw,) = frames(100 * seed + number, 1, width, height, shape)
        make_picture(paths.still(frame), raw, width, height)
        motion = round(random.uniform(0.1, 0.5), 3)
        chosen.append(Moment(frame=frame, seconds=frame / 60, motion=motion, novelty=0.5))
    film = state_of(paths.film())
    best_first = sorted(chosen, key=lambda each: -each.motion)
    write_shortlist(paths, Shortlist(**film, moments=tuple(best_first)))  # type: ignore[arg-type]
    weights = paths.kept_weights(job.plan.step_of(chosen[1].frame))
    weights.parent.mkdir(parents=True, exist_ok=True)
    weights.touch()


def stage(workspace: Workspace, *, running: int = 8, done: int = 9, size: int = 270) -> None:
    """Fill an empty workspace; videos are `size` pixels high."""
    grids = [(4, 3), (1, 1), (3, 2), (2, 2), (6, 4), (3, 3)]
    rows = []
    for number, name in enumerate(NAMES):
        columns, lines = grids[number % len(grids)]
        shape = 1.0 if number % len(grids) == 1 else 16 / 9
        height = size // (2 * lines) * 2 * lines
        width = round(height * shape / (2 * columns)) * 2 * columns
        is_running, is_done = number < running, running <= number < running + done
        job = a_job(name, grid_width=columns, grid_height=lines, loops="best")
        paths = workspace.job(name)
        if not is_running and not is_done:
            break
        job.save(paths)
        losses(paths.progress, number)
        paths.log.write_text("multitrain: 2 networks, TensorFlow\nstep 1200: d 0.92, g 1.61\n")
        raw = list(frames(number, 90, width, height, (columns, lines)))
        if is_running:
            cuts = 2 + number % 3
            for cut in range(1, cuts + 1):
                make_video(paths.timecut(cut), raw, width, height)
            make_video(paths.preview, raw, width, height)
            make_picture(paths.latest, raw[-1], width, height)
            share = 0.15 + 0.7 * ((number * 0.37) % 1)
            state = State.RENDERING if number == running - 1 else State.RUNNING
            share = 1.0 if state is State.RENDERING else share
            rows.append(a_row(name, state, share, slot="" if share == 1 else f"gpu {number}"))
        else:
            make_video(paths.film(), raw, width, height)
            make_video(paths.preview, raw, width, height)
            make_picture(
                workspace.renders / str(OutputName(name, suffix=JPG)), raw[-1], width, height
            )
            make_video(workspace.renders / str(OutputName(name, loop=1)), raw[:30], width, height)
            paths.manifest.write_text("{}\n")
            moments(paths, job, number, width, height, (columns, lines))
            rows.append(a_row(name, State.DONE, 1.0))
    rows.append(
        a_row(
            "ferrofluid",
            State.FAILED,
            0.31,
            error="NaN losses, also after going back to a checkpoint three times",
            attempts=3,
        )
    )
    rows.append(a_row("glasshouse", State.PAUSED, 0.44))
    rows += [
        a_row(f"{name}-{number:02d}", State.QUEUED)
        for number in range(1, 5)
        for name in ("fjord", "copper", "linen")
    ]
    rows.append(a_row("fjord-long", State.CANCELLED, 0.1))
    create(workspace.store, rows)
    for row in rows:
        if row.state is State.QUEUED:
            a_job(row.name).save(workspace.job(row.name))
    publish(workspace, farm_of(rows))


def farm_of(rows: Sequence[JobRow]) -> FarmState:
    """What a farm with eight GPUs would tell of these jobs."""
    at_work = [row for row in rows if row.slot]
    slots = [
        SlotState(
            label=row.slot,
            model="NVIDIA RTX 6000 Ada",
            job=row.name,
            memory_free=(11 + 3 * number) * GIB,
            memory_total=48 * GIB,
            load=97 - 2 * number,
            temperature=61 + number,
        )
        for number, row in enumerate(at_work)
    ]
    slots.append(
        SlotState(
            label="gpu 7", model="NVIDIA RTX 6000 Ada", obstacle="another program computes on it"
        )
    )
    left = {
        row.name: Left(seconds=(1 - row.frames_done / row.frames_total) * 14_400, spread=0.1)
        for row in rows
        if not row.state.ended
    }
    return FarmState(
        time=time.time(),
        since=time.time() - 9_000,
        night=Left(seconds=23_400, spread=0.1),
        jobs=left,
        slots=tuple(slots),
        waiting={"fjord-02": "it waits for fjord-01"},
        disk=Disk(free=812 * GIB, keep_free=20 * GIB, spool=41 * GIB, spool_share=12 * GIB),
    )


@contextmanager
def farm_at_work(workspace: Workspace) -> Iterator[None]:
    """As if a farm were here: the workspace is held, and its state is of now."""
    held = locks.take(workspace.lock)
    assert held is not None
    try:
        yield
    finally:
        os.close(held)
