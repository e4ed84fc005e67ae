"""A workspace that an earlier version has left in the middle of a night goes on under this one.

Each file of `tests/golden/workspaces` was left by the last version that wrote files of the format
that it is named after: by a farm that was ended by SIGTERM or SIGKILL while it worked. Whoever
changes the format of a file adds one, made by the version before.
"""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from benchmarks.films import digest
from jobs.workspace.jobfile import VERSION, JobFile
from tests.e2e.farmhouse import Farmhouse, frames_of

LEFT = sorted((Path(__file__).parents[1] / "golden" / "workspaces").iterdir())


@pytest.mark.parametrize("left", LEFT, ids=lambda path: path.name)
def test_a_night_goes_on(farmhouse: Farmhouse, left: Path) -> None:
    """A test card in boxes, in the middle of its encoding; a network, in that of its training."""
    place = farmhouse.workspace
    with tarfile.open(left) as archive:
        archive.extractall(place.root, filter="data")
    first = place.job("cards").timecut(1, 1)
    published = first.read_bytes()
    code, said = farmhouse.run("--gpus", "cpu", "--slots", "2", "--spool-gb", "0.1")
    assert code == 0, said
    assert "goes on from frame 180" in said
    farmhouse.check_job("cards")
    assert first.read_bytes() == published
    shown = [digest(picture) for _, picture in frames_of(place.job("nets").film(suffix=".mov"))]
    assert len(shown) == 540
    assert len(set(shown)) > 270, "the pictures say nothing"
    for name in ("cards", "nets"):
        job = JobFile.read(place.job(name))
        assert job
        assert job.version == VERSION
        assert f"version: {VERSION}" in place.job(name).job_file.read_text()


def test_each_format_has_its_workspace() -> None:
    assert [path.name for path in LEFT] == [f"version{n}.tar.xz" for n in range(1, VERSION)]
