"""One job in three forms of a sheet: the same spec, and the same film."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.errors import ExitCode
from tests.e2e.farmhouse import Farmhouse

MakePictures = Callable[..., list[Path]]

CSV = """\
name,dataset,grid_width,grid_height,video_length,nbr_of_layers_g,nbr_of_layers_d,filters_g,df_dim,k_w_g,k_h_g,activation_g,normalization_d,optimizer_d,dropout_d,loss,latent_motion,colour_model,fps
one,photos,2,2,0.02,3,3,"8,4",4,"3,5",3,"relu,lrelu(0.3)","none,spectral","rmsprop(rho=0.8, momentum=0.1)",0.2,hinge,walk(2),hsv,30
"""  # noqa: E501

FLAT = """\
jobs:
- {name: one, dataset: photos, grid_width: 2, grid_height: 2, video_length: 0.02, fps: 30,
   nbr_of_layers_g: 3, nbr_of_layers_d: 3, filters_g: [8, 4], df_dim: 4, k_w_g: [3, 5], k_h_g: 3,
   activation_g: [relu, lrelu(slope=0.3)], normalization_d: [none, spectral],
   optimizer_d: "rmsprop(rho=0.8, momentum=0.1)", dropout_d: 0.2, loss: hinge,
   latent_motion: walk(period=2), colour_model: hsv}
"""

NESTED = """\
defaults:
  dataset: photos
  grid_width: 2
  grid_height: 2
  discriminator: {layers: 3, dim: 4, dropout: 0.2}
presets:
  odd:
    loss: hinge
    colour_model: hsv
    latent_motion: {name: walk, period: 2}
    discriminator: {normalization: [none, spectral]}
jobs:
- name: one
  preset: odd
  video_length: 0.02
  fps: 30
  generator:
    layers:
    - {filters: 8, activation: relu}
    - {filters: 4, kernel: [3, 3], activation: {name: lrelu, slope: 0.3}}
    - {kernel: [5, 3]}
  discriminator:
    optimizer: {name: rmsprop, rho: 0.8, momentum: 0.1}
"""


@pytest.mark.long
def test_a_film_does_not_depend_on_how_its_sheet_is_written(
    farmhouse: Farmhouse, make_pictures: MakePictures
) -> None:
    make_pictures(farmhouse.workspace.dataset("photos"), count=6, size=(10, 7))
    specs, films = [], []
    for name, text in (("a.csv", CSV), ("b.yaml", FLAT), ("c.yaml", NESTED)):
        farmhouse.sheet = farmhouse.workspace.root / name
        farmhouse.write_sheet(text)
        code, said = farmhouse.run("--gpus", "cpu", "--deterministic", "--fresh", "one")
        assert code == ExitCode.DONE, said
        specs.append(farmhouse.jobs()["one"].spec)
        films.append(farmhouse.workspace.job("one").film().read_bytes())

    assert specs[0] == specs[1] == specs[2]
    assert films[0] == films[1] == films[2]
