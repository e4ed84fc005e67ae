"""All that the page shows of one job: settings, layers, losses, its log, its files."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from jobs.errors import MultitrainError
from jobs.families.table import family_of
from jobs.families.translation import shows
from jobs.reading import parse_json
from jobs.secrets import hidden
from jobs.settings.spec import facets, means_something
from jobs.sheets.forms.nested_form import nested
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import JobPaths
from jobs.workspace.store import JobRow, read_submitted
from multitrain.serving.curves import curves, measured
from multitrain.serving.job_list import card
from multitrain.serving.media import media_of
from multitrain.serving.night import Night

LOG_BYTES = 64 * 2**10  # of its end
SECRET = "set; the page does not show commands"


def facts_of(night: Night, row: JobRow) -> dict[str, Any]:
    """What stands on the page of a job."""
    paths = night.workspace.job(row.name)
    job, trouble = job_of(night, paths)
    files = []
    for each in media_of(night, paths):
        with suppress(OSError):
            files.append(each.for_machines())
    return {
        **card(night, row),
        "settings": settings_of(job) if job else {},
        "trouble": hidden(trouble),
        "film_seconds": job.frames_total / job.spec.fps if job else None,
        "cells": cells_of(job) if job else None,
        "size": [job.plan.frame_width, job.plan.frame_height] if job else None,
        "losses": curves(paths.progress),
        "measures": measured(paths.progress),
        "files": files,
    }


def cells_of(job: JobFile) -> dict[str, Any] | None:
    """What the cells of a job's frames show side by side; None where that is one picture each, or
    where the frames are cut into boxes.
    """
    spec = job.spec
    if len(job.plan.boxes) > 1 or not means_something("show", spec.family):
        return None
    pictures = shows(spec)
    if len(pictures) < 2:
        return None
    return {"columns": spec.grid_width, "rows": spec.grid_height, "pictures": pictures}


def settings_of(job: JobFile) -> dict[str, Any]:
    """The settings that differ from their defaults, nested as in a sheet; no secrets."""
    orders = {each: SECRET for each in type(job.spec).model_fields if _is_order(job, each)}
    shown: dict[str, Any] = _hide({**nested(job.spec, changed=True), **orders})
    return shown


def _is_order(job: JobFile, column: str) -> bool:
    return facets(column).private == "command" and getattr(job.spec, column) is not None


def layers_of(night: Night, row: JobRow) -> dict[str, Any]:
    """The layers of each network of a job, as `multitrain show` has them."""
    job, _ = job_of(night, night.workspace.job(row.name))
    if job is None:
        return {}
    layers = family_of(job.spec).layers(job.spec, job.image_width, job.image_height)
    return {
        network: [
            {
                "layer": layer.number,
                "kind": layer.kind,
                "kernel": layer.kernel,
                "stride": layer.stride,
                "output": str(layer.output),
                "activation": str(layer.activation) if layer.activation else None,
                "normalization": layer.normalization,
                "parameters": layer.parameters,
            }
            for layer in each
        ]
        for network, each in layers.items()
    }


def cuts_of(night: Night, row: JobRow) -> dict[str, Any]:
    """The timecuts that are there: frames, and the training steps that made the first and last."""
    paths = night.workspace.job(row.name)
    job, _ = job_of(night, paths)
    if job is None:
        return {"fps": None, "steps_total": 0, "cuts": []}
    plan, cuts = job.plan, []
    for each in sorted(media_of(night, paths), key=lambda media: media.number):
        is_first = each.kind == "timecut" and each.box <= 1 and not each.format
        if is_first and each.number <= len(plan.cuts):
            frames = plan.cuts[each.number - 1]
            with suppress(OSError):
                cuts.append(
                    {
                        **each.for_machines(),
                        "frames": [frames.start, frames.stop],
                        "steps": [plan.step_of(frames.start), plan.step_of(frames.stop - 1)],
                    }
                )
    return {"fps": plan.fps, "steps_total": plan.steps_total, "cuts": cuts}


def log_of(paths: JobPaths) -> str:
    """The end of what its trainer has said."""
    text = _end(paths.log).decode(errors="replace")
    return "\n".join(hidden(line) for line in text.splitlines())


def _end(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(max(0, size - LOG_BYTES))
            found = file.read(LOG_BYTES)
    except OSError:
        return b""
    return found if size <= LOG_BYTES else found.partition(b"\n")[2]


def job_of(night: Night, paths: JobPaths) -> tuple[JobFile | None, str]:
    """The job, and why it cannot be read; one that has not begun stands in the store."""
    try:
        job = JobFile.read(paths)
        text = read_submitted(night.workspace.store, paths.name) if job is None else ""
    except MultitrainError as error:
        return None, str(error)
    if text:
        with suppress(ValueError):
            job = JobFile.model_validate(parse_json(text.encode(), dict))
    return job, ""


def _hide(value: Any) -> Any:
    """`value` without passwords in its texts."""
    match value:
        case str():
            return hidden(value)
        case dict():
            return {key: _hide(each) for key, each in value.items()}
        case list() | tuple():
            return [_hide(each) for each in value]
        case None | bool() | int() | float():
            return value
    return hidden(str(value))
