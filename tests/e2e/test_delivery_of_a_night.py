"""A night whose server is away, and the next one: all arrives, and no password is anywhere."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

from tests.e2e.farmhouse import Farmhouse
from tests.render.delivery.far_ends import PASSWORD, FtpEnd

MakePictures = Callable[..., list[Path]]


def test_what_did_not_arrive_is_sent_by_the_next_run(
    farmhouse: Farmhouse, make_pictures: MakePictures, tmp_path: Path
) -> None:
    workspace, home = farmhouse.workspace, tmp_path / "far"
    home.mkdir()
    make_pictures(workspace.dataset("tiny"), count=16, size=(48, 32))
    away = FtpEnd(home)
    away.close()
    farmhouse.write_sheet(
        "name,dataset,family,grid_width,grid_height,video_length,auto_render_period,preset,"
        "upload_to,backup_period,on_done",
        f"a,tiny,testcard,2,2,0.05,2,ultrafast,ftp://vj@127.0.0.1:{away.port}/films,60,"
        '"echo $MULTITRAIN_JOB is $MULTITRAIN_STATE >> told.txt"',
    )
    workspace.upload_settings.write_text(f"[127.0.0.1]\npassword = {PASSWORD}\n")
    workspace.upload_settings.chmod(0o600)
    code, said = farmhouse.run("--gpus", "cpu")
    assert code == 0, said
    assert "files were not sent" in said
    assert "Connection refused" in workspace.render_log.read_text()

    there = FtpEnd(home, away.port)
    try:
        code, said = farmhouse.run("--gpus", "cpu")
    finally:
        there.close()
    assert code == 0, said
    assert "not sent" not in said
    farmhouse.check_job("a")
    made = {path.name: path for path in workspace.renders.iterdir() if path.suffix != ".json"}
    arrived = {path.name: path for path in (home / "films").iterdir()}
    with zipfile.ZipFile(arrived.pop("a_checkpoint.zip")) as backup:
        [checkpoint] = workspace.job("a").checkpoint_names()
        held = ["job.yaml", f"checkpoints/{checkpoint}.h5", "backup.json"]
        assert backup.namelist() == held
        assert backup.testzip() is None
    assert arrived.keys() == made.keys()
    assert all(path.read_bytes() == made[name].read_bytes() for name, path in arrived.items())
    assert (workspace.root / "told.txt").read_text() == "a is done\n"
    written = [path for room in (workspace.runs, workspace.renders) for path in room.rglob("*")]
    assert not [
        path for path in written if path.is_file() and PASSWORD.encode() in path.read_bytes()
    ]
    assert PASSWORD not in said
