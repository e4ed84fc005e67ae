"""A backup as it came: unpacked, and each of its files looked at before anything rests on it."""

from __future__ import annotations

import shutil
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from jobs.errors import CheckpointUnfit, MultitrainError, NewerVersion
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import CheckpointName, JobPaths
from multitrain.datasets.decoded.folders import Fingerprint
from multitrain.weights import checkpoints
from render.delivery.backups import INDEX, VERSION, Index, checkpoint_in

MOST_SETTINGS = 2**24  # bytes of `job.yaml` and the like


class DamagedPackage(MultitrainError):
    """A backup that is not what was written."""

    def __init__(self, shown: str, reason: str) -> None:
        super().__init__(f"{shown} is no backup, or damaged ({reason}); take another copy of it")


@dataclass(frozen=True)
class Package:
    """What a backup holds. Its files lie where `paths` says."""

    paths: JobPaths
    job: JobFile
    pictures: Mapping[CheckpointName, Mapping[str, Fingerprint]]  # of each whole checkpoint
    index: Index


def unpack(file: Path, paths: JobPaths, shown: str) -> Package:
    """Unpack the backup `file` into the empty run folder of `paths`.

    DamagedPackage, NewerVersion, and CheckpointUnfit where an older version made its checkpoints;
    `shown` is what messages call it.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            names = _extract(archive, paths)
            index = Index.parse(archive.read(INDEX)) if INDEX in archive.namelist() else Index({})
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise DamagedPackage(shown, str(error) or type(error).__name__) from error
    except (ValueError, NotImplementedError, RuntimeError) as error:
        raise DamagedPackage(shown, "it holds something else") from error
    if index.version > VERSION:
        raise NewerVersion(Path(shown))
    job = _job(paths, shown)
    found = _whole(paths, job, names, shown)
    return Package(paths, job, found, index)


def _extract(archive: zipfile.ZipFile, paths: JobPaths) -> list[CheckpointName]:
    known = {paths.job_file.name: paths.job_file, paths.encoder.name: paths.encoder}
    small, names = set(known), []
    known[paths.beginning.name] = paths.beginning
    for info in archive.infolist():
        if name := checkpoint_in(info.filename):
            known[info.filename] = paths.checkpoint(name)
            names.append(name)
        if info.filename in {*small, INDEX} and info.file_size > MOST_SETTINGS:
            raise ValueError(f"{info.filename} is too large")
    for member in archive.namelist():
        if target := known.get(member):
            target.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(member) as data, target.open("wb") as copy:
                shutil.copyfileobj(data, copy)
    return sorted(set(names))


def _job(paths: JobPaths, shown: str) -> JobFile:
    try:
        job = JobFile.read(paths)
    except NewerVersion as error:
        raise NewerVersion(Path(shown)) from error
    except MultitrainError as error:
        raise DamagedPackage(shown, "its job.yaml cannot be understood") from error
    if job is None:
        raise DamagedPackage(shown, "it has no job.yaml")
    return job


def _whole(
    paths: JobPaths, job: JobFile, names: list[CheckpointName], shown: str
) -> dict[CheckpointName, Mapping[str, Fingerprint]]:
    found: dict[CheckpointName, Mapping[str, Fingerprint]] = {}
    for name in names:
        path = paths.checkpoint(name)
        try:
            checkpoint = checkpoints.load(path, name, job.spec.family, job.spec.engine)
            found[name] = checkpoint.pictures
        except checkpoints.Damaged:
            path.unlink()
        except CheckpointUnfit as error:
            raise CheckpointUnfit(
                f"{shown} was made by another version of multitrain, whose checkpoints this one "
                "does not read; go on with that version"
            ) from error
    if not found:
        raise DamagedPackage(shown, "no checkpoint in it is whole")
    return found
