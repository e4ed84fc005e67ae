"""`renders/<job>.json`: how a film was made. Written last, so that it means: done."""

from __future__ import annotations

import json
import platform
from importlib.metadata import version
from pathlib import Path

from jobs.families.table import family_of
from jobs.settings.spec import COLUMNS, facets
from jobs.settings.videos import WITH_NVENC
from jobs.workspace.files import listing, write_text
from jobs.workspace.jobfile import JobFile
from jobs.workspace.measures import told_of
from jobs.workspace.paths import JobPaths
from render.encoding import ffmpeg
from render.files.digests import Damaged, sha256_of
from render.films.encoders import kept
from render.spool.notes import made_extras, noted_digest

# Packages that the frames depend on, by engine; their versions are read without importing them.
FRAMEWORKS = {
    "tensorflow": ("tensorflow", "keras", "numpy"),
    "jax": ("jax", "jaxlib", "keras", "numpy"),
}

# Columns left out: the manifest goes where the film goes, and such addresses may hold secrets.
UNTOLD = {column for column in COLUMNS if facets(column).private}


def write_manifest(paths: JobPaths, job: JobFile) -> None:
    """Write the manifest of everything that was made for this job and is still in `renders`.

    Raises Damaged where a film, or what was made of it, has just changed; then nothing is written.
    """
    spec, plan = job.spec, job.plan
    measured = told_of(paths)
    manifest = {
        "job": paths.name,
        "spec": spec.model_dump(mode="json", exclude=UNTOLD),
        "versions": _versions(job),
        "seed": spec.seed,
        "frames": plan.frames_total,
        "settled": plan.settled,
        "first_frames_total": job.first_frames_total,
        "pictures": job.picture_count,
        "measured": measured.last and measured.last.for_machines,
        "best": measured.best and measured.best.for_machines,
        "fps": plan.fps,
        "width": plan.frame_width,
        "height": plan.frame_height,
        "cell": job.cell,
        "picture": (job.image_width, job.image_height),
        "encoder": _encoder(paths, job) if spec.render_video else None,
        "boxes": [box._asdict() for box in plan.boxes] if plan.has_boxes else [],
        "timecuts": _timecuts(paths, job) if spec.render_video else [],
        "films": _films(paths, job) if spec.render_video else [],
        "made_of_the_film": _extras(paths, job),
        "images": paths.frames.name if spec.keeps_images else None,
    }
    write_text(paths.manifest, json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")


def _versions(job: JobFile) -> dict[str, str]:
    frameworks = FRAMEWORKS[job.spec.engine] if family_of(job.spec).trains else ()
    installed = {package: version(package) for package in ("multitrain", *frameworks)}
    return {**installed, "ffmpeg": ffmpeg.version(), "python": platform.python_version()}


def _encoder(paths: JobPaths, job: JobFile) -> str | None:
    """What made H.264 or H.265; None for other films, and where that is not known any more."""
    if job.spec.format[0] not in WITH_NVENC:
        return None
    if job.spec.encoder != "nvenc":
        return job.spec.encoder
    choice = kept(paths)
    return choice.encoder if choice else None


def _timecuts(paths: JobPaths, job: JobFile) -> list[dict[str, object]]:
    cuts = enumerate(job.plan.cuts, 1)
    files = ((video, len(cut)) for n, cut in cuts for video in paths.timecuts(n, job.plan))
    # A timecut may have been moved away by its user, which is fine.
    return [_facts(path, frames) for path, frames in files if path.exists()]


def _films(paths: JobPaths, job: JobFile) -> list[dict[str, object]]:
    return [
        _as_published(paths, film, _facts(film, job.plan.frames_total))
        for film in paths.films(job.plan)
    ]


def _extras(paths: JobPaths, job: JobFile) -> list[dict[str, object]]:
    """Pictures, exports and loops, with what was asked for."""
    return [
        {"made": str(extra), **_as_published(paths, path, _contents(path))}
        for extra in made_extras(paths, job)
        for path in paths.files_of(extra, job.spec)
    ]


def _as_published(paths: JobPaths, path: Path, facts: dict[str, object]) -> dict[str, object]:
    """`facts` of a file; Damaged where it is not the one that this job has published.

    The user may have moved it away, which is fine.
    """
    if "sha256" in facts and noted_digest(paths, path) not in (None, facts["sha256"]):
        raise Damaged(f"{path} has changed since it was made")
    return facts


def _facts(path: Path, frames: int) -> dict[str, object]:
    return {"file": path.name, "frames": frames, **_contents(path)}


def _contents(path: Path) -> dict[str, object]:
    """Name, size and digest of a file; name and count of a folder; the name of what is gone."""
    if not path.exists():
        return {"file": path.name}
    if path.is_dir():
        return {"file": path.name, "frames": len(listing(path))}
    return {"file": path.name, "bytes": path.stat().st_size, "sha256": sha256_of(path)}
