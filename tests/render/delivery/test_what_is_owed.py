"""Backups, and what is still to be sent, whatever comes between."""

import hashlib
import os
import threading
import zipfile

import pytest
import yaml

from jobs.workspace.paths import CheckpointName
from render.delivery import courier as courier_module
from render.delivery import s3, targets
from render.delivery.courier import Courier
from render.delivery.offering import Offering
from render.delivery.targets import Target, unsent
from tests.render.delivery.far_ends import (
    PATIENCE,
    has_arrived,
)


def test_backups_replace_each_other_in_their_time(make_job, workspace, home):
    url = f"file://{home}/nas"
    told = {"on_done": "https://h/s3cr3t", "on_failed": "mail s3cr3t"}
    paths, job = make_job("night", upload_to=url, backup_period=10, **told)
    far = home / "nas" / "night_checkpoint.zip"
    far.parent.mkdir()

    def look(minute, *, ended=False):
        courier = Courier(workspace)
        offering._courier = courier
        offering.look(paths, job.spec, lambda: [], 60.0 * minute, ended=ended)
        courier.close()
        if not far.exists():
            return None
        with zipfile.ZipFile(far) as archive:
            job_file = archive.read("job.yaml").decode()
            assert url not in job_file
            assert "s3cr3t" not in job_file
            assert yaml.safe_load(job_file) == yaml.safe_load(
                job.without(told | {"upload_to": ""}).text
            )
            job_file, name, index = archive.namelist()
            assert (job_file, index) == ("job.yaml", "backup.json")
            return archive.read(name).decode()

    def checkpoint(step):
        paths.checkpoints.mkdir(exist_ok=True)
        paths.checkpoint(CheckpointName(step, step)).write_text(f"weights {step}")

    offering = Offering(None)
    assert look(0) is None
    checkpoint(1)
    assert look(1) == "weights 1"
    checkpoint(2)
    assert look(6) == "weights 1"
    assert look(12) == "weights 2"
    checkpoint(3)
    offering = Offering(None)  # another worker knows when the last one arrived
    assert look(13) == "weights 2"
    assert unsent(paths, job.spec, []) == ["night_checkpoint.zip"]
    assert look(14, ended=True) == "weights 3"
    assert unsent(paths, job.spec, []) == []
    assert os.listdir(home / "nas") == ["night_checkpoint.zip"]
    assert not paths.backup(Target(url).key).exists()


def test_what_is_owed_is_known_by_file_and_by_target(film, deliver, make_job, home):
    _, job = make_job(film[0].name, upload_to=f"file://{home}/a")
    (home / "a").mkdir()
    assert unsent(film[0], job.spec, [film[1]]) == [film[1].name]
    deliver(job.spec.upload_to)
    assert unsent(film[0], job.spec, [film[1]]) == []
    _, elsewhere = make_job(film[0].name, upload_to=f"file://{home}/b")
    assert unsent(film[0], elsewhere.spec, [film[1]]) == [film[1].name]
    film[1].write_bytes(b"made anew")
    assert unsent(film[0], job.spec, [film[1]]) == [film[1].name]


class Slow:
    """A far end that holds each file up until it is let go; `name: contents` of what it took."""

    def __init__(self):
        self.taken = []
        self.begun, self.let_go = threading.Semaphore(0), threading.Semaphore(0)

    def take(self, file, name):
        contents = file.read_bytes()
        self.begun.release()
        assert self.let_go.acquire(timeout=PATIENCE)
        self.taken.append(contents)

    def close(self):
        pass

    cut = close


@pytest.fixture
def slow(monkeypatch):
    place = Slow()
    monkeypatch.setattr(courier_module, "connect", lambda *_: place)
    return place


def test_a_file_made_anew_while_it_is_sent_is_sent_again(film, workspace, slow):
    courier, target = Courier(workspace), Target("ftp://h")
    courier.offer(film[0], target, [film[1]])
    assert slow.begun.acquire(timeout=PATIENCE)
    film[1].write_bytes(b"made anew")
    courier.offer(film[0], target, [film[1]])
    slow.let_go.release(2)
    courier.close()
    assert slow.taken[1:] == [b"made anew"]
    assert targets.has_arrived(film[0], target, film[1].name, targets.identity_of(film[1]))


def test_a_file_offered_while_it_is_sent_is_sent_once(film, workspace, slow):
    courier, target = Courier(workspace), Target("ftp://h")
    courier.offer(film[0], target, [film[1]])
    assert slow.begun.acquire(timeout=PATIENCE)
    courier.offer(film[0], target, [film[1]])
    slow.let_go.release(2)
    courier.close()
    assert len(slow.taken) == 1


def test_the_last_backup_goes_also_while_another_is_sent(make_job, workspace, slow):
    paths, job = make_job("night", upload_to="ftp://h", backup_period=10)
    courier, (target,) = Courier(workspace), targets.targets_of(job.spec)
    paths.checkpoints.mkdir()
    for step in (1, 2):
        paths.checkpoint(CheckpointName(step, step)).write_bytes(b"weights")
        courier.back_up(paths, target)
        if step == 1:
            assert slow.begun.acquire(timeout=PATIENCE)
    slow.let_go.release(2)
    courier.close()
    assert len(slow.taken) == 2
    assert unsent(paths, job.spec, []) == []


def test_a_folder_that_is_not_there_is_not_made_and_tried_again(film, workspace, home, told, lines):
    courier, target = Courier(workspace, pauses=(0.01,)), Target(f"file://{home}/nas")
    courier.offer(film[0], target, [film[1]])
    for _ in range(2):
        assert told.acquire(timeout=PATIENCE)
    assert not (home / "nas").exists()
    assert lines()[-1].endswith(f"there is no folder {home}/nas; make it, or mount its disk")
    (home / "nas").mkdir()
    courier.close()
    assert has_arrived(film, target)


def test_a_damaged_marker_says_nothing(film, deliver, home):
    (home / "nas").mkdir()
    target = deliver(f"file://{home}/nas")
    film[0].delivered(film[1].name, target.key).write_bytes(b"\xff\xfe")
    assert targets.arrived(film[0], target, film[1].name) is None
    (home / "nas" / film[1].name).unlink()
    deliver(f"file://{home}/nas")
    assert (home / "nas" / film[1].name).exists()


def test_trouble_with_files_here_harms_no_job(make_job, workspace, home, caplog):
    paths, job = make_job("night", upload_to=f"file://{home}/a")

    def outputs():
        raise PermissionError("no")

    offering = Offering(Courier(workspace))
    for now in (0.0, 5.0):
        offering.look(paths, job.spec, outputs, now, ended=False)
    assert caplog.text.count("cannot be looked at") == 1


def test_the_checksum_is_that_of_the_content(tmp_path):
    file = tmp_path / "file"
    file.write_bytes(b"abc")
    assert s3.sha256_of(file) == hashlib.sha256(b"abc").digest()


def test_checkpoints_are_kept_for_the_timecuts_that_were_sent(make_job, home, workspace):
    url = f"file://{home}/nas"
    (home / "nas").mkdir()
    paths, job = make_job("night", frames=100, cut=20, upload_to=url, backup_period=10)
    workspace.renders.mkdir()
    cuts = [paths.timecut(number) for number in (1, 2, 3)]
    for cut in cuts:
        cut.write_bytes(b"cut")

    def ends(*sent):
        courier = Courier(workspace)
        courier.offer(paths, Target(url), sent)
        courier.close()
        return targets.ends_to_keep(paths, job.spec, job.plan)

    assert ends() == [20]
    assert ends(cuts[1]) == [20], "the one before is on its way"
    assert ends(cuts[0]) == [40, 60]
    cuts[0].unlink()
    assert ends(cuts[2]) == [60, 80], "a user has moved the first one away, and it is safe"
    cuts[2].write_bytes(b"made anew")
    assert ends() == [40, 60]
    quiet = job.spec.model_copy(update={"backup_period": None})
    assert targets.ends_to_keep(paths, quiet, job.plan) == []
