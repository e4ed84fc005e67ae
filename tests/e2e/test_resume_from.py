"""A machine that is gone with all that it had: its job goes on elsewhere, and its film is whole."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import boto3
import numpy as np
import psutil
import pytest
from moto.server import ThreadedMotoServer
from PIL import Image

from jobs.workspace.paths import Workspace
from render.delivery.backups import checkpoint_in
from tests.e2e.farmhouse import Farmhouse, frames_of, wait_for
from tests.render.delivery.far_ends import PASSWORD, SECRETS, FtpEnd, write_ini

CUT, FRAMES = 200, 1200  # of a timecut, of the film
HEADER = (
    "name,dataset,grid_width,grid_height,nbr_of_layers_g,nbr_of_layers_d,gf_dim,df_dim,z_dim,fps,"
    "preset,video_length,auto_render_period,backup_period,keep_checkpoints,upload_to"
)
SEED = 2026  # of the moments of the kills


@dataclass
class Away:
    """A far end: what `upload_to` names it, how a workspace logs in, which files it has."""

    url: str
    let_in: Callable[[Workspace], None]
    names: Callable[[], set[str]]
    remove: Callable[[str], None]


@pytest.fixture
def by_ftp(tmp_path: Path) -> Iterator[Away]:
    home = tmp_path / "far"
    home.mkdir()
    end = FtpEnd(home)
    films = home / "films"

    def names() -> set[str]:
        return {str(path.relative_to(films)) for path in films.rglob("*") if path.is_file()}

    yield Away(
        f"ftp://vj@127.0.0.1:{end.port}/films",
        lambda workspace: write_ini(workspace, "127.0.0.1", password=PASSWORD),
        names,
        lambda name: (films / name).unlink(),
    )
    end.close()


@pytest.fixture
def by_s3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Away]:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    keys = {"aws_access_key_id": SECRETS[0], "aws_secret_access_key": SECRETS[1]}
    known = {"endpoint_url": url, "region_name": "us-east-1", **keys}
    boto3.client("s3", **known).create_bucket(Bucket="films")
    bucket = boto3.resource("s3", **known).Bucket("films")
    yield Away(
        "s3://films/night",
        lambda workspace: write_ini(
            workspace, "s3", key=SECRETS[0], secret=SECRETS[1], endpoint_url=url
        ),
        lambda: {each.key.removeprefix("night/") for each in bucket.objects.all()},
        lambda name: bucket.Object(f"night/{name}").delete(),
    )
    server.stop()


@pytest.fixture(params=["by_ftp", pytest.param("by_s3", marks=pytest.mark.long)])
def away(request: pytest.FixtureRequest) -> Away:
    found: Away = request.getfixturevalue(request.param)
    return found


def row(name: str, away: Away) -> str:
    numbers = f"{FRAMES / 600},{CUT / 10},0.01,50"
    return f"{name},photos,2,2,3,3,4,4,4,10,ultrafast,{numbers},{away.url}"


def kill_machine(farm: subprocess.Popen[str]) -> None:
    """End all of its processes at once, as when it is switched off."""
    every = processes(farm)
    for process in every:
        process.kill()
    farm.wait()
    psutil.wait_procs(every, timeout=30)


def resume(workspace: Workspace, *arguments: str) -> tuple[int, str]:
    workspace.root.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "multitrain", "resume-from", *arguments]
    done = subprocess.run(
        [*command, "--workspace", str(workspace.root)], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def go_on(workspace: Workspace) -> tuple[int, str]:
    command = [sys.executable, "-m", "multitrain", "run", "--gpus", "cpu", "--slots", "1"]
    done = subprocess.run(
        [*command, "--deterministic"],
        cwd=workspace.root,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def pictures_of(path: Path) -> list[bytes]:
    return [picture.tobytes() for _, picture in frames_of(path)]


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """The film of a night that nobody disturbed."""
    house = Farmhouse(Workspace(tmp_path_factory.mktemp("calm")))
    draw(house.workspace)
    columns = HEADER.removesuffix(",backup_period,keep_checkpoints,upload_to")
    numbers = f"{FRAMES / 600},{CUT / 10}"
    house.write_sheet(columns, f"n,photos,2,2,3,3,4,4,4,10,ultrafast,{numbers}")
    try:
        code, said = house.run("--gpus", "cpu", "--slots", "1", "--deterministic")
    finally:
        house.close()
    assert code == 0, said
    film = pictures_of(house.workspace.job("n").film())
    assert len(film) == FRAMES
    assert len(set(film)) > 50, "the pictures say nothing"
    return film


def draw(workspace: Workspace) -> None:
    """The data set, alike on each machine."""
    folder, noise = workspace.dataset("photos"), np.random.default_rng(0)
    folder.mkdir(parents=True)
    for number in range(5):
        picture = noise.integers(0, 256, (12, 16, 3), dtype=np.uint8)
        Image.fromarray(picture).save(folder / f"{number}.png")


def lose_the_machine(
    farmhouse: Farmhouse, away: Away, trained: int, ready: Callable[[set[str]], bool]
) -> set[str]:
    """Train until so many frames are covered, and a moment more; what has arrived by then.

    Training then stands still, as where it is slow, until that is `ready`; then all processes are
    killed, and nothing is left of the machine.
    """
    away.let_in(farmhouse.workspace)
    draw(farmhouse.workspace)
    farmhouse.write_sheet(HEADER, row("n", away))
    paths = farmhouse.workspace.job("n")
    farm = farmhouse.start("--gpus", "cpu", "--slots", "1", "--deterministic")
    wait_for(lambda: [each for each in paths.checkpoint_names() if each.frame >= trained], farm)
    time.sleep(random.Random(SEED + trained).random() / 5)  # at any moment
    trainers = [each for each in processes(farm) if "multitrain.trainer.process" in each.cmdline()]
    assert trainers
    for trainer in trainers:
        trainer.suspend()
    wait_for(lambda: ready(away.names()), farm)
    assert not paths.film().exists(), "it was over before the kill"
    kill_machine(farm)
    shutil.rmtree(farmhouse.workspace.root)
    return away.names()


def processes(farm: subprocess.Popen[str]) -> list[psutil.Process]:
    return [psutil.Process(farm.pid), *psutil.Process(farm.pid).children(recursive=True)]


def test_a_film_is_whole_on_another_machine(
    farmhouse: Farmhouse, away: Away, calm: list[bytes], tmp_path: Path
) -> None:
    needed = {"n_checkpoint.zip", "n_timecut0001.mp4", "n_kept/000000050.h5"}
    lose_the_machine(farmhouse, away, CUT, needed.issubset)

    new = Workspace(tmp_path / "new")
    new.root.mkdir()
    away.let_in(new)
    code, said = resume(new, away.url)
    assert code == 2, said
    assert "n trains on pictures that are not here: " in said
    assert not new.job("n").run.exists()

    draw(new)
    code, said = resume(new, away.url)
    assert code == 0, said
    assert "Its film is whole: frames 0 to " in said
    assert not [secret for secret in SECRETS if secret in said]
    assert new.job("n").kept_steps()[:2] == [0, 50]
    sent = new.job("n").timecut(1).stat().st_mtime_ns

    code, said = resume(new, away.url)
    assert code == 2, said
    assert "there is a job n here already" in said

    code, said = go_on(new)
    assert code == 0, said
    assert new.job("n").timecut(1).stat().st_mtime_ns == sent, "it was made again"
    assert "going on at step" in new.job("n").log.read_text()
    assert pictures_of(new.job("n").film()) == calm
    assert "n.mp4" in away.names(), "what it makes goes the same way"
    assert not list(new.root.rglob("*.part"))
    written = [path.read_bytes() for path in new.runs.rglob("*") if path.is_file()]
    assert not [secret for secret in SECRETS if any(secret.encode() in each for each in written)]


def test_where_timecuts_are_gone_the_film_begins_later(
    farmhouse: Farmhouse, by_ftp: Away, calm: list[bytes], tmp_path: Path
) -> None:
    backup = tmp_path / "far" / "films" / "n_checkpoint.zip"

    def is_ready(names: set[str]) -> bool:
        if "n_timecut0003.mp4" not in names or not backup.exists():
            return False
        with zipfile.ZipFile(backup) as archive:
            found = filter(None, map(checkpoint_in, archive.namelist()))
            return max(found).frame >= 3 * CUT

    lose_the_machine(farmhouse, by_ftp, 3 * CUT, is_ready)
    by_ftp.remove("n_timecut0001.mp4")

    new = Workspace(tmp_path / "new")
    draw(new)
    by_ftp.let_in(new)
    code, said = resume(new, by_ftp.url)
    assert code == 0, said
    (name,) = [path.name for path in new.runs.iterdir() if path.name.startswith("n_from_")]
    first = int(name.removeprefix("n_from_"))
    assert first >= 3 * CUT
    assert f"frames 0 to {first - 1} of n are lost" in said
    assert f"The film begins at frame {first} of {FRAMES}" in said

    code, said = go_on(new)
    assert code == 0, said
    assert pictures_of(new.job(name).film()) == calm[first:]
    assert {"n_timecut0002.mp4", "n_timecut0003.mp4", f"{name}.mp4"} <= by_ftp.names()
