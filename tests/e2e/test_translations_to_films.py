"""Films of pictures into pictures: the same after a kill, and from all forms of pairs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from jobs.errors import ExitCode
from jobs.settings.kinds import Resolution
from jobs.workspace.paths import JobPaths, Workspace
from tests.e2e.farmhouse import Farmhouse, frames_of
from tests.e2e.trainers import Trainers, frame_bytes, save_job, spool

MakePictures = Callable[..., list[Path]]

SIZE = 45, 36
FRAMES, CUT, KILLED_AT = 80, 20, 34  # a checkpoint falls due at the end of each timecut


UNPAIRED = [pytest.param(family, marks=pytest.mark.long) for family in ("cyclegan", "cartoon")]


@pytest.mark.parametrize("family", ["pix2pix", *UNPAIRED])
def test_a_kill_does_not_change_a_bit(
    workspace: Workspace, make_pictures: MakePictures, family: str
) -> None:
    for folder in ("maps", "photos"):
        make_pictures(workspace.dataset(folder), count=5, size=SIZE)

    def submit(name: str) -> JobPaths:
        paths = workspace.job(name)
        pairs = {"dataset": None, "inputs": "maps", "targets": "photos", "flip": True}
        save_job(paths, FRAMES, SIZE, family=family, auto_render_period=CUT / 10, **pairs)
        return paths

    whole, broken = submit("whole"), submit("broken")
    assert Trainers(whole).train() == ExitCode.DONE, whole.log.read_text()

    trainers = Trainers(broken, frame_bytes=frame_bytes(SIZE))
    assert trainers.kill_at(KILLED_AT) >= 0, "a checkpoint covers what is on the disk"
    assert broken.checkpoint_names(), "it was killed before it had come anywhere"
    assert trainers.train() == ExitCode.DONE, broken.log.read_text()

    assert len(spool(whole)) == FRAMES * frame_bytes(SIZE)
    assert len(set(spool(whole))) > 50, "the pictures say nothing"
    assert spool(broken) == spool(whole)


@pytest.fixture
def blots(farmhouse: Farmhouse) -> Farmhouse:
    """Data sets: `blots` are dark squares on white, `pairs` such ones beside themselves in red."""
    width, height = SIZE
    for number in range(6):
        blot = np.full((height, width, 3), 255, np.uint8)
        blot[4 * number : 4 * number + 12, 6 * number : 6 * number + 14] = 30
        red = blot.copy()
        red[..., 0] = 255
        for folder, picture in (("blots", blot), ("pairs", np.concatenate([blot, red], axis=1))):
            path = farmhouse.workspace.dataset(folder) / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(picture).save(path)
    return farmhouse


def test_sheets_make_films_of_edges_and_of_halves(blots: Farmhouse) -> None:
    blots.write_sheet(
        "name,family,dataset,input_from,side_by_side,sample_from,show,grid_width,grid_height,"
        "batch_size,downs,patch,gf_dim,df_dim,video_length,fps,snapshot,format",
        "drawn,pix2pix,blots,edges,,,input+output,2,1,4,2,16,2,2,0.01,20,step,ffv1",
        "halved,pix2pix,pairs,,left,pairs,input+output+target,1,1,4,2,16,2,2,0.01,20,step,ffv1",
    )

    code, said = blots.run("--gpus", "cpu")

    assert code == 0, said
    width, height = SIZE
    cells = {name: job.cell for name, job in blots.jobs().items()}
    assert cells == {
        "drawn": Resolution(2 * width, height),
        "halved": Resolution(3 * width, height),
    }
    films = {
        name: [picture for _, picture in frames_of(blots.workspace.renders / f"{name}.mov")]
        for name in cells
    }
    assert [len(film) for film in films.values()] == [12, 12]
    first, last = films["drawn"][0], films["drawn"][-1]
    assert first.shape[:2] == (height, 4 * width)
    drawing = first[:, :width].astype(int)
    assert (drawing[20:, 20:] > 250).all(), "nothing is there, so no edge"
    assert (drawing[:18, :24] < 60).sum() > 20, "the edges of the first square"
    np.testing.assert_array_equal(last[:, :width], first[:, :width])
    assert (last[:, width : 2 * width] != first[:, width : 2 * width]).any()
    halved = films["halved"][-1].astype(int)
    source, target = halved[:, :width], halved[:, 2 * width :]
    np.testing.assert_array_equal(source[..., 1:], target[..., 1:])
    assert (target[..., 0] == 255).all()
    assert (source[..., 0] == 30).any()
