from __future__ import annotations

import errno
import logging
import os
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from jobs.errors import CheckpointUnfit, OriginUnfit
from jobs.families.feed import PICTURES
from jobs.workspace.files import listing, part_of
from jobs.workspace.paths import CheckpointName, JobPaths
from multitrain.datasets.decoded.folders import Fingerprint
from multitrain.engine.session import State
from multitrain.weights import checkpoints
from multitrain.weights.checkpoints import Checkpoint
from render.films.clearing import sweep_checkpoints

FINGERPRINTS = {PICTURES: Fingerprint(count=400, width=64, height=48, digest="0123abcd")}


def state(step: int) -> State:
    return {
        "step": np.array(step),
        "net/kernel": np.arange(1000, dtype=np.float32).reshape(10, 100) + step,
        "net/empty": np.zeros((0, 3), np.float32),
    }


def save(paths: JobPaths, *steps: int) -> None:
    for step in steps:
        name = CheckpointName(step, 2 * step)
        checkpoints.save(paths, Checkpoint(name, "dcgan", "tensorflow", FINGERPRINTS, state(step)))


def test_what_is_saved_is_loaded(paths: JobPaths) -> None:
    save(paths, 7)

    loaded = checkpoints.load_newest(paths, "dcgan", "tensorflow")

    assert loaded is not None
    assert loaded.name == CheckpointName(7, 14)
    assert (loaded.family, loaded.pictures) == ("dcgan", FINGERPRINTS)
    assert loaded.state.keys() == state(7).keys()
    for name, array in state(7).items():
        np.testing.assert_array_equal(loaded.state[name], array)
        assert loaded.state[name].dtype == array.dtype


def test_without_any_there_is_none(paths: JobPaths) -> None:
    assert checkpoints.load_newest(paths, "dcgan", "tensorflow") is None


def test_the_newest_two_are_kept(paths: JobPaths) -> None:
    save(paths, 1, 2, 3, 4)

    assert [name.step for name in paths.checkpoint_names()] == [3, 4]


def truncate(paths: JobPaths, name: CheckpointName) -> None:
    path = paths.checkpoint(name)
    path.write_bytes(path.read_bytes()[:3000])


def flip_a_bit(paths: JobPaths, name: CheckpointName) -> None:
    path = paths.checkpoint(name)
    content = bytearray(path.read_bytes())
    at = content.index(np.float32(500 + name.step).tobytes())
    content[at] ^= 1
    path.write_bytes(content)


def empty(paths: JobPaths, name: CheckpointName) -> None:
    paths.checkpoint(name).write_bytes(b"")


def append(paths: JobPaths, name: CheckpointName) -> None:
    with paths.checkpoint(name).open("ab") as file:
        file.write(bytes(16))


def change_an_array(paths: JobPaths, name: CheckpointName) -> None:
    with h5py.File(paths.checkpoint(name), "r+") as file:
        del file["net/empty"]


def take_anothers_name(paths: JobPaths, name: CheckpointName) -> None:
    paths.checkpoint(name).write_bytes(paths.checkpoint(paths.checkpoint_names()[0]).read_bytes())


@pytest.mark.parametrize(
    "damage", [truncate, flip_a_bit, empty, append, change_an_array, take_anothers_name]
)
def test_a_damaged_one_gives_way_to_the_one_before(
    paths: JobPaths, damage, caplog: pytest.LogCaptureFixture
) -> None:
    save(paths, 1, 2)
    damage(paths, CheckpointName(2, 4))

    with caplog.at_level(logging.WARNING):
        loaded = checkpoints.load_newest(paths, "dcgan", "tensorflow")

    assert loaded is not None
    assert loaded.name.step == 1
    assert "000000002-000000004.h5 is damaged" in caplog.text
    assert paths.checkpoint_names() == [CheckpointName(1, 2)], "its name must claim nothing"
    assert checkpoints.load_newest(paths, "dcgan", "tensorflow") is not None


SECTOR = 512


def test_a_sector_of_zeros_anywhere_gives_way_to_the_one_before(paths: JobPaths) -> None:
    """HDF5 hangs on some of these files, and finds others of another format or family."""
    names = [f"net/layer{number}/weight" for number in range(12)]
    for step in (1, 2):
        many = {name: np.full(50, step, np.float32) for name in names}
        name = CheckpointName(step, 2 * step)
        checkpoints.save(paths, Checkpoint(name, "dcgan", "tensorflow", FINGERPRINTS, many))
    whole = paths.checkpoint(name).read_bytes()
    damaged = 0
    for start in range(0, len(whole), SECTOR):
        zeros = bytes(len(whole[start : start + SECTOR]))
        content = whole[:start] + zeros + whole[start + SECTOR :]
        paths.checkpoint(name).write_bytes(content)
        loaded = checkpoints.load_newest(paths, "dcgan", "tensorflow")
        assert loaded is not None
        assert loaded.name.step == (2 if content == whole else 1), f"zeros at byte {start}"
        damaged += content != whole
    assert damaged > 20


def test_what_was_set_aside_goes_when_a_new_one_is_there(paths: JobPaths) -> None:
    save(paths, 1, 2)
    empty(paths, CheckpointName(2, 4))
    checkpoints.load_newest(paths, "dcgan", "tensorflow")
    assert listing(paths.checkpoints) == ["000000001-000000002.h5", "000000002-000000004.damaged"]

    save(paths, 3)

    assert listing(paths.checkpoints) == ["000000001-000000002.h5", "000000003-000000006.h5"]


def test_the_old_ones_stay_until_the_new_one_has_its_name(
    paths: JobPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(paths, 1, 2)

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(OSError, match="No space left"):
        save(paths, 3)

    assert listing(paths.checkpoints) == ["000000001-000000002.h5", "000000002-000000004.h5"]
    loaded = checkpoints.load_newest(paths, "dcgan", "tensorflow")
    assert loaded is not None
    assert loaded.name.step == 2


def test_other_programs_can_look_into_it(paths: JobPaths) -> None:
    save(paths, 7)

    with h5py.File(paths.checkpoint(CheckpointName(7, 14))) as file:
        assert file.attrs["family"] == "dcgan"
        np.testing.assert_array_equal(file["net/kernel"], state(7)["net/kernel"])


def test_all_damaged_is_as_none(paths: JobPaths) -> None:
    save(paths, 1)
    empty(paths, CheckpointName(1, 2))

    assert checkpoints.load_newest(paths, "dcgan", "tensorflow") is None


def test_another_familys_is_an_error_with_advice(paths: JobPaths) -> None:
    save(paths, 1)

    with pytest.raises(CheckpointUnfit, match=r"family dcgan, not testcard; .*--fresh"):
        checkpoints.load_newest(paths, "testcard", "tensorflow")
    assert paths.checkpoint_names()


def test_another_engines_is_an_error_with_advice(paths: JobPaths) -> None:
    name = CheckpointName(1, 2)
    checkpoints.save(paths, Checkpoint(name, "dcgan", "jax", FINGERPRINTS, state(1)))

    with pytest.raises(CheckpointUnfit, match=r"engine jax, not tensorflow; .*--fresh"):
        checkpoints.load_newest(paths, "dcgan", "tensorflow")

    loaded = checkpoints.load_newest(paths, "dcgan", "jax")
    assert loaded is not None
    assert loaded.engine == "jax"


def test_another_versions_is_an_error_with_advice(
    paths: JobPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "FORMAT", 99)
        save(paths, 1)

    with pytest.raises(CheckpointUnfit, match=r"written by a newer version"):
        checkpoints.load_newest(paths, "dcgan", "tensorflow")
    assert paths.checkpoint_names()


def test_a_failed_write_leaves_nothing_behind(paths: JobPaths) -> None:
    save(paths, 1)

    impossible = {"a": np.array([object()], dtype=object)}
    with pytest.raises(TypeError):
        checkpoints.save(
            paths, Checkpoint(CheckpointName(2, 4), "dcgan", "tensorflow", FINGERPRINTS, impossible)
        )

    assert listing(paths.checkpoints) == ["000000001-000000002.h5"]


# Weights for other jobs


WEIGHTS: State = {
    "generator/kernel": np.arange(6, dtype=np.float32).reshape(2, 3),
    "discriminator/bias": np.array([1, 2], np.float32),
}


def save_networks(paths: JobPaths, step: int, engine: str = "jax") -> Path:
    """A checkpoint whose weights tell its step."""
    kernel = WEIGHTS["generator/kernel"] + step
    full = {"step": np.array(step), "optimizer_g/000": np.ones(9)} | WEIGHTS
    full["generator/dropout_0/seed_generator_state"] = np.array([1, 2], np.uint32)
    name = CheckpointName(step, 2 * step)
    full["generator/kernel"] = kernel
    checkpoints.save(paths, Checkpoint(name, "dcgan", engine, FINGERPRINTS, full))
    return paths.checkpoint(name)


def test_only_the_networks_of_any_engine_are_handed_on(paths: JobPaths) -> None:
    path = save_networks(paths, 0)

    for loaded in (
        checkpoints.load_weights(path, "dcgan"),
        checkpoints.load_newest_weights(paths, "dcgan"),
    ):
        assert loaded is not None
        assert loaded.keys() == WEIGHTS.keys()
        for name, array in WEIGHTS.items():
            np.testing.assert_array_equal(loaded[name], array, strict=True)


def test_weights_alone_can_be_kept(paths: JobPaths) -> None:
    checkpoints.save_weights(paths.beginning, "dcgan", WEIGHTS)

    loaded = checkpoints.load_weights(paths.beginning, "dcgan")

    for name, array in WEIGHTS.items():
        np.testing.assert_array_equal(loaded[name], array, strict=True)


def test_a_damaged_one_of_another_job_is_left_as_it_is(paths: JobPaths) -> None:
    save_networks(paths, 1)
    damaged = save_networks(paths, 2)
    damaged.write_bytes(damaged.read_bytes()[:-1])
    before = listing(paths.checkpoints)

    loaded = checkpoints.load_newest_weights(paths, "dcgan")

    assert loaded is not None
    assert loaded["generator/kernel"][0, 0] == 1
    assert listing(paths.checkpoints) == before
    with pytest.raises(checkpoints.Damaged):
        checkpoints.load_weights(damaged, "dcgan")


def test_without_a_whole_one_there_are_no_weights(paths: JobPaths) -> None:
    assert checkpoints.load_newest_weights(paths, "dcgan") is None
    save_networks(paths, 1).write_bytes(b"")
    assert checkpoints.load_newest_weights(paths, "dcgan") is None


def test_one_that_goes_while_it_is_looked_for_has_a_successor(
    paths: JobPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    for step in (1, 2):
        save_networks(paths, step)
    read = Path.read_bytes

    def read_late(path: Path) -> bytes:
        monkeypatch.setattr(Path, "read_bytes", read)
        for step in (3, 4):
            save_networks(paths, step)
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", read_late)
    loaded = checkpoints.load_newest_weights(paths, "dcgan")

    assert loaded is not None
    assert loaded["generator/kernel"][0, 0] == 4


@pytest.mark.parametrize(("attribute", "value"), [("FORMAT", 99), (None, None)])
def test_weights_of_another_version_or_family_are_refused(
    paths: JobPaths, monkeypatch: pytest.MonkeyPatch, attribute: str | None, value: object
) -> None:
    with monkeypatch.context() as patch:
        if attribute:
            patch.setattr(checkpoints, attribute, value)
        path = save_networks(paths, 1)
    words = r"format 99, not \d+" if attribute else "family dcgan, not pix2pix"
    family = "dcgan" if attribute else "pix2pix"

    with pytest.raises(OriginUnfit, match=words):
        checkpoints.load_weights(path, family)


SAVE_WITHOUT_ROOM = """
import resource, sys
from pathlib import Path
import numpy as np
from jobs.workspace.files import listing
from jobs.workspace.paths import CheckpointName, Workspace
from multitrain.weights import checkpoints
from multitrain.weights.checkpoints import Checkpoint
from multitrain.datasets.decoded.folders import Fingerprint

paths = Workspace(Path(sys.argv[1])).job("job")
names = [f"net{i % 4}/layer{i}/weight{j}" for i in range(20) for j in range(3)]
state = {name: np.ones((9, 9), np.float32) for name in names}
resource.setrlimit(resource.RLIMIT_FSIZE, (8000, resource.RLIM_INFINITY))
try:
    pictures = {"pictures": Fingerprint(1, 1, 1, "")}
    name = CheckpointName(1, 2)
    checkpoints.save(paths, Checkpoint(name, "dcgan", "tensorflow", pictures, state))
except OSError:
    print(listing(paths.checkpoints))
"""


def test_a_write_that_breaks_off_is_an_error_and_no_crash(tmp_path: Path) -> None:
    """HDF5 that writes to the disk itself ends in a segmentation fault, as the process exits."""
    done = subprocess.run(
        [sys.executable, "-c", SAVE_WITHOUT_ROOM, tmp_path],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr


def test_what_a_killed_trainer_had_begun_is_swept(paths: JobPaths) -> None:
    sweep_checkpoints(paths)  # nothing there yet
    save(paths, 1)
    part_of(paths.checkpoint(CheckpointName(2, 4))).touch()

    sweep_checkpoints(paths)

    assert listing(paths.checkpoints) == ["000000001-000000002.h5"]


@pytest.mark.parametrize(
    ("code", "step"), [(errno.EMFILE, None), (errno.EACCES, None), (errno.EIO, 1)]
)
def test_only_what_lies_in_the_file_counts_as_damage(
    paths: JobPaths, monkeypatch: pytest.MonkeyPatch, code: int, step: int | None
) -> None:
    save(paths, 1, 2)
    newest = paths.checkpoint(CheckpointName(2, 4))
    read = Path.read_bytes

    def refuse(path: Path) -> bytes:
        if path == newest:
            raise OSError(code, os.strerror(code))
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", refuse)
    if step is None:
        with pytest.raises(OSError, match=os.strerror(code)):
            checkpoints.load_newest(paths, "dcgan", "tensorflow")
        assert len(paths.checkpoint_names()) == 2
    else:
        loaded = checkpoints.load_newest(paths, "dcgan", "tensorflow")
        assert loaded is not None
        assert loaded.name.step == step


def test_those_within_the_last_timecuts_are_kept_as_well() -> None:
    names = [CheckpointName(step, step) for step in (10, 20, 35, 50, 60)]
    kept = checkpoints.worth_keeping(names, [30, 40])
    assert sorted(kept) == [names[1], names[2], names[3], names[4]]
    assert sorted(checkpoints.worth_keeping(names, [5])) == names[-2:]
    assert sorted(checkpoints.worth_keeping(names[:1], [30])) == names[:1]
