"""A sheet that asks for its loops and for other formats: they are there with the film, once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from jobs.errors import ExitCode
from tests.e2e.farmhouse import Farmhouse, frames_of, wait_for

MakePictures = Callable[..., list[Path]]

SHEET = """\
jobs:
- name: one
  dataset: photos
  grid_width: 2
  grid_height: 1
  video_length: 0.02
  fps: 30
  auto_render_period: 0.4
  generator: {layers: 2, dim: 4}
  discriminator: {layers: 2, dim: 4}
  keep_checkpoints: every 6 steps
  format: [h264, gif]
  loops:
  - {mode: walk, beats: 1, bpm: 128, through_time: true}
  - {mode: pingpong, frames: 8, format: ffv1}
  - {mode: walk, frames: 9, keyframes: 3, grid: 1x1, seed: 4}
"""
OUTPUTS = [
    "one.contact.jpg",
    "one.gif",
    "one.jpg",
    "one.json",
    "one.mp4",
    "one_loop0001.mp4",
    "one_loop0002.mov",
    "one_loop0003.mp4",
    "one_timecut0001.mp4",
    "one_timecut0002.mp4",
    "one_timecut0003.mp4",
]


@pytest.fixture
def house(farmhouse: Farmhouse, make_pictures: MakePictures) -> Farmhouse:
    make_pictures(farmhouse.workspace.dataset("photos"), count=6, size=(16, 12))
    farmhouse.sheet = farmhouse.workspace.root / "sheet.yaml"
    farmhouse.write_sheet(SHEET)
    return farmhouse


def status(house: Farmhouse) -> dict[str, object]:
    command = [sys.executable, "-m", "multitrain", "status", "--json"]
    said = subprocess.check_output(command, cwd=house.workspace.root, text=True)
    (row,) = json.loads(said)
    return dict(row)


def test_a_night_with_loops(house: Farmhouse) -> None:
    code, said = house.run("--gpus", "cpu", "--deterministic")
    assert code == ExitCode.DONE, said
    renders = house.workspace.renders
    assert sorted(os.listdir(renders)) == OUTPUTS
    lengths = {name: len(frames_of(renders / name)) for name in OUTPUTS if name.endswith(".mp4")}
    assert lengths["one.mp4"] == 36
    assert lengths["one_loop0001.mp4"] == 14  # 60 / 128 s at 30 frames per second are 14.06
    assert lengths["one_loop0003.mp4"] == 9
    assert len(frames_of(renders / "one_loop0002.mov")) == 8
    with Image.open(renders / "one.jpg") as poster:
        assert poster.size == (32, 12)
    manifest = json.loads((renders / "one.json").read_text())
    made = {each["file"] for each in manifest["made_of_the_film"]}
    assert made == {name for name in OUTPUTS if "timecut" not in name} - {"one.mp4", "one.json"}
    row = status(house)
    assert (row["state"], row["loops_done"], row["loops_total"]) == ("done", 3, 3)
    before = {name: (renders / name).stat().st_mtime_ns for name in OUTPUTS}
    code, said = house.run("--gpus", "cpu", "--deterministic")
    assert code == ExitCode.DONE, said
    assert before == {name: (renders / name).stat().st_mtime_ns for name in OUTPUTS}


def test_a_farm_that_is_killed_among_its_loops_makes_the_rest(house: Farmhouse) -> None:
    renders = house.workspace.renders
    farm = house.start("--gpus", "cpu", "--deterministic")
    wait_for((renders / "one_loop0001.mp4").exists, farm)
    farm.send_signal(signal.SIGKILL)
    farm.communicate()
    first = (renders / "one_loop0001.mp4").read_bytes()
    code, said = house.run("--gpus", "cpu", "--deterministic")
    assert code == ExitCode.DONE, said
    assert sorted(os.listdir(renders)) == OUTPUTS
    assert (renders / "one_loop0001.mp4").read_bytes() == first
    assert not list(house.workspace.root.rglob("*.part"))
