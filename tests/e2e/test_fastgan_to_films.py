"""A FastGAN's films: bit for bit the same after a kill, and with walks, from a sheet."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from jobs.errors import ExitCode
from jobs.workspace.paths import JobPaths, Workspace
from tests.e2e.farmhouse import Farmhouse, frames_of
from tests.e2e.trainers import Trainers, frame_bytes, save_job, spool

MakePictures = Callable[..., list[Path]]

SIZE = 64, 45
FRAMES, CUT, KILLED_AT = 80, 20, 34  # a checkpoint falls due at the end of each timecut


def test_a_kill_does_not_change_a_bit(workspace: Workspace, make_pictures: MakePictures) -> None:
    make_pictures(workspace.dataset("photos"), count=5, size=SIZE)

    def submit(name: str) -> JobPaths:
        paths = workspace.job(name)
        save_job(paths, FRAMES, SIZE, family="fastgan", auto_render_period=CUT / 10)
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


def test_a_sheet_makes_a_film_and_a_walk_through_its_training(
    farmhouse: Farmhouse, make_pictures: MakePictures
) -> None:
    make_pictures(farmhouse.workspace.dataset("photos"), count=4, size=SIZE)
    farmhouse.write_sheet(
        "name,family,dataset,grid_width,grid_height,gf_dim,df_dim,video_length,fps,keep_checkpoints,loops",
        "night,fastgan,photos,2,1,2,2,0.01,20,2,walk(frames=9)",
    )

    code, said = farmhouse.run("--gpus", "cpu")

    assert code == 0, said
    paths = farmhouse.workspace.job("night")
    pictures = [picture for _, picture in frames_of(paths.film())]
    assert {picture.shape for picture in pictures} == {(46, 128, 3)}  # 45 rows made even
    assert len(pictures) == 12
    assert len(frames_of(farmhouse.workspace.renders / "night_loop0001.mp4")) == 9
