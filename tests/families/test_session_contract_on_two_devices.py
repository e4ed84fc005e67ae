"""What the training loop relies on where two devices share a batch.

Each test is a process: devices are set up once, and TensorFlow knows exchanges between replicas by
their order in a session.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.workspace.jobfile import JobFile
from tests.combinations import first_on_jax
from tests.engine.proving.table import PROOFS

SESSIONS = """
import sys
from pathlib import Path
import numpy as np
from jobs.workspace.jobfile import JobFile
from multitrain.engine import open_training
from multitrain.engine.session import SessionSettings
from tests.engine.proving.seen import SeenClips
from tests.engine.proving.table import PROOFS
from tests.combinations import first_on_jax

both = JobFile.model_validate_json(Path(sys.argv[1]).read_text())
alone = both.model_copy(update={"spec": both.spec.model_copy(update={"gpus": 1})})
width, height = both.loaded_size
pictures = np.random.default_rng(0).integers(0, 256, (13, height, width, 3), dtype=np.uint8)
proof = PROOFS[sys.argv[2]]() if len(sys.argv) > 2 else SeenClips()

def opened(job):
    how = SessionSettings()
    return open_training(lambda: proof.describe(job), job.spec, proof.feeds(pictures), how)

two, one = opened(both), opened(alone)
"""

TRAIN_ALIKE = """
losses = [session.run(3).losses for session in (two, one)]
for turn, loss in losses[1].items():
    np.testing.assert_allclose(losses[0][turn], loss, atol=1e-5, err_msg=turn)
state = two.state()
for path, array in one.state().items():
    np.testing.assert_allclose(state[path], array, atol=1e-5, err_msg=path)
frames = two.run(2).frames
two.restore(state)
assert (two.run(2).frames == frames).all()
"""

SEE_ALIKE = """
def seen(session):
    return {name: array for name, array in session.state().items() if "carried" in name}

for step in range(4):
    two.run(1), one.run(1)
    ours, wanted = seen(two), seen(one)
    for turn in "gh":
        assert wanted.pop(f"carried/part_{turn}").tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
        found = ours.pop(f"carried/part_{turn}").tolist()
        assert found == [0, 0, 1, 1, 0, 0, 1, 1], f"not parts of both devices: {found}"
    for name, array in wanted.items():
        np.testing.assert_array_equal(ours[name], array, err_msg=name)
    film, begins = ours["carried/film"], ours["carried/film_begins"]
    np.testing.assert_array_equal(ours["carried/small"], film[:, :, 1::3, 1::3])
    np.testing.assert_array_equal(ours["carried/small_begins"], begins)
    assert film.any() and ours["carried/others"].any() and begins.all() == (step == 0)

before = two.state()
two.run(2)
wanted = two.state()
two.restore(before)
two.run(2)
for name, array in two.state().items():
    np.testing.assert_array_equal(array, wanted[name], err_msg=name)
"""


def passes(script: str, *arguments: str | Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SESSIONS + script, *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.mark.parametrize(
    "name", first_on_jax(sorted(PROOFS, key=lambda name: name != "a pool that is carried"))
)
def test_two_devices_train_as_one_and_resume_exactly(
    name: str, tiny_job: Callable[..., JobFile], tmp_path: Path
) -> None:
    file = tmp_path / "job.json"
    file.write_text(tiny_job(batch_size=8, gpus=2).model_dump_json())
    passes(TRAIN_ALIKE, file, name)


@pytest.mark.long_on_jax
def test_clips_seen_through_windows_are_the_same_on_two_devices(
    tiny_job: Callable[..., JobFile], tmp_path: Path
) -> None:
    """And each micro-batch has clips on either device."""
    cropped = {"preprocess": "crop", "crop_size": "12x9", "flip": True, "loaded": "21x15"}
    job = tiny_job(batch_size=8, gpus=2, **cropped)
    file = tmp_path / "job.json"
    file.write_text(job.model_dump_json())
    passes(SEE_ALIKE, file)
