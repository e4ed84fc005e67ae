"""Jobs that were run here before, by what they left: `runs/<job>/job.yaml` or the manifest."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from jobs.errors import MultitrainError, UsageError
from jobs.reading import read_json
from jobs.settings.spec import JobSpec
from jobs.settings.words import nearest, quoted
from jobs.workspace.files import listing
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import JobPaths, Workspace


def past_job(workspace: Workspace, name: str) -> JobFile:
    """The job of that name. UsageError where there is none, or none that can be understood."""
    known = jobs_left(workspace)
    if name not in known:
        raise UsageError(no_such_job(workspace, name, known))
    paths = workspace.job(name)
    try:
        job = JobFile.read(paths)
    except MultitrainError as error:
        raise UsageError(f"{paths.job_file} is damaged or of another version") from error
    return job or _of_manifest(workspace, name)


def no_such_job(workspace: Workspace, name: str, known: Collection[str]) -> str:
    """The reason, with the nearest of the `known` jobs, or where to look when there are none."""
    reason = f"There is no job {quoted(name)} in {workspace.root}"
    if not known:
        return f"{reason}, nor any other; --workspace names the folder with runs/ and renders/"
    return f"{reason}{nearest(name, known)}"


def jobs_left(workspace: Workspace) -> list[str]:
    """Names of the jobs that left a job file, or what may be a manifest."""
    ran = [each for each in listing(workspace.runs) if workspace.job(each).job_file.is_file()]
    done = [each.removesuffix(".json") for each in listing(workspace.renders) if _is_manifest(each)]
    return sorted({*ran, *done})


def _is_manifest(file: str) -> bool:
    return file.endswith(".json") and not file.startswith(".")


def _of_manifest(workspace: Workspace, name: str) -> JobFile:
    path = workspace.job(name).manifest
    try:
        return made_with(workspace.job(name))
    except OSError as error:
        raise UsageError(f"{path} cannot be opened: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, ValidationError) as error:
        raise UsageError(f"{path} is no manifest of this version; name another job") from error


def made_with(paths: JobPaths) -> JobFile:
    """The job as its manifest describes it.

    OSError where there is none; ValueError, KeyError or TypeError where it cannot be understood.
    """
    return _in_manifest(paths.manifest)


def job_in(folder: Path, name: str) -> JobFile | None:
    """The job of this name whose timecuts lie in `folder`; None where nothing there describes it.

    Where `folder` is the `renders` or `renders/next/<job>` of a workspace, it is the job there;
    elsewhere, such as among earlier films, the one in the manifest beside the timecuts.
    """
    with suppress(MultitrainError):
        for place in (folder.absolute(), folder.resolve()):
            for root in place.parents[:3]:
                paths = Workspace(root).job(name)
                if paths.outputs == place and (job := JobFile.read(paths)):
                    return job
    with suppress(OSError, ValueError, KeyError, TypeError):
        return _in_manifest(folder / f"{name}.json")
    return None


def _in_manifest(manifest: Path) -> JobFile:
    content = read_json(manifest, dict)
    spec = JobSpec.model_validate(content["spec"])
    # Of films that were made before cells could be larger than pictures.
    cell = content["width"] // spec.grid_width, content["height"] // spec.grid_height
    width, height = content.get("picture", cell)
    return JobFile(
        spec=spec,
        image_width=width,
        image_height=height,
        settled=content.get("settled", ()),
        first_frames_total=content.get("first_frames_total"),
        picture_count=content.get("pictures", 0),
    )
