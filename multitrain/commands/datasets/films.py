"""What `multitrain dataset inspect --film` tells of films, for people and for machines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from jobs.errors import UsageError
from jobs.families.table import family_of
from jobs.settings.kinds import Resolution
from jobs.units import clock
from jobs.workspace.paths import Workspace
from multitrain.commands.clips.clip_options import note_timecuts, refuse_no_film
from multitrain.commands.long_work import shown_work

if TYPE_CHECKING:
    from jobs.settings.spec import JobSpec
    from render.clips.looking import FilmLook

# Decibels. What H.264 and JPEG leave of their own blocks is below 2.5; from 6 on, the grid is seen
# at first sight, by the eye of one person on films of 64x64 and 96x54.
FAINT, CLEAR = 3.0, 6.0
NEAR = 1.0  # dB that a film may have more than the pictures that it learnt from


class Found(NamedTuple):
    """A film that is to be looked at."""

    title: str
    files: tuple[Path, ...]
    spec: JobSpec | None  # of its job; None of a file


def find_film(film: str, place: Workspace) -> Found:
    """The file of that name, else the film of the job, else its timecuts so far. UsageError."""
    path = Path(film)
    if path.is_file():
        return Found(str(path), (path,), None)
    refuse_no_film(film)
    from jobs.tinkering.earlier_jobs import past_job
    from render.clips.comparing import find_take

    take = find_take(place, film)
    note_timecuts(film, take.files)
    return Found(film, take.files, past_job(place, film).spec)


def look(found: Found, cell: Resolution | None) -> FilmLook:
    """Look at a film. UsageError where it has no room for a sample of that size."""
    from render.clips.looking import look_at_film
    from render.files.film import Film

    size = Film.look(found.files[0]).size
    if cell and (cell.width > size.width or cell.height > size.height):
        raise UsageError(f"--cell {cell} is larger than {found.title}, which is {size}")
    with shown_work(found.title, 1, "films") as on_progress:
        return look_at_film(found.files, cell, on_progress)


def film_lines(found: Found, seen: FilmLook, of_pictures: float | None) -> Iterator[str]:
    """What people are told; `of_pictures` is the checkerboard of the data set, in dB."""
    duration = clock(float(seen.frames / seen.fps))
    length = f"{seen.frames} frames at {float(seen.fps):.5g} fps"
    yield f"film        {found.title}: {length}, {duration}, {seen.size}"
    sample = seen.samples[0]
    each = f"{len(seen.samples)} of {sample.width}x{sample.height}"
    if seen.layout is None:
        each += ": nothing tells how large they are, so a frame counts as one; --cell says it"
    yield f"samples     {each}"
    yield f"settled     {_settled(seen)}"
    levels = zip(("red", "green", "blue"), seen.mean, seen.deviation, strict=True)
    colours = ", ".join(f"{name} {mean:.0f} ± {by:.0f}" for name, mean, by in levels)
    yield f"colours     {colours}, in {seen.measured} of the settled frames"
    yield f"checkers    {judgement(seen.checkerboard, of_pictures, found.spec)}"


def film_facts(found: Found, seen: FilmLook) -> dict[str, object]:
    """What machines are told."""
    sample = seen.samples[0]
    return {
        "film": found.title,
        "files": list(map(str, found.files)),
        "frames": seen.frames,
        "fps": float(seen.fps),
        "seconds": float(seen.frames / seen.fps),
        "size": str(seen.size),
        "samples": len(seen.samples),
        "sample_size": f"{sample.width}x{sample.height}",
        "samples_known": seen.layout is not None,
        "settled_frame": seen.settled.frame,
        "settled_seconds": seen.settled_seconds,
        "settled_in_time": seen.settled.in_time,
        "frames_measured": seen.measured,
        "mean": seen.mean,
        "deviation": seen.deviation,
        "checkerboard": seen.checkerboard,
    }


def judgement(decibels: float | None, of_pictures: float | None, spec: JobSpec | None) -> str:
    """The checkerboard of a film in dB, what it means, and what to do."""
    if decibels is None:
        return "samples are too small to tell a checkerboard"
    told = f"{decibels:.1f} dB"
    if of_pictures is not None:
        told += f" (the pictures: {of_pictures:.1f} dB)"
    if decibels < FAINT:
        return f"{told}: no checkerboard"
    if of_pictures is not None and decibels < of_pictures + NEAR:
        return f"{told}: no more of a checkerboard than the pictures have themselves"
    what = "a faint checkerboard" if decibels < CLEAR else "a clear checkerboard"
    return f"{told}: {what}; {_advice(spec)}"


def _advice(spec: JobSpec | None) -> str:
    kinds = _convolutions(spec) if spec else ("deconv",)
    if not all(kind.startswith("upconv") for kind in kinds):
        return "convolution_g: upconv draws none"
    other = " or convolution_g: upconv-bilinear" * bool(kinds)
    return f"more training{other} may make less"


def _convolutions(spec: JobSpec) -> tuple[str, ...]:
    """How its generator enlarges; none where its family has a way of its own."""
    return () if "convolution_g" in family_of(spec).without else spec.convolution_g


def _settled(seen: FilmLook) -> str:
    if not seen.settled.in_time:
        return f"not in the first half; measured from its middle on, {seen.settled_seconds:.2f} s"
    if not seen.settled.frame:
        return "from the first frame on"
    return f"from {seen.settled_seconds:.2f} s on"
