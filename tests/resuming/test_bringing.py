"""A job that was sent away comes back whole, or not at all, with sentences that say why."""

from __future__ import annotations

import logging
import os
import shutil
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from jobs.errors import CheckpointUnfit, MultitrainError, PicturesChanged, UsageError
from jobs.settings.spec import JobSpec
from jobs.workspace import moves
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import CheckpointName, JobPaths, Workspace
from jobs.workspace.states import State
from jobs.workspace.store import Store
from multitrain.commands.cli import commands
from multitrain.datasets.cached.cache import open_pictures
from multitrain.resuming.bringing import Brought, bring_back
from multitrain.resuming.source import Source
from multitrain.weights import checkpoints
from multitrain.weights.checkpoints import Checkpoint
from render.delivery.courier import Courier
from render.delivery.targets import Target, unsent
from render.files.digests import sha256_of
from render.spool.notes import note_digest
from render.spool.rewinding import Remains

SIZE = (16, 12)
CUT, FRAMES = 40, 200
BACKUP = "night_checkpoint.zip"

MakePictures = Callable[..., list[Path]]


def save(paths: JobPaths, job: JobFile, pictures: object, *frames: int) -> None:
    for frame in frames:
        kind = job.spec.family, job.spec.engine
        state = {"generator/kernel": np.full(100, frame, np.float32), "step": np.array(frame)}
        checkpoint = Checkpoint(CheckpointName(frame, frame), *kind, pictures, state)
        checkpoints.save(paths, checkpoint, [CUT, 2 * CUT])


@pytest.fixture
def away(tmp_path: Path, make_pictures: MakePictures) -> Path:
    """What a machine had sent: two timecuts, kept weights, and a backup of frames 80 and 110."""
    far = tmp_path / "far"
    far.mkdir()
    lost = Workspace(tmp_path / "lost")
    make_pictures(lost.dataset("photos"), count=4, size=SIZE)
    columns = {"dataset": "photos", "grid_width": 1, "grid_height": 1, "fps": 10, "after": "day"}
    columns |= {"video_length": FRAMES / 600, "auto_render_period": CUT / 10}
    columns |= {
        "snapshot": "step",
        "keep_checkpoints": 40,
        "upload_to": f"file://{far}",
        "backup_period": 1,
    }
    spec = JobSpec.model_validate({"name": "night", "on_done": "echo s3cr3t", **columns})
    job = JobFile(spec=spec, image_width=SIZE[0], image_height=SIZE[1])
    paths = lost.job("night")
    job.save(paths)
    lost.renders.mkdir()
    timecuts = [paths.timecut(1), paths.timecut(2)]
    for timecut in timecuts:
        timecut.write_bytes(os.urandom(1000))
        note_digest(paths, timecut, sha256_of(timecut))
    for step in (40, 80, 100):
        weights = {"generator/kernel": np.zeros(step, np.float32)}
        checkpoints.keep_weights(paths, step, spec.family, weights)
    feeds = {name: open_pictures(lost, *each).fingerprint for name, each in job.decodings.items()}
    save(paths, job, feeds, 40, 80, 100, 110)
    courier, target = Courier(lost), Target(f"file://{far}")
    courier.offer(paths, target, timecuts)
    courier.offer_kept(paths, target)
    courier.close()
    courier = Courier(lost)
    courier.back_up(paths, target)
    courier.close()
    assert unsent(paths, spec, timecuts) == []
    shutil.rmtree(lost.root)
    return far


@pytest.fixture
def here(workspace: Workspace, make_pictures: MakePictures) -> Workspace:
    """Another machine, with the pictures."""
    make_pictures(workspace.dataset("photos"), count=4, size=SIZE)
    return workspace


def bring(workspace: Workspace, source: Path | str, job: str | None = None) -> Brought:
    found = Source.parse(source if isinstance(source, str) else f"file://{source}")
    return bring_back(workspace, found, job, lambda _: None, lambda _: None)


def nothing_is_there(workspace: Workspace) -> bool:
    """But what only saves time."""
    left = {path.name for path in workspace.runs.iterdir()} if workspace.runs.exists() else set()
    return left <= {".downloads", ".cache"} and not list(workspace.renders.glob("*"))


def rewrite(file: Path, **members: str | None) -> None:
    """Leave out or replace members of a backup, by their names up to the suffix."""
    with zipfile.ZipFile(file) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in held.items():
            text = members.get(name.partition(".")[0], content)
            if text is not None:
                archive.writestr(name, text)


def test_all_that_was_sent_comes_back(away: Path, here: Workspace) -> None:
    brought = bring(here, away)
    paths = here.job("night")
    assert brought.lines == (
        "night goes on from step 80, frame 80 of 200.",
        "Its film is whole: frames 0 to 79 are in timecuts that are here.",
        f"What it makes is sent to file://{away}, as before.",
    )
    job = JobFile.read(paths)
    assert job == brought.job
    assert (job.spec.upload_to, job.spec.after, job.spec.on_done) == (f"file://{away}", None, None)
    assert paths.checkpoint_names() == [CheckpointName(80, 80)]
    assert paths.kept_steps() == [40, 80], "later ones are made again"
    for number in (1, 2):
        assert (
            paths.timecut(number).read_bytes() == (away / paths.timecut(number).name).read_bytes()
        )
    assert Remains(paths, job.plan).go_on_at(80) == 80
    timecuts = [paths.timecut(1), paths.timecut(2)]
    assert set(unsent(paths, job.spec, timecuts)).isdisjoint(each.name for each in timecuts)
    with closing(Store(here.store)) as store:
        row = store.job("night")
    assert row is not None
    assert row.state is State.QUEUED
    assert not list(here.downloads.iterdir())


def test_a_zip_file_here_is_enough_with_the_timecuts_beside_it(away: Path, here: Workspace) -> None:
    (away / BACKUP).rename(away / "mine.zip")
    brought = bring(here, str(away / "mine.zip"))
    assert "Its film is whole" in brought.lines[1]
    assert brought.job.spec.upload_to is None
    assert brought.lines[2].startswith("What it makes is not sent anywhere")


def test_frames_of_a_timecut_that_is_gone_are_lost(away: Path, here: Workspace) -> None:
    (away / "night_timecut0001.mp4").unlink()
    brought = bring(here, away)
    assert brought.lines[:2] == (
        f"frames 0 to 109 of night are lost: no timecut of them is in file://{away}, or not all of "
        f"those before it. The timecuts in file://{away} stay there, as they are.",
        "The film begins at frame 110 of 200, as the job night_from_110: it goes on from step 110.",
    )
    paths = here.job("night_from_110")
    job = JobFile.read(paths)
    assert job is not None
    assert (job.frames_total, job.spec.first_frame_after) == (90, 110)
    assert paths.checkpoint_names() == [CheckpointName(110, 0)]
    loaded = checkpoints.load_newest(paths, job.spec.family, job.spec.engine)
    assert loaded is not None
    assert loaded.state["step"] == 110
    assert Remains(paths, job.plan).go_on_at(0) == 0
    assert not here.job("night").run.exists()
    assert list(here.renders.glob("*")) == []


def test_a_timecut_that_is_damaged_there_does_not_count(away: Path, here: Workspace) -> None:
    timecut = away / "night_timecut0002.mp4"
    timecut.write_bytes(os.urandom(timecut.stat().st_size))
    assert "frames 0 to 109 of night are lost" in bring(here, away).lines[0]


def test_a_backup_of_an_earlier_version_is_read(away: Path, here: Workspace) -> None:
    rewrite(away / BACKUP, backup=None, **{"checkpoints/000000080-000000080": None})
    assert "frames 0 to 109 of night are lost" in bring(here, away).lines[0]


def test_weights_that_are_damaged_there_are_left_out(
    away: Path, here: Workspace, caplog: pytest.LogCaptureFixture
) -> None:
    (away / "night_kept" / "000000040.h5").write_bytes(b"x" * 1000)
    caplog.set_level(logging.WARNING)
    bring(here, away)
    assert here.job("night").kept_steps() == [80]
    assert "000000040.h5 is damaged and left out" in caplog.text


def flipped(backup: Path) -> None:
    content = bytearray(backup.read_bytes())
    content[len(content) // 2] ^= 255
    backup.write_bytes(content)


@pytest.mark.parametrize(
    ("harm", "error", "reason"),
    [
        (flipped, MultitrainError, "is no backup, or damaged"),
        (lambda backup: os.truncate(backup, 2000), MultitrainError, "is no backup, or damaged"),
        (lambda backup: backup.write_bytes(b"PK"), MultitrainError, "is no backup, or damaged"),
        (lambda backup: rewrite(backup, job=None), MultitrainError, "it has no job.yaml"),
        (lambda backup: rewrite(backup, job="a: 1"), MultitrainError, "cannot be understood"),
        (lambda backup: rewrite(backup, job="version: 99"), UsageError, "newer version"),
        (lambda backup: rewrite(backup, backup="[]"), MultitrainError, "it holds something else"),
        (lambda backup: rewrite(backup, backup='{"version": 9}'), UsageError, "newer version"),
        (lambda backup: backup.unlink(), UsageError, "there is no backup in"),
    ],
)
def test_a_backup_that_cannot_be_used_is_told_and_nothing_is_done(
    away: Path,
    here: Workspace,
    harm: Callable[[Path], object],
    error: type[MultitrainError],
    reason: str,
) -> None:
    harm(away / BACKUP)
    with pytest.raises(error, match=reason) as told:
        bring(here, away)
    assert told.value.exit_code == error.exit_code
    assert str(away) in str(told.value)
    assert nothing_is_there(here)


def test_checkpoints_of_another_version_are_told(
    away: Path, here: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "FORMAT", checkpoints.FORMAT + 1)
    with pytest.raises(CheckpointUnfit, match="made by another version of multitrain"):
        bring(here, away)
    assert nothing_is_there(here)


def test_a_checkpoint_that_is_damaged_leaves_the_other_one(away: Path, here: Workspace) -> None:
    rewrite(away / BACKUP, **{"checkpoints/000000110-000000110": "x" * 2000})
    assert bring(here, away).job.spec.name == "night"
    assert here.job("night").checkpoint_names() == [CheckpointName(80, 80)]


@pytest.mark.parametrize(
    "taken", ["runs/night", "renders/night.mp4", "renders/night_timecut0001.mp4"]
)
def test_nothing_of_a_user_is_replaced(away: Path, here: Workspace, taken: str) -> None:
    path = here.root / taken
    path.parent.mkdir(exist_ok=True)
    path.mkdir() if taken == "runs/night" else path.write_bytes(b"mine")
    before = sorted(here.renders.glob("*"))
    with pytest.raises(UsageError, match="there is a job night here already"):
        bring(here, away)
    assert sorted(here.renders.glob("*")) == before
    assert path.is_dir() or path.read_bytes() == b"mine"


def test_pictures_that_are_missing_or_others_are_told(
    away: Path, workspace: Workspace, make_pictures: MakePictures
) -> None:
    with pytest.raises(UsageError, match=r"data/photos \(4 of 16x12\)\. Put them there"):
        bring(workspace, away)
    make_pictures(workspace.dataset("photos"), count=3, size=SIZE)
    with pytest.raises(PicturesChanged, match="4 of 16x12 then, 3 of 16x12 now"):
        bring(workspace, away)
    assert nothing_is_there(workspace)
    make_pictures(workspace.dataset("photos"), count=4, size=SIZE)
    assert bring(workspace, away).job.spec.name == "night"


def test_a_call_that_is_killed_is_finished_by_the_next_one(
    away: Path, here: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def rename(move: moves.Move) -> None:
        if move.target == here.job("night").run:
            raise Killed
        moved(move)

    moved = moves._rename
    monkeypatch.setattr(moves, "_rename", rename)
    with pytest.raises(Killed):
        bring(here, away)
    assert here.job("night").timecut(1).exists()
    monkeypatch.setattr(moves, "_rename", moved)
    assert bring(here, away).lines == ("night was brought back by an earlier call",)
    assert here.job("night").checkpoint_names() == [CheckpointName(80, 80)]
    with closing(Store(here.store)) as store:
        assert [row.name for row in store.jobs()] == ["night"]


def test_the_command_says_where_it_goes_on(away: Path, here: Workspace) -> None:
    call = ["resume-from", f"file://{away}", "--workspace", str(here.root)]
    done = CliRunner().invoke(commands, call)
    assert done.exit_code == 0, done.output
    assert done.output.splitlines()[-1] == "night is queued: `multitrain run` works on it."
    assert "note: timecut 2 of 2 is here" in done.output
    assert "s3cr3t" not in done.output
