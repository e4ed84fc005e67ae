"""Reads from the manifest of a job what was published."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from jobs.reading import read_json
from jobs.workspace.paths import JobPaths


class Facts(NamedTuple):
    """The size and digest of a video."""

    bytes: int
    sha256: str


def videos_in_manifest(paths: JobPaths) -> Mapping[str, Facts]:
    """Films and timecuts by file name, but those that were moved away before it was written.

    ValueError where the manifest is damaged, OSError where it cannot be opened.
    """
    manifest = read_json(paths.manifest, dict)
    try:
        return {
            each["file"]: Facts(int(each["bytes"]), str(each["sha256"]))
            for each in (*manifest["films"], *manifest["timecuts"])
            if "sha256" in each
        }
    except (KeyError, TypeError, OverflowError) as error:
        raise ValueError(f"{paths.manifest} is damaged") from error


def extras_in_manifest(paths: JobPaths) -> frozenset[str]:
    """What was made of the film, as `str` of each extra.

    Empty where the manifest is missing, damaged, or of a version that made no extras.
    """
    try:
        manifest = read_json(paths.manifest, dict)
        return frozenset(each["made"] for each in manifest["made_of_the_film"])
    except (OSError, ValueError, KeyError, TypeError):
        return frozenset()
