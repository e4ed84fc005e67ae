"""A night and the short commands in a folder whose path is as odd as Linux lets it be."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jobs.workspace.paths import Workspace
from tests.e2e.farmhouse import Farmhouse

MakePictures = Callable[..., list[Path]]

NAMES = [
    pytest.param(b"new\nline", id="line end", marks=pytest.mark.long),
    pytest.param(b"it's\r\n'\xff' %03d \xc3#", id="no UTF-8 either"),
]
HEADER = (
    "name,dataset,family,grid_width,grid_height,fps,video_length,auto_render_period,render_res,"
    "format,loops,retries,on_done,on_failed"
)


@pytest.fixture(params=NAMES)
def farmhouse(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Farmhouse]:
    root = tmp_path / os.fsdecode(request.param)
    root.mkdir()
    house = Farmhouse(Workspace(root))
    yield house
    house.close()


def multitrain(workspace: Workspace, *words: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "multitrain", *words]
    return subprocess.run(command, cwd=workspace.root, capture_output=True, check=False)


def test_a_night_and_all_that_is_done_with_its_films(
    farmhouse: Farmhouse, make_pictures: MakePictures
) -> None:
    """Films of every way to join, boxes, exports, loops, a job that fails; then each command."""
    workspace = farmhouse.workspace
    pictures = make_pictures(workspace.dataset("tiny"), count=4, size=(48, 32))
    pictures[0].rename(pictures[0].with_name(os.fsdecode(b"\xe9\n.png")))
    told = '"printenv MULTITRAIN_ERROR > told.txt"'
    farmhouse.write_sheet(
        HEADER,
        'all,tiny,testcard,2,1,30,0.02,0.4,48x32,"h264,gif,webm,png",pingpong(frames=6),0,,',
        "raw,tiny,testcard,2,1,30,0.02,0.4,,ffv1,,0,true,",
        "prores,tiny,testcard,2,1,30,0.02,0.4,,prores,,0,,",
        "hap,tiny,testcard,2,1,30,0.02,0.4,,hap,,0,,",
        f"bad,tiny,testcard,2,1,30,0.02,,,h264,,0,,{told}",
    )
    workspace.job("bad").progress.mkdir(parents=True)  # where its trainer is to write
    code, said = farmhouse.run("--gpus", "cpu", "--slots", "1", "--keep-free-gb", "0")
    assert code == 1, said
    assert "Traceback" not in said + workspace.render_log.read_text(errors="replace")
    farmhouse.check_job("all")
    jobs = farmhouse.jobs()
    for name in ("raw", "prores", "hap"):
        film = workspace.job(name).film(None, ".mov")
        assert film.exists(), said
        assert json.loads(workspace.job(name).manifest.read_text())["frames"] == 36
    farmhouse.check_video(jobs["raw"], workspace.job("raw").film(None, ".mov"), 0, 36)
    extras = (".gif", ".webm", ".png", ".jpg", ".contact.jpg")
    names = {f"all_box{box}{ending}" for box in ("0001", "0002") for ending in extras}
    assert names <= {*os.listdir(workspace.renders)}
    assert [each for each in os.listdir(workspace.renders) if "all_loop0001_box0002" in each]

    status = multitrain(workspace, "status", "--json")
    (bad,) = [row for row in json.loads(status.stdout) if row["name"] == "bad"]
    assert bad["state"] == "failed"
    assert "progress.jsonl" in bad["error"]
    told_error = (workspace.root / "told.txt").read_bytes()
    assert os.fsencode("progress.jsonl") in told_error

    film = "renders/all_box0001.mp4"
    for words in (
        ["status"],
        ["check", "sheet.csv"],
        ["formats"],
        ["export", film, "--format", "hap"],
        ["loop", film, "--frames", "8", "-o", "loop.mp4"],
        ["merge", "renders"],
        ["compare", "all", "raw", "-o", "beside.mp4"],
        ["dataset", "inspect", "tiny"],
    ):
        ended = multitrain(workspace, *words)
        assert ended.returncode == 0, (words, ended.stdout, ended.stderr)
        assert b"Traceback" not in ended.stderr
    # The next run finds all as it was.
    before = sorted(os.listdir(workspace.renders))
    code, said = farmhouse.run("--gpus", "cpu", "--slots", "1", "--keep-free-gb", "0")
    assert code == 1, said
    assert "raw: started" not in said
    assert sorted(os.listdir(workspace.renders)) == before
