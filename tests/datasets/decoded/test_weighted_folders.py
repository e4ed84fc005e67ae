"""The pictures of a job, which are counted by folder where a mixture needs to know."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jobs.settings.spec import JobSpec
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace
from multitrain.datasets.cached.cache import open_pictures, open_pictures_of

if TYPE_CHECKING:
    from tests.conftest import MakePictures

SIZE = (16, 12)


@pytest.mark.parametrize(
    ("dataset", "counts"), [("a*3,b", (2, 5)), ("a,b", ()), ("a*3", ())], ids=str
)
def test_folders_with_weights_are_counted(
    dataset: str, counts: tuple[int, ...], workspace: Workspace, make_pictures: MakePictures
) -> None:
    for folder, count in (("a", 2), ("b", 5)):
        make_pictures(workspace.dataset(folder), count, SIZE)
    spec = JobSpec(name="j", dataset=dataset, grid_width=1, grid_height=1, video_length=1)
    job = JobFile(spec=spec, image_width=SIZE[0], image_height=SIZE[1])

    pictures = open_pictures_of(job, workspace, keep_free=0)

    assert pictures.counts == counts
    plain = open_pictures(workspace, *job.pictures, keep_free=0)
    assert (pictures.fingerprint == plain.fingerprint) == (not counts)
