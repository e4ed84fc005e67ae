"""The pictures that a job was trained on, which no backup holds: are they here, and the same?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from jobs.errors import PicturesChanged, UsageError
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace
from multitrain.datasets.cached.cache import open_pictures
from multitrain.datasets.decoded.folders import Fingerprint


def check_pictures(
    workspace: Workspace,
    job: JobFile,
    wanted: Mapping[str, Fingerprint],
    tell: Callable[[str], None],
) -> None:
    """Compare pictures with those of a checkpoint; they are decoded, as for the training itself.

    UsageError where a folder is missing, DatasetError where one has no such pictures, and
    PicturesChanged where they are others.
    """
    name = job.spec.name
    folders = {each: decoding.folders for each, decoding in job.decodings.items()}
    missing = [
        f"{workspace.dataset(folder)} ({wanted[each]})" if each in wanted else str(folder)
        for each, needed in folders.items()
        for folder in needed
        if not workspace.dataset(folder).exists()
    ]
    if missing:
        raise UsageError(
            f"{name} trains on pictures that are not here: {', '.join(missing)}. Put them there, "
            "or make a link there, and give the command again."
        )
    for each, decoding in job.decodings.items():
        if each not in wanted:
            continue
        now = open_pictures(workspace, *decoding).fingerprint
        then = replace(wanted[each], digest=wanted[each].digest.partition(" ")[0])
        where = ", ".join(str(workspace.dataset(folder)) for folder in folders[each])
        if difference := then.difference(now):
            raise PicturesChanged(
                f"the pictures in {where} are not those that {name} was trained on: {difference}; "
                "put those there, and give the command again"
            )
        tell(f"pictures: {now} in {where}, the same as then")
