"""From a sheet to films with real networks, kept tiny."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from tests.e2e.farmhouse import Farmhouse, frames_of

MakePictures = Callable[..., list[Path]]

PSYCHONAUTS_HEADER = (
    "name,dataset,grid_width,grid_height,nbr_of_layers_g,nbr_of_layers_d,batch_norm_d,"
    "batch_norm_g,activation_g,activation_d,learning_rate_d,beta1_d,learning_rate_g,beta1_g,"
    "nbr_g_updates,nbr_d_updates,,video_length,auto_render_period,render_res"
)


def test_a_sheet_of_dcgan_for_psychonauts_runs_unchanged_on_a_folder_of_jpegs(
    farmhouse: Farmhouse, make_pictures: MakePictures
) -> None:
    make_pictures(
        farmhouse.workspace.dataset("photos") / "deep", count=4, size=(22, 13), suffix=".JPG"
    )
    farmhouse.write_sheet(PSYCHONAUTS_HEADER, "night,photos,2,1,,,,,,,,,,,,,,0.005,0.1,")
    code, said = farmhouse.run("--gpus", "cpu")
    assert code == 0, said
    paths = farmhouse.workspace.job("night")
    pictures = [picture for _, picture in frames_of(paths.film())]
    assert len(pictures) == 18
    assert {picture.shape for picture in pictures} == {(14, 44, 3)}  # 13 rows made even
    assert (pictures[0] != pictures[-1]).any(), "nothing was learnt"
    cuts = [len(frames_of(paths.timecut(number))) for number in (1, 2, 3)]
    assert cuts == [6, 6, 6]
    assert list(paths.tensorboard.iterdir())
    line = json.loads(paths.progress.read_text().splitlines()[-1])
    assert (line["step"], line["frame"], set(line["losses"])) == (9, 18, {"d", "g"})


def test_one_job_trains_on_two_slots_together(
    farmhouse: Farmhouse, make_pictures: MakePictures
) -> None:
    make_pictures(farmhouse.workspace.dataset("photos"), count=4, size=(16, 16))
    farmhouse.write_sheet(
        "name,dataset,grid_width,grid_height,gpus,gf_dim,df_dim,nbr_of_layers_g,nbr_of_layers_d,video_length",
        "pair,photos,2,2,2,4,4,3,3,0.005",
    )
    code, said = farmhouse.run("--gpus", "cpu", "--slots", "2")
    assert code == 0, said
    assert "started on cpu 0, cpu 1" in said
    assert len(frames_of(farmhouse.workspace.job("pair").film())) == 18
