"""Jobs that were run here before, by what they left: `runs/<job>/job.yaml` or the manifest."""

from __future__ import annotations

import json

from pydantic import ValidationError

from jobs.errors import MultitrainError, UsageError
from jobs.jobfile import JobFile
from jobs.paths import Workspace, listing
from jobs.spec import JobSpec
from jobs.words import nearest, quoted


def past_job(workspace: Workspace, name: str) -> JobFile:
    """The job of that name. UsageError where there is none, or none that can be understood."""
    known = _names(workspace)
    if name not in known:
        raise UsageError(
            f"There is no job {quoted(name)} in {workspace.root}{nearest(name, known)}"
        )
    paths = workspace.job(name)
    try:
        job = JobFile.read(paths)
    except MultitrainError as error:
        raise UsageError(f"{paths.job_file} is damaged or of another version") from error
    return job or _of_manifest(workspace, name)


def _names(workspace: Workspace) -> list[str]:
    """Of jobs that left a job file or a manifest."""
    ran = [each for each in listing(workspace.runs) if workspace.job(each).job_file.is_file()]
    done = [each.removesuffix(".json") for each in listing(workspace.renders) if _is_manifest(each)]
    return sorted({*ran, *done})


def _is_manifest(file: str) -> bool:
    return file.endswith(".json") and not file.startswith(".")


def _of_manifest(workspace: Workspace, name: str) -> JobFile:
    path = workspace.job(name).manifest
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        spec = JobSpec.model_validate(told["spec"])
        return JobFile(
            spec=spec,
            image_width=told["width"] // spec.grid_width,
            image_height=told["height"] // spec.grid_height,
        )
    except OSError as error:
        raise UsageError(f"{path} cannot be opened: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, ValidationError) as error:
        raise UsageError(f"{path} is no manifest of this version; name another job") from error
